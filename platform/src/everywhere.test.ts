import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { embedded } from './embedded.ts'
import { stampOf } from './index.ts'
import { isPlenumError } from './kernel/index.ts'
import { entry, type Operations } from './space/index.ts'
import { simulate } from './testing/index.ts'
import { handler, source, task, unit } from './unit/index.ts'

const Rate = entry('rate', z.object({ currency: z.string(), rate: z.number(), zone: z.string() }), {
  id: 'currency',
  indexes: [['zone']],
  placement: 'everywhere',
})
const Payment = entry('payment', z.object({ id: z.string(), account: z.string(), amount: z.number() }), {
  id: 'id',
  route: 'account',
})
const Asked = z.object({ account: z.string(), currency: z.string() })

type Partition = Operations<'now', typeof Rate>

/** Handlers that try to change what is everywhere. */
const changes = {
  insert: (partition: Partition) => partition.insert(Rate, { currency: 'NEW', rate: 1, zone: 'x' }),
  write: (partition: Partition) => partition.write(Rate, { currency: 'CHF', rate: 1, zone: 'x' }),
  update: (partition: Partition) => partition.update(Rate, { currency: 'CHF', rate: 1, zone: 'x' }),
  patch: (partition: Partition) => partition.patch(Rate, { currency: 'CHF' }, { rate: 1 }),
  change: (partition: Partition) => partition.change(Rate, { currency: 'CHF' }, { add: { rate: 1 } }),
  remove: (partition: Partition) => partition.remove(Rate, { currency: 'CHF' }),
  renew: (partition: Partition) => partition.renew(Rate, { currency: 'CHF' }, 'forever'),
  take: (partition: Partition) => partition.take(Rate, { currency: 'CHF' }),
  takeAll: (partition: Partition) => partition.takeAll(Rate, {}),
  clear: (partition: Partition) => partition.clear(Rate, {}),
}

/** What the source was asked for. */
const loads: unknown[] = []

const desk = unit(
  'desk',
  { entries: [Rate, Payment] },
  {
    handlers: {
      pay: handler({ input: Asked, route: 'account' }, ({ account, currency }, { partition }) => {
        const rate = partition.get(Rate, { currency })
        const same = partition.readAll(Rate, { zone: rate?.zone ?? '' }).length
        const amount = 10 * (rate?.rate ?? 0)
        partition.insert(Payment, { id: `${account} ${currency}`, account, amount })
        return { amount, same, count: partition.count(Rate, {}) }
      }),
      // Its route has the same name as an entry that is everywhere: even then it only reads it.
      tamper: handler(
        {
          input: z.object({ currency: z.string(), how: z.enum(Object.keys(changes) as (keyof typeof changes)[]) }),
          route: 'currency',
        },
        ({ how }, { partition }) => void changes[how](partition as unknown as Partition),
      ),
    },
    tasks: {
      copies: task(
        { input: z.object({}) },
        (_, { partition }) => [
          partition
            .readAll(Rate, {}, { orderBy: { currency: 'asc' } })
            .map(({ currency, rate }) => `${currency} ${rate}`)
            .join(' '),
        ],
        (left, right) => [...left, ...right],
      ),
    },
    sources: {
      rates: source(Rate, {
        load: async function* ({ partition, partitions, slots }) {
          loads.push({ partition, partitions, slots })
          yield Array.from({ length: 1_200 }, (__, at) => ({ currency: `C${at}`, rate: at, zone: 'loaded' }))
        },
      }),
    },
  },
)

const rates = [
  { currency: 'CHF', rate: 1.1, zone: 'europe' },
  { currency: 'EUR', rate: 1.05, zone: 'europe' },
  { currency: 'JPY', rate: 0.0066, zone: 'asia' },
]

async function open(partitions = 4, limits = {}) {
  return embedded({ unit: desk, ack: 'memory', partitions, limits })
}

type Desk = Pick<Awaited<ReturnType<typeof open>>, 'tasks'>

/** What each partition holds, once if all hold the same. */
async function copies({ tasks }: Desk): Promise<readonly string[]> {
  const { value } = await tasks.copies({}).total()
  return [...new Set(value)]
}

describe('entries that every partition has', () => {
  test('[UN2a] every handler reads them, and one changes entries of its own route by them', async () => {
    await using client = await open()
    await client.space.insertAll(Rate, rates)
    for (const account of ['a', 'b', 'c', 'd', 'e', 'f']) {
      expect(await client.handlers.pay({ account, currency: 'CHF' })).toEqual({ amount: 11, same: 2, count: 3 })
    }
    expect(await client.space.count(Payment, {})).toBe(6)
  })

  test.each(Object.keys(changes) as (keyof typeof changes)[])('[UN2a] no handler can %s one', async (how) => {
    await using client = await open()
    await client.space.insertAll(Rate, rates)
    const before = await copies(client)
    await expect(client.handlers.tamper({ currency: 'CHF', how })).rejects.toMatchObject({
      code: 'OUTSIDE_ROUTE',
      details: { type: 'rate' },
    })
    expect(await copies(client)).toEqual(before)
  })

  test('[UN2a] from outside each is there once, whatever is asked', async () => {
    await using client = await open()
    const { space } = client
    await space.insertAll(Rate, rates)
    expect(await space.count(Rate, {})).toBe(3)
    expect(await space.readAll(Rate, { zone: 'europe' }, { orderBy: { currency: 'asc' } })).toEqual(rates.slice(0, 2))
    expect((await space.aggregate(Rate, {}, {})).count).toBe(3)
    expect((await space.readPage(Rate, {}, { limit: 2 })).entries).toHaveLength(2)
    expect(await space.explain(Rate, { zone: 'asia' })).toMatchObject({ fanOut: false, matches: 1 })
    expect(await space.read(Rate, { currency: 'EUR' }, { wait: '1s' })).toEqual(rates[1])
    expect(await space.readByIds(Rate, [{ currency: 'JPY' }, { currency: 'ZZZ' }])).toMatchObject([
      { ok: true, value: rates[2] },
      { ok: true, value: undefined },
    ])
  })

  test('[UN2a] every change is made at all partitions, or at none', async () => {
    await using client = await open()
    const { space } = client
    const none = await copies(client)
    await space.insertAll(Rate, rates)
    await space.write(Rate, { currency: 'USD', rate: 1, zone: 'america' })
    await space.update(Rate, { currency: 'JPY', rate: 0.007, zone: 'asia' })
    await space.patch(Rate, { currency: 'CHF' }, { rate: 2 })
    await space.change(Rate, { currency: 'CHF' }, { add: { rate: 1 } })
    expect(await space.remove(Rate, { currency: 'EUR' })).toBe(true)
    expect(await space.remove(Rate, { currency: 'EUR' })).toBe(false)
    expect(await copies(client)).toEqual(['CHF 3 JPY 0.007 USD 1'])
    await expect(space.insert(Rate, rates[0]!)).rejects.toMatchObject({ code: 'ENTRY_EXISTS' })
    await expect(space.update(Rate, rates[1]!)).rejects.toMatchObject({ code: 'ENTRY_MISSING' })
    expect(await copies(client)).toEqual(['CHF 3 JPY 0.007 USD 1'])
    expect(await space.take(Rate, { zone: 'asia' })).toMatchObject({ currency: 'JPY' })
    expect(await copies(client)).toEqual(['CHF 3 USD 1'])
    expect(await space.takeAll(Rate, { zone: 'europe' })).toMatchObject([{ currency: 'CHF' }])
    expect(await space.take(Rate, { zone: 'asia' })).toBeUndefined()
    expect(await space.clear(Rate, {})).toBe(1)
    expect(await copies(client)).toEqual(none)
  })

  test('[UN2a] a batch reports for each entry, and what can be made is made everywhere', async () => {
    await using client = await open()
    const { space } = client
    await space.insert(Rate, rates[1]!)
    expect(await space.insertAll(Rate, rates)).toMatchObject([
      { ok: true, value: { currency: 'CHF' } },
      { ok: false, error: { code: 'ENTRY_EXISTS' } },
      { ok: true, value: { currency: 'JPY' } },
    ])
    expect(await copies(client)).toEqual(['CHF 1.1 EUR 1.05 JPY 0.0066'])
    const again = space.writeAll(Rate, [rates[0]!, { ...rates[1]!, rate: 'x' as unknown as number }], { atomic: true })
    await expect(again).rejects.toMatchObject({ code: 'VALUE_INVALID', details: { at: 1 } })
    expect(await space.removeAll(Rate, [{ currency: 'CHF' }, { currency: 'ZZZ' }])).toEqual([
      { ok: true, value: true },
      { ok: true, value: false },
    ])
    expect(await copies(client)).toEqual(['EUR 1.05 JPY 0.0066'])
  })

  test('[UN2a] copies stay the same when many change them at once', async () => {
    await using client = await open()
    const { space } = client
    await space.insertAll(Rate, rates)
    const callers = Array.from({ length: 8 }, async (_, caller) => {
      for (let at = 0; at < 5; at++) {
        const currency = rates[(caller + at) % 3]!.currency
        await space.change(Rate, { currency }, { add: { rate: 1 } })
      }
    })
    await Promise.all(callers)
    const [only, another] = await copies(client)
    expect(another).toBeUndefined()
    const sum = (await space.aggregate(Rate, {}, { sum: ['rate'] })).sum.rate
    expect(sum).toBeCloseTo(40 + 1.1 + 1.05 + 0.0066)
    expect(only).toContain('CHF')
  })

  test('[UN2a] [TX1] a transaction changes them together with others, and sees its own changes', async () => {
    await using client = await open()
    const { space } = client
    await space.insertAll(Rate, rates)
    const add = (fail: boolean): Promise<void> =>
      space.transaction(async (tx) => {
        await tx.patch(Rate, { currency: 'CHF' }, { rate: 9 })
        const rate = await tx.get(Rate, { currency: 'CHF' })
        await tx.insert(Payment, { id: 'p', account: 'a', amount: rate!.rate })
        if (fail) throw new Error('no')
      })
    await expect(add(true)).rejects.toThrow('no')
    expect(await copies(client)).toEqual(['CHF 1.1 EUR 1.05 JPY 0.0066'])
    await add(false)
    expect(await copies(client)).toEqual(['CHF 9 EUR 1.05 JPY 0.0066'])
    expect(await space.read(Payment, { id: 'p' })).toMatchObject({ amount: 9 })
  })

  test('[UN2a] [SP2] a stamp that was read makes a change conditional', async () => {
    await using client = await open()
    const { space } = client
    await space.insertAll(Rate, rates)
    const seen = await space.get(Rate, { currency: 'CHF' })
    await space.patch(Rate, { currency: 'CHF' }, { rate: 2 }, { ifStamp: stampOf(seen!) })
    const late = space.patch(Rate, { currency: 'CHF' }, { rate: 3 }, { ifStamp: stampOf(seen!) })
    await expect(late).rejects.toMatchObject({ code: 'STAMP_CONFLICT' })
    expect(await copies(client)).toEqual(['CHF 2 EUR 1.05 JPY 0.0066'])
  })

  test('[UN2a] [WA1] a watch tells each change once', async () => {
    await using client = await open()
    const { space } = client
    await space.insert(Rate, rates[0]!)
    const stop = new AbortController()
    const seen: string[] = []
    for await (const event of space.watch(Rate, {}, { signal: stop.signal })) {
      if (event.kind === 'changes')
        for (const {
          kind,
          entry: { rate },
        } of event.changes)
          seen.push(`${kind} ${rate}`)
      if (event.kind === 'ready')
        void space.patch(Rate, { currency: 'CHF' }, { rate: 5 }).then(() => space.remove(Rate, { currency: 'CHF' }))
      if (seen.at(-1)?.startsWith('removed') === true) stop.abort()
    }
    expect(seen).toEqual(['added 1.1', 'changed 5', 'removed 5'])
  })

  test('[UN7] [UN2a] a source is asked once, and every partition has its rows', async () => {
    await using client = await open()
    expect(await client.sources.rates.load()).toEqual({ partitions: 1, loaded: 1, skipped: 0, rows: 1_200 })
    expect(await client.sources.rates.load()).toEqual({ partitions: 1, loaded: 0, skipped: 1, rows: 0 })
    expect(loads).toEqual([{ partition: 0, partitions: 1, slots: [{ from: 0, to: 16_383 }] }])
    const [only, another] = await copies(client)
    expect(another).toBeUndefined()
    expect(only!.split(' ')).toHaveLength(2_400)
  })

  test('[UN2a] what copies cannot do is refused, and nothing is done', async () => {
    await using client = await open()
    const { space } = client
    await space.insertAll(Rate, rates)
    const before = await copies(client)
    const code = async (call: Promise<unknown>): Promise<unknown> => {
      try {
        return await call
      } catch (error) {
        return isPlenumError(error) ? error.code : error
      }
    }
    expect(await code(space.write(Rate, rates[0]!, { lease: '1s' }))).toBe('PLACEMENT_INVALID')
    expect(await code(space.renew(Rate, { currency: 'CHF' }, '1s'))).toBe('PLACEMENT_INVALID')
    expect(await code(space.patch(Rate, { currency: 'CHF' }, { rate: 2 }, { key: 'click' }))).toBe('PLACEMENT_INVALID')
    expect(await copies(client)).toEqual(before)
  })

  test.each([{}, { currency: 'CHF' }])('[UN2a] [SP5] a take waits for a match like any other, of %j', async (where) => {
    await using client = await open()
    const { space } = client
    const taken = space.take(Rate, where, { wait: '10s' })
    await space.insertAll(Rate, rates.slice(0, 1))
    expect(await taken).toEqual(rates[0])
    expect(await copies(client)).toEqual([''])
    expect(await space.take(Rate, where, { wait: '1ms' })).toBeUndefined()
  })

  test('[UN2a] a declaration that cannot be is refused', () => {
    const schema = z.object({ id: z.string(), group: z.string() })
    const declare = (options: object) => () => entry('thing', schema, { id: 'id', ...options })
    const refused = expect.objectContaining({ code: 'UNIT_INVALID', details: { option: 'placement' } })
    expect(declare({ placement: 'everywhere', route: 'group' })).toThrow(refused)
    expect(declare({ placement: 'everywhere', lease: '1s' })).toThrow(refused)
    expect(declare({ placement: 'everywhere', durable: false })).toThrow(refused)
    expect(declare({ placement: 'nowhere' })).toThrow(refused)
    expect(declare({ placement: 'routed', route: 'group', lease: '1s' })).not.toThrow()
  })

  test('[UN2a] a value that its caller changes after the call goes to all copies as it was', async () => {
    await using client = await open()
    const value = { currency: 'CHF', rate: 1, zone: 'x' }
    const written = client.space.write(Rate, value)
    value.rate = 2
    await written
    expect(await copies(client)).toEqual(['CHF 1'])
  })

  test('[UN2a] what its schema fills in is the same in all copies', async () => {
    let made = 0
    const Stamped = entry('stamped', z.object({ id: z.string(), at: z.number().default(() => ++made) }), {
      id: 'id',
      placement: 'everywhere',
    })
    const times = task(
      { input: z.object({}) },
      (_, { partition }) => partition.readAll(Stamped, {}).map(({ at }) => at),
      (left, right) => [...left, ...right],
    )
    await using client = await embedded({
      unit: unit('u', { entries: [Stamped] }, { tasks: { times } }),
      ack: 'memory',
    })
    const inserted = await client.space.insert(Stamped, { id: 'a' })
    expect(new Set((await client.tasks.times({}).total()).value)).toEqual(new Set([inserted.at]))
  })

  test('[UN2a] no half is left where another copy cannot follow, whoever catches the error', async () => {
    await using client = await open(4, { transactionBytesMax: 200 })
    const { space } = client
    const large = Array.from({ length: 4 }, (_, at) => ({ currency: `C${at}`, rate: 1, zone: 'z'.repeat(60) }))
    expect(await space.writeAll(Rate, large)).toMatchObject(large.map(() => ({ ok: false })))
    const caught = space.transaction(async (tx) => {
      for (const rate of large) await tx.write(Rate, rate).catch(() => undefined)
    })
    await expect(caught).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
    expect(await copies(client)).toEqual([''])
  })

  test('[UN2a] many at once: a batch, a source and a clear are not limited by the number of partitions', async () => {
    await using client = await open(30)
    const { space } = client
    await client.sources.rates.load()
    expect(await copies(client)).toHaveLength(1)
    expect(await space.count(Rate, {})).toBe(1_200)
    expect(await space.clear(Rate, {})).toBe(1_200)
    expect(await copies(client)).toEqual([''])
  })

  test('[UN7] [UN2a] a source whose rows are large is loaded in steps that fit', async () => {
    await using client = await open(2, { transactionBytesMax: 2_000 })
    await client.sources.rates.load()
    expect(await client.space.count(Rate, {})).toBe(1_200)
    expect(await copies(client)).toHaveLength(1)
  })

  test('[UN2a] [WA1] a watch says what removed them', async () => {
    await using client = await open()
    const { space } = client
    await space.insertAll(Rate, rates.slice(0, 2))
    const stop = new AbortController()
    const reasons: unknown[] = []
    for await (const event of space.watch(Rate, {}, { signal: stop.signal })) {
      if (event.kind === 'ready') void space.take(Rate, { currency: 'EUR' }).then(() => space.clear(Rate, {}))
      if (event.kind === 'changes')
        for (const change of event.changes) if (change.kind === 'removed') reasons.push(change.reason)
      if (reasons.length === 2) stop.abort()
    }
    expect(reasons).toEqual(['taken', 'removed'])
  })

  test('[UN2a] [SP11] inside a transaction a signal and a key mean what they mean elsewhere', async () => {
    await using client = await open()
    const { space } = client
    const aborted = space.transaction((tx) => tx.write(Rate, rates[0]!, { signal: AbortSignal.abort() }))
    await expect(aborted).rejects.toMatchObject({ code: 'ABORTED' })
    const options: object = { key: 'click' }
    await space.insertAll(Rate, rates)
    await expect(space.take(Rate, {}, options)).rejects.toMatchObject({ code: 'PLACEMENT_INVALID' })
    const selected: object = { select: ['rate'] }
    expect(await space.take(Rate, { currency: 'CHF' }, selected)).toEqual({ rate: 1.1 })
    expect(await copies(client)).toEqual(['EUR 1.05 JPY 0.0066'])
  })

  test.each([{ currency: 'CHF' }, {}])(
    '[UN2a] [SP4] the simulator judges takes of them, and of a transaction, %j',
    async (where) => {
      await simulate(desk, { seed: 1, faults: 'none', partitions: 2 }, async ({ client: { space } }) => {
        await space.insertAll(Rate, rates)
        await space.take(Rate, where)
        await space.insert(Payment, { id: 'p', account: 'a', amount: 1 })
        await space.transaction((tx) => tx.take(Payment, { id: 'p' }))
      })
    },
  )

  test('[UN2a] batches under faults and with little time leave the same copies', async () => {
    await simulate(desk, { seed: 3, faults: 'all', partitions: 3, clients: 3 }, async (world) => {
      const { clients, random } = world
      await Promise.all(
        clients.map(async ({ space }) => {
          for (let at = 0; at < 30; at++) {
            const values = Array.from({ length: 4 }, () => ({
              currency: `C${random.integer(6)}`,
              rate: random.integer(1e6),
              zone: '',
            }))
            await space.writeAll(Rate, values, { timeout: `${20 + random.integer(300)}ms` })
          }
        }),
      )
      await world.settle()
      // Until those in doubt have asked.
      await world.sleep('60s')
      expect(await copies(clients[0]!)).toHaveLength(1)
    })
  })
})
