import { PGlite } from '@electric-sql/pglite'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { embedded } from '../embedded.ts'
import { entry, type StoredValue } from '../space/index.ts'
import { port, sink, unit, type SinkBatch } from '../unit/index.ts'
import {
  PostgresWriter,
  upsertInto,
  type PooledSession,
  type PostgresPool,
  type PostgresSession,
  type Write,
} from './index.ts'

const Order = entry(
  'order',
  z.object({ shop: z.string(), id: z.string(), quantity: z.int().optional(), tags: z.array(z.string()) }),
  { id: 'id', route: 'shop' },
)
const columns = { keys: ['shop', 'id'], columns: ['shop', 'id', 'quantity', 'tags'] }
const orders = upsertInto<typeof Order>('shop.orders', columns)

const shop = unit(
  'shop',
  { entries: [Order], uses: { database: port<PostgresWriter>() } },
  {
    sinks: {
      orders: sink({
        of: [Order],
        batch: 5,
        write: (batch, { uses, signal }) => uses.database.write('orders', batch, orders, signal),
      }),
    },
  },
)

/** One for all tests: starting it takes longer than they do. */
const starting = PGlite.create()

async function emptyDatabase(): Promise<PGlite> {
  const database = await starting
  await database.exec(
    `drop schema if exists shop cascade; drop table if exists plenum_position; create schema shop;
     create table shop.orders (shop text, id text, quantity int, tags jsonb, primary key (shop, id))`,
  )
  return database
}

async function rowsOf(database: PostgresSession): Promise<readonly unknown[]> {
  return (await database.query('select shop, id, quantity, tags from shop.orders order by shop, id')).rows
}

test('[UN7] what is written behind to a PostgreSQL is what is there, whatever fails on the way', async () => {
  const database = await emptyDatabase()
  let queries = 0
  // Every tenth statement is lost, or its answer is.
  const flaky: PostgresSession = {
    async query(text, values) {
      queries += 1
      if (queries % 19 === 7) throw new Error('connection reset')
      const result = await database.query(text, values)
      if (queries % 23 === 11) throw new Error('connection reset after the answer')
      return result
    },
  }
  const uses = { database: new PostgresWriter(flaky) }
  await using client = await embedded({ unit: shop, journal: 'memory', uses })
  for (let n = 0; n < 60; n++) {
    const order = { shop: `s${n % 3}`, id: `o${n % 20}`, quantity: n % 7 === 0 ? undefined : n, tags: [`t${n}`] }
    await client.space.write(Order, order)
    if (n % 9 === 0) await client.space.remove(Order, { shop: order.shop, id: order.id })
  }
  const pending = async (): Promise<number> =>
    (await client.sinks.orders.status()).reduce((sum, status) => sum + status.pending, 0)
  await expect.poll(pending, { timeout: 30_000 }).toBe(0)
  const all = await client.space.readAll(Order, {}, { orderBy: { shop: 'asc', id: 'asc' } })
  expect(await rowsOf(database)).toEqual(all.map((order) => ({ quantity: null, ...order })))
})

/** Entries that are added by the records after one. */
function batchOf(after: number, ...ids: readonly string[]): SinkBatch<typeof Order> {
  const changes = ids.map((id, at) => ({
    index: after + 1 + at,
    offset: 0,
    change: { type: 'order', kind: 'added', entry: { shop: 's', id, tags: [] } as StoredValue } as never,
  }))
  return { partition: 0, journal: 'j', after: { index: after, offset: after === 0 ? -1 : 0 }, changes }
}

test('[UN7] a batch counts once, also half of it, and a store that has lost some is refused by name', async () => {
  const database = await emptyDatabase()
  const writer = new PostgresWriter(database)
  let writes = 0
  const counted: Write<typeof Order> = async (session, change) => {
    writes += 1
    await orders(session, change)
  }
  await writer.write('orders', batchOf(0, 'a', 'b'), counted)
  await writer.write('orders', batchOf(0, 'a', 'b'), counted)
  await writer.write('orders', batchOf(0, 'a', 'b', 'c'), counted)
  expect(writes).toBe(3)
  await expect(writer.write('orders', batchOf(7, 'd'), counted)).rejects.toMatchObject({
    code: 'SINK_BEHIND',
    details: { confirmed: { index: 7, offset: 0 }, found: { index: 3, offset: 0 } },
  })
  // Other sinks and other journals are counted for themselves.
  await writer.write('others', batchOf(0, 'e'), counted)
  expect(writes).toBe(4)
})

test('[UN7] what fails, or is given up, leaves nothing behind', async () => {
  const database = await emptyDatabase()
  const writer = new PostgresWriter(database)
  const failing: Write<typeof Order> = async (session, change) => {
    await orders(session, change)
    if (change.entry.id === 'b') throw new Error('no')
  }
  await expect(writer.write('orders', batchOf(0, 'a', 'b'), failing)).rejects.toThrow('no')
  expect(await rowsOf(database)).toEqual([])
  const controller = new AbortController()
  const late: Write<typeof Order> = async (session, change) => {
    await orders(session, change)
    controller.abort(new Error('too late'))
  }
  await expect(writer.write('orders', batchOf(0, 'a'), late, controller.signal)).rejects.toThrow('too late')
  expect(await rowsOf(database)).toEqual([])
  await writer.write('orders', batchOf(0, 'a'), orders)
  expect(await rowsOf(database)).toHaveLength(1)
})

test('[UN7] a journal that has forgotten what it had given is refused by name, also once it has passed that', async () => {
  const database = await emptyDatabase()
  const writer = new PostgresWriter(database)
  await writer.write('orders', batchOf(0, 'a', 'b'), orders)
  await writer.write('orders', batchOf(2, 'c', 'd'), orders)
  // Nobody heard of the last batch: it comes again, whole, in part, or with more.
  for (const again of [batchOf(2, 'c', 'd'), batchOf(2, 'c'), batchOf(3, 'd'), batchOf(2, 'c', 'd', 'e')])
    await writer.write('orders', again, orders)
  expect(await rowsOf(database)).toHaveLength(5)
  // A sink that drops, or that has begun anew, comes after the same change without some.
  const some = batchOf(2, 'c', 'd', 'e', 'f')
  await writer.write('orders', { ...some, changes: some.changes.slice(3) }, orders)
  expect(await rowsOf(database)).toHaveLength(6)
  // An older copy of the journal, which goes on before the last batch.
  for (const forgotten of [batchOf(1, 'x'), batchOf(0, 'x', 'y', 'z', 'u', 'v', 'w')])
    await expect(writer.write('orders', forgotten, orders)).rejects.toMatchObject({
      code: 'SINK_AHEAD',
      details: { sink: 'orders', found: { index: 6, offset: 0 } },
    })
  expect(await rowsOf(database)).toHaveLength(6)
})

test('[UN7] a session of a pool whose query is never answered is given up with the batch, and not used again', async () => {
  const released: (boolean | undefined)[] = []
  const heard = new Set<unknown>()
  const session: PooledSession = {
    query: async (text) => (text === 'begin' ? new Promise<never>(() => {}) : { rows: [] }),
    release: (destroy) => void released.push(destroy),
    on: (_, listener) => heard.add(listener),
  }
  let acquired: ((session: PooledSession) => void) | undefined
  const pool: PostgresPool = {
    totalCount: 1,
    async connect() {
      acquired?.(session)
      return session
    },
    on: (_, listener) => (acquired = listener),
  }
  const controller = new AbortController()
  const written = new PostgresWriter(pool).write('orders', batchOf(0, 'a'), orders, controller.signal)
  await new Promise((resolve) => setImmediate(resolve))
  controller.abort(new Error('too late'))
  await expect(written).rejects.toThrow('too late')
  expect(released).toEqual([true])
  // What it says before it is given, and while it ends, is heard, or it would end the process.
  expect(heard.size).toBe(1)
})

test('[UN7] lists and objects are JSON with numbers of any size, and bytes as PostgreSQL writes them', async () => {
  const Deep = entry('deep', z.object({ id: z.string(), all: z.array(z.unknown()) }), { id: 'id' })
  const database = await emptyDatabase()
  await database.exec('create table shop.deep (id text primary key, "all" jsonb)')
  const all = [2n ** 70n, { bytes: new Uint8Array([1, 255]) }, 'two']
  const write = upsertInto<typeof Deep>('shop.deep', { keys: ['id'], columns: ['id', 'all'] })
  await write(database, { type: 'deep', kind: 'added', entry: { id: 'd', all } })
  const { rows } = await database.query('select "all"::text as all from shop.deep')
  expect(rows).toEqual([{ all: '[1180591620717411303424, {"bytes": "\\\\x01ff"}, "two"]' }])
})
