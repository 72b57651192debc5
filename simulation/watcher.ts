// A client that watches and goes on from its last token whenever its watch breaks; all that it hears is recorded.
//
// I1 A token counts when everything before it was told: none within a state that is still being told.
import { isPlenumError, PlenumError } from 'plenum'
import {
  isSeen,
  RecordedWatcher,
  type HistoryRecorder,
  type WatchAsked,
  type WatchFilter,
  type WatchLine,
} from 'plenum/testing'

/** Watches until it is told to leave; rejects where the watch breaks. Lines that belong to one commit come together. */
export type Follow = (
  asked: WatchAsked,
  hear: (lines: readonly WatchLine[]) => void,
  signal: AbortSignal,
) => Promise<void>

/** Who watches what, and how. */
export interface WatcherOptions {
  readonly name: string
  readonly filter: WatchFilter
  readonly recorder: HistoryRecorder
  readonly follow: Follow
  readonly sleep: (ms: number) => Promise<void>
  /** After so many commits of one watch it leaves and goes on with another; never if undefined. */
  readonly leavesAfter?: number | undefined
  /** Begins anew where it left, and does not go on. */
  readonly forgets?: boolean | undefined
}

/** Milliseconds between two watches. */
const pauseMs = 200
/** How often it is asked whether a watcher has heard everything, and the milliseconds between two times. */
const hearingsMax = 200
const hearingMs = 500

export class Watcher {
  readonly #options: WatcherOptions
  readonly #recorded: RecordedWatcher
  /** Names of entries that it was told, each with its value. */
  readonly #heard = new Set<string>()
  readonly #running: Promise<void>
  #watch = new AbortController()
  #since: string | undefined
  #isOver = false
  #broken = 0

  constructor(options: WatcherOptions) {
    this.#options = options
    this.#recorded = new RecordedWatcher(options.recorder, options.name)
    this.#running = this.#run()
    // Whoever stops it hears of it.
    this.#running.catch(() => (this.#isOver = true))
  }

  /** How often a watch broke. */
  get broken(): number {
    return this.#broken
  }

  /**
   * Resolves when it has been told all of these entries that it sees, by their field `value`, and stops it then. If they
   * were written last and each was written, it has been told everything. CHECK_FAILED if it is not told in time.
   */
  async hearOut(
    entries: readonly { readonly key: string; readonly entry: { readonly value: number } }[],
  ): Promise<void> {
    const { name, filter, sleep } = this.#options
    const wanted = entries.filter(({ key, entry }) => isSeen(filter, key, entry))
    const left = (): readonly string[] =>
      wanted.map(({ key, entry }) => heardName(key, entry.value)).filter((one) => !this.#heard.has(one))
    for (let hearings = 0; left().length > 0 && !this.#isOver; hearings++) {
      if (hearings === hearingsMax) {
        await this.#stop()
        throw new PlenumError(
          'CHECK_FAILED',
          `Watcher ${name} is not told of ${left().join(', ')}, though nothing is wrong.`,
        )
      }
      await sleep(hearingMs)
    }
    await this.#stop()
  }

  async #stop(): Promise<void> {
    this.#isOver = true
    this.#watch.abort()
    await this.#running
  }

  async #run(): Promise<void> {
    const { name, filter, follow, sleep } = this.#options
    while (!this.#isOver) {
      this.#watch = new AbortController()
      const asked: WatchAsked =
        this.#since === undefined
          ? { watcher: name, filter, initial: true }
          : { watcher: name, filter, since: this.#since }
      this.#recorded.begins(asked)
      let why: unknown = new PlenumError('ABORTED', 'The client left its watch, to go on with another one.')
      try {
        await follow(asked, this.#hearing(), this.#watch.signal)
        if (this.#options.forgets === true) this.#since = undefined
      } catch (error) {
        if (!isPlenumError(error)) throw error
        why = error
      }
      if (this.#isOver) return
      this.#recorded.breaks(why)
      this.#broken += 1
      await sleep(pauseMs)
    }
  }

  /** Hears one watch. */
  #hearing(): (lines: readonly WatchLine[]) => void {
    let commits = 0
    return (lines) => {
      for (const line of lines) {
        this.#recorded.hears(line)
        const { kind, entry, token } = line.value
        if (kind === 'reset') this.#since = undefined
        else this.#since = token ?? this.#since
        if (line.key !== undefined && kind !== 'removed') this.#heard.add(heardName(line.key, valueOf(entry)))
      }
      commits += 1
      if (commits === this.#options.leavesAfter) this.#watch.abort()
    }
  }
}

function heardName(key: string, value: unknown): string {
  return `${key} ${String(value)}`
}

function valueOf(entry: unknown): unknown {
  return typeof entry === 'object' && entry !== null && 'value' in entry ? entry.value : undefined
}
