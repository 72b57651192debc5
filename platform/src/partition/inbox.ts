// Requests that cannot run yet: they wait, in their order, until records flow again or there is room.
import type { Request } from '../space/index.ts'
import type { OperationMeter } from './operation-meter.ts'
import { overloaded } from './primary-errors.ts'

type Settle = (value: unknown) => void
interface Waiting {
  readonly request: Request
  readonly resolve: Settle
  readonly reject: Settle
}

export class Inbox {
  readonly #max: number
  readonly #meter: Pick<OperationMeter, 'waits'> | undefined
  #waiting: Waiting[] = []

  constructor(max: number, meter?: Pick<OperationMeter, 'waits'>) {
    this.#max = max
    this.#meter = meter
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0
  }

  /** The answer to a request that waits; OVERLOADED if too many do. */
  add(request: Request): Promise<unknown> {
    if (this.#waiting.length >= this.#max) return Promise.reject(overloaded('inboxRequestsMax', this.#max))
    this.#meter?.waits(request)
    return new Promise((resolve, reject) => this.#waiting.push({ request, resolve, reject }))
  }

  get size(): number {
    return this.#waiting.length
  }

  /** Answers a request that waits, and runs it no more; false if it does not wait here. */
  withdraw(request: Request, answer: Promise<unknown>): boolean {
    const at = this.#waiting.findIndex((one) => one.request === request)
    const [found] = at === -1 ? [] : this.#waiting.splice(at, 1)
    found?.resolve(answer)
    return found !== undefined
  }

  /** Submits all that wait; one that must wait again stands behind them. */
  drain(submit: (request: Request) => Promise<unknown>): void {
    for (const { request, resolve, reject } of this.#take()) submit(request).then(resolve, reject)
  }

  /** Whoever waits hears that nobody will run it. */
  abandon(error: unknown): void {
    for (const { reject } of this.#take()) reject(error)
  }

  #take(): Waiting[] {
    const waiting = this.#waiting
    this.#waiting = []
    return waiting
  }
}
