// The locks of prepared transactions on one partition (TX3): which entries and queries others have to leave alone.
//
// Owns who holds what. Does not own why, nor what becomes of whoever meets a lock: they hear the name of the
// transaction that is in their way. Derived from the rows of prepared transactions, and rebuilt from them.
//
// I1 A change meets every lock that it would break: on its entry, and on each query that sees it before or after.
// I2 A read meets the locks of changes only, and may leave out those of transactions that were prepared after it came.
// I3 A lock covers an id, whatever the route: coarser than an entry, and sound.
import { compileQuery, type Matcher } from './query.ts'
import type { StoredValue } from './layout.ts'
import type { Row } from './row.ts'
import type { KeyFields, Table } from './table.ts'

/** One entry that a prepared transaction changes: its value now, and what it will be. */
export interface LockedChange {
  readonly table: Table
  readonly key: KeyFields
  readonly before: StoredValue | undefined
  readonly after: StoredValue | undefined
}

/** What a prepared transaction holds until its outcome is known. */
export interface Holding {
  readonly transaction: string
  readonly changes: readonly LockedChange[]
  readonly entries: readonly { readonly table: Table; readonly key: KeyFields }[]
  readonly queries: readonly { readonly table: Table; readonly where: StoredValue }[]
}

interface Holder {
  readonly transaction: string
  /** In the order in which transactions were prepared here. */
  readonly number: number
  /** Takes its locks away. */
  readonly release: (() => void)[]
}

interface ChangeLock {
  readonly holder: Holder
  readonly before: StoredValue | undefined
  readonly after: StoredValue | undefined
}

interface QueryLock {
  readonly holder: Holder
  readonly matches: Matcher
}

/** The locks of one table. */
interface TableLocks {
  /** By id; entries that share one and differ in route are locked together. */
  readonly changes: Map<unknown, ChangeLock[]>
  readonly entries: Map<unknown, Set<Holder>>
  readonly queries: Set<QueryLock>
  /** Entries whose lease is over, which only a lock keeps: nobody may read them any more. */
  readonly overdue: Map<unknown, ChangeLock[]>
}

export class Locks {
  readonly #holders = new Map<string, Holder>()
  readonly #tables: (TableLocks | undefined)[] = []
  #number = 0

  /** Transactions that hold locks. */
  get count(): number {
    return this.#holders.size
  }

  /** The number of the transaction that was prepared last. */
  get last(): number {
    return this.#number
  }

  /** Adds the locks of a transaction; nothing of it may be locked by a change of another. */
  add({ transaction, changes, entries, queries }: Holding): void {
    const holder: Holder = { transaction, number: ++this.#number, release: [] }
    this.#holders.set(transaction, holder)
    for (const { table, key, before, after } of changes) {
      const locks = this.#of(table)
      const id = table.idOf(key)
      addTo(locks.changes, id, { holder, before, after })
      holder.release.push(() => void locks.changes.delete(id))
    }
    for (const { table, key } of entries) this.#share(this.#of(table), table.idOf(key), holder)
    for (const { table, where } of queries) {
      const locks = this.#of(table)
      const lock = { holder, matches: compileQuery(where) }
      locks.queries.add(lock)
      holder.release.push(() => void locks.queries.delete(lock))
    }
  }

  /** Takes away the locks of a transaction. */
  remove(transaction: string): void {
    const holder = this.#holders.get(transaction)
    if (holder === undefined) return
    this.#holders.delete(transaction)
    for (const release of holder.release) release()
  }

  /** A transaction that was prepared no later than `until`; undefined if there is none. */
  first(until: number): string | undefined {
    for (const { transaction, number } of this.#holders.values()) if (number <= until) return transaction
    return undefined
  }

  /** The transaction for which whoever reads this entry has to wait. */
  inWayOfEntry(table: Table, key: KeyFields, until: number): string | undefined {
    const locks = this.#tables[table.number]
    if (locks === undefined) return undefined
    const id = table.idOf(key)
    const overdue = until < 0 ? undefined : locks.overdue.get(id)?.[0]
    if (overdue !== undefined) return overdue.holder.transaction
    const lock = locks.changes.get(id)?.[0]
    return lock !== undefined && lock.holder.number <= until ? lock.holder.transaction : undefined
  }

  /** The transaction for which whoever asks this query has to wait. */
  inWayOfQuery(table: Table, where: StoredValue, until: number): string | undefined {
    const locks = this.#tables[table.number]
    if (locks === undefined || locks.changes.size + locks.overdue.size === 0) return undefined
    const matches = compileQuery(where)
    if (until >= 0) {
      for (const { holder, before } of [...locks.overdue.values()].flat())
        if (sees(matches, before)) return holder.transaction
    }
    for (const { holder, before, after } of [...locks.changes.values()].flat()) {
      if (holder.number <= until && (sees(matches, before) || sees(matches, after))) return holder.transaction
    }
    return undefined
  }

  /** The transaction for which whoever changes an entry from one value into the other has to wait. */
  inWayOfChange(table: Table, before: StoredValue | undefined, after: StoredValue | undefined): string | undefined {
    const locks = this.#tables[table.number]
    if (locks === undefined) return undefined
    const id = table.idOf(before ?? after ?? {})
    const change = locks.changes.get(id)?.[0]
    if (change !== undefined) return change.holder.transaction
    for (const { transaction } of locks.entries.get(id) ?? []) return transaction
    for (const { holder, matches } of locks.queries) {
      if (sees(matches, before) || sees(matches, after)) return holder.transaction
    }
    return undefined
  }

  /** True if a lock keeps an entry whose lease is over; from now on reads wait for whoever holds it. */
  keepsOverdue(table: Table, row: Row): boolean {
    const transaction = this.inWayOfChange(table, row.value, undefined)
    const holder = transaction === undefined ? undefined : this.#holders.get(transaction)
    if (holder === undefined) return false
    const { overdue } = this.#of(table)
    const id = table.idOf(row.value)
    if (overdue.get(id)?.some(({ before }) => before === row.value) !== true) {
      addTo(overdue, id, { holder, before: row.value, after: undefined })
      holder.release.push(() => void overdue.delete(id))
    }
    return true
  }

  #share({ entries }: TableLocks, id: unknown, holder: Holder): void {
    const holders = entries.get(id) ?? new Set()
    entries.set(id, holders.add(holder))
    holder.release.push(() => {
      holders.delete(holder)
      if (holders.size === 0) entries.delete(id)
    })
  }

  #of(table: Table): TableLocks {
    return (this.#tables[table.number] ??= {
      changes: new Map(),
      entries: new Map(),
      queries: new Set(),
      overdue: new Map(),
    })
  }
}

function addTo(locks: Map<unknown, ChangeLock[]>, id: unknown, lock: ChangeLock): void {
  const known = locks.get(id)
  if (known === undefined) locks.set(id, [lock])
  else known.push(lock)
}

/** A query that cannot be evaluated may see anything. */
function sees(matches: Matcher, value: StoredValue | undefined): boolean {
  if (value === undefined) return false
  try {
    return matches(value)
  } catch {
    return true
  }
}
