import type { Timer, Timers } from '../../runtime/index.ts'
import type { FileLevel, LogEnd } from './log-end.ts'
import type { Segment } from './segments.ts'

/**
 * Keeps what is known to be synced, and sees to it that the log says so soon (FE1): a later group does, or a mark after
 * a while without one. Until then, damage to the last group cannot be told from a torn write. At level `os` it also
 * syncs in the background, once in the same while.
 */
export class SyncStatements {
  readonly #level: FileLevel
  readonly #timers: Timers
  readonly #markMs: number
  readonly #ask: { readonly mark: () => void; readonly fail: (error: unknown) => void }
  #current: Segment
  #left: Segment[] = []
  #written: number
  /** The last group that holds records: a mark needs no mark of its own. */
  #lastRecords: number
  #synced: number
  /** The highest `synced` that stands in the log. */
  #stated: number
  #markDue = false
  #timer: Timer | undefined
  #stopped = false
  #settling: Promise<boolean> = Promise.resolve(false)

  constructor(
    options: { readonly level: FileLevel; readonly timers: Timers; readonly markMs: number },
    end: LogEnd,
    ask: { readonly mark: () => void; readonly fail: (error: unknown) => void },
  ) {
    this.#level = options.level
    this.#timers = options.timers
    this.#markMs = options.markMs
    this.#ask = ask
    this.#current = end.segment
    this.#written = end.sequence - 1
    this.#lastRecords = end.lastRecords
    this.#synced = end.synced
    this.#stated = end.stated
    this.#arm()
  }

  /** All groups up to this one were synced. */
  get synced(): number {
    return this.#synced
  }

  /** True while a mark waits to be written. */
  get markDue(): boolean {
    return this.#markDue
  }

  /** A full log goes without a mark. */
  dropMark(): void {
    this.#markDue = false
  }

  /** The group of this number was written, and at level `disk` synced; its header says that `stated` was. */
  wrote(sequence: number, stated: number, hasRecords: boolean): void {
    this.#stated = stated
    this.#markDue = false
    this.#written = sequence
    if (hasRecords) this.#lastRecords = sequence
    if (this.#level === 'disk') this.#synced = sequence
    this.#arm()
  }

  /** The writer goes from one segment to the next. */
  moved(from: Segment, to: Segment): void {
    if (this.#level === 'os') this.#left.push(from)
    this.#current = to
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.stop()
    this.#timer = undefined
  }

  /** Syncs what is not synced yet, after any such sync that is under way; true if a mark is due to say so in the log. */
  settle(): Promise<boolean> {
    this.#settling = this.#settling.then(async () => {
      const written = this.#written
      if (this.#synced < written) {
        const left = this.#left
        this.#left = []
        for (const segment of [...left, this.#current]) await segment.file.sync()
        this.#synced = Math.max(this.#synced, written)
      }
      this.#markDue = this.#stated < this.#lastRecords
      return this.#markDue
    })
    return this.#settling
  }

  #arm(): void {
    if (this.#timer !== undefined || this.#stopped || this.#stated >= this.#lastRecords) return
    const armed = this.#written
    this.#timer = this.#timers.after(this.#markMs, () => {
      this.#timer = undefined
      this.#elapsed(armed).catch((error: unknown) => this.#ask.fail(error))
    })
  }

  async #elapsed(armed: number): Promise<void> {
    if (this.#level === 'disk' && this.#written !== armed) return this.#arm()
    if (!(await this.settle()) || this.#stopped) return
    // A log that is being written says it by itself; only a quiet one needs a mark.
    if (this.#written === armed) return this.#ask.mark()
    this.#markDue = false
    this.#arm()
  }
}
