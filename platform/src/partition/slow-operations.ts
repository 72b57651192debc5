import type { Counter } from '../metrics/index.ts'
import type { PartitionEvent, SlowOperation } from './events.ts'

/** Milliseconds within which one slow operation of a partition is told. */
const tellEveryMs = 1_000

export interface SlowOperationsOptions {
  readonly slowOperationMs: number
  /** Milliseconds of a clock that never goes back. */
  readonly now: () => number
  readonly counter: Counter
  readonly onEvent: (event: PartitionEvent) => void
}

/** Tells of what took too long: of one a second, and how many there were beside it, so that a slow disk floods nobody. */
export class SlowOperations {
  /** Milliseconds from which on an operation is slow. */
  readonly limitMs: number
  readonly #options: SlowOperationsOptions
  #toldAt = -Infinity
  #untold = 0

  constructor(options: SlowOperationsOptions) {
    this.limitMs = options.slowOperationMs
    this.#options = options
  }

  add(operation: Omit<SlowOperation, 'kind' | 'more'>): void {
    const { counter, now, onEvent } = this.#options
    counter.value += 1
    const at = now()
    if (at - this.#toldAt < tellEveryMs) {
      this.#untold += 1
      return
    }
    onEvent({ kind: 'slow-operation', ...operation, more: this.#untold })
    this.#toldAt = at
    this.#untold = 0
  }
}
