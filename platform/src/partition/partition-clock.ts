import type { Clock } from '../runtime/index.ts'

/** Largest rate at which partition time is slewed towards the reference (TI1). */
export const slewMax = 0.05

/**
 * Partition time on a primary (TI1): goes on from where it was opened, by the monotonic clock, slewed by at most 5 %
 * towards the reference. It never goes back, and it never jumps while it runs.
 */
export class PartitionClock {
  readonly #clock: Clock
  readonly #reference: () => number
  #time: number
  #at: number
  #turn: number | undefined

  /** `start` is the partition time now; `reference` the median wall time of the members. */
  constructor(clock: Clock, start: number, reference: () => number) {
    this.#clock = clock
    this.#reference = reference
    this.#time = start
    this.#at = clock.monotonic()
  }

  /** The time of all commands of one turn of the loop: reading a clock costs as much as a small command. */
  ofTurn(): number {
    if (this.#turn === undefined) {
      this.#turn = this.now()
      queueMicrotask(() => (this.#turn = undefined))
    }
    return this.#turn
  }

  /** Whole milliseconds. */
  now(): number {
    const at = this.#clock.monotonic()
    const elapsed = at - this.#at
    if (elapsed >= 1) {
      const goal = this.#reference() - (this.#time + elapsed)
      const slew = Math.max(-slewMax * elapsed, Math.min(slewMax * elapsed, goal))
      this.#time += elapsed + slew
      this.#at = at
    }
    return Math.floor(this.#time)
  }
}
