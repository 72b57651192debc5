import { PlenumError } from '../kernel/index.ts'
import type { Request } from '../space/index.ts'

type Send = (partition: number, request: Request) => Promise<unknown>

interface Held {
  readonly partition: number
  readonly request: Request
  readonly settle: (answer: Promise<unknown>) => void
}

/** Requests that wait, in their order, until the thread of their partition serves again. */
export class HeldRequests {
  readonly #max: number
  #held: Held[] = []

  constructor(max: number) {
    this.#max = max
  }

  /** The answer to a request that waits; OVERLOADED if too many do. */
  add(partition: number, request: Request): Promise<unknown> {
    if (this.#held.length >= this.#max)
      return Promise.reject(
        new PlenumError(
          'OVERLOADED',
          `${this.#max} requests wait for a thread to start, which is the limit inboxRequestsMax. Nothing happened; try again later.`,
          { details: { limit: 'inboxRequestsMax', value: this.#max } },
        ),
      )
    return new Promise((settle) => this.#held.push({ partition, request, settle }))
  }

  /** Sends all that wait. */
  release(send: Send): void {
    const held = this.#held
    this.#held = []
    for (const { partition, request, settle } of held) settle(send(partition, request))
  }
}
