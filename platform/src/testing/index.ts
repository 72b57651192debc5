export { simulate, type SimulateOptions, type SimulatedWorld, type SimulationReport } from './simulate.ts'
export { checkAckedSet, type AckedSetCounts, type AckedSetOptions } from './checkers/acked-set.ts'
export { checkBank, type BankCounts, type BankOptions } from './checkers/bank.ts'
export { requireOk, type CheckResult, type Undecided, type Violation } from './checkers/check-result.ts'
export {
  HistoryRecorder,
  jsonLines,
  readHistory,
  RecordedClient,
  type Answered,
  type Asked,
  type HistoryEvent,
} from './checkers/history.ts'
export { joinTries } from './checkers/join-tries.ts'
export { checkQueue, type QueueCounts } from './checkers/queue.ts'
export { checkRegisters, type RegisterCounts, type RegisterOptions } from './checkers/registers.ts'
export { checkTransactions, type MicroOperation, type TransactionCounts } from './checkers/transactions.ts'
export { checkWatch, type WatchCheckOptions, type WatchCounts } from './checkers/watch.ts'
export {
  isSeen,
  RecordedWatcher,
  watchLines,
  type WatchAsked,
  type WatchFilter,
  type WatchLine,
} from './checkers/watch-lines.ts'
export { entryChangeKinds, type DumpLine } from './checkers/journal-dump.ts'
export { folderJournal } from './grid/folder-journal.ts'
export { checkFifoGroups, type FifoGroupCounts } from './checkers/fifo-groups.ts'
export { checkSessions, type SessionCounts } from './checkers/sessions.ts'
export {
  BankSteps,
  drawBankProfile,
  runBankStep,
  type BankCalls,
  type BankProfile,
  type BankStep,
} from './generators/bank-workload.ts'
export {
  RegisterClient,
  RegisterSteps,
  type RegisterCalls,
  type RegisterStep,
  type RegisterWritten,
} from './generators/register-workload.ts'
export { TransactionSteps, type TransactionStep } from './generators/transaction-workload.ts'
export { runSetStep, SetSteps, type SetCalls, type SetStep } from './generators/set-workload.ts'
export { drawLimits } from './generators/draw-limits.ts'
export { shrink, type ShrinkOptions, type Shrunk } from './generators/shrink.ts'
export type { Clock, Random } from '../runtime/index.ts'
export { SeededRandom } from '../runtime/simulated/index.ts'
