// A sink of Plenum over a real PostgreSQL and the client that most people use: here, where both are at hand.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client, Pool } from 'pg'
import { embedded, entry, port, sink, unit } from 'plenum'
import { PostgresWriter, upsertInto } from 'plenum/postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { findServer, postgresServer } from './find-servers.ts'
import { startPostgres, type RunningPostgres } from './postgres-server.ts'

const Order = entry('order', z.object({ id: z.string(), quantity: z.int(), tags: z.array(z.string()) }), { id: 'id' })
const orders = upsertInto<typeof Order>('orders', { keys: ['id'], columns: ['id', 'quantity', 'tags'] })
const shop = unit(
  'shop',
  { entries: [Order], uses: { database: port<PostgresWriter>() } },
  {
    sinks: {
      orders: sink({
        of: [Order],
        batch: 20,
        write: (batch, { uses, signal }) => uses.database.write('orders', batch, orders, signal),
      }),
    },
  },
)

describe.skipIf(findServer(postgresServer) === undefined)('PostgreSQL (optional: no postgres and initdb here)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'plenum-postgres-sink-'))
  let running: RunningPostgres
  beforeAll(async () => {
    running = await startPostgres(folder)
    await running.server.answering()
  })
  afterAll(async () => {
    await running.server[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  })

  test.each(['one client', 'a pool'] as const)(
    '[UN7] %s has every change once, though sessions are cut',
    async (kind) => {
      const operator = new Client({ connectionString: running.url })
      await operator.connect()
      await operator.query('drop table if exists orders, plenum_position')
      await operator.query('create table orders (id text primary key, quantity int, tags jsonb)')
      const pool = new Pool({ connectionString: running.url, max: 4 })
      // A pool tells of sessions that are cut while nobody uses them.
      pool.on('error', () => {})
      const client = new Client({ connectionString: running.url })
      if (kind === 'one client') await client.connect()
      const database = new PostgresWriter(kind === 'a pool' ? pool : client)
      const application = await embedded({ unit: shop, journal: 'memory', uses: { database } })
      for (let n = 0; n < 300; n++) {
        await application.space.write(Order, { id: `o${n % 70}`, quantity: n, tags: [`t${n}`] })
        if (n % 11 === 0) await application.space.remove(Order, { id: `o${n % 70}` })
        if (kind === 'a pool' && n % 60 === 30) {
          await operator.query(
            'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and datname = current_database()',
          )
        }
      }
      const pending = async (): Promise<number> =>
        (await application.sinks.orders.status()).reduce((sum, status) => sum + status.pending, 0)
      await expect.poll(pending, { timeout: 20_000 }).toBe(0)
      const written = await operator.query('select id, quantity, tags from orders order by id collate "C"')
      expect(written.rows).toEqual(await application.space.readAll(Order, {}, { orderBy: { id: 'asc' } }))
      await application[Symbol.asyncDispose]()
      await pool.end()
      if (kind === 'one client') await client.end()
      await operator.end()
    },
  )
})
