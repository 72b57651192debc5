import { z } from 'zod'
import { PlenumError } from 'plenum'
import { madeTrades } from './made-trades.ts'
import type { Valued } from './npv.ts'
import { sqlError, type SqlConnection, type SqlPlace } from './sql-connection.ts'

/** A range of slots, both ends included. */
export interface SlotRange {
  readonly from: number
  readonly to: number
}

/** What a run did to its database. */
export interface DatabaseUse {
  /** Statements that loaded trades, as the database counted them: those of this run. */
  readonly here: number
  /** Those of all runs since the trades were put there. */
  readonly ever: number
  /** Trades that this run put into an empty database, by statements that are not counted above. */
  readonly filled: number
  /** Time to open it, and to fill it if it was empty, in milliseconds. */
  readonly openMs: number
}

/** Where the application gets its trades from. Nothing is opened before the first load. */
export interface TradeDatabase {
  readonly place: SqlPlace
  /** The trades of some slots, in ascending order of id, by exactly one statement. */
  load(slots: readonly SlotRange[]): Promise<readonly Valued[]>
  /** What this run did to the database, or undefined if it never opened it. */
  use(): Promise<DatabaseUse | undefined>
  close(): Promise<void>
}

/** How a trade database is set up. */
export interface TradeDatabaseOptions {
  readonly place: SqlPlace
  readonly open: () => Promise<SqlConnection>
  /** Which slot an id belongs to; stored beside each trade, so that a partition's trades are a range. */
  readonly slotOf: (id: number) => number
  /** Names this process in the database's count; no other process may use the same. */
  readonly run: string
  /** How many made trades to put into an empty database. */
  readonly trades: number
  /** Told what is being done, in a few words, before each step that takes long. */
  readonly progress?: (step: string) => void
}

// `load_statement` is the database's own count: the statement that reads trades adds its row, in one transaction, so
// that nothing can be read without being counted, and a process that is killed afterwards leaves its count behind.
const schema = `
  CREATE SCHEMA IF NOT EXISTS plenum_risk;
  CREATE TABLE IF NOT EXISTS plenum_risk.trade (
    id integer PRIMARY KEY, book integer NOT NULL, flows double precision[] NOT NULL, slot integer NOT NULL);
  CREATE INDEX IF NOT EXISTS trade_slot ON plenum_risk.trade (slot);
  CREATE TABLE IF NOT EXISTS plenum_risk.load_statement (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, run text NOT NULL,
    slots_from integer[] NOT NULL, slots_to integer[] NOT NULL, at timestamptz NOT NULL DEFAULT clock_timestamp());
`

const loadStatement = `
  WITH counted AS (INSERT INTO plenum_risk.load_statement (run, slots_from, slots_to) VALUES ($1, $2, $3))
  SELECT trade.id, trade.book, trade.flows
  FROM unnest($2::integer[], $3::integer[]) AS range (first, last)
  JOIN plenum_risk.trade ON trade.slot BETWEEN range.first AND range.last
  ORDER BY trade.id`

const countStatement = `
  SELECT count(*)::integer AS ever, (count(*) FILTER (WHERE run = $1))::integer AS here FROM plenum_risk.load_statement`

const fillStatement = `
  INSERT INTO plenum_risk.trade (id, book, flows, slot)
  SELECT id, book, flows, slot FROM jsonb_to_recordset($1::jsonb)
    AS made (id integer, book integer, flows double precision[], slot integer)`

const fillBatch = 10_000
const lockNumber = 7_200_417

const TradeRows = z.array(z.object({ id: z.int(), book: z.int(), flows: z.array(z.number()) }))
const CountRows = z.tuple([z.object({ ever: z.int(), here: z.int() })])
const PresentRows = z.tuple([z.object({ trades: z.int() })])

/** A trade database over any PostgreSQL; opened, and filled if it is empty, at the first load. */
export function tradeDatabase(options: TradeDatabaseOptions): TradeDatabase {
  const { place, run } = options
  // The one piece of state: the connection, shared by the loads of all partitions, kept as a promise so that eight
  // partitions that start at once open it once.
  const state: { opened?: Promise<Opened> } = {}
  const guarded = async <R>(work: () => Promise<R>): Promise<R> => {
    try {
      return await work()
    } catch (error) {
      const known = sqlError(error, place)
      // A connection that is gone does not come back; the next load opens another.
      if (known.code === 'SOURCE_UNAVAILABLE') delete state.opened
      throw known
    }
  }
  return {
    place,
    load: (slots) =>
      guarded(async () => {
        state.opened ??= open(options)
        const { connection } = await state.opened
        const from = slots.map((range) => range.from)
        const to = slots.map((range) => range.to)
        return TradeRows.parse(await connection.query(loadStatement, [run, from, to]))
      }),
    use: async () => {
      const opened = await state.opened?.catch(() => undefined)
      if (opened === undefined) return undefined
      const { connection, filled, openMs } = opened
      const [counted] = await guarded(async () => CountRows.parse(await connection.query(countStatement, [run])))
      return { ...counted, filled, openMs }
    },
    close: async () => {
      const opened = await state.opened?.catch(() => undefined)
      delete state.opened
      if (opened !== undefined) await guarded(() => opened.connection.close())
    },
  }
}

interface Opened {
  readonly connection: SqlConnection
  readonly filled: number
  readonly openMs: number
}

async function open(options: TradeDatabaseOptions): Promise<Opened> {
  options.progress?.(`opening ${options.place.database} as run ${options.run}`)
  const start = performance.now()
  const connection = await options.open()
  try {
    const filled = await fill(connection, options)
    return { connection, filled, openMs: performance.now() - start }
  } catch (error) {
    await connection.close().catch(() => undefined)
    throw error
  }
}

/** Puts the made trades into an empty database, all or none, and says how many; refuses one that holds another number. */
async function fill(
  connection: SqlConnection,
  { place, slotOf, trades, progress }: TradeDatabaseOptions,
): Promise<number> {
  await connection.script('BEGIN')
  try {
    // Two processes that meet an empty server fill it one after the other; the second finds it full.
    await connection.query('SELECT pg_advisory_xact_lock($1)', [lockNumber])
    await connection.script(schema)
    const [{ trades: present }] = PresentRows.parse(
      await connection.query('SELECT count(*)::integer AS trades FROM plenum_risk.trade'),
    )
    if (present === 0) {
      progress?.(`putting ${trades} made trades into ${place.database}`)
      const rows = madeTrades(trades).map((trade) => ({ ...trade, slot: slotOf(trade.id) }))
      for (let start = 0; start < rows.length; start += fillBatch) {
        await connection.query(fillStatement, [JSON.stringify(rows.slice(start, start + fillBatch))])
      }
    } else if (present !== trades) {
      throw new PlenumError(
        'SOURCE_FAILED',
        `${place.database} holds ${present} trades in plenum_risk.trade, not ${trades}. Drop the schema plenum_risk there, or use another database.`,
        {
          details: { database: place.database, present, expected: trades },
        },
      )
    }
    await connection.script('COMMIT')
    return trades - present
  } catch (error) {
    await connection.script('ROLLBACK').catch(() => undefined)
    throw error
  }
}
