import type { Random } from 'plenum/testing'
import { liesIn, type LineStore, type StoredLine } from './unit.ts'

/** The store behind the source: a table that can be read by slots, and that fails now and then. */
export class LineTable implements LineStore {
  readonly lines: readonly StoredLine[]
  readonly #random: Random
  readonly #batch: number
  readonly #failureRate: number
  /** Queries so far, and how many of them failed. */
  queries = 0
  failures = 0

  /** `random` decides how many lines there are, how large a batch is and which queries fail, half of them at most. */
  constructor(random: Random) {
    this.#random = random
    this.lines = Array.from({ length: 10 + random.integer(60) }, (_, id) => ({ id, text: `line ${id}` }))
    this.#batch = 1 + random.integer(20)
    this.#failureRate = random.next() * 0.5
  }

  async *read(slots: Parameters<LineStore['read']>[0]): AsyncGenerator<readonly StoredLine[]> {
    this.queries += 1
    const found = this.lines.filter(({ id }) => liesIn(slots, id))
    const failsAt = this.#random.next() < this.#failureRate ? this.#random.integer(found.length + 1) : Infinity
    for (let at = 0; at < found.length; at += this.#batch) {
      if (at + this.#batch > failsAt) break
      yield found.slice(at, at + this.#batch)
    }
    if (failsAt === Infinity) return
    this.failures += 1
    throw new Error('the store is gone')
  }
}
