import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { madeTrades } from './made-trades.ts'
import { openPglite, pglitePlace } from './pglite.ts'
import { openServer, serverPlace } from './postgres-server.ts'
import type { SqlConnection, SqlPlace } from './sql-connection.ts'
import { freePort, hasServer, throwawayServer, type ThrowawayServer } from './testing/throwaway-server.ts'
import { tradeDatabase, type SlotRange, type TradeDatabase } from './trade-database.ts'

const tradeCount = 500
const slotOf = (id: number): number => (id * 7919) % 16_384
const eighths: readonly SlotRange[] = Array.from({ length: 8 }, (_, index) => ({
  from: index * 2048,
  to: index * 2048 + 2047,
}))

interface Engine {
  readonly place: SqlPlace
  readonly open: () => Promise<SqlConnection>
}

const database = (engine: Engine, run: string, steps?: string[]): TradeDatabase =>
  tradeDatabase({ ...engine, slotOf, run, trades: tradeCount, progress: (step) => steps?.push(step) })

/** What both engines must do alike; `engine` is asked for inside the tests, because it starts before them. */
function contract(engine: () => Engine): void {
  test('nothing is opened before the first load, and then once for all partitions', async () => {
    const opened: string[] = []
    const counted: Engine = {
      place: engine().place,
      open: () => {
        opened.push('open')
        return engine().open()
      },
    }
    const steps: string[] = []
    const trades = database(counted, 'first', steps)
    expect(await trades.use()).toBeUndefined()
    expect(opened).toEqual([])

    const loaded = await Promise.all(eighths.map((range) => trades.load([range])))
    expect(opened).toEqual(['open'])
    for (const [index, rows] of loaded.entries()) {
      expect(rows).toEqual(madeTrades(tradeCount).filter(({ id }) => Math.floor(slotOf(id) / 2048) === index))
    }
    expect(await trades.use()).toMatchObject({ here: 8, ever: 8, filled: tradeCount })
    expect(steps).toHaveLength(2)
    await trades.close()
  })

  test('a second run finds the trades, and counts its own statements apart', async () => {
    const steps: string[] = []
    const trades = database(engine(), 'second', steps)
    // Any number of ranges is one statement.
    expect(await trades.load([eighths[0], eighths[7], eighths[3]].filter((range) => range !== undefined))).toEqual(
      madeTrades(tradeCount).filter(({ id }) => [0, 3, 7].includes(Math.floor(slotOf(id) / 2048))),
    )
    expect(await trades.load([{ from: 16_384, to: 20_000 }])).toEqual([])
    expect(await trades.use()).toMatchObject({ here: 2, ever: 10, filled: 0 })
    expect(steps).toHaveLength(1)
    await trades.close()
  })

  test('a database with another number of trades is refused, and stays as it is', async () => {
    const other = tradeDatabase({ ...engine(), slotOf, run: 'other', trades: tradeCount + 1 })
    await expect(other.load([{ from: 0, to: 16_383 }])).rejects.toMatchObject({
      code: 'SOURCE_FAILED',
      details: { present: tradeCount, expected: tradeCount + 1 },
    })
    await other.close()
    const trades = database(engine(), 'after')
    expect(await trades.load([{ from: 0, to: 16_383 }])).toEqual(madeTrades(tradeCount))
    expect(await trades.use()).toMatchObject({ here: 1, ever: 11, filled: 0 })
    await trades.close()
  })

  test('a statement that the database refuses is SOURCE_FAILED', async () => {
    const trades = database(engine(), 'refused')
    const connection = await engine().open()
    await connection.script('ALTER TABLE plenum_risk.trade RENAME COLUMN flows TO cash')
    await connection.close()
    await expect(trades.load([{ from: 0, to: 1 }])).rejects.toMatchObject({
      code: 'SOURCE_FAILED',
      details: { sqlState: '42703', database: engine().place.database },
    })
    await trades.close()
  })
}

describe('PGlite', () => {
  const folder = mkdtempSync(join(tmpdir(), 'plenum-risk-pglite-'))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  const at = (name: string): Engine => ({
    place: pglitePlace(join(folder, name)),
    open: () => openPglite(join(folder, name)),
  })
  contract(() => at('database'))

  test('a folder that is no database is SOURCE_UNAVAILABLE, and a later load may succeed', async () => {
    writeFileSync(join(folder, 'file'), 'not a folder')
    const trades = database(at('file'), 'first')
    const failure = trades.load([{ from: 0, to: 16_383 }])
    await expect(failure).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE', retry: 'same' })
    await expect(failure).rejects.toThrow(/Remove that folder/)
    rmSync(join(folder, 'file'))
    expect(await trades.load([{ from: 0, to: 16_383 }])).toHaveLength(tradeCount)
    await trades.close()
  })
})

describe.skipIf(!hasServer())('a PostgreSQL server (skipped without postgres and initdb on the PATH)', () => {
  const started: { server?: ThrowawayServer } = {}
  const url = (): string => started.server?.url ?? ''
  beforeAll(async () => {
    started.server = await throwawayServer()
  }, 60_000)
  afterAll(async () => {
    await started.server?.stop()
  })
  contract(() => ({ place: serverPlace(url()), open: () => openServer(url()) }))

  test('a connection that the server ends is SOURCE_UNAVAILABLE, and the next load opens another', async () => {
    const other = `${url().replace('/postgres', '/template1')}`
    const trades = database({ place: serverPlace(other), open: () => openServer(other) }, 'ended')
    await trades.load([{ from: 0, to: 16_383 }])
    const killer = await openServer(url())
    await killer.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'template1'")
    await killer.close()
    await expect(trades.load([{ from: 0, to: 16_383 }])).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' })
    expect(await trades.load([{ from: 0, to: 16_383 }])).toHaveLength(tradeCount)
    await trades.close()
  })
})

test('a server that is down is SOURCE_UNAVAILABLE, with the reason and without the password', async () => {
  const url = `postgres://risk:secret@127.0.0.1:${await freePort()}/books`
  const trades = database({ place: serverPlace(url), open: () => openServer(url) }, 'down')
  const failure = await trades.load([{ from: 0, to: 1 }]).catch((error: unknown) => error)
  expect(failure).toMatchObject({
    code: 'SOURCE_UNAVAILABLE',
    retry: 'same',
    details: { reason: expect.stringContaining('ECONNREFUSED') },
  })
  expect(String(failure)).toMatch(/Cannot use PostgreSQL at 127\.0\.0\.1:\d+\/books: .*ECONNREFUSED.*DATABASE_URL/)
  expect(JSON.stringify(failure) + String(failure)).not.toContain('secret')
  await trades.close()
})

test('a DATABASE_URL that is no URL is SOURCE_UNAVAILABLE', async () => {
  const trades = database({ place: serverPlace('//'), open: () => openServer('//') }, 'down')
  await expect(trades.load([{ from: 0, to: 1 }])).rejects.toMatchObject({ code: 'SOURCE_UNAVAILABLE' })
})
