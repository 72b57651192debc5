import type { Appended, Found, SnapshotName, Tail } from '../journal/index.ts'
import type { SentError } from './sent-error.ts'

/** An outcome of an append as it goes from one thread to another. */
export type SentOutcome =
  | Exclude<Appended, { readonly kind: 'failed' }>
  | { readonly kind: 'failed'; readonly error: SentError }

/** Which journal: the number of its partition. */
interface Of {
  readonly partition: number
}

/** How full a journal is, and which of what this thread has sent is counted in that. */
export interface Room {
  /** Share of the journal's room that is taken, 0 to 1. */
  readonly fill: number
  /** Bytes that had come from the thread that asks. */
  readonly receivedBytes: number
}

/** Some of what is read one after the other, and whether there is more. */
interface Some<T> {
  readonly items: readonly T[]
  readonly isLast: boolean
}

/** What the thread of a partition asks of the thread that has its journal. */
export type JournalSubjects = {
  readonly tail: { readonly body: Of; readonly answer: Tail }
  readonly room: { readonly body: Of; readonly answer: Room }
  /** Answered with the outcome, and how full the journal is then. */
  readonly append: {
    readonly body: Of & { readonly position: number; readonly record: Uint8Array }
    readonly answer: { readonly outcome: SentOutcome; readonly room: Room }
  }
  /** Begins to read; answered with the name of what is read. `isLive`: goes on where the journal ends. */
  readonly read: { readonly body: Of & { readonly from: number; readonly isLive: boolean }; readonly answer: number }
  readonly records: { readonly body: { readonly reading: number }; readonly answer: Some<Found> }
  readonly chunks: { readonly body: { readonly reading: number }; readonly answer: Some<Uint8Array> }
  readonly stopReading: { readonly body: { readonly reading: number }; readonly answer: void }
  /** Begins to save a snapshot; answered with the name of what is saved. */
  readonly save: { readonly body: Of & { readonly index: number }; readonly answer: number }
  readonly saveChunk: { readonly body: { readonly saving: number; readonly chunk: Uint8Array }; readonly answer: void }
  readonly saveEnd: { readonly body: { readonly saving: number; readonly hash: string }; readonly answer: SnapshotName }
  readonly saveStop: { readonly body: { readonly saving: number; readonly error: SentError }; readonly answer: void }
  /** Begins to read a snapshot; undefined where there is none of that name. */
  readonly load: { readonly body: Of & { readonly name: SnapshotName }; readonly answer: number | undefined }
  readonly snapshots: { readonly body: Of; readonly answer: readonly SnapshotName[] }
  readonly removeSnapshot: { readonly body: Of & { readonly name: SnapshotName }; readonly answer: void }
  readonly trim: { readonly body: Of & { readonly before: number }; readonly answer: void }
}
