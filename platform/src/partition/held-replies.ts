import type { PlenumError } from '../kernel/index.ts'

/** An answer that waits for the index it depends on. */
export interface HeldReply {
  readonly index: number
  /** True if the answer is the error. */
  readonly failed: boolean
  readonly value: unknown
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

/**
 * Answers held back until the highest index that they depend on is acked (PA3, A3). They are released in order of
 * index, and within one index in the order in which they were given.
 */
export class HeldReplies {
  #byIndex = new Map<number, HeldReply[]>()
  #count = 0
  #lowest = Infinity

  get count(): number {
    return this.#count
  }

  hold(reply: HeldReply): void {
    const list = this.#byIndex.get(reply.index)
    if (list === undefined) this.#byIndex.set(reply.index, [reply])
    else list.push(reply)
    this.#count += 1
    if (reply.index < this.#lowest) this.#lowest = reply.index
  }

  /** Settles everything that depends on nothing beyond `acked`. */
  release(acked: number): void {
    for (; this.#lowest <= acked && this.#count > 0; this.#lowest++) {
      const list = this.#byIndex.get(this.#lowest)
      if (list === undefined) continue
      this.#byIndex.delete(this.#lowest)
      this.#count -= list.length
      for (const reply of list) {
        if (reply.failed) reply.reject(reply.value)
        else reply.resolve(reply.value)
      }
    }
    if (this.#count === 0) this.#lowest = Infinity
  }

  /** Tells everybody that nobody knows: the reign has ended. */
  abandon(error: PlenumError): void {
    const all = [...this.#byIndex.values()].flat()
    this.#byIndex.clear()
    this.#count = 0
    this.#lowest = Infinity
    for (const reply of all) reply.reject(error)
  }
}
