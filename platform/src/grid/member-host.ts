import { PlenumError } from '../kernel/index.ts'
import type { Partition } from '../partition/index.ts'
import type { Network } from '../runtime/index.ts'
import { errorData, type Answer, type Request } from '../space/index.ts'
import { decodeMessage, encodeMessage } from './messages.ts'
import { RecentCalls } from './recent-calls.ts'

/** Answers the requests that reach a member over the network, from the partitions that it hosts. */
export class MemberHost {
  readonly #address: string
  readonly #network: Network
  readonly #partitions: readonly Partition[]
  readonly #recent = new RecentCalls()
  readonly #stop: () => void

  constructor(address: string, network: Network, partitions: readonly Partition[]) {
    this.#address = address
    this.#network = network
    this.#partitions = partitions
    this.#stop = network.listen(address, (from, bytes) => this.#receive(from, bytes))
  }

  /** Stops listening; requests in execution are answered no more. */
  close(): void {
    this.#stop()
  }

  #receive(from: string, bytes: Uint8Array): void {
    const message = decodeMessage(bytes)
    if (message.kind !== 'request') return
    const { call } = message
    if (!this.#recent.isNew(from, call)) return
    this.#submit(message.partition, message.request).then(
      (value) => this.#answer(from, call, { ok: true, value: value ?? null }),
      (error: unknown) => this.#answer(from, call, { ok: false, error: errorData(error) }),
    )
  }

  #submit(number: number, request: Request): Promise<unknown> {
    const partition = this.#partitions[number]
    if (partition !== undefined) return partition.submit(request)
    return Promise.reject(new PlenumError('NOT_PRIMARY', `This member does not host partition ${number}.`))
  }

  #answer(to: string, call: number, answer: Answer): void {
    this.#network.send(this.#address, to, encodeMessage({ kind: 'answer', call, answer }))
  }
}
