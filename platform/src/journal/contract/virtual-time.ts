import type { Clock, Random, Timer, Timers } from '../../runtime/index.ts'

interface Due {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

/** Time that stands still until a test lets it pass: timers fire in order, and what they set off is done before the next. */
export class VirtualTime implements Timers, Clock {
  #now = 0
  #order = 0
  #due: Due[] = []

  monotonic(): number {
    return this.#now
  }

  wall(): number {
    return this.#now
  }

  after(delayMs: number, run: () => void): Timer {
    const due = { at: this.#now + Math.max(0, delayMs), order: ++this.#order, run }
    let low = 0
    let high = this.#due.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#due[middle]!.at <= due.at) low = middle + 1
      else high = middle
    }
    this.#due.splice(low, 0, due)
    return { stop: () => void (this.#due = this.#due.filter((other) => other !== due)) }
  }

  soon(run: () => void): void {
    this.after(0, run)
  }

  /** Lets time pass until the promise has settled. Throws if nothing is due any more that could settle it. */
  async run<T>(promise: Promise<T>): Promise<T> {
    let settled = false
    const settle = (): void => void (settled = true)
    promise.then(settle, settle)
    for (;;) {
      await turn()
      if (settled) return promise
      if (!this.#fire()) throw new Error('nothing is due any more, and the promise has not settled')
    }
  }

  /** Lets this many milliseconds pass. */
  async pass(ms: number): Promise<void> {
    const until = this.#now + ms
    for (;;) {
      await turn()
      if ((this.#due[0]?.at ?? Number.POSITIVE_INFINITY) > until) break
      this.#fire()
    }
    this.#now = until
  }

  #fire(): boolean {
    const due = this.#due.shift()
    if (due === undefined) return false
    this.#now = due.at
    due.run()
    return true
  }
}

/** Randomness from a seed, by sfc32 (Chris Doty-Humphrey's PractRand). */
export class SeededRandom implements Random {
  #a = 0x9e3779b9
  #b = 0x243f6a88
  #c = 0xb7e15162
  #counter = 1

  constructor(seed: number) {
    this.#a ^= seed
    for (let i = 0; i < 16; i++) this.#word()
  }

  next(): number {
    return this.#word() / 2 ** 32
  }

  integer(below: number): number {
    return Math.floor(this.next() * below)
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.#word() & 255)
  }

  #word(): number {
    const word = (this.#a + this.#b + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + word) | 0
    return word >>> 0
  }
}

/** Everything that waits in promises is done, and nothing that waits for time. */
function turn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve))
}
