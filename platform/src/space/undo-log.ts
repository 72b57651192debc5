import type { StoredValue } from './layout.ts'
import type { Row, RowLease } from './row.ts'
import type { KeyFields, Table } from './table.ts'

/** What one change of the command at hand replaced. */
interface Step {
  kind: 'added' | 'changed' | 'leased' | 'removed'
  table: Table
  row: Row
  value: StoredValue
  stamp: number
  index: number
  lease: RowLease | undefined
  shape: number
  stored: StoredValue | undefined
  /** The table's last index before. */
  lastIndex: number
}

/** Told of a row whose lease counts again. */
type OnLeased = (table: Table, row: Row) => void

/** Steps that are kept for the next command; more are left to the collector. */
const keptMax = 16

/**
 * What takes back a command: its changes, newest first. Nearly every command commits, so the steps of one are used
 * again by the next instead of being made anew.
 */
export class UndoLog {
  readonly #steps: Step[] = []
  #count = 0

  /** Changes of the command at hand. */
  get count(): number {
    return this.#count
  }

  /** After the row was added; `lastIndex` is the table's before. */
  adds(table: Table, row: Row, lastIndex: number): void {
    this.#note('added', table, row, lastIndex)
  }

  /** Before the row is changed. */
  changes(table: Table, row: Row): void {
    this.#note('changed', table, row)
  }

  /** Before the row gets another lease. */
  leases(table: Table, row: Row): void {
    this.#note('leased', table, row)
  }

  removes(table: Table, row: Row): void {
    this.#note('removed', table, row)
  }

  /** Visits the rows that the command wrote and did not remove again. */
  visitWritten(visit: (table: Table, row: Row) => void): void {
    for (let at = 0; at < this.#count; at++) {
      const { kind, table, row } = this.#steps[at]!
      if ((kind === 'added' || kind === 'changed') && table.find(row.value) === row) visit(table, row)
    }
  }

  /** Visits the rows that the command removed. */
  visitGone(visit: (table: Table, row: Row) => void): void {
    for (let at = 0; at < this.#count; at++) {
      const { kind, table, row } = this.#steps[at]!
      if (kind === 'removed') visit(table, row)
    }
  }

  /** Has the volatile rows that the command changed depend on an index; false if there are none. */
  changedVolatile(index: number): boolean {
    let found = false
    for (let at = 0; at < this.#count; at++) {
      const { table, row } = this.#steps[at]!
      if (!table.isVolatile) continue
      row.index = Math.max(row.index, index)
      table.lastIndex = Math.max(table.lastIndex, row.index)
      found = true
    }
    return found
  }

  /** True if the command removed an entry of this table and key. */
  hasRemoved(table: Table, key: KeyFields): boolean {
    for (let at = 0; at < this.#count; at++) {
      const step = this.#steps[at]!
      if (step.kind === 'removed' && step.table === table && isOfKey(table, step.value, key)) return true
    }
    return false
  }

  /** The entries of a table that were removed after the first `count` changes. */
  removedSince(count: number): readonly { readonly table: Table; readonly value: StoredValue }[] {
    return this.#steps.slice(count, this.#count).filter(({ kind }) => kind === 'removed')
  }

  /** Takes everything back; `onLeased` is told of rows that have a lease again. */
  takeBack(onLeased: OnLeased): void {
    for (let at = this.#count - 1; at >= 0; at--) takeBack(this.#steps[at]!, onLeased)
    this.forget()
  }

  /** Takes back what came after the first `count` changes. */
  takeBackTo(count: number, onLeased: OnLeased): void {
    for (; this.#count > count; this.#count--) takeBack(this.#steps[this.#count - 1]!, onLeased)
  }

  /** The command is over. */
  forget(): void {
    if (this.#count > keptMax) this.#steps.length = keptMax
    this.#count = 0
  }

  #note(kind: Step['kind'], table: Table, row: Row, lastIndex = table.lastIndex): void {
    const { value, stamp, index, lease, shape, stored } = row
    const step = this.#steps[this.#count]
    if (step === undefined) {
      this.#steps.push({ kind, table, row, value, stamp, index, lease, shape, stored, lastIndex })
    } else {
      step.kind = kind
      step.table = table
      step.row = row
      step.value = value
      step.stamp = stamp
      step.index = index
      step.lease = lease
      step.shape = shape
      step.stored = stored
      step.lastIndex = lastIndex
    }
    this.#count += 1
  }
}

function isOfKey(table: Table, value: StoredValue, key: KeyFields): boolean {
  return table.idOf(value) === table.idOf(key) && table.sameRoute(value, key)
}

function takeBack(step: Step, onLeased: OnLeased): void {
  const { table, row } = step
  restore(step)
  table.lastIndex = step.lastIndex
  // Its place in the queue of leases may be gone: what is not there counts as stale.
  if (step.kind !== 'added' && row.lease !== undefined) onLeased(table, row)
}

function restore({ kind, table, row, value, stamp, index, lease, shape, stored }: Step): void {
  switch (kind) {
    case 'added':
      return table.delete(row)
    case 'removed':
      return table.add(row)
    case 'changed':
      table.change(row, value)
      row.version -= 1
      row.stamp = stamp
      row.index = index
      row.lease = lease
      row.shape = shape
      row.stored = stored
      return
    case 'leased':
      row.index = index
      row.lease = lease
  }
}
