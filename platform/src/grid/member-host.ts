import { PlenumError } from '../kernel/index.ts'
import type { Partition } from '../partition/index.ts'
import type { Network, Timer, Timers } from '../runtime/index.ts'
import { errorData, stampsOf, waitOf, type Answer, type Request } from '../space/index.ts'
import { decodeMessage, encodeMessage } from './messages.ts'
import { RecentCalls } from './recent-calls.ts'

/** Signs of life of a request that waits, within the patience of its client. */
const signsInPatience = 4
const everyMsMin = 10

/** Answers the requests that reach a member over the network, from the partitions that it hosts. */
export class MemberHost {
  readonly #address: string
  readonly #network: Network
  readonly #timers: Timers
  readonly #partitions: readonly Partition[]
  readonly #recent = new RecentCalls()
  /** What ends the signs of life of the requests that wait. */
  readonly #saying = new Set<() => void>()
  readonly #stop: () => void

  constructor(address: string, network: Network, timers: Timers, partitions: readonly Partition[]) {
    this.#address = address
    this.#timers = timers
    this.#network = network
    this.#partitions = partitions
    this.#stop = network.listen(address, (from, bytes) => this.#receive(from, bytes))
  }

  /** Stops listening; requests in execution are answered no more. */
  close(): void {
    this.#stop()
    for (const stop of this.#saying) stop()
  }

  #receive(from: string, bytes: Uint8Array): void {
    const message = decodeMessage(bytes)
    if (message.kind !== 'request') return
    const { call } = message
    if (!this.#recent.isNew(from, call)) return
    const stop =
      waitOf(message.request.command) === undefined
        ? undefined
        : this.#sayWaiting(from, call, message.partition, message.patienceMs)
    this.#submit(message.partition, message.request).then(
      (value) => (stop?.(), this.#answer(from, call, { ok: true, value })),
      (error: unknown) => (stop?.(), this.#answer(from, call, { ok: false, error: errorData(error) })),
    )
  }

  /** Says from time to time that a request waits; ends with the function that it returns. */
  #sayWaiting(to: string, call: number, partition: number, patienceMs: number): () => void {
    const everyMs = Math.max(everyMsMin, patienceMs / signsInPatience)
    let timer: Timer
    const say = (): void => {
      // A primary that cannot answer says nothing, so that its client asks elsewhere.
      if (this.#partitions[partition]?.serves === true)
        this.#network.send(this.#address, to, encodeMessage({ kind: 'waiting', call }))
      timer = this.#timers.after(everyMs, say)
    }
    const stop = (): void => {
      timer.stop()
      this.#saying.delete(stop)
    }
    timer = this.#timers.after(everyMs, say)
    this.#saying.add(stop)
    return stop
  }

  #submit(number: number, request: Request): Promise<unknown> {
    const partition = this.#partitions[number]
    if (partition !== undefined) return partition.submit(request)
    return Promise.reject(new PlenumError('NOT_PRIMARY', `This member does not host partition ${number}.`))
  }

  #answer(to: string, call: number, answer: Answer): void {
    const stamps = answer.ok ? stampsOf(answer.value) : undefined
    this.#network.send(this.#address, to, encodeMessage({ kind: 'answer', call, answer, stamps }))
  }
}
