// Writes records into the log: gathers what waits into a group, writes it, syncs it, tells whoever waited (group commit).
//
// Owns what waits, when and how it is written, and whether the log may be written at all. Does not own where it goes
// (WriteHead), reading, trimming or recovery. Called by FileLog only.
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
import type { Flight } from './flight.ts'
import { groupHeaderBytes } from './layout.ts'
import type { FileLevel, LogEnd } from './log-end.ts'
import { isDiskFull, type SegmentSupply } from './segment-supply.ts'
import type { Segment } from './segments.ts'
import type { Staging } from './staging.ts'
import { SyncStatements } from './sync-statements.ts'
import { WaitingLine } from './waiting-line.ts'
import { WriteHead } from './write-head.ts'

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

export class GroupWriter {
  readonly #options: WriterOptions
  readonly #statements: SyncStatements
  #state: State = { kind: 'open' }
  #failureWasTold = false
  readonly #head: WriteHead
  readonly #line: WaitingLine
  #running: Promise<void> | undefined
  #scheduled = false

  constructor(options: WriterOptions, end: LogEnd) {
    this.#options = options
    this.#head = new WriteHead(end)
    this.#line = new WaitingLine(options.groupBytesMax, end.positions)
    this.#statements = new SyncStatements(options, end, {
      mark: () => this.#schedule(),
      fail: (error) => this.#fail(error),
    })
  }

  get segment(): Segment {
    return this.#head.segment
  }

  /** Bytes of the current segment that are in use. */
  get offset(): number {
    return this.#head.offset
  }

  /** Bytes of what waits, which will be in use. */
  get waitingBytes(): number {
    return this.#line.bytes
  }

  /** The reason for which nothing can be written any more (FE3). */
  get failure(): PlenumError | undefined {
    return this.#state.kind === 'failed' ? this.#state.error : undefined
  }

  /** True if an append was answered with it. */
  get failureWasTold(): boolean {
    return this.#failureWasTold
  }

  /** The position after the last acked record of a journal. */
  acked(journal: number): number {
    return this.#head.acked[journal] ?? 1
  }

  append(journal: number, position: number, record: Uint8Array): Promise<Appended> {
    if (this.#state.kind === 'failed') {
      this.#failureWasTold = true
      return Promise.resolve({ kind: 'failed', error: this.#state.error })
    }
    if (this.#state.kind === 'closed') return Promise.resolve({ kind: 'unavailable' })
    if (position !== this.#line.next(journal)) return Promise.resolve({ kind: 'refused' })
    if (this.#options.supply.full !== undefined && !this.#head.hasRoom(record, this.#line.bytes)) {
      return Promise.resolve({ kind: 'full' })
    }
    return new Promise((resolve) => {
      this.#line.add(journal, position, record, resolve)
      this.#schedule()
    })
  }

  /** Syncs everything that was acked. JOURNAL_FAILED if that fails, or anything did before. */
  async settle(): Promise<void> {
    try {
      if (this.failure === undefined && (await this.#statements.settle())) this.#schedule()
    } catch (error) {
      this.#fail(error)
    }
    if (this.failure !== undefined) throw this.failure
  }

  /** Writes what waits, then a mark that says that everything was synced, and stops. Files stay open. */
  async close(): Promise<void> {
    if (this.#state.kind === 'open') this.#state = { kind: 'closed' }
    await this.#drain()
    this.#statements.stop()
    if (this.failure !== undefined) return
    try {
      if (!(await this.#statements.settle())) return
      await this.#drain()
      await this.#head.segment.file.sync()
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
    return this.#line.groups > 0 || this.#statements.markDue
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
    const { head, groups } = this.#line
    const { clock, pace, level } = this.#options
    if (head === undefined || groups > 1 || !pace.isQuick(head.length) || !this.#head.fits(head.length)) return false
    const flight = this.#head.seal(this.#line.take(), this.#statements.synced)
    const { segment, offset } = this.#head
    const begun = clock.monotonic()
    try {
      segment.file.writeNow(flight.buffers, offset)
    } catch (error) {
      this.#crash(flight, error)
      return true
    }
    try {
      if (level === 'disk') segment.file.syncNow()
    } catch (error) {
      this.#fail(error)
      return true
    }
    pace.tookNow(clock.monotonic() - begun)
    this.#land(flight)
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
    try {
      while (this.#hasWork() && this.failure === undefined) {
        const staging = this.#line.take()
        if (await this.#findRoom(staging)) await this.#commit(this.#head.seal(staging, this.#statements.synced))
      }
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Writes and syncs through the thread pool. Throws what is final. */
  async #commit(flight: Flight): Promise<void> {
    const { clock, pace, level } = this.#options
    const { segment, offset } = this.#head
    const begun = clock.monotonic()
    try {
      await segment.file.write(flight.buffers, offset)
    } catch (error) {
      this.#crash(flight, error)
      return
    }
    if (level === 'disk') await segment.file.sync()
    pace.took(clock.monotonic() - begun)
    // A sync in the background may have failed meanwhile; then everybody has an answer already.
    if (this.failure === undefined) this.#land(flight)
  }

  /** Makes sure that the group fits, in a new segment if need be; false if what does not fit was answered `full`. */
  async #findRoom(staging: Staging | undefined): Promise<boolean> {
    const length = staging?.length ?? groupHeaderBytes
    if (this.#head.fits(length)) return true
    const { segment } = this.#head
    const needed = this.#head.startBytesMax + length
    const next = (await this.#clearGarbage()) ? await this.#options.supply.take(segment, needed) : undefined
    if (next === undefined) {
      this.#statements.dropMark()
      this.#line.takeBack(this.#head.whatFits())
      return false
    }
    this.#statements.moved(segment, next)
    this.#head.moveTo(next)
    this.#options.onSegment(next, this.#head.acked)
    return true
  }

  /**
   * Covers what a failed write left, before another segment is begun: a whole group in it would have the number of the
   * one that is written there. False while the disk is full.
   */
  async #clearGarbage(): Promise<boolean> {
    if (this.#head.garbageBytes === 0) return true
    try {
      await this.#head.cover()
    } catch (error) {
      if (isDiskFull(error)) return false
      throw error
    }
    if (this.#options.level === 'disk') await this.#head.segment.file.sync()
    this.#head.covered()
    return true
  }

  /** Everything of the flight is written, and synced at level `disk`: acks it. */
  #land(flight: Flight): void {
    const { index, supply } = this.#options
    const { segment, offset, acked } = this.#head
    index.add(segment.number, offset, flight.length, acked)
    this.#head.passed(flight)
    const waiting = this.#line.done()
    this.#statements.wrote(this.#head.lastSequence, flight.synced, waiting.length > 0)
    if (this.#head.offset * 4 > segment.size) supply.prepare(segment)
    for (const entry of waiting) acked[entry.journal] = entry.position + 1
    for (const entry of waiting) entry.resolve({ kind: 'acked', position: entry.position })
    if (waiting.length > 0) this.#options.onChange()
  }

  /** A write failed. If the disk is full, nothing is lost but room: what waits is taken back. */
  #crash(flight: Flight, error: unknown): void {
    if (this.failure !== undefined) return
    if (!isDiskFull(error)) {
      this.#fail(error)
      return
    }
    this.#head.spoilt(flight)
    this.#statements.dropMark()
    this.#line.takeBack(() => false)
  }

  #fail(cause: unknown): void {
    if (this.#state.kind === 'failed') return
    const { segment, offset } = this.#head
    const error = new PlenumError(
      'JOURNAL_FAILED',
      `Writing the journal ${segment.path} failed: ${String(cause)}. Nothing more is written, because what a ` +
        'later sync says would prove nothing. Check the disk, then start again: all that was acked is read back.',
      { details: { file: segment.path, offset }, cause },
    )
    this.#state = { kind: 'failed', error }
    this.#statements.stop()
    if (this.#line.answerAll({ kind: 'failed', error }) > 0) this.#failureWasTold = true
    this.#options.onChange()
  }
}
