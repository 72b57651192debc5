/** Looks without news after which they become more seldom, and by how much. */
const quietLooks = 20
const quietFactor = 8

/** How long a watcher waits until it looks again: longer while nothing runs, but never beyond a quarter of the limit. */
export class LookPace {
  readonly #periodMs: number
  readonly #quietPeriodMs: number
  #seen = 0
  #quiet = 0

  /** `slowMs` is what is worth telling, `limitMs` what must not be missed. */
  constructor(slowMs: number, limitMs: number) {
    const longest = Math.max(1, limitMs / 4)
    this.#periodMs = Math.max(1, Math.min(slowMs, longest))
    this.#quietPeriodMs = Math.min(this.#periodMs * quietFactor, longest)
  }

  /** Milliseconds until the next look, after one that showed this counter. */
  next(count: number, isRunning: boolean): number {
    this.#quiet = count === this.#seen && !isRunning ? this.#quiet + 1 : 0
    this.#seen = count
    return this.#quiet > quietLooks ? this.#quietPeriodMs : this.#periodMs
  }
}
