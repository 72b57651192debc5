export type { PartitionEvent } from './events.ts'
export { forkJournal, type ForkOptions } from './forked-journal.ts'
export {
  Deferred,
  type Execution,
  type Logic,
  type LogicCommand,
  type ProjectionStates,
  type ScheduleRule,
  type WorkerRule,
} from './logic.ts'
export type { TellLine } from './held-lines.ts'
export { askNobody, type AskPartition } from './in-doubt.ts'
export { tellPartition } from './partition-gauges.ts'
export { PartitionMeters, type NamedParts } from './partition-meters.ts'
export { Partition, type PartitionOptions, type Role } from './partition.ts'
export type { DecisionRow, PreparedRow } from './prepared.ts'
export { decodeBody, type OpenBody, type SnapshotBody, type UpgradeBody } from './record-body.ts'
export { Replica, type ReplicaObserver } from './replica.ts'
export { hashesOf } from './saved-projection.ts'
export type { SinkBatch, SinkRule } from './sinks.ts'
export { foldingOf } from './projections.ts'
export type { FoldedChange, Folding, FoldOut, ProjectionRule } from './projections.ts'
export { recover, type RecoveryOptions } from './recovery.ts'
export { loadSnapshot } from './snapshots.ts'
export { upgradeEntries, type UpgradeReport } from './upgrade-entries.ts'
