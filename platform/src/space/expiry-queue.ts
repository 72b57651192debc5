import { Heap } from '../kernel/index.ts'
import type { Row } from './row.ts'
import type { Table } from './table.ts'

/** Items below which nothing is thrown out. */
const compactMin = 1_024

interface Expiry {
  readonly at: number
  readonly table: Table
  readonly row: Row
}

/**
 * Which leased rows end next: by time, then stamp. Derived and rebuilt. A row whose lease was renewed or cancelled
 * leaves a stale item behind, which is dropped when it comes up.
 */
export class ExpiryQueue {
  readonly #heap = new Heap<Expiry>(isSooner)
  /** Size at which stale items are thrown out: rows that are gone must not be kept until their lease would have ended. */
  #compactAt = compactMin

  /** Items, stale ones included. */
  get size(): number {
    return this.#heap.size
  }

  /** Notes the row's present lease, if it has one. */
  add(table: Table, row: Row): void {
    if (row.lease === undefined) return
    if (this.#heap.size >= this.#compactAt) {
      this.#heap.keepOnly(isCurrent)
      this.#compactAt = Math.max(compactMin, 2 * this.#heap.size)
    }
    this.#heap.push({ at: row.lease.expiresAt, table, row })
  }

  /** Partition time at which the next lease may end; Infinity where there is none. */
  nextAt(): number {
    return this.#heap.first?.at ?? Infinity
  }

  /**
   * The next row whose lease is over at `time`. The caller removes the row before it asks again, so that a second item
   * of the same lease is found stale.
   */
  takeExpired(time: number): { readonly table: Table; readonly row: Row } | undefined {
    while (this.nextAt() <= time) {
      const item = this.#heap.pop()
      if (item !== undefined && isCurrent(item)) return item
    }
    return undefined
  }

  /** Every row with a lease, in no order. */
  leased(): readonly { readonly table: Table; readonly row: Row }[] {
    return this.#heap.items.filter(isCurrent)
  }
}

function isCurrent(item: Expiry): boolean {
  return item.row.lease?.expiresAt === item.at && item.table.find(item.row.value) === item.row
}

function isSooner(a: Expiry, b: Expiry): boolean {
  return a.at < b.at || (a.at === b.at && a.row.stamp < b.row.stamp)
}
