import { expect, test } from 'vitest'
import { z } from 'zod'
import { embedded, entry, port, sink, unit, type EmbeddedEvent, type Of, type SinkBatch } from './index.ts'
import { simulate } from './testing/simulate.ts'
import { resources } from './unit/contract/resources.ts'

const Order = entry('order', z.object({ id: z.string(), quantity: z.int() }), { id: 'id' })
type OrderBatch = SinkBatch<typeof Order>

interface Store {
  write(batch: OrderBatch, signal: AbortSignal): Promise<void>
}

/** A store as it should be: what it has and how far it has come are kept together. */
class Table implements Store {
  readonly rows = new Map<string, Of<typeof Order>>()
  readonly #positions = new Map<string, { readonly index: number; readonly offset: number }>()
  /** Changes that were given again, after they had been written. */
  repeated = 0
  written = 0
  complaint: string | undefined

  async write({ journal, after, changes }: OrderBatch): Promise<void> {
    const position = this.#positions.get(journal) ?? { index: 0, offset: -1 }
    if (isBefore(position, after)) this.complaint ??= `a batch after ${text(after)} came to ${text(position)}`
    let last = position
    for (const { index, offset, change } of changes) {
      if (!isBefore(last, { index, offset })) {
        this.repeated += 1
        continue
      }
      last = { index, offset }
      this.written += 1
      if (change.kind === 'removed') this.rows.delete(change.entry.id)
      else this.rows.set(change.entry.id, change.entry)
    }
    this.#positions.set(journal, last)
  }
}

function isBefore(a: { index: number; offset: number }, b: { index: number; offset: number }): boolean {
  return a.index < b.index || (a.index === b.index && a.offset < b.offset)
}

function text({ index, offset }: { index: number; offset: number }): string {
  return `${index}/${offset}`
}

function shopWith(options: {
  readonly batch?: number
  readonly whenFull?: 'wait' | 'drop'
  readonly timeout?: '20ms'
}) {
  return unit(
    'shop',
    { entries: [Order], uses: { store: port<Store>() } },
    {
      sinks: {
        mirror: sink({ of: [Order], write: (batch, { uses, signal }) => uses.store.write(batch, signal), ...options }),
      },
    },
  )
}

const shop = shopWith({ batch: 7 })

const { open, newFolder } = resources()

type Shop = Awaited<ReturnType<typeof embedded<typeof shop>>>

async function pendingOf(client: Shop): Promise<number> {
  return (await client.sinks.mirror.status()).reduce((sum, { pending }) => sum + pending, 0)
}

async function expectSame(client: Shop, { rows }: Table): Promise<void> {
  const orders = await client.space.readAll(Order, {}, { orderBy: { id: 'asc' } })
  expect([...rows.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1))).toEqual(orders)
}

test('[UN7] a store has every change once, in order, over restarts, snapshots and failures', async () => {
  const folder = newFolder()
  const store = new Table()
  let calls = 0
  const flaky: Store = {
    async write(batch) {
      calls += 1
      if (calls % 5 === 1) throw new Error('gone before it was written')
      await store.write(batch)
      // The worst: it is written, and nobody hears of it.
      if (calls % 5 === 3) throw new Error('gone after it was written')
    },
  }
  const options = { unit: shop, folder, uses: { store: flaky }, limits: { snapshotEveryBytes: 8_000 } }
  for (let round = 0; round < 4; round++) {
    const client = await embedded(options)
    await Promise.all(
      Array.from({ length: 60 }, async (_, n) => {
        await client.space.write(Order, { id: `o${(n * 7 + round) % 40}`, quantity: n })
        if (n % 6 === 0) await client.space.remove(Order, { id: `o${n}` })
      }),
    )
    if (round === 3) {
      await expect.poll(() => pendingOf(client), { timeout: 20_000 }).toBe(0)
      await expectSame(client, store)
    }
    await client[Symbol.asyncDispose]()
  }
  expect(store.complaint).toBeUndefined()
  expect(store.repeated).toBeGreaterThan(0)
})

test('[UN7] a store that is gone for ten minutes has everything afterwards, and each failure is an event', async () => {
  const store = new Table()
  let isGone = true
  const gone: Store = {
    write: async (batch) => (isGone ? Promise.reject(new Error('no route to host')) : store.write(batch)),
  }
  for (let seed = 1; seed <= 2; seed++) {
    isGone = true
    const options = { seed, members: 3, partitions: 2, faults: 'all', workers: true, uses: { store: gone } } as const
    await simulate(shop, options, async ({ client, sleep, settle }) => {
      for (let n = 0; n < 120; n++) {
        await client.space.write(Order, { id: `o${n % 30}`, quantity: n }, { key: `w${n}` })
        await sleep('5s')
      }
      isGone = false
      await settle()
      while ((await pendingOf(client)) > 0) await sleep('1s')
      await expectSame(client, store)
    })
    expect(store.complaint).toBeUndefined()
    store.rows.clear()
  }
  expect(store.written).toBeGreaterThan(200)
})

test('[UN7] [A8] where too much is not written, changes wait until there is room, and none is lost', async () => {
  const store = new Table()
  let open_: (() => void) | undefined
  const opened = new Promise<void>((resolve) => (open_ = resolve))
  const slow: Store = {
    async write(batch) {
      await opened
      await store.write(batch)
    },
  }
  const limits = { sinkChangesMax: 20 }
  const client = await embedded({ unit: shop, journal: 'memory', partitions: 1, uses: { store: slow }, limits })
  open.push(client)
  let written = 0
  const writes: Promise<unknown>[] = []
  for (let n = 0; n < 60; n++) {
    writes.push(client.space.write(Order, { id: `o${n}`, quantity: n }).then(() => (written += 1)))
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(written).toBeGreaterThanOrEqual(20)
  expect(written).toBeLessThan(60)
  expect(await client.space.count(Order, {})).toBe(written)
  open_?.()
  await Promise.all(writes)
  await expect.poll(() => pendingOf(client)).toBe(0)
  await expectSame(client, store)
})

test('[UN7] [A8] where nobody runs a sink, no more is kept than it may have', async () => {
  const limits = { sinkChangesMax: 20 }
  const options = { unit: shop, journal: 'memory', partitions: 1, uses: { store: new Table() }, limits } as const
  const client = await embedded({ ...options, workers: false })
  open.push(client)
  for (let n = 0; n < 20; n++) await client.space.write(Order, { id: `o${n}`, quantity: n })
  const late = client.space.write(Order, { id: 'late', quantity: 1 }, { timeout: '30ms' })
  await expect(late).rejects.toMatchObject({ code: expect.stringMatching(/TIMEOUT|UNKNOWN_OUTCOME/) as string })
  expect(await pendingOf(client)).toBe(20)
})

test('[UN7] a sink that may drop keeps the newest changes, and says how many it has dropped', async () => {
  let isOpen = false
  const seen: string[] = []
  const store: Store = {
    async write({ changes }) {
      if (!isOpen) throw new Error('not yet')
      seen.push(...changes.map(({ change }) => change.entry.id))
    },
  }
  const dropping = shopWith({ whenFull: 'drop' })
  const limits = { sinkChangesMax: 20 }
  const client = await embedded({ unit: dropping, journal: 'memory', partitions: 1, uses: { store }, limits })
  open.push(client)
  for (let n = 0; n < 50; n++) await client.space.write(Order, { id: `o${n}`, quantity: n })
  expect(await client.sinks.mirror.status()).toMatchObject([{ pending: 20, dropped: 30, error: 'not yet' }])
  isOpen = true
  await expect.poll(() => seen.length, { timeout: 10_000 }).toBe(20)
  expect(seen).toEqual(Array.from({ length: 20 }, (_, n) => `o${n + 30}`))
})

test('[UN7] a store that does not answer has failed after the time-out, and its signal is aborted', async () => {
  const events: EmbeddedEvent['event'][] = []
  let signals = 0
  const store: Store = {
    write: async (_, signal) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => (signals += 1))
        if (signals > 1) resolve()
      }),
  }
  const onEvent = ({ event }: EmbeddedEvent): void => void (event.kind === 'sink-failed' && events.push(event))
  const hasty = shopWith({ timeout: '20ms' })
  const client = await embedded({ unit: hasty, journal: 'memory', uses: { store }, onEvent })
  open.push(client)
  await client.space.write(Order, { id: 'o1', quantity: 1 })
  await expect.poll(() => pendingOf(client)).toBe(0)
  expect(events).toMatchObject([
    { sink: 'sink mirror', attempts: 1, error: { code: 'TIMEOUT' } },
    { sink: 'sink mirror', attempts: 2, error: { code: 'TIMEOUT' } },
  ])
})

test('[UN7] a sink that is new begins with the entries that are there, and one that nobody runs keeps what it has', async () => {
  const folder = newFolder()
  const bare = await embedded({ unit: unit('shop', { entries: [Order] }, {}), folder })
  await bare.space.writeAll(
    Order,
    Array.from({ length: 30 }, (_, n) => ({ id: `o${n}`, quantity: n })),
  )
  await bare[Symbol.asyncDispose]()
  const store = new Table()
  const idle = await embedded({ unit: shop, folder, uses: { store }, workers: false })
  await idle.space.remove(Order, { id: 'o3' })
  expect(await pendingOf(idle)).toBe(31)
  await idle[Symbol.asyncDispose]()
  expect(store.written).toBe(0)
  const client = await embedded({ unit: shop, folder, uses: { store } })
  open.push(client)
  await expect.poll(() => pendingOf(client)).toBe(0)
  await expectSame(client, store)
  expect(store.written).toBe(31)
})

test('[UN7] a sink that was gone for a while forgets what it had kept, and begins with the entries that are there', async () => {
  const folder = newFolder()
  const store = new Table()
  const before = await embedded({ unit: shop, folder, uses: { store }, workers: false })
  await before.space.write(Order, { id: 'sold', quantity: 1 })
  await before[Symbol.asyncDispose]()
  const without = await embedded({ unit: unit('shop', { entries: [Order] }, {}), folder })
  await without.space.remove(Order, { id: 'sold' })
  await without.space.write(Order, { id: 'there', quantity: 1 })
  await without[Symbol.asyncDispose]()
  const client = await embedded({ unit: shop, folder, uses: { store } })
  open.push(client)
  await expect.poll(() => pendingOf(client)).toBe(0)
  await expectSame(client, store)
})

test('[UN7] what cannot be written behind, or is declared wrongly, is refused', async () => {
  const Mouse = entry('mouse', z.object({ id: z.string() }), { id: 'id', durable: false })
  const mice = unit('mice', { entries: [Mouse] }, { sinks: { all: sink({ of: [Mouse], write: async () => {} }) } })
  await expect(embedded({ unit: mice, journal: 'memory' })).rejects.toMatchObject({ code: 'UNIT_INVALID' })
  expect(() => sink({ of: [Order] } as never)).toThrow(/needs a function `write`/)
  expect(() => sink({ of: [], write: async () => {} })).toThrow(/needs `of`/)
  expect(() => sink({ of: [Order], write: async () => {}, whenFull: 'panic' as never })).toThrow(/'wait' or 'drop'/)
})
