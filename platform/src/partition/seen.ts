// Whether what a transaction has seen of a partition is still so (TX3).
import type { Limits } from '../kernel/index.ts'
import {
  checkQuerySize,
  compileQuery,
  type Locks,
  type Machine,
  type Seen,
  type SeenEntry,
  type SeenQuery,
} from '../space/index.ts'
import { checkCount } from './prepared.ts'
import { transactionConflict } from './primary-errors.ts'

/** TRANSACTION_CONFLICT where what was seen is no longer so, or is about to change. */
export function checkSeen({ entries, queries }: Seen, machine: Machine, locks: Locks, limits: Limits): void {
  const { transactionReadsMax, transactionQueriesMax } = limits
  checkCount('transactionReadsMax', transactionReadsMax, entries.length)
  checkCount('transactionQueriesMax', transactionQueriesMax, queries.length)
  for (const entry of entries) checkEntry(entry, machine, locks)
  for (const query of queries) checkQuery(query, machine, locks, limits)
}

function checkEntry({ type, key, stamp }: SeenEntry, machine: Machine, locks: Locks): void {
  const table = machine.unitTable(type)
  if ((table.find(key)?.stamp ?? 0) !== stamp) throw transactionConflict(`an entry of type '${type}' was changed`)
  refuse(locks.inWayOfEntry(table, key, Infinity))
}

function checkQuery({ type, where, since }: SeenQuery, machine: Machine, locks: Locks, limits: Limits): void {
  checkQuerySize(where, limits)
  const table = machine.unitTable(type)
  if (!machine.ring.reaches(since)) throw transactionConflict('too much has changed since it read')
  if (since < table.shapedAt) throw transactionConflict('its entry type has another schema since it read')
  const matches = compileQuery(where)
  machine.ring.visit(table, since, Infinity, (change) => {
    const { before, after } = change ?? {}
    if ((before !== undefined && matches(before)) || (after !== undefined && matches(after)))
      throw transactionConflict(`what matches a query of type '${type}' was changed`)
    return true
  })
  refuse(locks.inWayOfQuery(table, where, Infinity))
}

function refuse(holder: string | undefined): void {
  if (holder !== undefined) throw transactionConflict('another transaction holds what it needs')
}
