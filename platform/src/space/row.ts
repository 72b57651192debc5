import type { StoredValue } from './layout.ts'

/** How long an entry lives: absolute partition time, and the duration to start anew with, 0 if it is not renewable. */
export interface RowLease {
  readonly expiresAt: number
  readonly leaseMs: number
}

/** One entry of a table. The value is frozen and shared; everything else changes in place. */
export class Row {
  value: StoredValue
  /** Starts at 1, grows by one with each change; for people. */
  version: number
  /** The partition's change number at the last change; what conditions compare (ID2). */
  stamp: number
  /** Journal index of the record that holds the last change; answers about this entry depend on it (PA3). */
  index: number
  lease: RowLease | undefined
  /** The partition's change number when the entry was first written: its place in write order (SP9). */
  readonly born: number
  /** Number of the last snapshot walk that has taken, or has no use for, this row. */
  walk: number
  /** The next row with the same id and another route. */
  next: Row | undefined
  /** Which of the type's schemas it was put under: a place in the layout's `shapes` (UN10). */
  shape: number
  /** What the journal has, once the value was brought up to a later shape; undefined where it is the value. */
  stored: StoredValue | undefined

  constructor(
    value: StoredValue,
    version: number,
    stamp: number,
    index: number,
    born: number,
    walk: number,
    shape = 0,
  ) {
    this.value = value
    this.version = version
    this.stamp = stamp
    this.index = index
    this.lease = undefined
    this.born = born
    this.walk = walk
    this.next = undefined
    this.shape = shape
    this.stored = undefined
  }
}

/** How an entry is put: a lease, if any. */
export interface PutOptions {
  readonly leaseMs?: number | undefined
  readonly expiresAt?: number | undefined
}

/** The lease that is asked for, as of a partition time. */
export function leaseOf({ leaseMs, expiresAt }: PutOptions, time: number): RowLease | undefined {
  if (leaseMs !== undefined) return { leaseMs, expiresAt: time + leaseMs }
  return expiresAt === undefined ? undefined : { leaseMs: 0, expiresAt }
}

/** A lease that was given before and is given again now: what was renewed meanwhile is not cut short. */
export function longerLease(present: RowLease | undefined, given: RowLease | undefined): RowLease | undefined {
  if (present === undefined || given === undefined || present.leaseMs !== given.leaseMs) return given
  return present.expiresAt > given.expiresAt ? present : given
}
