import type { RemovalReason } from './effects.ts'
import type { StoredValue } from './layout.ts'
import type { Table } from './table.ts'

/** One change of an entry: what was there, and what is there now. */
export interface RingChange {
  readonly before: StoredValue | undefined
  readonly after: StoredValue | undefined
  /** Why it is gone; undefined where it is there. */
  readonly reason: RemovalReason | undefined
}

/** Where a change stands: its number, the index of its record, and whether it is the last of its commit. */
export interface RingPlace {
  readonly number: number
  readonly index: number
  readonly isLast: boolean
}

/** Sees a change, or that a commit ended with another table's; false ends the walk. */
type VisitChange = (change: RingChange | undefined, place: RingPlace) => boolean

/**
 * The last changes of a partition, old and new value each, by change number (WA2). A ring of arrays, so that noting a
 * change makes no object; derived, and on primaries and followers alike, so that a watch goes on after a takeover.
 */
export class ChangeRing {
  readonly #capacity: number
  /** Made with the first change: many a machine lives too short for one. */
  #slots: Slots | undefined
  /** Change numbers above this one are in the ring. */
  #from: number
  #to: number

  /** An empty ring after the change `from`. */
  constructor(capacity: number, from: number) {
    this.#capacity = capacity
    this.#from = from
    this.#to = from
  }

  /** The last change that was noted. */
  get last(): number {
    return this.#to
  }

  /** True if every change after `number` is still here. */
  reaches(number: number): boolean {
    return number >= this.#from && number <= this.#to
  }

  /** Notes the next change. */
  note(
    table: Table,
    before: StoredValue | undefined,
    after: StoredValue | undefined,
    reason: RemovalReason | undefined,
    index: number,
  ): void {
    const slots = (this.#slots ??= newSlots(this.#capacity))
    this.#to += 1
    const at = this.#to % this.#capacity
    slots.tables[at] = table
    slots.before[at] = before
    slots.after[at] = after
    slots.reasons[at] = reason
    slots.indexes[at] = index
    slots.ends[at] = 0
    if (this.#to - this.#from > this.#capacity) this.#from = this.#to - this.#capacity
  }

  /** The changes noted so far make a commit with those since the one before. */
  endCommit(): void {
    if (this.#to > this.#from && this.#slots !== undefined) this.#slots.ends[this.#to % this.#capacity] = 1
  }

  /**
   * Takes back what was noted after `number`. What it pushed out of the ring does not come back: the ring reaches less
   * far, and says so.
   */
  takeBack(number: number): void {
    this.#to = number
    if (this.#from > number) this.#from = number
  }

  /**
   * Visits the changes of a table after `number` whose records have an index of `acked` at most, until `visit` returns
   * false; an `undefined` change says that a commit ended with another table's.
   */
  visit(table: Table, number: number, acked: number, visit: VisitChange): void {
    const slots = this.#slots
    for (let next = number + 1; slots !== undefined && next <= this.#to; next++) {
      const at = next % this.#capacity
      if (slots.indexes[at]! > acked) return
      const isLast = slots.ends[at] === 1
      const isOwn = slots.tables[at] === table
      if (!isOwn && !isLast) continue
      const change = isOwn ? { before: slots.before[at], after: slots.after[at], reason: slots.reasons[at] } : undefined
      if (!visit(change, { number: next, index: slots.indexes[at]!, isLast })) return
    }
  }
}

interface Slots {
  readonly tables: (Table | undefined)[]
  readonly before: (StoredValue | undefined)[]
  readonly after: (StoredValue | undefined)[]
  readonly reasons: (RemovalReason | undefined)[]
  /** Indexes of the records that hold the changes. */
  readonly indexes: Float64Array
  /** 1 for the last change of a commit. */
  readonly ends: Uint8Array
}

function newSlots(capacity: number): Slots {
  const empty = <T>(): (T | undefined)[] => Array.from({ length: capacity }, () => undefined)
  return {
    tables: empty(),
    before: empty(),
    after: empty(),
    reasons: empty(),
    indexes: new Float64Array(capacity),
    ends: new Uint8Array(capacity),
  }
}
