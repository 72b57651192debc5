import { PlenumError } from '../kernel/index.ts'
import type { ChangeLog } from './change-log.ts'
import { ChangeRing } from './change-ring.ts'
import type { RemovalReason } from './effects.ts'
import type { StoredValue } from './layout.ts'
import type { Row } from './row.ts'
import type { Table } from './table.ts'

/** The changes of one kind of entries. */
interface Lane {
  /** How many there were. */
  number: number
  /** How many there were before the command at hand. */
  start: number
  ring: ChangeRing
}

/** Volatile change numbers of one reign: four days of 200,000 a second, and safe integers for 131,072 reigns. */
const volatileOfReign = 2 ** 36

/**
 * Change numbers and the last changes of a machine (ID2). What is volatile is counted apart, so that the journaled state
 * is the same without it.
 */
export class Changes {
  readonly #capacity: number
  readonly #journaled: Lane
  readonly #volatile: Lane
  /** True while changes are made that will be taken back: nobody is to be told of them. */
  #isTrial = false
  /** Where changes that are folded are noted, if any are. */
  log: ChangeLog | undefined

  constructor(capacity: number) {
    this.#capacity = capacity
    this.#journaled = { number: 0, start: 0, ring: new ChangeRing(capacity, 0) }
    this.#volatile = { number: 0, start: 0, ring: new ChangeRing(capacity, 0) }
  }

  /** The number of the last change that the journal knows. */
  get number(): number {
    return this.#journaled.number
  }

  /** The last changes among which those of a table are. */
  ringOf({ isVolatile }: Table): ChangeRing {
    return isVolatile ? this.#volatile.ring : this.#journaled.ring
  }

  get ring(): ChangeRing {
    return this.#journaled.ring
  }

  /** A reign begins: nothing volatile is there, and no volatile number of another reign is given again. */
  beginReign(epoch: number): void {
    const number = epoch * volatileOfReign
    this.#volatile.number = number
    this.#volatile.ring = new ChangeRing(this.#capacity, number)
  }

  /** A command begins. */
  begin(): void {
    this.#journaled.start = this.#journaled.number
    this.#volatile.start = this.#volatile.number
    this.log?.begin()
  }

  /** TRANSACTION_INVALID for a change that is tried, of what is not durable. */
  check(table: Table): void {
    if (this.#isTrial && table.isVolatile) throw notInTransaction(table)
  }

  /** Counts a change of a row, which is as it was, and returns its number; `index` is that of its record, if it has one. */
  next(
    table: Table,
    row: Row | undefined,
    after: StoredValue | undefined,
    reason: RemovalReason | undefined,
    index: number,
  ): number {
    if (table.isVolatile) return this.#nextVolatile(table, row?.value, after, reason)
    if (!this.#isTrial) {
      this.#journaled.ring.note(table, row?.value, after, reason, index)
      this.log?.note(table, row, after, reason, index)
    }
    table.lastIndex = index
    return (this.#journaled.number += 1)
  }

  /** What the answer about it depends on is known when the command ends. */
  #nextVolatile(
    table: Table,
    before: StoredValue | undefined,
    after: StoredValue | undefined,
    reason: RemovalReason | undefined,
  ): number {
    this.#volatile.ring.note(table, before, after, reason, 0)
    return (this.#volatile.number += 1)
  }

  /** Whether the command at hand has changed something that is journaled. */
  get hasJournaled(): boolean {
    return this.#journaled.number > this.#journaled.start
  }

  /** The command ends; its volatile changes depend on this index. */
  commit(index: number): void {
    if (this.hasJournaled) this.#journaled.ring.endCommit()
    const { ring, number, start } = this.#volatile
    if (number === start) return
    ring.dependOn(index, start)
    ring.endCommit()
  }

  /** The command ends as if it had never begun. */
  rollback(): void {
    for (const lane of [this.#journaled, this.#volatile]) {
      lane.number = lane.start
      lane.ring.takeBack(lane.start)
    }
    this.log?.rollback()
  }

  /** Runs something whose changes are taken back by the caller, and forgets them. */
  trial<T>(run: () => T): T {
    const { number } = this.#journaled
    this.#isTrial = true
    try {
      return run()
    } finally {
      this.#journaled.number = number
      this.#isTrial = false
    }
  }

  /** Begins after the change of a snapshot. */
  restore(number: number): void {
    this.#journaled.number = number
    this.#journaled.ring = new ChangeRing(this.#capacity, number)
  }

  /** The commit of a record that is replayed. */
  endCommit(): void {
    this.#journaled.ring.endCommit()
  }
}

/** The error for a transaction that touches what is not durable: it could not be held until an outcome. */
export function notInTransaction({ layout }: Table): PlenumError {
  return new PlenumError(
    'TRANSACTION_INVALID',
    `Entries of type '${layout.name}' are not durable, and no transaction can hold them. Use a handler or plain operations.`,
    { details: { type: layout.name } },
  )
}
