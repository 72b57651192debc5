export type { PartitionEvent } from './events.ts'
export { askNobody, type AskPartition } from './in-doubt.ts'
export { Deferred, type Execution, type Logic, type LogicCommand, type ScheduleRule, type WorkerRule } from './logic.ts'
export { Partition, type PartitionOptions, type Role } from './partition.ts'
export type { DecisionRow, PreparedRow } from './prepared.ts'
export {
  decodeBody,
  Replica,
  type OpenBody,
  type ReplicaObserver,
  type SnapshotBody,
  type UpgradeBody,
} from './replica.ts'
export { recover, type RecoveryOptions } from './recovery.ts'
export { loadSnapshot } from './snapshots.ts'
export { upgradeEntries, type UpgradeReport } from './upgrade-entries.ts'
