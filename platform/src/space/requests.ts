import { PlenumError, type ErrorCode, type ErrorDetails, type Retry } from '../kernel/index.ts'
import type { AggregateRequest } from './aggregate.ts'
import type { ClaimCommand, FailureCommand } from './claim-commands.ts'
import type { StoredValue } from './layout.ts'
import type { SelectOptions } from './select.ts'
import type { MessageCommand } from './message-commands.ts'
import type { ProjectionCommand } from './projection-commands.ts'
import type { KeyFields } from './table.ts'
import type { TransactionCommand } from './transaction-commands.ts'
import type { Change } from './watching.ts'

/** Options of a write, in machine units. */
export interface WriteOptions {
  readonly ifStamp?: number | undefined
  readonly leaseMs?: number | undefined
  readonly returning?: 'previous' | undefined
  /** Of a removal that takes what was chosen before (SP4). */
  readonly reason?: 'taken' | undefined
}

/** Declared mutations of one entry (SP6). */
export interface MutationSet {
  readonly set?: StoredValue | undefined
  readonly unset?: readonly string[] | undefined
  readonly add?: StoredValue | undefined
  readonly push?: StoredValue | undefined
  readonly removeFrom?: StoredValue | undefined
  readonly min?: StoredValue | undefined
  readonly max?: StoredValue | undefined
}

/** Who asks: fixed at the door, never taken from input (UN11). */
export interface Caller {
  readonly kind: 'client' | 'unit' | 'operator'
  readonly subject: string
  readonly claims: Readonly<Record<string, unknown>>
}

/** Has a read or take wait for a match: a name of its own, by which it can be cancelled, and milliseconds (SP5). */
export interface Wait {
  readonly id: string
  readonly ms: number
  /** The deadline has passed, or the caller has given up: only an answer that is kept may still be given. */
  readonly over?: true | undefined
}

export type ReadCommand =
  | { readonly kind: 'get'; readonly type: string; readonly key: KeyFields }
  | {
      readonly kind: 'read' | 'readAll' | 'count' | 'explain'
      readonly type: string
      readonly where: StoredValue
      readonly options: SelectOptions
      /** Of a read only. */
      readonly wait?: Wait | undefined
    }
  | {
      readonly kind: 'aggregate'
      readonly type: string
      readonly where: StoredValue
      readonly request: AggregateRequest
    }

export type WriteCommand =
  | {
      readonly kind: 'insert' | 'write' | 'update'
      readonly type: string
      readonly value: StoredValue
      readonly options: WriteOptions
    }
  | {
      readonly kind: 'patch'
      readonly type: string
      readonly key: KeyFields
      readonly fields: StoredValue
      readonly options: WriteOptions
    }
  | {
      readonly kind: 'change'
      readonly type: string
      readonly key: KeyFields
      readonly mutations: MutationSet
      readonly options: WriteOptions
    }
  | { readonly kind: 'remove'; readonly type: string; readonly key: KeyFields; readonly options: WriteOptions }
  | {
      readonly kind: 'take' | 'takeAll' | 'clear'
      readonly type: string
      readonly where: StoredValue
      readonly options: SelectOptions
      /** Of a take only. */
      readonly wait?: Wait | undefined
    }
  /** A lease of this many milliseconds from now, or for ever (SP8). */
  | { readonly kind: 'renew'; readonly type: string; readonly key: KeyFields; readonly leaseMs: number | undefined }

/** Commands that belong to a unit's code; `partition/` hands them to its logic (A6). */
export type UnitCommand =
  | {
      readonly kind: 'call'
      readonly handler: string
      readonly input: unknown
      readonly caller: Caller
      /** Of a message: the route by which it was sent here. */
      readonly route?: unknown
    }
  | { readonly kind: 'task'; readonly task: string; readonly input: unknown; readonly caller: Caller }
  | {
      readonly kind: 'service'
      readonly service: string
      readonly input: unknown
      readonly caller: Caller
      /** The same wherever this call is run again. */
      readonly key: string
      /** Milliseconds that it may take. */
      readonly timeoutMs: number
    }

export type SessionCommand =
  | { readonly kind: 'register'; readonly session: string }
  | { readonly kind: 'end'; readonly session: string }

/** How far a source has been loaded into a partition (UN7). */
export type SourceCommand =
  | { readonly kind: 'source-state'; readonly source: string }
  | { readonly kind: 'source-loaded'; readonly source: string; readonly rows: number }

/**
 * Asks what changed of what matches a query (WA1). Without `since` the partition says where it stands, and with `initial`
 * what matches there; with it what changed since, waiting for something if nothing has.
 */
export interface WatchCommand {
  readonly kind: 'watch'
  readonly type: string
  readonly where: StoredValue
  readonly initial: boolean
  readonly since: WatchPlace | undefined
  readonly wait: Wait
}

/** Where a watch stands at a partition: a journal, a record's index, and the last change of a commit in it (WA2). */
export interface WatchPlace {
  readonly journal: string
  /** The reign that told of it. */
  readonly epoch: number
  readonly index: number
  readonly change: number
}

/** What a partition answers to a watch; `gone`: its changes do not reach back to the place that was asked about. */
export type Watched =
  | { readonly kind: 'initial'; readonly entries: readonly StoredValue[]; readonly place: WatchPlace }
  | { readonly kind: 'changes'; readonly commits: readonly WatchedCommit[]; readonly place: WatchPlace }
  | { readonly kind: 'gone'; readonly epoch: number }

/** The changes of one commit that a query sees. */
export interface WatchedCommit {
  readonly changes: readonly Change<StoredValue>[]
  /** The stamps of the changes' entries, which do not travel with them. */
  readonly stamps: readonly number[]
  readonly place: WatchPlace
}

/** Ends a wait; answered with whether it still waited, so that whatever it was granted is known to its caller (SP5). */
export interface CancelCommand {
  readonly kind: 'cancel'
  readonly wait: string
}

/** What a partition can be asked to do. */
export type Command =
  | ReadCommand
  | WriteCommand
  | UnitCommand
  | SessionCommand
  | SourceCommand
  | CancelCommand
  | WatchCommand
  | TransactionCommand
  | ClaimCommand
  | FailureCommand
  | MessageCommand
  | ProjectionCommand
  /** Notes which schedules are due (UN8). */
  | { readonly kind: 'schedules-due' }
  | { readonly kind: 'batch'; readonly commands: readonly (ReadCommand | WriteCommand)[] }

/** What makes a repeated request the same request (SP12): a number of a session, or a key of the caller's own. */
export type Identity =
  | { readonly kind: 'numbered'; readonly session: string; readonly number: number; readonly lowest: number }
  | { readonly kind: 'keyed'; readonly key: string }

/** One request to one partition. */
export interface Request {
  readonly command: Command
  readonly identity?: Identity | undefined
  /** How often its execution may have been lost with a primary (PA9). */
  readonly attempt?: number | undefined
  /** `confirmed` waits for a journal ack even where a lease would do (PA4). */
  readonly read?: 'leased' | 'confirmed' | undefined
}

/** An error as plain data, for answers that are kept or travel. */
export interface ErrorData {
  readonly code: ErrorCode
  readonly message: string
  readonly retry: Retry
  readonly details: ErrorDetails
}

/** The answer to a request as plain data. */
export type Answer = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: ErrorData }

/** An error as data; what is not a PlenumError is a defect and becomes INVARIANT_BROKEN. */
export function errorData(error: unknown): ErrorData {
  if (error instanceof PlenumError) {
    return { code: error.code, message: error.message, retry: error.retry, details: error.details }
  }
  const message = error instanceof Error ? error.message : String(error)
  return { code: 'INVARIANT_BROKEN', message, retry: 'never', details: {} }
}

/** The error that `errorData` was made from. */
export function errorFrom(data: ErrorData): PlenumError {
  return new PlenumError(data.code, data.message, { retry: data.retry, details: data.details })
}

/** The wait of a command, if it is one that waits. */
export function waitOf(command: Command): Wait | undefined {
  switch (command.kind) {
    case 'take':
    case 'read':
    case 'watch':
    case 'outputs':
    case 'await-work':
      return command.wait
    default:
      return undefined
  }
}

/** True for a command that changes entries, alone. */
export function isChange(command: Command): command is WriteCommand {
  switch (command.kind) {
    case 'insert':
    case 'write':
    case 'update':
    case 'patch':
    case 'change':
    case 'remove':
    case 'take':
    case 'takeAll':
    case 'clear':
    case 'renew':
      return true
    default:
      return false
  }
}

/** True for the unit's functions that read beside the data, and change nothing there. */
export function isBesideData({ kind }: Command): boolean {
  return kind === 'task' || kind === 'service'
}

/** True for what workers ask of the claims of a reign. */
export function isClaiming(command: Command): command is ClaimCommand {
  switch (command.kind) {
    case 'await-work':
    case 'claim':
    case 'keep-claims':
    case 'release':
      return true
    default:
      return false
  }
}

/** True for commands that change nothing and may be answered without a record. */
export function isRead(command: Command): boolean {
  switch (command.kind) {
    case 'get':
    case 'read':
    case 'readAll':
    case 'count':
    case 'aggregate':
    case 'explain':
    case 'cancel':
    case 'watch':
    case 'task':
    case 'service':
    case 'source-state':
    case 'draft':
    case 'validate':
    case 'await-work':
    case 'claim':
    case 'keep-claims':
    case 'release':
    case 'dead-letters':
    case 'messages':
    case 'projection':
    case 'sink':
    case 'outputs':
      return true
    case 'batch':
      return command.commands.every(isRead)
    default:
      return false
  }
}
