// Writes records into the log: gathers what waits into a group, writes it, syncs it, tells whoever waited (group commit).
//
// Owns the end of the log: current segment, offset, sequence, positions. Does not own reading, trimming or recovery.
// Called by FileLog only.
//
// I1 One group at a time: the next is written when the last one's write, and at level `disk` its sync, are done.
// I2 A record is acked only after that, and in the order in which it was appended.
// I3 After a failed write or sync nothing is ever written again (FE3).
// I4 `synced` in a group's header never claims more than was synced.
import { PlenumError } from '../../kernel/index.ts'
import type { Clock, Timers } from '../../runtime/index.ts'
import type { Appended } from '../journal.ts'
import type { BlockIndex } from './block-index.ts'
import type { CommitPace } from './commit-pace.ts'
import { asBuffer, groupHeaderBytes, sealGroup, segmentHeaderBytes, writePositions } from './layout.ts'
import { isBatch, reserveBytes } from './reserve.ts'
import { isDiskFull, type SegmentSupply } from './segment-supply.ts'
import type { Segment } from './segments.ts'
import { Staging, type Waiting } from './staging.ts'
import { SyncStatements } from './sync-statements.ts'

/** What an ack of the file engine means: written, or written and synced. */
export type FileLevel = 'os' | 'disk'

/** Where a log ends. */
export interface LogEnd {
  readonly segment: Segment
  /** Where in the segment the next group goes. */
  readonly offset: number
  /** The next group's number. */
  readonly sequence: number
  /** All groups up to this one are known to be synced. */
  readonly synced: number
  /** The highest number for which the log itself says so. */
  readonly stated: number
  /** The last group that holds records; 0 if there is none. */
  readonly lastRecords: number
  /** The next position of each journal. */
  readonly positions: readonly number[]
}

export interface WriterOptions {
  readonly level: FileLevel
  readonly clock: Clock
  readonly timers: Timers
  readonly pace: CommitPace
  readonly index: BlockIndex
  readonly supply: SegmentSupply
  /** Bytes after which a group is closed and the next one begins. */
  readonly groupBytesMax: number
  /** Milliseconds after a group until a mark says that it was synced, unless a later group does. */
  readonly markMs: number
  /** Called with each segment that comes into use, and the next positions at its start. */
  readonly onSegment: (segment: Segment, positions: readonly number[]) => void
  /** Called after records were acked, and once when the writer fails. */
  readonly onChange: () => void
}

type State =
  | { readonly kind: 'open' }
  | { readonly kind: 'closed' }
  | { readonly kind: 'failed'; readonly error: PlenumError }

/** A group under way: the bytes to write, with the START of a new segment before it. A mark has no staging. */
interface Flight {
  readonly staging: Staging | undefined
  readonly buffers: readonly Uint8Array[]
  readonly groups: number
  readonly length: number
  readonly synced: number
}

export class GroupWriter {
  readonly #options: WriterOptions
  readonly #statements: SyncStatements
  #state: State = { kind: 'open' }
  #segment: Segment
  #offset: number
  #sequence: number
  #startDue: boolean
  /** Next positions with everything that waits, and of what is acked. */
  readonly #next: number[]
  readonly #acked: number[]
  readonly #staged: Staging[] = []
  #flight: Staging | undefined
  #spare: Staging | undefined
  #unwrittenBytes = 0
  #running: Promise<void> | undefined
  #scheduled = false
  #garbageBytes = 0

  constructor(options: WriterOptions, end: LogEnd) {
    this.#options = options
    this.#segment = end.segment
    this.#offset = end.offset
    this.#sequence = end.sequence
    this.#startDue = end.offset === segmentHeaderBytes
    this.#next = [...end.positions]
    this.#acked = [...end.positions]
    this.#statements = new SyncStatements(options, end, {
      mark: () => this.#schedule(),
      fail: (error) => this.#fail(error),
    })
  }

  get segment(): Segment {
    return this.#segment
  }

  /** Bytes of the current segment that are in use. */
  get offset(): number {
    return this.#offset
  }

  /** The reason for which nothing can be written any more (FE3). */
  get failure(): PlenumError | undefined {
    return this.#state.kind === 'failed' ? this.#state.error : undefined
  }

  /** The position after the last acked record of a journal. */
  acked(journal: number): number {
    return this.#acked[journal] ?? 1
  }

  append(journal: number, position: number, record: Uint8Array): Promise<Appended> {
    if (this.#state.kind === 'failed') return Promise.resolve({ kind: 'failed', error: this.#state.error })
    if (this.#state.kind === 'closed') return Promise.resolve({ kind: 'unavailable' })
    if (position !== this.#next[journal]) return Promise.resolve({ kind: 'refused' })
    if (this.#options.supply.full !== undefined && !this.#hasRoom(record, this.#unwrittenBytes)) {
      return Promise.resolve({ kind: 'full' })
    }
    this.#next[journal] = position + 1
    return new Promise((resolve) => {
      this.#stage(journal, position, record, resolve)
      this.#schedule()
    })
  }

  /** Writes what waits, then a mark that says that everything was synced, and stops. Files stay open. */
  async close(): Promise<void> {
    if (this.#state.kind === 'open') this.#state = { kind: 'closed' }
    this.#statements.stop()
    await this.#drain()
    if (this.failure !== undefined) return
    try {
      if (!(await this.#statements.settle())) return
      await this.#drain()
      await this.#segment.file.sync()
    } catch (error) {
      this.#fail(error)
    }
  }

  async #drain(): Promise<void> {
    while (this.failure === undefined && (this.#running !== undefined || this.#hasWork())) {
      await (this.#running ?? this.#run())
    }
  }

  #hasWork(): boolean {
    return this.#staged.length > 0 || this.#statements.markDue
  }

  /** Without a next segment, batches leave a reserve for the records that hand a journal over and cut it (JR8). */
  #hasRoom(record: Uint8Array, taken: number): boolean {
    const reserve = isBatch(record) ? reserveBytes(this.#segment.size) : 0
    const left = this.#segment.size - this.#offset - this.#startBytes() - taken - reserve
    // A group that waits behind the one in flight has a header of its own.
    return left >= record.length + 3 * groupHeaderBytes
  }

  #stage(journal: number, position: number, record: Uint8Array, resolve: (result: Appended) => void): void {
    let staging = this.#staged.at(-1)
    if (staging === undefined || staging.length + record.length > this.#options.groupBytesMax) {
      staging = this.#spare ?? new Staging()
      this.#spare = undefined
      this.#staged.push(staging)
    }
    this.#unwrittenBytes += staging.add(journal, position, record, resolve)
  }

  /** Waits for the end of the work at hand, so that all appends of one turn share a group. */
  #schedule(): void {
    if (this.#scheduled || this.#running !== undefined) return
    this.#scheduled = true
    this.#options.timers.soon(() => {
      this.#scheduled = false
      if (this.#running !== undefined || !this.#hasWork() || this.failure !== undefined) return
      if (!this.#commitNow()) void this.#run()
    })
  }

  /** Commits the only group on the loop, if the disk is fast and the group small; false if it is not done. */
  #commitNow(): boolean {
    const [staging] = this.#staged
    const { clock, pace, level } = this.#options
    if (staging === undefined || this.#staged.length > 1 || !pace.isQuick(staging.length)) return false
    if (!this.#fits(staging.length)) return false
    const flight = this.#seal(this.#take())
    try {
      const begun = clock.monotonic()
      this.#segment.file.writeNow(flight.buffers, this.#offset)
      if (level === 'disk') this.#segment.file.syncNow()
      pace.tookNow(clock.monotonic() - begun)
      this.#land(flight)
    } catch (error) {
      this.#crash(flight, error)
    }
    return true
  }

  #run(): Promise<void> {
    this.#running = this.#writeGroups().then(() => {
      this.#running = undefined
      if (this.failure === undefined && this.#hasWork()) this.#schedule()
    })
    return this.#running
  }

  async #writeGroups(): Promise<void> {
    const { clock, pace, level } = this.#options
    while (this.#hasWork() && this.failure === undefined) {
      const staging = this.#take()
      try {
        if (!(await this.#findRoom(staging))) continue
      } catch (error) {
        this.#fail(error)
        return
      }
      const flight = this.#seal(staging)
      try {
        const begun = clock.monotonic()
        await this.#segment.file.write(flight.buffers, this.#offset)
        if (level === 'disk') await this.#segment.file.sync()
        pace.took(clock.monotonic() - begun)
        this.#land(flight)
      } catch (error) {
        this.#crash(flight, error)
      }
    }
  }

  /** Takes the next group off the line; undefined if a mark is to be written. */
  #take(): Staging | undefined {
    this.#flight = this.#staged.shift()
    return this.#flight
  }

  #fits(length: number): boolean {
    return this.#offset + this.#startBytes() + length <= this.#segment.size
  }

  /** Bytes of the START that the next write begins with. */
  #startBytes(): number {
    return this.#startDue ? groupHeaderBytes + 8 * this.#acked.length : 0
  }

  /** Makes sure that the group fits, in a new segment if need be; false if what does not fit was answered `full`. */
  async #findRoom(staging: Staging | undefined): Promise<boolean> {
    const length = staging?.length ?? groupHeaderBytes
    if (this.#fits(length)) return true
    const needed = groupHeaderBytes + 8 * this.#acked.length + length
    const next = await this.#options.supply.take(this.#segment, needed)
    if (next === undefined) {
      this.#takeBack(staging, this.#whatFits())
      return false
    }
    this.#statements.moved(this.#segment, next)
    this.#segment = next
    this.#offset = segmentHeaderBytes
    this.#garbageBytes = 0
    this.#startDue = true
    this.#options.onSegment(next, this.#acked)
    return true
  }

  #seal(staging: Staging | undefined): Flight {
    const buffers: Uint8Array[] = []
    const { synced } = this.#statements
    let sequence = this.#sequence
    if (this.#startDue) {
      const start = Buffer.concat([Buffer.alloc(groupHeaderBytes), writePositions(this.#acked)])
      sealGroup(start, 'START', { entries: this.#acked.length, sequence, synced }, this.#segment.seed)
      buffers.push(start)
      sequence += 1
    }
    const group = staging?.bytes() ?? asBuffer(new Uint8Array(groupHeaderBytes))
    const entries = staging?.waiting.length ?? 0
    sealGroup(group, staging === undefined ? 'MARK' : 'RECORDS', { entries, sequence, synced }, this.#segment.seed)
    buffers.push(group)
    const length = buffers.reduce((sum, buffer) => sum + buffer.length, 0)
    // What a failed write may have left here is overwritten in the same breath.
    if (this.#garbageBytes > length) buffers.push(new Uint8Array(this.#garbageBytes - length))
    return { staging, buffers, groups: sequence - this.#sequence + 1, length, synced }
  }

  /** Everything of the flight is written, and synced at level `disk`: acks it. */
  #land(flight: Flight): void {
    const { staging } = flight
    this.#flight = undefined
    this.#options.index.add(this.#segment.number, this.#offset, flight.length, this.#acked)
    this.#offset += flight.length
    this.#sequence += flight.groups
    this.#startDue = false
    this.#garbageBytes = 0
    this.#statements.wrote(this.#sequence - 1, flight.synced, staging !== undefined)
    if (this.#offset * 4 > this.#segment.size) this.#options.supply.prepare(this.#segment)
    if (staging === undefined) return
    const waiting = staging.waiting
    for (const entry of waiting) this.#acked[entry.journal] = entry.position + 1
    this.#recycle(staging)
    for (const entry of waiting) entry.resolve({ kind: 'acked', position: entry.position })
    this.#options.onChange()
  }

  /** A full disk takes back what waits; any other failure is final. */
  #crash(flight: Flight, error: unknown): void {
    if (!isDiskFull(error)) {
      this.#fail(error)
      return
    }
    this.#garbageBytes = Math.max(this.#garbageBytes, flight.length)
    this.#takeBack(flight.staging, () => false)
  }

  /** Decides, record by record, what goes into the rest of the last segment. */
  #whatFits(): (record: Uint8Array) => boolean {
    let taken = 0
    return (record) => {
      if (isBatch(record) || !this.#hasRoom(record, taken)) return false
      taken += record.length + groupHeaderBytes
      return true
    }
  }

  /** Answers `full` to every record in flight or waiting that `keep` declines, and to all later ones of its journal. */
  #takeBack(flight: Staging | undefined, keep: (record: Uint8Array) => boolean): void {
    const stagings = this.#staged.splice(0)
    if (flight === undefined) this.#statements.dropMark()
    else stagings.unshift(flight)
    this.#flight = undefined
    const declined = new Set<number>()
    const answered: Waiting[] = []
    this.#unwrittenBytes = 0
    for (const staging of stagings) {
      for (const entry of staging.waiting) {
        const record = staging.record(entry)
        if (!declined.has(entry.journal) && keep(record)) {
          this.#stage(entry.journal, entry.position, record, entry.resolve)
          continue
        }
        if (!declined.has(entry.journal)) this.#next[entry.journal] = entry.position
        declined.add(entry.journal)
        answered.push(entry)
      }
    }
    for (const entry of answered) entry.resolve({ kind: 'full' })
  }

  #recycle(staging: Staging): void {
    this.#unwrittenBytes -= staging.length - groupHeaderBytes
    staging.reset()
    this.#spare ??= staging
  }

  #fail(cause: unknown): void {
    if (this.#state.kind === 'failed') return
    const error = new PlenumError(
      'JOURNAL_FAILED',
      `Writing the journal ${this.#segment.path} failed: ${String(cause)}. Nothing more is written, because what a ` +
        'later sync says would prove nothing. Check the disk, then start again: all that was acked is read back.',
      { details: { file: this.#segment.path, offset: this.#offset }, cause },
    )
    this.#state = { kind: 'failed', error }
    this.#statements.stop()
    const stagings = this.#flight === undefined ? this.#staged : [this.#flight, ...this.#staged]
    for (const staging of stagings) {
      for (const entry of staging.waiting) entry.resolve({ kind: 'failed', error })
    }
    this.#staged.length = 0
    this.#options.onChange()
  }
}
