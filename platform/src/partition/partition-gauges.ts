import type { Tell } from '../metrics/index.ts'
import { firstUnitTable, ownLayouts } from '../space/index.ts'
import type { Partition } from './partition.ts'

/** Tells how much there is of what a partition keeps, and of what waits there. Looks at numbers that are there, not at rows. */
export function tellPartition(partition: Partition, tell: Tell): void {
  const { number, runtime, journal, meters } = partition.options
  const labels = { 'plenum.partition': String(number) }
  const now = runtime.clock.monotonic()
  const { role, replica } = partition
  tell('roles', 1, { 'plenum.role': role.kind })
  if (replica !== undefined) {
    const { machine, fold } = replica
    tell('index', fold.head.index, labels)
    for (const { layout, size } of machine.tables.slice(firstUnitTable))
      // What is everywhere is told of one of its copies.
      if (layout.everywhere !== true || number === 0) tell('entries', size, { 'db.collection.name': layout.name })
    tell('sessions', machine.table(ownLayouts.session.name).size, labels)
    tell('prepared', machine.table(ownLayouts.prepared.name).size, labels)
    tell('messagesKept', machine.table(ownLayouts.message.name).size, labels)
    tell('failures', machine.table(ownLayouts.failure.name).size, labels)
  }
  if (role.kind !== 'primary') return
  const { held, inbox, waiters, watchers, claims, oldestSentAt } = role.primary.waiting
  tell('held', held, labels)
  tell('inbox', inbox, labels)
  tell('waiters', waiters, labels)
  tell('watchers', watchers, labels)
  tell('claims', claims, labels)
  tell('journalFill', journal.fill(0), labels)
  tell('journalLag', oldestSentAt === undefined ? 0 : (now - oldestSentAt) / 1_000, labels)
  if (meters?.snapshotAt !== undefined) tell('snapshotAge', (now - meters.snapshotAt) / 1_000, labels)
}
