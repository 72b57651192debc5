/** An output as a partition keeps it: its number within the journal, and what it says. */
export interface KeptOutput {
  readonly index: number
  readonly offset: number
  readonly topic: string
  readonly event: unknown
}

/** The number of an output, or a place before the first of a record (offset -1). */
export interface OutputNumber {
  readonly index: number
  readonly offset: number
}

/** The last outputs of one projection, numbered by record and by place within it (UN6). */
export class OutputRing {
  readonly #max: number
  readonly #kept: KeptOutput[] = []
  /** Outputs after this number are here. */
  #from: OutputNumber = { index: 0, offset: -1 }
  #last: OutputNumber = { index: 0, offset: -1 }

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
    let low = 0
    let high = this.#kept.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (isBefore(place, this.#kept[middle]!)) high = middle
      else low = middle + 1
    }
    return this.#kept.slice(low, low + max)
  }
}

/** Whether one number comes before another. */
export function isBefore(a: OutputNumber, b: OutputNumber): boolean {
  return a.index < b.index || (a.index === b.index && a.offset < b.offset)
}
