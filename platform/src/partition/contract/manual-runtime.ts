import { hash } from 'node:crypto'
import type { Random, Runtime, Timer } from '../../runtime/index.ts'

interface Waiting {
  readonly at: number
  readonly run: () => void
}

/** Lets everything run that waits for nothing but its turn. */
export async function turns(count = 6): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise<void>((resolve) => setImmediate(resolve))
}

/** A runtime whose time moves only when a test says so, fractions of a lease at a time. */
export class ManualRuntime implements Runtime {
  #monotonic = 1_000
  #wallAhead = 1_700_000_000_000
  #waiting: Waiting[] = []
  #drawn = 0
  readonly probes: string[] = []

  readonly clock = {
    monotonic: (): number => this.#monotonic,
    wall: (): number => this.#monotonic + this.#wallAhead,
  }

  readonly timers = {
    after: (delayMs: number, run: () => void): Timer => {
      const waiting = { at: this.#monotonic + delayMs, run }
      this.#waiting.push(waiting)
      return { stop: () => void (this.#waiting = this.#waiting.filter((one) => one !== waiting)) }
    },
    soon: (run: () => void): void => void setImmediate(run),
  }

  readonly random: Random = {
    next: () => 0,
    integer: () => 0,
    bytes: (length) => new Uint8Array(length).fill(++this.#drawn),
  }

  readonly probe = (name: string): void => void this.probes.push(name)

  digest(parts: readonly Uint8Array[]): Uint8Array {
    return hash('sha256', Buffer.concat(parts), 'buffer').subarray(0, 16)
  }

  /** Moves both clocks, runs the timers that are due in their order, and lets everything settle. */
  async advance(ms: number): Promise<void> {
    const until = this.#monotonic + ms
    for (;;) {
      await turns()
      const due = this.#waiting.filter(({ at }) => at <= until).toSorted((a, b) => a.at - b.at)[0]
      if (due === undefined) break
      this.#waiting = this.#waiting.filter((one) => one !== due)
      this.#monotonic = Math.max(this.#monotonic, due.at)
      due.run()
    }
    this.#monotonic = until
    await turns()
  }

  /** Timers that are set. */
  get pending(): number {
    return this.#waiting.length
  }

  /** Moves both clocks and runs no timer: a loop that is stalled. */
  stall(ms: number): void {
    this.#monotonic += ms
  }

  /** Moves the wall clock alone. */
  setWall(ms: number): void {
    this.#wallAhead += ms
  }
}
