import { FillMarks, firstMark } from './fill-marks.ts'

export interface SnapshotScheduleOptions {
  /** Share of the journal's room that is taken. */
  readonly fill: () => number
  /** Bytes of records after which a snapshot is due. */
  readonly everyBytes: number
  /** Takes one, names it and cuts the journal. */
  readonly take: () => Promise<void>
  /** Called instead of this schedule's own `makeRoom` where partitions share the room of one journal. */
  readonly makeRoomForAll: (() => Promise<unknown> | undefined) | undefined
  /** Room may have been made: those who wait for it should look. */
  readonly onRoom: () => void
  /** A snapshot that was due could not be taken. */
  readonly onFailed: (reason: string) => void
}

/** When a primary takes snapshots: one at a time, when asked, when records have come, and when the journal fills. */
export class SnapshotSchedule {
  readonly #options: SnapshotScheduleOptions
  readonly #marks = new FillMarks()
  #running: Promise<void> | undefined
  /** Resolves when the snapshots under way are done that may make room. */
  #room: Promise<void> | undefined
  #bytes = 0
  #closed = false

  constructor(options: SnapshotScheduleOptions) {
    this.#options = options
  }

  /** True while snapshots are under way that may make room. */
  get makesRoom(): boolean {
    return this.#room !== undefined
  }

  /** Takes a snapshot, or waits for the one under way. */
  take(): Promise<void> {
    if (this.#running !== undefined) return this.#running
    // Taking one seals what is open, and that may make one due: by then this one must be known.
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#running = promise
    this.#bytes = 0
    this.#options
      .take()
      .finally(() => (this.#running = undefined))
      .then(resolve, reject)
    return promise
  }

  /** So many bytes of records were sealed. */
  grew(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes >= this.#options.everyBytes) this.#takeLater()
  }

  /** A change was made while the journal was so full. */
  filled(fill: number): void {
    if (fill >= firstMark && this.#marks.isReached(fill)) this.makeRoomForAll()
  }

  /**
   * Takes a snapshot in the background if the journal is as full as the next mark, so that it can be cut (JR8). Resolves
   * when that, or the one under way, is done; undefined if there is nothing to do.
   */
  makeRoom(): Promise<void> | undefined {
    if (this.#closed) return undefined
    const fill = this.#options.fill()
    if (this.#running === undefined && this.#marks.isReached(fill)) {
      this.#marks.pass(fill)
      this.#takeLater()
    }
    return this.#running?.catch(() => undefined)
  }

  /** Everybody who shares the room makes some. */
  makeRoomForAll(): void {
    if (this.#room !== undefined) return
    const { makeRoomForAll, onRoom } = this.#options
    this.#room = (makeRoomForAll === undefined ? this.makeRoom() : makeRoomForAll())?.then(() => {
      this.#room = undefined
      onRoom()
    })
  }

  /** Begins no more, and waits for the one under way. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#running?.catch(() => undefined)
  }

  /** One that fails is tried again when the journal has grown as much again. */
  #takeLater(): void {
    if (this.#running !== undefined || this.#closed) return
    this.take().catch((error: unknown) =>
      this.#options.onFailed(error instanceof Error ? error.message : String(error)),
    )
  }
}
