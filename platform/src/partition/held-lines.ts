import type { Counter } from '../metrics/index.ts'

/** Tells a line of a log, once it is known in which record its call stands. */
export type TellLine = (epoch: number, index: number) => void

interface Held {
  readonly index: number
  readonly tell: TellLine
}

export interface HeldLinesOptions {
  readonly epoch: () => number
  readonly acked: () => number
  readonly linesMax: number
  /** Counts what had no room. */
  readonly dropped: Counter | undefined
}

/**
 * Lines that handlers have logged, until the records of their calls are acked (DG5): what may never have been is not told.
 * Volatile, and of one reign: when it ends, nobody knows whether those calls have been. What is recovered from a journal, or
 * followed by a backup, is no call, and logs nothing.
 */
export class HeldLines {
  readonly #options: HeldLinesOptions
  /** In the order of their records. */
  #held: Held[] = []

  constructor(options: HeldLinesOptions) {
    this.#options = options
  }

  /** Tells lines once `index` is acked. */
  add(index: number, lines: readonly TellLine[]): void {
    const { acked, linesMax, dropped } = this.#options
    for (const tell of lines) {
      if (index <= acked()) this.#tell(tell, index)
      else if (this.#held.length < linesMax) this.#held.push({ index, tell })
      else if (dropped !== undefined) dropped.value += 1
    }
  }

  onAcked(index: number): void {
    if (this.#held.length === 0 || this.#held[0]!.index > index) return
    const rest = this.#held.findIndex((line) => line.index > index)
    for (const line of this.#held.splice(0, rest === -1 ? this.#held.length : rest)) this.#tell(line.tell, line.index)
  }

  #tell(tell: TellLine, index: number): void {
    tell(this.#options.epoch(), index)
  }
}
