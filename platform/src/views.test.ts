import fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { embedded, entry, unit, type Client, type LocalView } from './index.ts'
import { simulate } from './testing/simulate.ts'

const Order = entry('order', z.object({ id: z.string(), symbol: z.string(), price: z.int(), status: z.string() }), {
  id: 'id',
  indexes: [['symbol', 'price']],
})
const shop = unit('shop', { entries: [Order] }, {})

function orderOf(n: number, status = 'new') {
  return { id: `o${n}`, symbol: `S${n % 3}`, price: (n * 7) % 50, status }
}

/** Resolves once the view has everything that was committed before. */
async function caughtUp(view: LocalView<typeof Order>): Promise<void> {
  while ((await view.lag()) > 0) await new Promise((resolve) => setImmediate(resolve))
}

const step = fc.record({
  kind: fc.constantFrom('write' as const, 'remove' as const, 'take' as const, 'many' as const),
  id: fc.nat(20),
  status: fc.constantFrom('new', 'done'),
})

async function take(
  client: Client<typeof shop>,
  { kind, id, status }: typeof step extends fc.Arbitrary<infer T> ? T : never,
) {
  const { space } = client
  if (kind === 'write') await space.write(Order, orderOf(id, status))
  else if (kind === 'remove') await space.remove(Order, { id: `o${id}` })
  else if (kind === 'take') await space.take(Order, { symbol: `S${id % 3}` })
  else
    await space.writeAll(
      Order,
      [id, id + 1, id + 2].map((n) => orderOf(n, status)),
    )
}

test('[WA4] a view holds what matches, and answers as the space does', async () => {
  await using client = await embedded({ unit: shop, journal: 'memory' })
  await client.space.writeAll(
    Order,
    [1, 2, 3].map((n) => orderOf(n)),
  )
  await using view = await client.space.view(Order, { status: 'new' })
  expect(view.isLive).toBe(true)
  expect(view.size).toBe(3)
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 20 }), async (steps) => {
      for (const one of steps) await take(client, one)
      await caughtUp(view)
      const all = await client.space.readAll(Order, { status: 'new' }, { orderBy: { id: 'asc' } })
      expect(view.readAll({}, { orderBy: { id: 'asc' } })).toEqual(all)
      expect(view.getSnapshot().length).toBe(all.length)
      for (const query of [{ symbol: 'S1' }, { symbol: 'S2', price: { gte: 20 } }, { price: { lt: 10 } }]) {
        const options = { orderBy: { price: 'asc', id: 'asc' }, limit: 5 } as const
        const both = { and: [query, { status: 'new' }] }
        expect(view.readAll(query, options)).toEqual(await client.space.readAll(Order, both, options))
        expect(view.count(query)).toBe(await client.space.count(Order, both))
      }
      for (const { id } of all) expect(view.get({ id })).toEqual(await client.space.get(Order, { id }))
    }),
    { numRuns: 30 },
  )
})

test('[WA4] a listener is called after each change, and the snapshot is the same list between two', async () => {
  await using client = await embedded({ unit: shop, journal: 'memory' })
  await using view = await client.space.view(Order, { status: 'new' })
  let calls = 0
  const unsubscribe = view.subscribe(() => (calls += 1))
  const empty = view.getSnapshot()
  expect(view.getSnapshot()).toBe(empty)
  await client.space.write(Order, orderOf(1))
  await caughtUp(view)
  expect(calls).toBe(1)
  const one = view.getSnapshot()
  expect(one).not.toBe(empty)
  expect(one).toEqual([orderOf(1)])
  await client.space.write(Order, orderOf(2, 'done'))
  await caughtUp(view)
  expect(view.getSnapshot()).toBe(one)
  unsubscribe()
  await client.space.remove(Order, { id: 'o1' })
  await caughtUp(view)
  expect(calls).toBe(1)
  expect(view.size).toBe(0)
})

test('[WA4] [WA3] where its changes are gone, a view is made anew as a whole, and nobody sees half of it', async () => {
  const limits = { changeRingMax: 5 }
  await using client = await embedded({ unit: shop, journal: 'memory', partitions: 1, limits })
  await using view = await client.space.view(Order, {})
  const sizes = new Set<number>()
  view.subscribe(() => sizes.add(view.size))
  for (let round = 1; round <= 3; round++) {
    const orders = Array.from({ length: 100 * round }, (_, n) => orderOf(n))
    await client.space.writeAll(Order, orders, { atomic: true })
    await expect.poll(() => view.size).toBe(100 * round)
  }
  expect([...sizes].toSorted((a, b) => a - b)).toEqual([100, 200, 300])
})

test('[WA4] the lag is what is committed and not in the view', async () => {
  const lags = new Set<number>()
  await simulate(shop, { seed: 5, members: 3, partitions: 2, clients: 2 }, async ({ clients: [reader, writer] }) => {
    const view = await reader!.space.view(Order, { status: 'new' })
    for (let n = 0; n < 30; n++) {
      await writer!.space.write(Order, orderOf(n, n % 2 === 0 ? 'new' : 'done'))
      lags.add(await view.lag())
    }
    await view[Symbol.asyncDispose]()
  })
  expect(lags).toContain(1)
  expect(lags).toContain(0)
})

test('[WA4] over kills and cuts a view ends up as what is there', async () => {
  for (let seed = 1; seed <= 6; seed++) {
    await simulate(shop, { seed, members: 3, partitions: 2, faults: 'all', clients: 2 }, async (world) => {
      const [reader, writer] = world.clients
      const view = await reader!.space.view(Order, { status: 'new' })
      const writing = Array.from({ length: 60 }, async (_, n) => {
        await world.sleep(`${n * 40}ms`)
        await writer!.space.write(Order, orderOf(n % 25, n % 4 === 0 ? 'done' : 'new'))
      })
      await Promise.allSettled(writing)
      await world.settle()
      while (!view.isLive || (await view.lag()) > 0) await world.sleep('50ms')
      const all = await writer!.space.readAll(Order, { status: 'new' }, { orderBy: { id: 'asc' } })
      expect(view.readAll({}, { orderBy: { id: 'asc' } })).toEqual(all)
      await view[Symbol.asyncDispose]()
    })
  }
})

test('[WA4] a view that has ended says why, and keeps what it had', async () => {
  const client = await embedded({ unit: shop, journal: 'memory' })
  await client.space.write(Order, orderOf(1))
  const controller = new AbortController()
  const aborted = await client.space.view(Order, {}, { signal: controller.signal })
  controller.abort()
  expect(aborted.error).toMatchObject({ code: 'ABORTED' })
  const closed = await client.space.view(Order, {})
  await closed[Symbol.asyncDispose]()
  expect(closed.error).toMatchObject({ code: 'CLOSED' })
  const view = await client.space.view(Order, {})
  let calls = 0
  view.subscribe(() => (calls += 1))
  await client[Symbol.asyncDispose]()
  await expect.poll(() => view.error).toMatchObject({ code: 'CLOSED' })
  expect(calls).toBeGreaterThan(0)
  expect(view.isLive).toBe(false)
  expect(await view.lag()).toBe(Infinity)
  expect(view.readAll()).toEqual([orderOf(1)])
})

test('[WA4] a query that cannot be understood is refused, of the view and of its readers', async () => {
  await using client = await embedded({ unit: shop, journal: 'memory' })
  await expect(client.space.view(Order, { colour: 'red' } as never)).rejects.toMatchObject({ code: 'QUERY_INVALID' })
  await using view = await client.space.view(Order, {})
  expect(() => view.readAll({ colour: 'red' } as never)).toThrow(expect.objectContaining({ code: 'QUERY_INVALID' }))
  const inside = client.space.transaction(async (tx) => (tx as typeof client.space).view(Order, {}))
  await expect(inside).rejects.toMatchObject({ code: 'TRANSACTION_INVALID' })
  const signal = AbortSignal.abort()
  await expect(client.space.view(Order, {}, { signal })).rejects.toMatchObject({ code: 'ABORTED' })
})
