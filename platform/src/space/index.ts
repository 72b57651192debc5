export { Answers } from './answers.ts'
export { readEffect, removalReasons, type Effect, type RemovalReason } from './effects.ts'
export { Executor, keyOf, merge, type Admit, type Rules, type WrittenEntry } from './executor.ts'
export { hashState } from './hash-state.ts'
export { firstUnitTable, ownLayouts, readFields, writeFields, type Layout, type StoredValue } from './layout.ts'
export { Machine, type Batch, type PutOptions } from './machine.ts'
export { mutate } from './mutations.ts'
export { compileQuery, type Matcher } from './query.ts'
export {
  errorData,
  errorFrom,
  isRead,
  type Answer,
  type Caller,
  type Command,
  type ErrorData,
  type Identity,
  type MutationSet,
  type ReadCommand,
  type Request,
  type SessionCommand,
  type SourceCommand,
  type UnitCommand,
  type WriteCommand,
  type WriteOptions,
} from './requests.ts'
export { Row, type RowLease } from './row.ts'
export { arrange, matchingRows, project, type SelectOptions } from './select.ts'
export { SnapshotWalk } from './snapshot-walk.ts'
export { stampOf, stampValue, type Stamp } from './stamp.ts'
export { StateHash } from './state-hash.ts'
export { Table, type KeyFields } from './table.ts'
