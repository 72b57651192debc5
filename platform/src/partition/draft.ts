// What a transaction tries at a partition: what it sees there, and what it is answered (TX1).
import {
  errorData,
  keyOf,
  notInTransaction,
  stampOf,
  type Answer,
  type Effect,
  type Locks,
  type Machine,
  type ReadObserver,
  type Row,
  type ReadCommand,
  type Seen,
  type SeenEntry,
  type SeenQuery,
  type StoredValue,
  type Table,
  type WriteCommand,
} from '../space/index.ts'

/** Notes what a draft looks at, of what is not its own. */
export class SeenLog implements ReadObserver {
  /** The change number before the draft. */
  readonly base: number
  readonly #machine: Machine
  readonly #locks: Locks
  readonly #until: number
  readonly #meet: (transaction: string | undefined) => void
  readonly #entries: SeenEntry[] = []
  readonly #queries: SeenQuery[] = []

  constructor(machine: Machine, locks: Locks, until: number, meet: (transaction: string | undefined) => void) {
    this.base = machine.change
    this.#machine = machine
    this.#locks = locks
    this.#until = until
    this.#meet = meet
  }

  /** Only handlers ask, and a draft runs none. */
  readonly hasStopped = false

  entry(table: Table, key: StoredValue, row: Row | undefined): void {
    refuseVolatile(table)
    this.#meet(this.#locks.inWayOfEntry(table, key, this.#until))
    const isOwn = row === undefined ? this.#machine.hasRemoved(table, key) : row.stamp > this.base
    if (!isOwn) this.#entries.push({ type: table.layout.name, key: keyOf(table, key), stamp: row?.stamp ?? 0 })
  }

  query(table: Table, where: StoredValue): void {
    refuseVolatile(table)
    this.#meet(this.#locks.inWayOfQuery(table, where, this.#until))
    this.#queries.push({ type: table.layout.name, where, since: this.base })
  }

  all(): Seen {
    return { entries: this.#entries, queries: this.#queries }
  }
}

function refuseVolatile(table: Table): void {
  if (table.isVolatile) throw notInTransaction(table)
}

/**
 * The outcome of a command as data: each entry of a batch has its own (SP10). Data commands check everything before they
 * change anything.
 */
export function attempt(run: () => unknown): Answer {
  try {
    return { ok: true, value: run() }
  } catch (error) {
    return { ok: false, error: errorData(error) }
  }
}

/** The answer without stamps that will never be: those of what the transaction itself has written. */
export function unstamped(answer: Answer, kind: string, base: number): Answer {
  if (!answer.ok) return answer
  const { value } = answer
  if (kind === 'write' || kind === 'update' || kind === 'patch' || kind === 'change') {
    const written = value as { readonly previous?: unknown }
    const previous = written.previous === undefined ? {} : { previous: withoutOwn(written.previous, base) }
    return { ok: true, value: { ...written, stamp: 0, ...previous } }
  }
  return {
    ok: true,
    value: Array.isArray(value) ? value.map((item) => withoutOwn(item, base)) : withoutOwn(value, base),
  }
}

function withoutOwn(value: unknown, base: number): unknown {
  if (typeof value !== 'object' || value === null || (stampOf(value) ?? 0) <= base) return value
  return Object.freeze({ ...value })
}

/**
 * What is committed in the place of a command, where that is something else: the removals by key of what a query has
 * chosen, because a commit must remove what the transaction was given; and a value as its schema made it, because a
 * default may be another one the next time.
 */
export function chosenBy(
  command: ReadCommand | WriteCommand,
  removed: readonly { readonly table: Table; readonly value: StoredValue }[],
  effects: readonly Effect[],
): readonly WriteCommand[] | undefined {
  const { kind, type } = command
  switch (kind) {
    case 'take':
    case 'takeAll':
    case 'clear': {
      const options = kind === 'clear' ? {} : ({ reason: 'taken' } as const)
      return removed.map(({ table, value }) => ({ kind: 'remove', type, key: keyOf(table, value), options }))
    }
    case 'insert':
    case 'write':
    case 'update': {
      const last = effects.at(-1)
      return last?.kind === 'put' ? [{ ...command, value: last.value }] : undefined
    }
    default:
      return undefined
  }
}
