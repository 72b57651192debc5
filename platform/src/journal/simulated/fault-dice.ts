import type { Random } from '../../runtime/index.ts'
import { calmStream, type Span, type StreamFault, type StreamFaults } from './faults.ts'

/** Draws faults and spans of time, and counts the faults that happened. */
export class FaultDice {
  readonly #random: Random
  readonly #counts: Record<StreamFault, number> = { ...calmStream }
  #faults: StreamFaults

  constructor(random: Random, faults: StreamFaults) {
    this.#random = random
    this.#faults = faults
  }

  /** How often each fault has happened. */
  get counts(): Readonly<Record<StreamFault, number>> {
    return this.#counts
  }

  /** Goes on with other probabilities. */
  setFaults(faults: StreamFaults): void {
    this.#faults = faults
  }

  /** Whether a fault happens now; counted if so. One that is switched off draws nothing. */
  happens(fault: StreamFault): boolean {
    const probability = this.#faults[fault]
    if (probability <= 0 || this.#random.next() >= probability) return false
    this.count(fault)
    return true
  }

  /** Counts a fault that somebody made happen by hand. */
  count(fault: StreamFault): void {
    this.#counts[fault] += 1
  }

  /** Milliseconds between the least and the most. */
  span([least, most]: Span): number {
    return least + this.#random.next() * (most - least)
  }

  /** An integer from 0 to `most`, both included. */
  upTo(most: number): number {
    return this.#random.integer(most + 1)
  }

  coin(): boolean {
    return this.#random.next() < 0.5
  }
}
