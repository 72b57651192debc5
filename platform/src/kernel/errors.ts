/** What a caller may do after an error: give up, send the same request again here, or ask another member. */
export type Retry = 'never' | 'same' | 'elsewhere'

/**
 * The code table: every error that leaves the platform has one of these codes (SP13).
 * The text says what the code means; `docs/errors.md` has a section for each.
 */
export const errorCodes = {
  // Values and declarations (SC1-SC4)
  VALUE_NOT_PLAIN: { retry: 'never', text: 'a value holds something that is not plain data' },
  VALUE_INVALID: { retry: 'never', text: 'a value does not fit its schema' },
  VALUE_TOO_LARGE: { retry: 'never', text: 'a value is larger than the limit' },
  UNKNOWN_FIELD: { retry: 'never', text: 'a value has a field that its schema does not declare' },
  SCHEMA_ASYNC: { retry: 'never', text: 'a schema validates asynchronously' },
  SCHEMA_UNSTABLE: { retry: 'never', text: 'the output of a schema does not validate to itself' },
  SCHEMA_INVALID: { retry: 'never', text: 'a schema cannot be used for an entry type' },
  ENTRY_FIELD_UNKNOWN: { retry: 'never', text: 'a declaration names a field that the schema does not have' },
  FIELD_RESERVED: { retry: 'never', text: 'a field has a name that queries reserve' },
  UNIT_INVALID: { retry: 'never', text: 'a unit is declared wrongly' },
  // Operations (SP1-SP13)
  ENTRY_EXISTS: { retry: 'never', text: 'an entry with this key exists' },
  ENTRY_MISSING: { retry: 'never', text: 'no entry has this key' },
  ENTRY_TYPE_UNKNOWN: { retry: 'never', text: 'the unit has no entry type of this name' },
  STAMP_CONFLICT: { retry: 'never', text: 'the entry was changed since its stamp was read' },
  ROUTE_IMMUTABLE: { retry: 'never', text: 'the route of an entry cannot change' },
  ROUTE_INVALID: { retry: 'never', text: 'a route cannot be turned into canonical bytes' },
  KEY_INCOMPLETE: { retry: 'never', text: 'a key lacks an id or route field' },
  QUERY_INVALID: { retry: 'never', text: 'a query cannot be understood' },
  WATCHER_TOO_SLOW: { retry: 'same', text: 'a watch was slower than what it watches' },
  DURATION_INVALID: { retry: 'never', text: 'a duration cannot be understood' },
  LIMIT_EXCEEDED: { retry: 'never', text: 'a limit of the platform was reached' },
  OVERLOADED: { retry: 'same', text: 'too many requests wait' },
  NOT_AVAILABLE_YET: { retry: 'never', text: 'this version of Plenum does not run this part yet' },
  TIMEOUT: { retry: 'never', text: 'the deadline passed before the answer came' },
  ABORTED: { retry: 'never', text: 'the caller gave up' },
  UNKNOWN_OUTCOME: { retry: 'same', text: 'nobody knows whether the operation happened' },
  TRANSACTION_CONFLICT: { retry: 'never', text: 'what a transaction saw was changed before it could commit' },
  TRANSACTION_INVALID: { retry: 'never', text: 'a transaction was used after its end, or for what it cannot do' },
  SESSION_ENDED: { retry: 'never', text: 'the session is unknown or has ended' },
  POISON_REQUEST: { retry: 'never', text: 'the request was in execution each time its primary was lost' },
  NOT_PRIMARY: { retry: 'elsewhere', text: 'this member is not the primary of the partition' },
  CLOSED: { retry: 'never', text: 'the application is closed' },
  // Units (UN)
  HANDLER_UNKNOWN: { retry: 'never', text: 'the unit has no part of this name' },
  HANDLER_ASYNC: { retry: 'never', text: 'a handler returned a promise' },
  HANDLER_FAILED: { retry: 'never', text: 'a handler threw' },
  HANDLER_IMPURE: { retry: 'never', text: 'a handler, task or projection used the outside world' },
  HANDLER_STUCK: { retry: 'never', text: 'a handler did not return in time' },
  PLACEMENT_INVALID: { retry: 'never', text: 'entries that every partition has cannot do this' },
  OUTSIDE_ROUTE: { retry: 'never', text: 'a handler touched an entry of another route' },
  REFUSED: { retry: 'never', text: 'a handler refused' },
  NOT_HOSTED: { retry: 'never', text: 'this process does not run the workers of the unit' },
  CLAIM_NOT_RELEASED: { retry: 'never', text: 'a worker returned, and its entry still matches' },
  WORKFLOW_FAILED: { retry: 'never', text: 'an instance of a workflow has failed or was cancelled' },
  WORKFLOW_STEP_FAILED: { retry: 'never', text: 'all attempts at a step of a workflow have failed' },
  WORKFLOW_CHANGED: { retry: 'never', text: 'the code of a workflow takes other steps than an instance has taken' },
  WORKFLOW_VERSION_MISSING: { retry: 'never', text: 'the unit does not have the version of an instance' },
  WORKFLOW_STEP_INVALID: { retry: 'never', text: 'a workflow takes a step in a way that it cannot be taken' },
  TASK_FAILED: { retry: 'never', text: 'a task threw' },
  PROJECTION_FAILED: { retry: 'never', text: 'a projection threw, and folds no more' },
  PROJECTION_DIVERGED: { retry: 'never', text: 'a projection came to another state than on another member' },
  SERVICE_FAILED: { retry: 'never', text: 'a service threw' },
  SOURCE_UNAVAILABLE: { retry: 'same', text: 'a source cannot reach its store' },
  SOURCE_FAILED: { retry: 'never', text: 'a source threw' },
  SINK_AHEAD: { retry: 'never', text: 'the journal has lost what it had given to the store of a sink' },
  SINK_BEHIND: { retry: 'never', text: 'the store of a sink has lost what it had confirmed' },
  THREAD_FAILED: { retry: 'never', text: 'a thread that partitions run on cannot be kept running' },
  UNIT_NOT_LOADED: { retry: 'never', text: 'a unit file does not load' },
  // Journal and folder (JR, FE, PA)
  FOLDER_IN_USE: { retry: 'never', text: 'another process holds the folder' },
  FOLDER_REFUSED: { retry: 'never', text: 'the folder lies on a file system that cannot keep promises' },
  FOLDER_OF_ANOTHER_GRID: {
    retry: 'never',
    text: 'the folder belongs to another grid or another number of partitions',
  },
  FORMAT_UNKNOWN: { retry: 'never', text: 'the journal has a format that this version does not know' },
  JOURNAL_CORRUPT: { retry: 'never', text: 'the journal is damaged' },
  JOURNAL_FORKED: { retry: 'never', text: 'two different records were accepted at one index' },
  JOURNAL_FULL: { retry: 'never', text: 'the journal is full' },
  JOURNAL_FAILED: { retry: 'never', text: 'the journal cannot be written' },
  JOURNAL_UNAVAILABLE: { retry: 'same', text: 'the journal does not answer' },
  SNAPSHOT_CORRUPT: { retry: 'never', text: 'a snapshot does not match its hash' },
  ACK_LEVEL_UNAVAILABLE: { retry: 'never', text: 'the journal cannot give the ack level asked for' },
  UPGRADE_REFUSED: { retry: 'never', text: 'entries of before do not fit the unit that is to go on with them' },
  UNIT_MISMATCH: { retry: 'never', text: 'the journal was written by a unit that this one cannot follow' },
  HISTORY_NOT_KEPT: { retry: 'never', text: 'a point of the past is not, or no longer, in the journal' },
  CALLS_NOT_RECORDED: { retry: 'never', text: 'the journal holds no recorded calls' },
  // Command line and tests
  USAGE: { retry: 'never', text: 'the command line cannot be understood' },
  INVARIANT_BROKEN: { retry: 'never', text: 'an invariant of Plenum does not hold; this is a defect of Plenum' },
  CHECK_FAILED: { retry: 'never', text: 'a checker found a history that the rules do not allow' },
} as const satisfies Record<string, { readonly retry: Retry; readonly text: string }>

/** A code of the table. */
export type ErrorCode = keyof typeof errorCodes

/** Facts about an error that a program can use, such as the field or the limit; plain data. */
export type ErrorDetails = Readonly<Record<string, unknown>>

/**
 * The one error class of the platform. `code` says what happened, `retry` what may be done, `details` the facts;
 * the message is for people and never matched on.
 */
export class PlenumError extends Error {
  override readonly name = 'PlenumError'
  readonly code: ErrorCode
  readonly retry: Retry
  readonly details: ErrorDetails

  constructor(
    code: ErrorCode,
    message: string,
    options: { readonly retry?: Retry; readonly details?: ErrorDetails; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.retry = options.retry ?? errorCodes[code].retry
    this.details = options.details ?? {}
  }
}

/** True if `error` is a PlenumError, of the given code if one is given. */
export function isPlenumError(error: unknown, code?: ErrorCode): error is PlenumError {
  return error instanceof PlenumError && (code === undefined || error.code === code)
}
