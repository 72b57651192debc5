// One physical log for all journals of a folder: opened, appended to, read, trimmed and closed.
//
// Owns the composition of the log's parts and its waiting followers. Does not own the folder's lock, grid.json or
// snapshots. Called by openFolder, which gives each partition its journal.
//
// I1 Nothing is served before the whole log was verified, its torn tail cut, and what was not synced written again (FE2).
// I2 What a reader gets is acked: nobody sees a record that the log's level does not keep yet.
// I3 A segment is removed only when every journal says that it needs nothing of it, the oldest first.
import type { Clock, Disk, Timers } from '../../runtime/index.ts'
import type { Appended, Found, Position, Tail } from '../journal.ts'
import { BlockIndex } from './block-index.ts'
import { CommitPace } from './commit-pace.ts'
import { GroupWriter } from './group-writer.ts'
import type { FileLevel } from './log-end.ts'
import { sealStart } from './flight.ts'
import { groupHeaderBytes, segmentHeaderBytes } from './layout.ts'
import { LiveSegments } from './live-segments.ts'
import { LogReader } from './log-reader.ts'
import { recoverLog, type LogEvent, type Recovered, type RecoveryProgress } from './recover-log.ts'
import { SegmentSupply } from './segment-supply.ts'
import { createSegment } from './segments.ts'

export interface FileLogOptions {
  readonly disk: Disk
  /** The folder of the segment files; it exists, and the caller holds its lock. */
  readonly folder: string
  /** 16 bytes that name the grid. */
  readonly grid: Uint8Array
  /** The number of journals that share the log. */
  readonly journals: number
  readonly level: FileLevel
  readonly clock: Clock
  readonly timers: Timers
  /** Bytes that the log may take on the disk; no limit if left out. */
  readonly bytesMax?: number
  /** Bytes of the first segment; each next one is twice as large. 1 MB. */
  readonly segmentBytesMin?: number
  /** Bytes of the largest segment. 64 MB. */
  readonly segmentBytesMax?: number
  /** Bytes after which a group is closed. 1 MB. */
  readonly groupBytesMax?: number
  /** Milliseconds that a small commit may hold up the loop instead of going through the thread pool; 0 for never. 2. */
  readonly quickMsMax?: number
  /** Bytes of a small commit. 1 MB. */
  readonly quickBytesMax?: number
  /** Milliseconds of quiet until a mark says that the last group was synced. 1,000. */
  readonly markMs?: number
  /** Bytes that recovery keeps in memory for the partitions' first reading. 128 MB. */
  readonly keptBytesMax?: number
  readonly onProgress?: (progress: RecoveryProgress) => void
  readonly onEvent?: (event: LogEvent) => void
}

const defaults = {
  bytesMax: Infinity,
  segmentBytesMin: 1 << 20,
  segmentBytesMax: 64 << 20,
  groupBytesMax: 1 << 20,
  quickMsMax: 2,
  quickBytesMax: 1 << 20,
  markMs: 1_000,
  keptBytesMax: 128 << 20,
  onProgress: () => {},
  onEvent: () => {},
}

type Settings = Required<FileLogOptions>

/** A log is cut by whole segments, so a bounded one has at least so many: then cutting makes room in time (JR8). */
const segmentsMin = 4
const boundedSegmentBytesMin = 16 << 10

function settingsOf(options: FileLogOptions): Settings {
  const settings: Settings = { ...defaults, ...options }
  const share = Math.max(boundedSegmentBytesMin, Math.floor(settings.bytesMax / segmentsMin))
  return {
    ...settings,
    segmentBytesMin: Math.min(settings.segmentBytesMin, share),
    segmentBytesMax: Math.min(settings.segmentBytesMax, share),
    // What a group leaves of a segment, because it does not fit, is lost room.
    groupBytesMax: Math.min(settings.groupBytesMax, Math.max(boundedSegmentBytesMin, share >>> 3)),
  }
}

/** Makes the first segment of a new log and syncs it. The disk's errors. */
export async function createLog(options: FileLogOptions): Promise<void> {
  const settings = settingsOf(options)
  const segment = await createSegment(settings, 1, Math.min(settings.segmentBytesMin, settings.bytesMax))
  try {
    const positions = Array.from({ length: settings.journals }, () => 1)
    await segment.file.write([sealStart(positions, 1, 0, segment.seed)], segmentHeaderBytes)
    await segment.file.sync()
  } finally {
    await segment.file.close()
  }
}

/**
 * Verifies a log and makes it ready. JOURNAL_CORRUPT with file, byte and loss; FORMAT_UNKNOWN;
 * FOLDER_OF_ANOTHER_GRID; the disk's errors.
 */
export async function openLog(options: FileLogOptions): Promise<FileLog> {
  const settings = settingsOf(options)
  const index = new BlockIndex()
  return new FileLog(settings, index, await recoverLog(settings, index, settings))
}

/** An open log; `openLog` makes one. */
export class FileLog {
  readonly level: FileLevel
  readonly #bytesMax: number
  readonly #index: BlockIndex
  readonly #segments: LiveSegments
  readonly #supply: SegmentSupply
  readonly #writer: GroupWriter
  readonly #reader: LogReader
  /** The lowest position that each journal still needs. */
  readonly #needed: Position[]
  /** Bytes that each journal is about to append, and their sum. */
  readonly #announced: number[]
  #announcedBytes = 0
  /** Journals that have not read the whole log yet since it was opened. */
  readonly #recovering: Set<number>
  #trimming: Promise<void> = Promise.resolve()
  #waiting: (() => void)[] = []
  #closing: Promise<void> | undefined

  constructor(settings: Settings, index: BlockIndex, recovered: Recovered) {
    const { level, clock, timers, bytesMax, groupBytesMax, markMs, journals } = settings
    const { used, ready, end } = recovered.scan
    this.level = level
    this.#bytesMax = bytesMax
    this.#index = index
    this.#segments = new LiveSegments(settings.disk, settings.folder, used)
    this.#supply = new SegmentSupply(settings, { ...settings, logBytesMax: bytesMax }, timers, {
      number: (ready ?? end.segment).number + 1,
      allocated: used.reduce((sum, { segment }) => sum + segment.size, ready?.size ?? 0),
      ready,
    })
    const pace = new CommitPace(settings.quickMsMax, settings.quickBytesMax, recovered.commitMs)
    const parts = { index, supply: this.#supply, pace }
    const onSegment = this.#segments.add.bind(this.#segments)
    const options = { level, clock, timers, groupBytesMax, markMs, ...parts, onSegment, onChange: () => this.#wake() }
    this.#writer = new GroupWriter(options, { ...end, synced: end.sequence - 1 })
    this.#reader = new LogReader(index, this.#segments)
    this.#needed = Array.from({ length: journals }, (_, journal) => this.#segments.first(journal))
    this.#announced = this.#needed.map(() => 0)
    this.#recovering = new Set(this.#needed.keys())
  }

  /** The share that is taken once the journal appends so many `bytes` (JR8). */
  fill(journal: number, bytes: number): number {
    // Each write asks: without a bound, and as long as the disk has room, there is nothing to add up.
    if (this.#bytesMax === Infinity && this.#supply.full === undefined) return 0
    this.#announce(journal, bytes)
    return this.#fill()
  }

  /**
   * Share of `bytesMax` that is taken, by what waits and what is announced too; where no further segment fits, of what
   * the segments hold. Above 0.9 as well while the disk has no room for a next segment.
   */
  #fill(): number {
    const { segment, offset, waitingBytes } = this.#writer
    // What every segment begins with is no record's doing; an empty log is empty.
    const start = segmentHeaderBytes + groupHeaderBytes + 8 * this.#needed.length
    const used = Math.max(0, offset + waitingBytes + this.#announcedBytes - start)
    const { olderBytes } = this.#segments
    const room = this.#supply.full === 'limit' ? olderBytes + segment.size : this.#bytesMax
    const full = this.#supply.full === 'disk' ? 0.9 + (0.1 * offset) / segment.size : 0
    return Math.min(1, Math.max((olderBytes + used) / room, full))
  }

  #announce(journal: number, bytes: number): void {
    this.#announcedBytes += bytes - (this.#announced[journal] ?? 0)
    this.#announced[journal] = bytes
  }

  tail(journal: number): Tail {
    const first = this.#first(journal)
    return { first, next: this.#writer.acked(journal), fill: this.#fill() }
  }

  append(journal: number, position: Position, record: Uint8Array): Promise<Appended> {
    this.#announce(journal, 0)
    return this.#writer.append(journal, position, record)
  }

  /** From `from` to the last record that is acked now. JOURNAL_CORRUPT if `from` is no longer kept. */
  read(journal: number, from: Position, signal?: AbortSignal): AsyncGenerator<Found, void> {
    const range = { journal, from, first: this.#first(journal), to: this.#writer.acked(journal) }
    return this.#reader.read(range, signal, () => {
      if (this.#recovering.delete(journal) && this.#recovering.size === 0) this.#index.release()
    })
  }

  /** From `from` on until the signal aborts or `isOver` says so; ends with the writer's error once that failed. */
  async *follow(
    journal: number,
    from: Position,
    signal: AbortSignal,
    isOver: () => boolean,
  ): AsyncGenerator<Found, void> {
    const wake = (): void => this.#wake()
    signal.addEventListener('abort', wake, { once: true })
    try {
      for (let next = from; !signal.aborted && !isOver();) {
        for await (const found of this.read(journal, next, signal)) {
          next = found.position + 1
          yield found
        }
        if (next < this.#writer.acked(journal) || signal.aborted || isOver()) continue
        if (this.#writer.failure !== undefined) throw this.#writer.failure
        await new Promise<void>((resolve) => this.#waiting.push(resolve))
      }
    } finally {
      signal.removeEventListener('abort', wake)
    }
  }

  /** Lets followers look whether they are over. */
  wakeFollowers(): void {
    this.#wake()
  }

  /** Forgets what the journal no longer needs, in whole segments and once no other journal needs those. JOURNAL_FAILED. */
  trim(journal: number, before: Position): Promise<void> {
    const wanted = Math.min(before, this.#writer.acked(journal))
    this.#needed[journal] = Math.max(this.#needed[journal] ?? 1, wanted)
    this.#trimming = this.#trimming
      .catch(() => {})
      .then(async () => {
        if (!this.#segments.canRemove(this.#needed)) return
        // What the caller relies on instead, a snapshot and the record that names it, must not be lost where the
        // removal is not: at level `os` both may still be in the system's memory.
        await this.#writer.settle()
        const freed = await this.#segments.removeBelow(this.#needed)
        this.#index.dropBefore(this.#segments.oldest)
        if (freed > 0) this.#supply.freed(freed)
      })
    return this.#trimming
  }

  /** Syncs everything that was acked; nothing to do at level `disk`. JOURNAL_FAILED. */
  settle(): Promise<void> {
    return this.#writer.settle()
  }

  /**
   * Writes and acks what waits, says in the log that all of it was synced, and closes the files. JOURNAL_FAILED if the
   * disk failed and no append was told so: at level `os`, something that was acked may not be synced.
   */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.#writer.close()
    await this.#trimming.catch(() => {})
    await this.#supply.close()
    await this.#segments.close()
    this.#wake()
    const { failure, failureWasTold } = this.#writer
    if (failure !== undefined && !failureWasTold) throw failure
  }

  #first(journal: number): Position {
    return Math.max(this.#segments.first(journal), this.#needed[journal] ?? 1)
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resume of waiting) resume()
  }
}
