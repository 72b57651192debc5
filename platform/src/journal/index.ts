export {
  type AckLevel,
  type Appended,
  type Found,
  type Journal,
  type Position,
  type SnapshotName,
  type Tail,
} from './journal.ts'
export { emptyHead, Fold, type Digest, type Head, type Verdict, type VoidReason } from './fold.ts'
export {
  parseRecord,
  recordHeaderBytes,
  sameBytes,
  sealRecord,
  type JournalRecord,
  type Parsed,
  type RecordFields,
  type RecordKind,
  type Writer,
} from './record.ts'
