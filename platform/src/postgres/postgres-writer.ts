// Writes what a sink has kept to PostgreSQL, exactly once (UN7), through whatever client the application has.
//
// I1 What a batch does and how far it has come are one transaction: a batch that comes again is passed over.
// I2 A store that has less than it had confirmed is told apart from one that is up to date: nothing is written to it. Nor
//    is anything passed over for an older copy of a journal, which gives numbers once more, unless it goes on within
//    the last batch: there its numbers are those of a batch that comes again.
import { PlenumError } from '../kernel/index.ts'
import type { AnyEntry } from '../space/index.ts'
import type { Applied, ChangeNumber, SinkBatch } from '../unit/index.ts'

/** One session of a PostgreSQL: a `Client` of `pg`, or anything alike. */
export interface PostgresSession {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: readonly unknown[] }>
}

/** A session that was borrowed from a pool. */
export interface PooledSession extends PostgresSession {
  release(destroy?: boolean): void
  on(event: 'error', listener: (error: Error) => void): unknown
}

/** Gives sessions: a `Pool` of `pg`. */
export interface PostgresPool {
  readonly totalCount: number
  connect(): Promise<PooledSession>
  on(event: 'acquire', listener: (session: PooledSession) => void): unknown
}

/** Keeps others out of a transaction by itself: a PGlite. */
export interface PostgresInProcess extends PostgresSession {
  transaction<R>(run: (session: PostgresSession) => Promise<R>): Promise<R>
}

export type Postgres = PostgresSession | PostgresPool | PostgresInProcess

/** Makes one change, within the transaction of its batch. */
export type Write<T extends AnyEntry> = (session: PostgresSession, change: Applied<T>) => Promise<void>

/** How far each journal has come, and where its last batch began: a batch that comes again begins there or later. */
const positions = `create table if not exists plenum_position (
  sink text not null, journal text not null, record bigint not null, place bigint not null,
  from_record bigint not null, from_place bigint not null, primary key (sink, journal))`

const moveTo =
  'update plenum_position set record = $3, place = $4, from_record = $5, from_place = $6 where sink = $1 and journal = $2'

/**
 * Writes the batches of sinks to one database. Over a single session one batch follows the other; over a pool, batches of
 * several partitions are written at the same time. It keeps a table `plenum_position` there, which it makes where it is
 * missing.
 */
export class PostgresWriter {
  readonly #database: Postgres
  /** Ends when the session is free. */
  #free: Promise<unknown> = Promise.resolve()
  #isPrepared = false

  constructor(database: Postgres) {
    this.#database = database
    // A session that is cut tells its queries too; unheard, it would end the process. It may be cut before whoever asked
    // for it has it.
    const heard = new WeakSet<PooledSession>()
    if (!('totalCount' in database)) return
    database.on('acquire', (session) => {
      if (!heard.has(session)) session.on('error', unheard)
      heard.add(session)
    })
  }

  /**
   * Makes the changes of a batch that were not made before, in one transaction, and resolves when it is committed.
   * SINK_BEHIND where the database has lost what it had committed, SINK_AHEAD where the journal has; errors of the database
   * come as they are. Rejects at once when `signal` aborts, and a pool's session is given up with whatever runs on it.
   */
  async write<T extends AnyEntry>(
    sink: string,
    batch: SinkBatch<T>,
    write: Write<T>,
    signal?: AbortSignal,
  ): Promise<void> {
    const { journal, after } = batch
    await this.#transaction(async (session) => {
      const position = await positionOf(session, sink, journal)
      const { written } = position
      if (isBefore(written, after)) throw behind(sink, batch, written)
      // What the last batch came after was acked, and no journal goes back behind that.
      if (isBefore(after, position.from)) throw ahead(sink, batch, position)
      const changes = batch.changes.filter((one) => isBefore(written, one))
      for (const { change } of changes) await write(session, change)
      const last = changes.at(-1)
      if (last !== undefined)
        await session.query(moveTo, [sink, journal, last.index, last.offset, after.index, after.offset])
      signal?.throwIfAborted()
    }, signal)
  }

  async #transaction(run: (session: PostgresSession) => Promise<void>, signal: AbortSignal | undefined): Promise<void> {
    const database = this.#database
    if ('totalCount' in database) return this.#pooled(database, run, signal)
    const mine = this.#free.then(() => this.#within(database, run, signal))
    this.#free = mine.catch(() => undefined)
    return unlessAborted(mine, signal)
  }

  async #pooled(
    database: PostgresPool,
    run: (session: PostgresSession) => Promise<void>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const session = await sessionOf(database, signal)
    let isWhole = false
    const running = this.#within(session, run, signal)
    try {
      await unlessAborted(running, signal)
      isWhole = true
    } finally {
      // A session in an unknown state is not used again.
      session.release(!isWhole)
    }
  }

  async #within(
    session: PostgresSession,
    run: (session: PostgresSession) => Promise<void>,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    // Whoever gave up gives the batch again.
    signal?.throwIfAborted()
    if (!this.#isPrepared) await session.query(positions)
    this.#isPrepared = true
    if ('transaction' in session) return (session as PostgresInProcess).transaction(run)
    await session.query('begin')
    try {
      await run(session)
      await session.query('commit')
    } catch (error) {
      await session.query('rollback').catch(() => undefined)
      throw error
    }
  }
}

function unheard(): void {}

/** A session of a pool; one that comes when nobody wants it any more goes back. */
async function sessionOf(pool: PostgresPool, signal: AbortSignal | undefined): Promise<PooledSession> {
  const connecting = pool.connect()
  try {
    return await unlessAborted(connecting, signal)
  } catch (error) {
    connecting.then((session) => session.release(), unheard)
    throw error
  }
}

/** What something comes to, or that it was given up: its own end is not waited for then, and not heard. */
async function unlessAborted<T>(running: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return running
  running.catch(unheard)
  signal.throwIfAborted()
  const { promise, reject } = Promise.withResolvers<never>()
  const onAbort = (): void => reject(signal.reason)
  signal.addEventListener('abort', onAbort)
  try {
    return await Promise.race([running, promise])
  } finally {
    signal.removeEventListener('abort', onAbort)
  }
}

interface StoredPosition {
  readonly written: ChangeNumber
  /** What the last batch came after. */
  readonly from: ChangeNumber
}

/** How far a journal has come; its row is locked, so that two writers of one journal follow each other. */
async function positionOf(session: PostgresSession, sink: string, journal: string): Promise<StoredPosition> {
  const insert = 'insert into plenum_position values ($1, $2, 0, -1, 0, -1) on conflict do nothing'
  await session.query(insert, [sink, journal])
  const select = 'select * from plenum_position where sink = $1 and journal = $2 for update'
  const [row = {}] = (await session.query(select, [sink, journal])).rows as readonly Readonly<Record<string, unknown>>[]
  return {
    written: { index: Number(row['record']), offset: Number(row['place']) },
    from: { index: Number(row['from_record']), offset: Number(row['from_place']) },
  }
}

function isBefore(a: ChangeNumber, b: ChangeNumber): boolean {
  return a.index < b.index || (a.index === b.index && a.offset < b.offset)
}

/**
 * Keeps the entries of one type in a table: a row for each, with the named fields as columns, found by the key columns.
 * Lists and objects are written as JSON, for columns of type `json` or `jsonb`.
 */
export function upsertInto<T extends AnyEntry>(
  table: string,
  { keys, columns }: { readonly keys: readonly string[]; readonly columns: readonly string[] },
): Write<T> {
  const name = quoted(table)
  const others = columns.filter((column) => !keys.includes(column))
  const places = columns.map((_, at) => `$${at + 1}`).join(', ')
  const changed = others.map((column) => `${quoted(column)} = excluded.${quoted(column)}`).join(', ')
  const upsert =
    `insert into ${name} (${columns.map(quoted).join(', ')}) values (${places}) ` +
    `on conflict (${keys.map(quoted).join(', ')}) do ${changed === '' ? 'nothing' : `update set ${changed}`}`
  const remove = `delete from ${name} where ${keys.map((key, at) => `${quoted(key)} = $${at + 1}`).join(' and ')}`
  return async (session, change) => {
    const entry: Readonly<Record<string, unknown>> = change.entry
    const isRemoved = change.kind === 'removed'
    await session.query(
      isRemoved ? remove : upsert,
      (isRemoved ? keys : columns).map((column) => sent(entry[column])),
    )
  }
}

function quoted(name: string): string {
  return name
    .split('.')
    .map((part) => `"${part.replaceAll('"', '""')}"`)
    .join('.')
}

/** A value as both clients take it. */
function sent(value: unknown): unknown {
  if (value === undefined) return null
  if (typeof value === 'bigint') return value.toString()
  return typeof value === 'object' && value !== null && !(value instanceof Uint8Array) ? json(value) : value
}

/** JSON as PostgreSQL reads it: numbers of any size, and bytes as it writes them. */
function json(value: object): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part === 'bigint') return rawJson(part.toString())
    return part instanceof Uint8Array ? `\\x${Buffer.from(part).toString('hex')}` : part
  })
}

/** Of ES2026; not in every TypeScript's library yet. */
const { rawJSON: rawJson } = JSON as typeof JSON & { readonly rawJSON: (text: string) => unknown }

function behind(sink: string, { journal, after, partition }: SinkBatch<AnyEntry>, written: ChangeNumber): PlenumError {
  return new PlenumError(
    'SINK_BEHIND',
    `The database had confirmed, under the name '${sink}', change ${text(after)} of partition ${partition}, and now has ${text(written)}: ` +
      'it has lost what was written to it. Nothing is written to it until it has that again: restore it, or give the sink ' +
      'another name, under which it begins anew with the entries that are there.',
    { details: { sink, partition, journal, confirmed: after, found: written } },
  )
}

function ahead(sink: string, { journal, after, partition }: SinkBatch<AnyEntry>, found: StoredPosition): PlenumError {
  const { written, from } = found
  return new PlenumError(
    'SINK_AHEAD',
    `The database has, under the name '${sink}', change ${text(written)} of partition ${partition}, in a batch after ${text(from)}; ` +
      `its journal now goes on after ${text(after)}, without that: it is an older copy, and gives numbers once more. Nothing ` +
      'is written. Restore the database to a moment before that of the copy, or give the sink another name, under which it ' +
      'begins anew with the entries that are there.',
    { details: { sink, partition, journal, confirmed: after, found: written } },
  )
}

function text({ index, offset }: ChangeNumber): string {
  return `${index}/${offset}`
}
