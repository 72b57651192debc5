const againAfter = 4

/**
 * Decides whether a small group is written and synced at once, on the loop, or handed to the thread pool. At once saves
 * two trips through the pool, which on a fast disk cost more than the sync itself; on a slow disk it would stall the loop.
 */
export class CommitPace {
  readonly #quickMsMax: number
  readonly #quickBytesMax: number
  #smoothedMs: number
  #fastOnes = 0

  /** Milliseconds and bytes up to which a commit may hold up the loop; `firstMs` is what a first commit took. */
  constructor(quickMsMax: number, quickBytesMax: number, firstMs: number) {
    this.#quickMsMax = quickMsMax
    this.#quickBytesMax = quickBytesMax
    this.#smoothedMs = firstMs
  }

  /** True if a group of so many bytes may be committed on the loop. */
  isQuick(bytes: number): boolean {
    return bytes <= this.#quickBytesMax && this.#smoothedMs <= this.#quickMsMax
  }

  /** Takes in how long a commit on the loop took. One slow one counts at once, fast ones only in numbers. */
  tookNow(ms: number): void {
    this.#smoothedMs = ms > this.#smoothedMs ? (this.#smoothedMs + ms) / 2 : this.#smoothedMs * 0.98 + ms * 0.02
  }

  /** Takes in how long a commit through the pool took; a busy loop makes it look slower than the disk is. */
  took(ms: number): void {
    if (ms > this.#quickMsMax) return
    this.#fastOnes += 1
    if (this.#fastOnes < againAfter) return
    this.#fastOnes = 0
    this.#smoothedMs = Math.min(this.#smoothedMs, ms)
  }
}
