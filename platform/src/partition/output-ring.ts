import { isBefore, noNumber, placeAfter, type OutputNumber } from './output-number.ts'

/** An output as a partition keeps it: its number within the journal, and what it says. */
export interface KeptOutput {
  readonly index: number
  readonly offset: number
  readonly topic: string
  readonly event: unknown
}

/** The last outputs of one projection, numbered by record and by place within it (UN6). */
export class OutputRing {
  readonly #max: number
  readonly #kept: KeptOutput[] = []
  /** Outputs after this number are here. */
  #from: OutputNumber = noNumber
  #last: OutputNumber = noNumber

  constructor(max: number) {
    this.#max = max
  }

  /** The number of the newest output. */
  get last(): OutputNumber {
    return this.#last
  }

  /** Begins after an output that is not here, nor what came before it. */
  beginAfter(last: OutputNumber): void {
    this.#kept.length = 0
    this.#from = last
    this.#last = last
  }

  add(index: number, topic: string, event: unknown): void {
    const offset = index === this.#last.index ? this.#last.offset + 1 : 0
    const output = { index, offset, topic, event }
    this.#kept.push(output)
    this.#last = { index, offset }
    if (this.#kept.length < 2 * this.#max) return
    const dropped = this.#kept.splice(0, this.#kept.length - this.#max).at(-1)!
    this.#from = { index: dropped.index, offset: dropped.offset }
  }

  /** True if everything after this number is here. */
  reaches(place: OutputNumber): boolean {
    return !isBefore(place, this.#from)
  }

  /** The outputs after a number, so many at most. */
  after(place: OutputNumber, max: number): readonly KeptOutput[] {
    const from = placeAfter(this.#kept, place)
    return this.#kept.slice(from, from + max)
  }
}
