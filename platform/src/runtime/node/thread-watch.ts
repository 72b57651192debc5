import { LookPace } from './look-pace.ts'
import type { ThreadRun } from './run-cells.ts'
import { StretchSampler } from './stretch-sampler.ts'
import type { SlowPart } from './watchdog.ts'

/** How much longer than one run the loop of a thread may stand still: something that nobody watches holds it up. */
const stillFactor = 2

export interface ThreadWatchOptions {
  readonly memory: SharedArrayBuffer
  /** The names of what is watched, in the order that the thread's cells have them. */
  readonly parts: readonly string[]
  /** Milliseconds that one run may take, and after which it is slow. */
  readonly limitMs: number
  readonly slowMs: number
  readonly onSlow: (slow: SlowPart) => void
  /** A run takes longer than the limit, or the loop has stood still for twice as long. Told once. */
  readonly onStuck: (run: ThreadRun) => void
}

/** Watches what another thread of this process runs, from its cells (PA9, UN5). */
export class ThreadWatch {
  readonly #options: ThreadWatchOptions
  readonly #cells: Int32Array
  readonly #sampler: StretchSampler
  readonly #pace: LookPace
  #turns = -1
  #turnedAt = performance.now()
  #lookedAt = performance.now()
  #timer: NodeJS.Timeout | undefined

  constructor(options: ThreadWatchOptions) {
    this.#options = options
    this.#cells = new Int32Array(options.memory)
    this.#sampler = new StretchSampler(options.slowMs)
    this.#pace = new LookPace(options.slowMs, options.limitMs)
    this.#look()
  }

  /** What the thread does now, or did when it ended. */
  get run(): ThreadRun {
    const isRunning = (Atomics.load(this.#cells, 0) & 1) === 1
    return { part: isRunning ? this.#nameOf(this.#cells[1]!) : undefined, call: this.#cells[2]! }
  }

  stop(): void {
    clearTimeout(this.#timer)
  }

  #look(): void {
    const { limitMs, onSlow, onStuck } = this.#options
    const now = performance.now()
    const count = Atomics.load(this.#cells, 0)
    const { runningMs, slow } = this.#sampler.sample(count, this.#cells[1]!, now)
    if (slow !== undefined) onSlow({ part: this.#nameOf(slow.part), ms: slow.ms })
    const turns = Atomics.load(this.#cells, 3)
    // Whoever was held up itself, or stopped together with the thread, has not watched meanwhile.
    const hasWatched = now - this.#lookedAt < limitMs
    if (turns !== this.#turns || !hasWatched) this.#turnedAt = now
    this.#turns = turns
    this.#lookedAt = now
    const isStuck = runningMs !== undefined ? runningMs >= limitMs : now - this.#turnedAt >= limitMs * stillFactor
    if (isStuck && hasWatched) return onStuck(this.run)
    this.#timer = setTimeout(() => this.#look(), this.#pace.next(count, runningMs !== undefined))
    this.#timer.unref()
  }

  #nameOf(part: number): string {
    return this.#options.parts[part] ?? 'function of the unit'
  }
}
