export { Aggregation, type Aggregate, type AggregatePart, type AggregateRequest } from './aggregate.ts'
export { Answers } from './answers.ts'
export { ChangeLog, type LoggedChange } from './change-log.ts'
export type { RingChange } from './change-ring.ts'
export { notInTransaction } from './changes.ts'
export { checkSchema, type CheckedSchema } from './checked-schema.ts'
export { readEffects, writeCall, writeEffect, type Effect, type NamedEffect, type RemovalReason } from './effects.ts'
export { EntryDefinition } from './entry-definition.ts'
export {
  definitionOf,
  entry,
  upgrade,
  type AnyEntry,
  type EntryShape,
  type EntryType,
  type Key,
  type Named,
  type NameOf,
  type New,
  type Of,
  type Upgrade,
  type Value,
} from './entry-type.ts'
export {
  Executor,
  foreseePatch,
  keyOf,
  type Admit,
  type ReadObserver,
  type Rules,
  type WrittenEntry,
} from './executor.ts'
export { hashState } from './hash-state.ts'
export { firstUnitTable, laterLayout, ownLayouts, readFields, type Layout, type StoredValue } from './layout.ts'
export { Locks, type Holding, type LockedChange } from './locks.ts'
export { Machine } from './machine.ts'
export { mutate } from './mutations.ts'
export type {
  Aggregated,
  AggregateOptions,
  Batches,
  CallOptions,
  Delivery,
  EntryOutcome,
  Mode,
  Mutations,
  Operations,
  Page,
  PageOptions,
  Patience,
  QueryExplanation,
  ReadOptions,
  Reads,
  Reply,
  RequestOptions,
  Selected,
  LocalView,
  Space,
  TakeOptions,
  WatchOptions,
  Written,
} from './operations.ts'
export type {
  AttemptError,
  ClaimCommand,
  Claimed,
  ClaimName,
  ClaimsGiven,
  DeadLetter,
  FailureCommand,
} from './claim-commands.ts'
export { wayTo } from './find.ts'
export type {
  DeadMessage,
  Delivered,
  MessageCall,
  MessageCommand,
  MessagesTold,
  ProjectedSend,
  SentMessage,
} from './message-commands.ts'
export { compileQuery, equal, type Matcher, type PathCheck } from './query.ts'
export { checkQuerySize } from './query-cost.ts'
export { keyFieldsOf, Reader, type Explanation } from './reader.ts'
export {
  encodeCall,
  readJournaled,
  type JournaledEffects,
  type RecordedCall,
  type UnkeptCall,
} from './recorded-call.ts'
export {
  errorData,
  errorFrom,
  isBesideData,
  isChange,
  isClaiming,
  isRead,
  waitOf,
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
  type Wait,
  type WatchCommand,
  type Watched,
  type WatchedCommit,
  type WatchPlace,
  type WriteCommand,
  type WriteOptions,
} from './requests.ts'
export type {
  EmittedOutput,
  KeptChange,
  SinkTold,
  OutputPlace,
  OutputsTold,
  ProjectionCommand,
  ProjectionTold,
} from './projection-commands.ts'
export { Row, type RowLease } from './row.ts'
export { bytes, described, int64 } from './schema-types.ts'
export {
  arrange,
  noOptions,
  pageOrder,
  placeOf,
  project,
  type OrderBy,
  type Place,
  type SelectOptions,
} from './select.ts'
export { SnapshotWalk } from './snapshot-walk.ts'
export { stampOf, stampValue, type Stamp } from './stamp.ts'
export { stampsOf, withStamps, type Stamps } from './stamps.ts'
export { rowHas, StateHash } from './state-hash.ts'
export { Table, type KeyFields } from './table.ts'
export type {
  Drafted,
  Seen,
  SeenEntry,
  SeenQuery,
  TransactionCommand,
  TransactionName,
  TransactionPart,
} from './transaction-commands.ts'
export {
  bringUp,
  inLayoutOrder,
  isEarlier,
  isPresent,
  presentChange,
  presentValue,
  valueNow,
  type BringUp,
  type EntryCheck,
  type EntryUpgrade,
  type EntryUpgrades,
  type LostField,
} from './upgrading.ts'
export { copyPlain, patchPlain, validateAny, validateValue, type ValidationOptions } from './validation.ts'
export { whyNoPath } from './value-shape.ts'
export type { Input, Output, Scalar, Schema, Storable, Stored } from './values.ts'
export type { Change, Token, WatchEvent } from './watching.ts'
export type { At, Condition, Field, Operators, Path, Where } from './where.ts'
