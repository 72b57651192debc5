import type { Appended, Found, Journal, Position, SnapshotName, Tail } from '../journal.ts'
import type { FileLog } from './file-log.ts'
import type { FileSnapshots } from './file-snapshots.ts'
import type { FileLevel } from './log-end.ts'

/** The journal of one partition in a log that all partitions of the folder share. */
export class FileJournal implements Journal {
  readonly level: FileLevel
  readonly shared = false
  readonly #log: FileLog
  readonly #number: number
  readonly #snapshots: FileSnapshots
  #closed = false

  /** `number` is the journal's place in the log's list. */
  constructor(log: FileLog, number: number, snapshots: FileSnapshots) {
    this.level = log.level
    this.#log = log
    this.#number = number
    this.#snapshots = snapshots
  }

  fill(bytes = 0): number {
    return this.#log.fill(this.#number, bytes)
  }

  async open(): Promise<Tail> {
    return this.#log.tail(this.#number)
  }

  /** The bytes are copied before this returns. */
  append(position: Position, record: Uint8Array): Promise<Appended> {
    if (this.#closed) return Promise.resolve({ kind: 'unavailable' })
    return this.#log.append(this.#number, position, record)
  }

  read(from: Position, signal?: AbortSignal): AsyncIterable<Found> {
    return this.#log.read(this.#number, from, signal)
  }

  follow(from: Position, signal: AbortSignal): AsyncIterable<Found> {
    return this.#log.follow(this.#number, from, signal, () => this.#closed)
  }

  saveSnapshot(index: number, chunks: AsyncIterable<Uint8Array>, hash: () => string): Promise<SnapshotName> {
    return this.#snapshots.save(index, chunks, hash)
  }

  loadSnapshot(name: SnapshotName): Promise<AsyncIterable<Uint8Array> | undefined> {
    return this.#snapshots.load(name)
  }

  listSnapshots(): Promise<readonly SnapshotName[]> {
    return this.#snapshots.list()
  }

  /** The record that names a newer snapshot must not be lost where this one's removal is not, so the log goes first. */
  async removeSnapshot(name: SnapshotName): Promise<void> {
    await this.#log.settle()
    await this.#snapshots.remove(name)
  }

  trim(before: Position): Promise<void> {
    return this.#log.trim(this.#number, before)
  }

  /** Ends this journal's use of the log; the files are closed with the folder. Appends in flight are still acked. */
  async close(): Promise<void> {
    this.#closed = true
    this.#log.wakeFollowers()
  }
}
