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
  /** The change before the first one: what a place in the arrays counts from, so that they grow with use. */
  readonly #base: number
  readonly #tables: Table[] = []
  readonly #before: (StoredValue | undefined)[] = []
  readonly #after: (StoredValue | undefined)[] = []
  readonly #reasons: (RemovalReason | undefined)[] = []
  /** Indexes of the records that hold the changes. */
  readonly #indexes: number[] = []
  /** True for the last change of a commit. */
  readonly #ends: boolean[] = []
  /** Change numbers above this one are in the ring. */
  #from: number
  #to: number

  /** An empty ring after the change `from`. */
  constructor(capacity: number, from: number) {
    this.#capacity = capacity
    this.#base = from
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
    this.#to += 1
    const at = this.#placeOf(this.#to)
    this.#tables[at] = table
    this.#before[at] = before
    this.#after[at] = after
    this.#reasons[at] = reason
    this.#indexes[at] = index
    this.#ends[at] = false
    if (this.#to - this.#from > this.#capacity) this.#from = this.#to - this.#capacity
  }

  /** Gives the changes after `number` the index that answers about them depend on. */
  dependOn(index: number, number: number): void {
    for (let at = Math.max(number, this.#from) + 1; at <= this.#to; at++) this.#indexes[this.#placeOf(at)] = index
  }

  /** The changes noted so far make a commit with those since the one before. */
  endCommit(): void {
    if (this.#to > this.#from) this.#ends[this.#placeOf(this.#to)] = true
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
    for (let next = number + 1; next <= this.#to; next++) {
      const at = this.#placeOf(next)
      const index = this.#indexes[at]!
      if (index > acked) return
      const isLast = this.#ends[at]!
      const isOwn = this.#tables[at] === table
      if (!isOwn && !isLast) continue
      const change = isOwn ? { before: this.#before[at], after: this.#after[at], reason: this.#reasons[at] } : undefined
      if (!visit(change, { number: next, index, isLast })) return
    }
  }

  #placeOf(number: number): number {
    return (number - this.#base - 1) % this.#capacity
  }
}
