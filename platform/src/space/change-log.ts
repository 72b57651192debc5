import type { RemovalReason } from './effects.ts'
import type { StoredValue } from './layout.ts'
import type { Row } from './row.ts'
import type { Table } from './table.ts'

/** A change of an entry that somebody follows, and the index of its record. */
export interface LoggedChange {
  readonly table: Table
  readonly before: StoredValue | undefined
  /** Under which it was put; undefined where the unit's code has brought it up (UN10). */
  readonly beforeShape: number | undefined
  readonly after: StoredValue | undefined
  readonly afterShape: number
  /** Why it is gone; undefined where it is there. */
  readonly reason: RemovalReason | undefined
  readonly index: number
}

/** Changes that were taken are dropped when they are so many, and half of what is held. */
const dropAt = 1_024

/**
 * The journaled changes of some entry types in their order, from when they are made until they are taken. Nothing falls
 * out of it, unlike out of the ring: it holds what the records in flight hold.
 */
export class ChangeLog {
  readonly #types: ReadonlySet<string>
  #changes: LoggedChange[] = []
  /** The next to be taken. */
  #at = 0
  /** How many there were before the command at hand. */
  #start = 0

  constructor(types: ReadonlySet<string>) {
    this.#types = types
  }

  get isEmpty(): boolean {
    return this.#at === this.#changes.length
  }

  /** A command begins. */
  begin(): void {
    this.#start = this.#changes.length
  }

  note(
    table: Table,
    row: Row | undefined,
    after: StoredValue | undefined,
    reason: RemovalReason | undefined,
    index: number,
  ): void {
    if (!this.#types.has(table.layout.name)) return
    const beforeShape = row?.stored === undefined ? row?.shape : undefined
    this.#changes.push({ table, before: row?.value, beforeShape, after, afterShape: table.shape, reason, index })
  }

  /** The command ends as if it had never begun. */
  rollback(): void {
    this.#changes.length = this.#start
  }

  /** Takes the next change of a record with an index of `acked` at most; undefined if there is none. */
  take(acked: number): LoggedChange | undefined {
    const change = this.#changes[this.#at]
    if (change === undefined || change.index > acked) return undefined
    this.#at += 1
    if (this.#at >= dropAt && this.#at * 2 >= this.#changes.length) {
      this.#changes = this.#changes.slice(this.#at)
      this.#at = 0
    }
    return change
  }
}
