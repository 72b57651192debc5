/** A synchronous stretch that took longer than its limit: which part, and at least how many milliseconds. */
export interface SlowStretch {
  readonly part: number
  readonly ms: number
}

/** What a sample shows: the run that is going on, and what is known of the one that was. */
export interface Sample {
  /** Milliseconds that the run at hand has been seen for; undefined between runs. */
  readonly runningMs: number | undefined
  /** The last run, if it was slow and is over. */
  readonly slow: SlowStretch | undefined
}

/**
 * Tells from samples of a counter how long runs take. The counter is odd while a run goes on and grows by one at its
 * begin and at its end, so that whoever runs pays for two stores and no clock. What is told is a lower bound: a run
 * begins before it is first seen, and ends after it is last seen.
 */
export class StretchSampler {
  readonly #slowMs: number
  #count = 0
  #part = -1
  #since = 0
  #last = 0

  constructor(slowMs: number) {
    this.#slowMs = slowMs
  }

  sample(count: number, part: number, now: number): Sample {
    if (count === this.#count) {
      this.#last = now
      return { runningMs: isRunning(count) ? now - this.#since : undefined, slow: undefined }
    }
    const ms = this.#last - this.#since
    const slow = isRunning(this.#count) && ms >= this.#slowMs ? { part: this.#part, ms } : undefined
    this.#count = count
    this.#part = part
    this.#since = this.#last = now
    return { runningMs: isRunning(count) ? 0 : undefined, slow }
  }
}

function isRunning(count: number): boolean {
  return (count & 1) === 1
}
