import type { PlenumError } from '../kernel/index.ts'
import type { MeteredOperation, OperationMeter } from './operation-meter.ts'

/** An answer that waits for the index it depends on. */
interface HeldReply {
  /** True if the answer is the error. */
  readonly failed: boolean
  readonly value: unknown
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
  readonly operation: MeteredOperation | undefined
}

/**
 * Answers held back until the highest index that they depend on is acked (PA3, A3). They are released in order of
 * index, and within one index in the order in which they were given.
 */
export class HeldReplies {
  #byIndex = new Map<number, HeldReply[]>()
  // The list that grew last: most answers of a batch depend on its index.
  #lastIndex = 0
  #lastList: HeldReply[] = []
  #count = 0
  #lowest = Infinity
  readonly #meter: OperationMeter | undefined
  #resolve: (value: unknown) => void = unset
  #reject: (error: unknown) => void = unset
  /** One executor for all promises, which saves a closure for each. */
  readonly #capture = (resolve: (value: unknown) => void, reject: (error: unknown) => void): void => {
    this.#resolve = resolve
    this.#reject = reject
  }

  constructor(meter?: OperationMeter) {
    this.#meter = meter
  }

  get count(): number {
    return this.#count
  }

  /** Settles with the value, or the error where it `failed`, once `index` is acked. */
  hold(index: number, value: unknown, failed: boolean, operation?: MeteredOperation): Promise<unknown> {
    const promise = new Promise(this.#capture)
    this.#listOf(index).push({ failed, value, resolve: this.#resolve, reject: this.#reject, operation })
    this.#count += 1
    if (index < this.#lowest) this.#lowest = index
    return promise
  }

  #listOf(index: number): HeldReply[] {
    if (index === this.#lastIndex) return this.#lastList
    let list = this.#byIndex.get(index)
    if (list === undefined) this.#byIndex.set(index, (list = []))
    this.#lastIndex = index
    this.#lastList = list
    return list
  }

  /** Settles everything that depends on nothing beyond `acked`: it is `now`, and the newest record was sent at `sentAt`. */
  release(acked: number, now: number, sentAt: number): void {
    for (; this.#lowest <= acked && this.#count > 0; this.#lowest++) {
      const list = this.#byIndex.get(this.#lowest)
      if (list === undefined) continue
      this.#forget(this.#lowest)
      this.#count -= list.length
      for (let at = 0; at < list.length; at++) {
        const reply = list[at]!
        if (reply.operation !== undefined)
          this.#meter?.released(reply.operation, reply.failed, reply.value, now, sentAt)
        if (reply.failed) reply.reject(reply.value)
        else reply.resolve(reply.value)
      }
    }
    if (this.#count === 0) this.#lowest = Infinity
  }

  #forget(index: number): void {
    this.#byIndex.delete(index)
    if (index === this.#lastIndex) this.#lastIndex = 0
  }

  /** Tells everybody that nobody knows: the reign has ended. */
  abandon(error: PlenumError): void {
    const all = [...this.#byIndex.values()].flat()
    this.#byIndex.clear()
    this.#lastIndex = 0
    this.#count = 0
    this.#lowest = Infinity
    for (const reply of all) {
      if (reply.operation !== undefined) this.#meter?.abandoned(reply.operation, error)
      reply.reject(error)
    }
  }
}

function unset(): void {}
