/** Place of a record in its partition's journal: 1 for the first, one more for each next. Void records have one too. */
export type Position = number

/** What an ack means (JR6), weakest first. */
export const ackLevels = ['memory', 'os', 'disk', 'quorum', 'quorum-disk'] as const
export type AckLevel = (typeof ackLevels)[number]

/** A record as it was found: its bytes and where. Only the fold says whether it is history. */
export interface Found {
  readonly position: Position
  readonly bytes: Uint8Array
}

/**
 * What is known about an append (JR2).
 * `acked`: it stands at `position`, kept as the engine's level promises.
 * `refused`: the engine's pre-check said no, for whatever reason; a hint that proves nothing.
 * `unknown`: it may land, now or later, or not. `unavailable`: it was not sent. `full`: the journal has no room.
 * `failed`: the engine is broken for good (FE3).
 */
export type Appended =
  | { readonly kind: 'acked'; readonly position: Position }
  | { readonly kind: 'refused' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'unavailable' }
  | { readonly kind: 'full' }
  | { readonly kind: 'failed'; readonly error: Error }

/** The ends of a journal: `first` is the lowest position still kept, `next` the one that a new record would take. */
export interface Tail {
  readonly first: Position
  readonly next: Position
  /** Share of the journal's room that is taken, 0 to 1 (JR8); 0 where the engine has no bound. */
  readonly fill: number
}

/** Names an immutable snapshot: the index whose state it is, and the hash of that state in hexadecimal. */
export interface SnapshotName {
  readonly index: number
  readonly hash: string
}

/**
 * The journal of one partition. An engine keeps records in order and fences appends by position; it knows nothing of
 * epochs. Every engine passes `journalContract` (JR9).
 */
export interface Journal {
  /** The strongest level that this engine can give. */
  readonly level: AckLevel
  /** True if other members may append too, so that leases, fences and regressions have to be reckoned with. */
  readonly shared: boolean
  /**
   * Share of the journal's room that is taken as far as is known, 0 to 1, without asking anybody (JR8). `bytes` are those
   * that wait to be appended; an engine of several journals counts them for all until the next append.
   */
  fill(bytes?: number): number
  /** Reads the authority's tail. JOURNAL_CORRUPT where the engine finds damage, with place and loss. */
  open(): Promise<Tail>
  /**
   * Appends at exactly `position` or not at all, as far as the engine can tell. Several may be in flight, in order. Every
   * append settles, also when the engine hears nothing or is closed: then as `unknown`, in bounded time. Only a device of
   * this machine that hangs may hold it up. Nobody waits with a clock of his own.
   */
  append(position: Position, record: Uint8Array): Promise<Appended>
  /** From `from` to the authority's tail as of now, in order, then ends. */
  read(from: Position, signal?: AbortSignal): AsyncIterable<Found>
  /** From `from` on, live and without a gap, until the signal aborts. */
  follow(from: Position, signal: AbortSignal): AsyncIterable<Found>
  /**
   * Resolves when the snapshot is as durable as an acked record. The chunks are written as they come; `hash` is asked
   * once they have ended, and the snapshot has its name only then.
   */
  saveSnapshot(index: number, chunks: AsyncIterable<Uint8Array>, hash: () => string): Promise<SnapshotName>
  /** Undefined where there is none of that name. */
  loadSnapshot(name: SnapshotName): Promise<AsyncIterable<Uint8Array> | undefined>
  /** All snapshots kept, newest index first. */
  listSnapshots(): Promise<readonly SnapshotName[]>
  removeSnapshot(name: SnapshotName): Promise<void>
  /** Forgets records below `before`. */
  trim(before: Position): Promise<void>
  /** Lets go of files and connections; appends in flight end as `unknown`. */
  close(): Promise<void>
}
