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
 * Which leased rows end next: a binary heap by time, then stamp. Derived and rebuilt (02). A row whose lease was
 * renewed or cancelled leaves a stale item behind, which is dropped when it comes up.
 */
export class ExpiryQueue {
  #heap: Expiry[] = []
  /** Length at which stale items are thrown out: rows that are gone must not be kept until their lease would have ended. */
  #compactAt = compactMin

  /** Items, stale ones included. */
  get size(): number {
    return this.#heap.length
  }

  /** Notes the row's present lease, if it has one. */
  add(table: Table, row: Row): void {
    if (row.lease === undefined) return
    if (this.#heap.length >= this.#compactAt) this.#compact()
    this.#insert({ at: row.lease.expiresAt, table, row })
  }

  #insert(item: Expiry): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(item)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!sooner(item, heap[parent]!)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = item
  }

  /** Partition time at which the next lease may end; Infinity where there is none. */
  nextAt(): number {
    return this.#heap[0]?.at ?? Infinity
  }

  /**
   * The next row whose lease is over at `time`. The caller removes the row before it asks again, so that a second item
   * of the same lease is found stale.
   */
  takeExpired(time: number): { readonly table: Table; readonly row: Row } | undefined {
    while (this.nextAt() <= time) {
      const item = this.#pop()
      if (current(item)) return item
    }
    return undefined
  }

  /** Every row with a lease, in no order. */
  leased(): readonly { readonly table: Table; readonly row: Row }[] {
    return this.#heap.filter(current)
  }

  clear(): void {
    this.#heap = []
  }

  #compact(): void {
    const items = this.#heap.filter(current)
    this.#heap = []
    for (const item of items) this.#insert(item)
    this.#compactAt = Math.max(compactMin, 2 * items.length)
  }

  #pop(): Expiry {
    const heap = this.#heap
    const first = heap[0]!
    const last = heap.pop()!
    if (heap.length === 0) return first
    let at = 0
    for (;;) {
      let child = at * 2 + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && sooner(heap[child + 1]!, heap[child]!)) child += 1
      if (!sooner(heap[child]!, last)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = last
    return first
  }
}

function current(item: Expiry): boolean {
  return item.row.lease?.expiresAt === item.at && item.table.find(item.row.value) === item.row
}

function sooner(a: Expiry, b: Expiry): boolean {
  return a.at < b.at || (a.at === b.at && a.row.stamp < b.row.stamp)
}
