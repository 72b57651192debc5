import { assert } from './assert.ts'

/**
 * Every limit of the platform: name, unit and reason in one place (A8). A composition may lower them, the simulator
 * draws small ones; `checkedLimits` holds the relations between them.
 */
export interface Limits {
  /** Bytes of one encoded value; larger ones belong in an object store. */
  readonly valueBytesMax: number
  /** Bytes of one answer that a session keeps (SP12). */
  readonly answerBytesMax: number
  /** Bytes of effects after which the open batch is sealed. */
  readonly batchBytes: number
  /** Bytes of one record's body: the largest batch plus the largest command that may join it. */
  readonly recordBytesMax: number
  /** Records in flight at the journal of one partition. */
  readonly windowRecordsMax: number
  /** Bytes in flight at the journal of one partition. */
  readonly windowBytesMax: number
  /** Requests that wait at one partition while it cannot execute. */
  readonly inboxRequestsMax: number
  /** Reads and takes that wait for a match at one partition (SP5). */
  readonly waitersMax: number
  /** Milliseconds of the longest wait. */
  readonly waitMsMax: number
  /** Changes that a partition keeps for those who watch, old and new value each (WA2). */
  readonly changeRingMax: number
  /** Changes of one answer to whoever watches. */
  readonly watchChangesMax: number
  /** Outputs of one projection that a partition keeps for those who read them (UN6). */
  readonly outputsMax: number
  /** Changes that one sink of a partition has not written (UN7). */
  readonly sinkChangesMax: number
  /** Watches at one partition, and readers of outputs. */
  readonly watchersMax: number
  /** Replies held back at one partition until their index is acked. */
  readonly heldRepliesMax: number
  /** Sessions registered at one partition. */
  readonly sessionsMax: number
  /** Requests that one session may have open at one partition. */
  readonly sessionRequestsMax: number
  /** Answers kept under caller-given keys at one partition. */
  readonly keyedAnswersMax: number
  /** Milliseconds that an answer under a caller-given key is kept. */
  readonly keyedAnswerMs: number
  /** Milliseconds that a session lives without a request. */
  readonly sessionLeaseMs: number
  /** Entries of one batch operation (writeAll and its kin). */
  readonly batchEntriesMax: number
  /** Entries that one unbounded readAll may return. */
  readonly readEntriesMax: number
  /** Entries that one query may look at in one partition, whatever it finds. */
  readonly queryVisitsMax: number
  /** Conditions of one query, nested ones included. */
  readonly queryConditionsMax: number
  /** Items of one list of `in` or `notIn`. */
  readonly inItemsMax: number
  /** Indexes of one entry type: each costs memory, and time with each write. */
  readonly indexesMax: number
  /** Schemas that one entry type has had in a journal: each is noted for good (UN10). */
  readonly shapesMax: number
  /** Milliseconds of the longest lease of an entry. */
  readonly entryLeaseMsMax: number
  /** Groups of one aggregate. */
  readonly aggregateGroupsMax: number
  /** Effects of one command, so that a handler cannot fill a record without end. */
  readonly commandEffectsMax: number
  /** Changes of one transaction at one partition. */
  readonly transactionCommandsMax: number
  /** Entries and queries that one transaction may look at. */
  readonly transactionReadsMax: number
  /** Queries among them at one partition: each is compared with all changes since. */
  readonly transactionQueriesMax: number
  /** Bytes of a transaction's effects at one partition. */
  readonly transactionBytesMax: number
  /** Milliseconds that a transaction may take until its commit. */
  readonly transactionMsMax: number
  /** Transactions that are prepared at one partition, and decisions that it keeps. */
  readonly preparedMax: number
  /** Milliseconds after which a participant asks what became of a transaction. */
  readonly inDoubtMs: number
  /** Services that run at one partition at the same time (UN4). */
  readonly servicesMax: number
  /** Entries that workers have claimed at one partition at the same time (UN3). */
  readonly claimsMax: number
  /** Milliseconds that a claim lives without a word of whoever has it, where the two do not share their fate. */
  readonly claimLeaseMs: number
  /** Entries that one worker works on at the same time in one process. */
  readonly workerConcurrencyMax: number
  /** Entries of one worker in one process that are worked on, or whose commits are under way. */
  readonly workerCommitsMax: number
  /** Milliseconds that an application waits for its workers' functions when it closes. */
  readonly drainMsMax: number
  /** Milliseconds that a thread may take to close its partitions in order, before it is ended. */
  readonly threadCloseMsMax: number
  /** Entries with failed attempts at one partition, dead letters among them. */
  readonly failuresMax: number
  /** Errors that are kept of one entry's attempts, the newest. */
  readonly failureErrorsMax: number
  /** Messages of one partition that are not delivered, dead letters among them (UN12); twice as many where a message sends further. */
  readonly messagesMax: number
  /** Routes to which one partition delivers messages at the same time. */
  readonly messagesInFlightMax: number
  /** Attempts at a message before it is a dead letter. */
  readonly messageAttemptsMax: number
  /** Records that a partition keeps so that it can append them again after a regression (JR5). */
  readonly recentRecordsMax: number
  /** Milliseconds of a primary's lease on local reads. */
  readonly leaseMs: number
  /** Executions of one request that may be lost with a primary (PA9). */
  readonly attemptsMax: number
  /** Bytes of records after which a primary takes the next snapshot by itself. */
  readonly snapshotEveryBytes: number
  /** Milliseconds that one slice of a snapshot walk may take (JR7). */
  readonly snapshotSliceMs: number
  /** Milliseconds that a handler may run before it is called stuck (PA9). */
  readonly handlerMsMax: number
  /** Milliseconds of one synchronous stretch after which it is reported (UN5). */
  readonly slowStretchMs: number
  /** Milliseconds from a request to its answer, or from a record to its ack, after which it is reported. */
  readonly slowOperationMs: number
  /** Lines that one call logs, and that one partition keeps until the records of their calls are acked. */
  readonly logLinesMax: number
  /** Series of one metric; what comes beyond them is counted together. */
  readonly metricSeriesMax: number
}

/** The limits that hold where nothing else is said. */
export const defaultLimits: Limits = checkedLimits({
  valueBytesMax: 1 << 20,
  // An answer may hold an entry.
  answerBytesMax: (1 << 20) + (64 << 10),
  batchBytes: 64 << 10,
  recordBytesMax: 16 << 20,
  windowRecordsMax: 16,
  windowBytesMax: 4 << 20,
  inboxRequestsMax: 100_000,
  waitersMax: 100_000,
  waitMsMax: 86_400_000,
  changeRingMax: 10_000,
  watchChangesMax: 1_000,
  outputsMax: 10_000,
  sinkChangesMax: 100_000,
  watchersMax: 100_000,
  heldRepliesMax: 1_000_000,
  sessionsMax: 100_000,
  sessionRequestsMax: 1_024,
  keyedAnswersMax: 1_000_000,
  keyedAnswerMs: 86_400_000,
  sessionLeaseMs: 60_000,
  batchEntriesMax: 10_000,
  readEntriesMax: 1_000_000,
  queryVisitsMax: 10_000_000,
  queryConditionsMax: 1_000,
  inItemsMax: 10_000,
  indexesMax: 32,
  shapesMax: 10_000,
  entryLeaseMsMax: 36_600 * 86_400_000,
  aggregateGroupsMax: 100_000,
  commandEffectsMax: 100_000,
  transactionCommandsMax: 10_000,
  transactionReadsMax: 10_000,
  transactionQueriesMax: 256,
  transactionBytesMax: 4 << 20,
  transactionMsMax: 60_000,
  preparedMax: 10_000,
  // Longer than an election of the journal's leader takes: whoever waits for one is not gone.
  inDoubtMs: 10_000,
  servicesMax: 10_000,
  claimsMax: 10_000,
  claimLeaseMs: 10_000,
  workerConcurrencyMax: 10_000,
  workerCommitsMax: 11_000,
  drainMsMax: 10_000,
  threadCloseMsMax: 30_000,
  failuresMax: 100_000,
  failureErrorsMax: 10,
  messagesMax: 100_000,
  messagesInFlightMax: 256,
  messageAttemptsMax: 5,
  recentRecordsMax: 64,
  leaseMs: 2_000,
  attemptsMax: 3,
  snapshotEveryBytes: 256 << 20,
  snapshotSliceMs: 2,
  handlerMsMax: 5_000,
  slowStretchMs: 10,
  slowOperationMs: 100,
  logLinesMax: 10_000,
  metricSeriesMax: 2_000,
})

/**
 * What one instance of a workflow may have: checked by the workflow's own parts, which are a unit's like any other, so that
 * it is the same for all. `steps` bounds what is read when an instance goes on, `messages` what others may send to one that
 * does not receive, `idLength` is in characters, and `runMs` the milliseconds after which it is claimed anew.
 */
export const workflowLimits = { steps: 5_000, messages: 1_000, idLength: 256, runMs: 600_000 } as const

/** Returns `limits` if the relations between them hold; an assertion names the one that does not. */
export function checkedLimits(limits: Limits): Limits {
  for (const [name, value] of Object.entries(limits)) assert(Number.isFinite(value) && value > 0, `${name} is positive`)
  assert(limits.valueBytesMax < limits.recordBytesMax, 'a value fits in a record')
  assert(limits.answerBytesMax < limits.recordBytesMax, 'an answer fits in a record')
  assert(limits.batchBytes <= limits.recordBytesMax, 'a batch fits in a record')
  assert(
    limits.commandEffectsMax >= 2 * limits.sessionRequestsMax,
    'forgetting the answers of a session fits in a command',
  )
  assert(limits.recentRecordsMax >= limits.windowRecordsMax, 'whatever is in flight can be appended again')
  assert(limits.workerCommitsMax > limits.workerConcurrencyMax, 'commits leave room for functions')
  return Object.freeze(limits)
}
