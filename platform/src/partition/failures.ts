// What is kept of workers' attempts that failed, and the dead letters among them (UN3): rows of an own table.
//
// I1 A row counts for the entry as it was: once the entry has another stamp, it is new work.
import { PlenumError, type Limits } from '../kernel/index.ts'
import {
  keyOf,
  ownLayouts,
  type AttemptError,
  type DeadLetter,
  type FailureCommand,
  type KeyFields,
  type Machine,
  type Row,
  type Table,
} from '../space/index.ts'
import { entryName } from './entry-name.ts'
import type { EarlierAttempts } from './work-queue.ts'

/** A row of the table of failures. */
export interface FailureRow extends EarlierAttempts {
  readonly worker: string
  /** One text for the entry. */
  readonly entry: string
  readonly type: string
  readonly key: KeyFields
  readonly stamp: number
  /** The newest, oldest first. */
  readonly errors: readonly AttemptError[]
}

/** Rows of entries that are gone which one failed attempt throws out at most: more could be too much for a command. */
const roomMax = 1_000
/** Characters that are kept of an error. */
const messageMax = 1_000

export class Failures {
  readonly #machine: Machine
  readonly #limits: Limits
  readonly #table: Table

  constructor(machine: Machine, limits: Limits) {
    this.#machine = machine
    this.#limits = limits
    this.#table = machine.table(ownLayouts.failure.name)
  }

  /** What is kept of a worker's attempts at an entry as it is now, and the index of the record that says so. */
  of(worker: string, table: Table, row: Row): (FailureRow & { readonly index: number }) | undefined {
    if (this.#table.size === 0) return undefined
    const found = this.#table.find({ worker, entry: entryName(table, row.value) })
    const failure = found?.value as unknown as FailureRow | undefined
    return failure === undefined || found === undefined || failure.stamp !== row.stamp
      ? undefined
      : { ...failure, index: found.index }
  }

  /** Forgets a worker's failed attempts at an entry, within the command at hand. */
  forget(worker: string, table: Table, row: Row): void {
    if (this.#table.size === 0) return
    const found = this.#table.find({ worker, entry: entryName(table, row.value) })
    if (found !== undefined) this.#machine.remove(this.#table, found, 'removed')
  }

  /** Keeps one more. LIMIT_EXCEEDED where too many entries have some. */
  add(
    worker: string,
    table: Table,
    row: Row,
    { message, attemptsMax, retryMs }: Extract<FailureCommand, { kind: 'work-failed' }>,
  ): FailureRow {
    const entry = entryName(table, row.value)
    const found = this.#table.find({ worker, entry })
    if (found === undefined) this.#makeRoom()
    const earlier = this.of(worker, table, row)
    const { time } = this.#machine
    const attempts = (earlier?.attempts ?? 0) + 1
    const error = { at: time, message: message.slice(0, messageMax) }
    const failure: FailureRow = {
      worker,
      entry,
      type: table.layout.name,
      key: keyOf(table, row.value),
      stamp: row.stamp,
      attempts,
      errors: [...(earlier?.errors ?? []), error].slice(-this.#limits.failureErrorsMax),
      retryAt: time + retryMs,
      isDead: attempts >= attemptsMax,
    }
    this.#machine.put(this.#table, found, { ...failure })
    return failure
  }

  /** The dead letters of a worker, `limit` at most. */
  deadLetters(worker: string, limit: number): readonly DeadLetter[] {
    const letters: DeadLetter[] = []
    for (const { failure, row } of this.#dead(worker)) {
      if (letters.length >= limit) break
      const { entry, type, key, attempts, errors } = failure
      letters.push({ worker, entry, type, key, value: row.value, attempts, errors })
    }
    return letters
  }

  /** Forgets what failed at these entries, or at all dead letters; the entries that may be claimed again. */
  sendBack(
    worker: string,
    entries: readonly string[] | undefined,
  ): readonly { readonly table: Table; readonly row: Row }[] {
    const chosen = entries === undefined ? undefined : new Set(entries)
    const back = [...this.#dead(worker)].filter(({ failure }) => chosen?.has(failure.entry) ?? true)
    for (const { found } of back) this.#machine.remove(this.#table, found, 'removed')
    return back
  }

  /** Index of the last record that changed the failures. */
  get lastIndex(): number {
    return this.#table.lastIndex
  }

  *#dead(worker: string): Generator<{
    readonly failure: FailureRow
    readonly found: Row
    readonly table: Table
    readonly row: Row
  }> {
    for (const found of this.#table.rows()) {
      const failure = found.value as unknown as FailureRow
      if (failure.worker !== worker || !failure.isDead) continue
      const table = this.#machine.table(failure.type)
      const row = table.find(failure.key)
      if (row?.stamp === failure.stamp) yield { failure, found, table, row }
    }
  }

  /** Where the table is full, rows of entries that are gone or were changed since make room. */
  #makeRoom(): void {
    const { failuresMax, commandEffectsMax } = this.#limits
    if (this.#table.size < failuresMax) return
    const enough = failuresMax - Math.min(roomMax, commandEffectsMax - 1)
    for (const found of this.#table.rows()) {
      const { type, key, stamp } = found.value as unknown as FailureRow
      if (this.#machine.table(type).find(key)?.stamp !== stamp) this.#machine.remove(this.#table, found, 'removed')
      if (this.#table.size <= enough) break
    }
    if (this.#table.size < failuresMax) return
    throw new PlenumError(
      'LIMIT_EXCEEDED',
      `This partition keeps failed attempts at ${failuresMax} entries, which is the limit failuresMax. Send dead letters back, or change or remove their entries.`,
      { details: { limit: 'failuresMax', value: failuresMax } },
    )
  }
}
