import type { Timer, Timers } from '../runtime/index.ts'

export interface RetryDelays {
  /** Milliseconds after the first failure; doubled with each in a row. */
  readonly firstMs: number
  readonly mostMs: number
}

/** Tries again what has failed, ever later. */
export class Retry {
  readonly #timers: Timers
  readonly #delays: RetryDelays
  #timer: Timer | undefined
  #failures = 0
  #error: unknown

  constructor(timers: Timers, delays: RetryDelays) {
    this.#timers = timers
    this.#delays = delays
  }

  /** True until it is time to try again. */
  get isWaiting(): boolean {
    return this.#timer !== undefined
  }

  /** How often it has failed in a row. */
  get failures(): number {
    return this.#failures
  }

  /** Why it failed last; undefined if it did not. */
  get error(): unknown {
    return this.#error
  }

  failed(error: unknown, again: () => void): void {
    const { firstMs, mostMs } = this.#delays
    this.#error = error
    // Beyond so many doublings any delay is the longest.
    const delayMs = Math.min(mostMs, firstMs * 2 ** Math.min(this.#failures, 20))
    this.#failures += 1
    this.#after(delayMs, again)
  }

  /** It cannot be tried yet; that is no failure. */
  wait(again: () => void): void {
    this.#after(this.#delays.firstMs, again)
  }

  succeeded(): void {
    this.#failures = 0
    this.#error = undefined
  }

  stop(): void {
    this.#timer?.stop()
  }

  #after(delayMs: number, again: () => void): void {
    this.#timer = this.#timers.after(delayMs, () => {
      this.#timer = undefined
      again()
    })
  }
}
