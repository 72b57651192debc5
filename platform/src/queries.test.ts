// The queries of the space as a user calls them: over several partitions, in one process.
import { afterEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { embedded, entry, handler, stampOf, unit, type Client } from './index.ts'

const Order = entry(
  'order',
  z.object({
    id: z.string(),
    symbol: z.string(),
    price: z.int(),
    quantity: z.int(),
    status: z.enum(['open', 'done']),
    tags: z.array(z.string()).optional(),
    limit: z.object({ daily: z.int() }).optional(),
  }),
  { id: 'id', route: 'symbol', indexes: [['symbol', 'price'], ['status'], ['limit.daily']] },
)
const Job = entry('job', z.object({ id: z.string(), account: z.string(), n: z.int() }), {
  id: 'id',
  route: 'account',
  keys: 'uuid7',
  fifo: 'account',
  indexes: [['n']],
})

const shop = unit(
  'shop',
  { entries: [Order, Job] },
  {
    handlers: {
      next: handler({ input: z.object({ account: z.string() }), route: 'account' }, ({ account }, { partition }) => {
        const left = partition.aggregate(Job, { account }, { sum: ['n'] })
        return { taken: partition.take(Job, { account })?.n, left: left.sum.n }
      }),
      sweep: handler({ input: z.object({ symbol: z.string() }), route: 'symbol' }, ({ symbol }, { partition }) => {
        const done = partition.takeAll(Order, { symbol, status: 'done' }, { orderBy: { price: 'desc' } })
        return { done: done.map(({ id }) => id), cleared: partition.clear(Order, { symbol }) }
      }),
    },
  },
)

type Shop = Client<typeof shop>
const running: Shop[] = []
async function start(limits = {}): Promise<Shop> {
  const client = await embedded({ unit: shop, journal: 'memory', partitions: 3, limits })
  running.push(client)
  return client
}
afterEach(async () => {
  for (const client of running.splice(0)) await client[Symbol.asyncDispose]()
})

const symbols = ['ACME', 'BETA', 'CORP', 'DELTA']

/** Forty orders of four symbols, ten prices each. */
async function filled(limits = {}): Promise<Shop> {
  const client = await start(limits)
  const orders = Array.from({ length: 40 }, (_, n) => ({
    id: `o${n}`,
    symbol: symbols[n % 4]!,
    price: Math.floor(n / 4),
    quantity: n,
    status: n % 3 === 0 ? ('done' as const) : ('open' as const),
    ...(n % 2 === 0 ? { limit: { daily: n } } : {}),
  }))
  for (const outcome of await client.space.insertAll(Order, orders)) expect(outcome.ok).toBe(true)
  return client
}

describe('reading by queries', () => {
  test('[SP3] explain says which index served, that nothing else was visited, and who was asked', async () => {
    const { space } = await filled()
    const one = await space.explain(Order, { symbol: 'ACME', price: { gte: 2, lt: 5 } })
    expect(one).toMatchObject({ fanOut: false, matches: 3, visited: 3 })
    expect(one.partitions).toMatchObject([{ by: 'symbol, price', sorted: false }])
    const all = await space.explain(Order, { 'limit.daily': { gt: 30 } })
    expect(all).toMatchObject({ fanOut: true, matches: 4, visited: 4 })
    expect(all.partitions).toHaveLength(3)
    expect(await space.explain(Order, { quantity: 7 })).toMatchObject({ matches: 1, visited: 40 })
    expect((await space.explain(Order, { id: 'o1' })).partitions[0]?.by).toBe('id')
  })

  test('[SP3] pages follow each other without gap or repetition, in the order asked for, whatever is written between', async () => {
    const { space } = await filled()
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const page = await space.readPage(Order, { status: 'open' }, { orderBy: { price: 'desc' }, limit: 7, cursor })
      seen.push(...page.entries.map(({ id }) => id))
      cursor = page.cursor
      await space.write(Order, { id: `new${seen.length}`, symbol: 'ACME', price: 99, quantity: 0, status: 'open' })
    } while (cursor !== undefined)
    const before = (await space.readAll(Order, { status: 'open', price: { lt: 99 } })).map(({ id }) => id)
    expect(new Set(seen)).toEqual(new Set(before))
    expect(seen).toHaveLength(before.length)
    const prices = await Promise.all(seen.map(async (id) => (await space.read(Order, { id }))!.price))
    expect(prices).toEqual(prices.toSorted((a, b) => b - a))
  })

  test('[SP3] a cursor of another query, or none at all, and impossible limits are QUERY_INVALID', async () => {
    const { space } = await filled()
    const { cursor } = await space.readPage(Order, { status: 'open' }, { limit: 2 })
    const failure = expect.objectContaining({ code: 'QUERY_INVALID', details: { path: 'cursor' } })
    await expect(space.readPage(Order, { status: 'done' }, { limit: 2, cursor })).rejects.toEqual(failure)
    await expect(space.readPage(Order, {}, { cursor: 'x?' })).rejects.toEqual(failure)
    for (const limit of [-1, 1.5, Number.NaN]) {
      const badLimit = expect.objectContaining({ code: 'QUERY_INVALID', details: { path: 'limit' } })
      await expect(space.readAll(Order, {}, { limit })).rejects.toEqual(badLimit)
      await expect(space.readPage(Order, {}, { limit })).rejects.toEqual(badLimit)
    }
  })

  test('[SP3] a path that no value has is QUERY_INVALID, in a query, an order, a selection and an aggregate', async () => {
    const { space } = await filled()
    const unknown = (path: string) => expect.objectContaining({ code: 'QUERY_INVALID', details: { path } })
    const loose = space as unknown as Record<string, (...given: unknown[]) => Promise<unknown>>
    await expect(loose['readAll']!(Order, { 'limit.dayly': 1 })).rejects.toEqual(unknown('query.limit.dayly'))
    await expect(loose['readAll']!(Order, {}, { orderBy: { prise: 'asc' } })).rejects.toEqual(unknown('orderBy.prise'))
    await expect(loose['readAll']!(Order, {}, { select: ['prise'] })).rejects.toEqual(unknown('select.prise'))
    await expect(loose['aggregate']!(Order, {}, { sum: ['prise'] })).rejects.toEqual(unknown('aggregate.prise'))
  })

  test('[SP3] aggregates are the same over partitions as over a list', async () => {
    const { space } = await filled()
    const orders = await space.readAll(Order, {})
    const all = await space.aggregate(
      Order,
      {},
      { sum: ['quantity'], avg: ['price', 'limit.daily'], min: ['price'], max: ['symbol'] },
    )
    const sum = orders.reduce((total, { quantity }) => total + quantity, 0)
    expect(all).toMatchObject({ count: 40, sum: { quantity: sum }, min: { price: 0 }, max: { symbol: 'DELTA' } })
    expect(all.avg['price']).toBeCloseTo(4.5)
    expect(all.avg['limit.daily']).toBeCloseTo(19)
    const groups = await space.aggregate(Order, { price: { gte: 5 } }, { groupBy: ['symbol'], sum: ['price'] })
    expect(groups.map(({ group, count }) => [group.symbol, count])).toEqual(symbols.map((symbol) => [symbol, 5]))
    expect(await space.aggregate(Order, { price: 99 }, { sum: ['quantity'] })).toMatchObject({
      count: 0,
      sum: { quantity: 0 },
    })
  })
})

describe('taking and clearing', () => {
  test('[SP4] each match is taken once, by whoever asks first, over all partitions', async () => {
    const { space } = await filled()
    const taken = await Promise.all(Array.from({ length: 50 }, () => space.take(Order, { status: 'open' })))
    const ids = taken.flatMap((order) => order?.id ?? [])
    expect(ids).toHaveLength(26)
    expect(new Set(ids).size).toBe(26)
    expect(await space.count(Order, { status: 'open' })).toBe(0)
    expect(await space.takeAll(Order, { status: 'done' }, { limit: 5 })).toHaveLength(5)
    expect(await space.takeAll(Order, { status: 'done' })).toHaveLength(9)
    expect(await space.take(Order, {})).toBeUndefined()
  })

  test('[SP7] clear removes what matches and says how much it was', async () => {
    const { space } = await filled()
    expect(await space.clear(Order, { symbol: 'ACME' })).toBe(10)
    expect(await space.clear(Order, { price: { lt: 3 } })).toBe(9)
    expect(await space.clear(Order, {})).toBe(21)
    expect(await space.clear(Order, {})).toBe(0)
  })

  test('[SP9] entries of a FIFO group are taken in the order in which they were first written', async () => {
    const { space, handlers } = await start()
    for (const n of [6, 5, 4, 3, 2, 1]) await space.insert(Job, { account: n % 2 === 0 ? 'ann' : 'bob', n })
    const [first] = await space.readAll(Job, { account: 'ann' }, { fifo: true })
    await space.patch(Job, first!, { n: 100 })
    // The index visits them by n.
    const any = { account: 'ann', n: { gte: 0 } }
    expect((await space.take(Job, any))?.n).toBe(100)
    expect((await space.take(Job, any))?.n).toBe(4)
    expect(await handlers.next({ account: 'bob' })).toEqual({ taken: 5, left: 9 })
    expect((await space.takeAll(Job, { account: 'bob', n: { lt: 9 } })).map(({ n }) => n)).toEqual([3, 1])
  })

  test('[SP3] [SP4] [SP7] a handler takes, clears and aggregates in its one transaction', async () => {
    const { space, handlers } = await filled()
    const done = (await space.readAll(Order, { symbol: 'ACME', status: 'done' }, { orderBy: { price: 'desc' } })).map(
      ({ id }) => id,
    )
    expect(await handlers.sweep({ symbol: 'ACME' })).toEqual({ done, cleared: 10 - done.length })
    expect(await space.count(Order, {})).toBe(30)
  })
})

test('[SP8] a lease is renewed or made endless without touching value, version and stamp', async () => {
  const { space } = await start()
  const key = { id: 'a', symbol: 'ACME' }
  await space.write(Order, { ...key, price: 1, quantity: 1, status: 'open' }, { lease: '80ms' })
  const before = await space.get(Order, key)
  const { expiresAt } = await space.renew(Order, key, '1h')
  expect(expiresAt).toBeGreaterThan(3_000_000)
  await new Promise((resolve) => setTimeout(resolve, 120))
  const after = await space.get(Order, key)
  expect(after).toEqual(before)
  expect(stampOf(after!)).toBe(stampOf(before!))
  expect(await space.renew(Order, key, 'forever')).toEqual({ expiresAt: undefined })
  await expect(space.renew(Order, { ...key, id: 'b' }, '1h')).rejects.toMatchObject({ code: 'ENTRY_MISSING' })
  for (const lease of ['0s', '40000d'] as const) {
    const details = expect.objectContaining({ limit: 'entryLeaseMsMax' })
    await expect(space.renew(Order, key, lease)).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED', details })
    const written = space.write(Order, { ...key, price: 1, quantity: 1, status: 'open' }, { lease })
    await expect(written).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED', details })
  }
})

test('[SP6] push and removeFrom change a list, also one that is not there yet', async () => {
  const { space } = await start()
  const key = { id: 'a', symbol: 'ACME' }
  await space.write(Order, { ...key, price: 1, quantity: 1, status: 'open' })
  await space.change(Order, key, { push: { tags: 'red' } })
  await space.change(Order, key, { push: { tags: 'blue' } })
  await space.change(Order, key, { removeFrom: { tags: 'red' }, add: { quantity: 2 } })
  expect(await space.get(Order, key)).toMatchObject({ tags: ['blue'], quantity: 3 })
})

test('[SP3] an index on a path where nothing is ever a scalar is UNIT_INVALID', () => {
  const schema = z.object({ id: z.string(), tags: z.array(z.string()) })
  expect(() => entry('bad', schema, { id: 'id', indexes: [['tags']] })).toThrow(
    expect.objectContaining({ code: 'UNIT_INVALID', details: { option: 'index', field: 'tags' } }),
  )
})

test('[SP3] the way that is taken is the cheapest: the id, then the narrower index, then an order that ends early', async () => {
  const { space } = await filled()
  const by = async (where: object, options = {}): Promise<[string | undefined, number]> => {
    const { partitions, visited } = await space.explain(Order, { symbol: 'ACME', ...where }, options)
    return [partitions[0]?.by, visited]
  }
  expect(await by({ id: 'o4', status: 'open' })).toEqual(['id', 1])
  expect(await by({ id: { in: ['o4', 'o8', 'x'] } })).toEqual(['id', 2])
  expect(await by({ and: [{ id: { eq: 'o4' } }] })).toEqual(['id', 1])
  expect(await by({ price: 3 }, { orderBy: { 'limit.daily': 'asc' }, limit: 3 })).toEqual(['symbol, price', 1])
  expect(await by({}, { orderBy: { price: 'desc' }, limit: 3 })).toEqual(['symbol, price', 3])
})

test('[SP3] an offset skips and cuts nothing else, also where nothing limits the rest', async () => {
  const client = await embedded({ unit: shop, journal: 'memory', partitions: 1, limits: { readEntriesMax: 10 } })
  running.push(client)
  const { space } = client
  const order = (n: number) => ({ id: `o${n}`, symbol: 'ACME', price: n, quantity: 1, status: 'open' as const })
  await space.writeAll(
    Order,
    Array.from({ length: 30 }, (_, n) => order(n)),
  )
  const tooMany = expect.objectContaining({ code: 'LIMIT_EXCEEDED' })
  await expect(space.readAll(Order, { symbol: 'ACME' }, { offset: 5 })).rejects.toEqual(tooMany)
  expect(
    (await space.readAll(Order, { symbol: 'ACME' }, { offset: 20, orderBy: { price: 'asc' } })).map(
      ({ price }) => price,
    ),
  ).toEqual([20, 21, 22, 23, 24, 25, 26, 27, 28, 29])
  expect((await space.readPage(Order, {}, { limit: 500 })).entries).toHaveLength(9)
})

test('[SP4] [SP11] a call that was given up before it began does nothing; a key goes with one request only', async () => {
  const { space } = await filled()
  const signal = AbortSignal.abort()
  await expect(space.take(Order, { symbol: 'ACME' }, { signal })).rejects.toMatchObject({ code: 'ABORTED' })
  await expect(space.clear(Order, {}, { signal })).rejects.toMatchObject({ code: 'ABORTED' })
  expect(await space.count(Order, {})).toBe(40)
  const keyed = { key: 'click' } as object
  for (const call of ['take', 'takeAll', 'clear'] as const) {
    await expect(space[call](Order, {}, keyed)).rejects.toMatchObject({
      code: 'QUERY_INVALID',
      details: { path: 'key' },
    })
  }
})

test('[SP3] an operand that could match nothing is QUERY_INVALID; a pattern of many parts ends', async () => {
  const { space } = await filled()
  const loose = space as unknown as Record<string, (...given: unknown[]) => Promise<unknown>>
  for (const [operator, operand] of [
    ['startsWith', { toString: 1 }],
    ['startsWith', 5],
    ['exists', 'yes'],
    ['lt', {}],
    ['between', [null, 3]],
  ] as const) {
    await expect(loose['count']!(Order, { id: { [operator]: operand } })).rejects.toMatchObject({
      code: 'QUERY_INVALID',
      details: { path: `query.id.${operator}` },
    })
  }
  await space.write(Order, { id: 'a'.repeat(5_000), symbol: 'ACME', price: 1, quantity: 1, status: 'open' })
  expect(await space.count(Order, { id: { like: `${'%a'.repeat(30)}%b` } })).toBe(0)
  expect(await space.count(Order, { id: { like: `${'%a'.repeat(30)}_` } })).toBe(1)
})

test('[A8] what a query costs has limits, from outside, in a handler, for a wait and for a watch', async () => {
  const { space, handlers } = await filled({ queryVisitsMax: 3, queryConditionsMax: 4, inItemsMax: 3 })
  const exceeds = (limit: string) =>
    expect.objectContaining({
      code: 'LIMIT_EXCEEDED',
      retry: 'never',
      details: expect.objectContaining({ limit }) as unknown,
    })
  await expect(space.count(Order, { quantity: { gte: 0 } })).rejects.toEqual(exceeds('queryVisitsMax'))
  await expect(space.take(Order, { quantity: -1 }, { wait: '1m' })).rejects.toEqual(exceeds('queryVisitsMax'))
  await expect(handlers.sweep({ symbol: 'ACME' })).rejects.toEqual(exceeds('queryVisitsMax'))
  expect(await space.readAll(Order, { symbol: 'ACME', price: { lt: 3 } })).toHaveLength(3)
  expect((await space.get(Order, { symbol: 'ACME', id: 'o0' }))?.status).toBe('done')
  await expect(space.readAll(Order, { id: { in: ['1', '2', '3', '4'] } })).rejects.toEqual(exceeds('inItemsMax'))
  const many = { and: [{ price: { gt: 1, lt: 9 } }, { quantity: 1 }] }
  await expect(space.readAll(Order, many)).rejects.toEqual(exceeds('queryConditionsMax'))
  await expect(space.read(Order, many, { wait: '1m' })).rejects.toEqual(exceeds('queryConditionsMax'))
  // The first event says that a state follows; the second would be that state.
  const events = space.watch(Order, many)[Symbol.asyncIterator]()
  await expect(events.next()).rejects.toEqual(exceeds('queryConditionsMax'))
})
