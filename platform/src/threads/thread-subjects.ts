import type { Limits } from '../kernel/index.ts'
import type { AckLevel } from '../journal/index.ts'
import type { PartitionEvent } from '../partition/index.ts'
import type { SentEvent } from './sent-event.ts'
import type { Layout, Request } from '../space/index.ts'
import type { SentAnswer } from './answer-of.ts'
import type { JournalSubjects } from './journal-subjects.ts'

/** What a thread is told when it is made: where its unit is, and what it is to run. */
export interface ThreadData {
  /** Address of the unit's file. */
  readonly module: string
  /** Number of the thread, from 0. */
  readonly thread: number
  /** The partitions of the whole application. */
  readonly partitionsTotal: number
  /** Those that this thread runs. */
  readonly partitions: readonly ThreadPartition[]
  readonly limits: Limits
  readonly development: boolean
  /** Whether the files of the application are to be told of. */
  readonly tellsFiles: boolean
  /** Files of packages that the unit imported when it was loaded last: loaded ahead. */
  readonly ahead: readonly string[]
  readonly runsWork: boolean
  /** Whether calls are kept in the journal (TT3). */
  readonly recordsCalls: boolean
  /** The cells in which it tells what it runs. */
  readonly cells: SharedArrayBuffer
}

/** A partition of a thread, and its journal. */
export interface ThreadPartition {
  readonly number: number
  readonly journalId: Uint8Array
  readonly level: AckLevel
  readonly fill: number
  readonly bytesMax: number
}

/** What a thread has found in its unit's file. */
export interface LoadedUnit {
  readonly name: string
  readonly hash: string
  readonly layouts: readonly Layout[]
  /** Names of the functions that run beside the data, in the order of the thread's cells. */
  readonly functions: readonly string[]
}

/** Files of the application as a thread has loaded them, by their addresses. */
export type LoadedFiles = Readonly<Record<string, { readonly format: string; readonly text: string }>>

/** A request to a partition, wherever it is. */
export interface PartitionRequest {
  readonly partition: number
  readonly request: Request
}

type RequestSubject = {
  readonly request: { readonly body: PartitionRequest; readonly answer: SentAnswer }
}

/** What is asked of a thread. */
export type ThreadSubjects = RequestSubject & {
  /** Loads the unit: as its files are, or as they were. */
  readonly load: { readonly body: LoadedFiles; readonly answer: LoadedUnit }
  /** Throws UNIT_MISMATCH if the entries of its partitions cannot be those of such entry types. */
  readonly follow: { readonly body: readonly Layout[]; readonly answer: void }
  /** Recovers its partitions and begins to reign. */
  readonly start: { readonly body: undefined; readonly answer: void }
  /** Its partitions make room in the journal that all share; answered with whether there was anything to do. */
  readonly makeRoom: { readonly body: undefined; readonly answer: boolean }
  /** Ends in order. `isReplaced`: another thread will have the partitions, and who asks is to ask there. */
  readonly close: { readonly body: { readonly isReplaced: boolean }; readonly answer: void }
}

/** Something that a thread has to tell. */
export interface ThreadTold {
  readonly partition: number | undefined
  readonly event: SentEvent
}

/** What a thread asks of the one that has started it. */
export type OwnerSubjects = RequestSubject &
  JournalSubjects & {
    readonly makeRoomForAll: { readonly body: undefined; readonly answer: boolean }
    readonly event: { readonly body: ThreadTold; readonly answer: void }
    /** A file of the application was found, or one of a package that it imports, by its address. */
    readonly found: { readonly body: { readonly file: string; readonly isPackage: boolean }; readonly answer: void }
    /** A file of the application was loaded. */
    readonly loaded: {
      readonly body: LoadedFiles[string] & { readonly file: string }
      readonly answer: void
    }
    /** A partition has recovered. */
    readonly recovered: { readonly body: { readonly partition: number }; readonly answer: void }
  }

/** Something that happens in a thread: to a partition of it, or in its unit. */
export type ThreadEvent = PartitionEvent | { readonly kind: 'fault'; readonly part: string; readonly error: unknown }
