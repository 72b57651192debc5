// The rows in which a partition keeps its part of transactions (TX3, TX4), and the locks that follow from them.
import { PlenumError } from '../kernel/index.ts'
import {
  valueNow,
  type Effect,
  type Holding,
  type LockedChange,
  type Machine,
  type NamedEffect,
  type Seen,
  type TransactionName,
} from '../space/index.ts'
import { entryName } from './entry-name.ts'

/** A row of the table of prepared transactions. */
export interface PreparedRow {
  readonly transaction: string
  readonly coordinator: number
  readonly until: number
  readonly seen: Seen
  readonly effects: readonly NamedEffect[]
}

/** A row of the table of decisions. */
export interface DecisionRow {
  readonly transaction: string
  readonly committed: boolean
  readonly partitions: readonly number[]
}

/** An effect that was tried, so that it can be kept in a row. */
export function nameEffect(machine: Machine, effect: Effect): NamedEffect {
  if (effect.kind === 'snapshot-begins') throw new PlenumError('INVARIANT_BROKEN', 'A transaction takes no snapshot.')
  const { layout, shape } = machine.tables[effect.table]!
  const type = layout.name
  if (effect.kind === 'remove') return { kind: 'remove', type, reason: effect.reason, key: effect.key }
  const lease = effect.lease === undefined ? {} : { lease: effect.lease }
  return effect.kind === 'put'
    ? { kind: 'put', type, value: effect.value, ...lease, ...(shape === 0 ? {} : { shape }) }
    : { kind: 'lease', type, key: effect.key, ...lease }
}

/** What a prepared transaction holds, by its row. */
export function holdingOf({ transaction, seen, effects }: PreparedRow, machine: Machine): Holding {
  const changes = new Map<string, LockedChange>()
  for (const effect of effects) {
    const table = machine.table(effect.type)
    const key = effect.kind === 'put' ? effect.value : effect.key
    const before = table.find(key)?.value
    // Queries are compared with what will be read, also where it was tried before an upgrade.
    const put = effect.kind === 'put' ? valueNow(table, effect, machine.upgrades) : undefined
    const after = effect.kind === 'lease' ? before : put
    changes.set(entryName(table, key), { table, key, before, after })
  }
  return {
    transaction,
    changes: [...changes.values()],
    entries: seen.entries.map(({ type, key }) => ({ table: machine.table(type), key })),
    queries: seen.queries.map(({ type, where }) => ({ table: machine.table(type), where })),
  }
}

/** LIMIT_EXCEEDED where a transaction has more of something than it may. */
export function checkCount(limit: string, value: number, found: number): void {
  if (found <= value) return
  throw new PlenumError('LIMIT_EXCEEDED', `A transaction has ${found} at one partition, where ${limit} is ${value}.`, {
    details: { limit, value, found },
  })
}

/** A name as it must be: a time that is none would never pass. */
export function checkedName(name: TransactionName): TransactionName {
  if (Number.isFinite(name.until) && Number.isInteger(name.coordinator) && typeof name.id === 'string') return name
  throw new PlenumError('TRANSACTION_INVALID', 'A transaction has an id, a coordinating partition and a time.')
}
