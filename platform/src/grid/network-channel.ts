import { PlenumError } from '../kernel/index.ts'
import type { PartitionChannel } from '../router/index.ts'
import type { Network, Runtime, Timer } from '../runtime/index.ts'
import { errorFrom, isRead, withStamps, type Answer, type Request, type Stamps } from '../space/index.ts'
import { decodeMessage, encodeMessage } from './messages.ts'

/** Milliseconds without an answer after which another member is asked, unless told otherwise. */
const usualSilenceMs = 1_000

interface OpenCall {
  readonly settle: (answer: Answer, stamps?: Stamps) => void
  /** Ends the call when nothing is heard for too long. */
  timer: Timer
  readonly onSilence: () => void
}

/**
 * One client's end of the network: the channels of all partitions, over one address. Each channel remembers which
 * member answered last as the primary, and goes round the members where one does not.
 */
export class NetworkClient {
  readonly channels: readonly PartitionChannel[]
  readonly #address: string
  readonly #network: Network
  readonly #runtime: Runtime
  readonly #members: readonly string[]
  readonly #believed: number[]
  readonly #open = new Map<number, OpenCall>()
  readonly #silenceMs: number
  readonly #stop: () => void
  #calls: number

  constructor(
    address: string,
    network: Network,
    runtime: Runtime,
    members: readonly string[],
    partitions: number,
    silenceMs = usualSilenceMs,
  ) {
    this.#silenceMs = silenceMs
    this.#address = address
    this.#network = network
    this.#runtime = runtime
    // A client that starts anew at the same address makes other calls than before.
    this.#calls = runtime.random.integer(2 ** 40)
    this.#members = members
    this.#believed = Array.from({ length: partitions }, () => 0)
    this.channels = this.#believed.map((_, partition) => ({
      partition,
      sharesFate: false,
      send: (request: Request) => this.#send(partition, request),
    }))
    this.#stop = network.listen(address, (_, bytes) => this.#receive(bytes))
  }

  /** Stops listening; open calls end as unknown. */
  close(): void {
    this.#stop()
    for (const [call, { settle, timer }] of this.#open) {
      timer.stop()
      this.#open.delete(call)
      settle({ ok: false, error: silence('the client was closed') })
    }
  }

  #send(partition: number, request: Request): Promise<unknown> {
    const call = ++this.#calls
    const member = this.#believed[partition]!
    return new Promise((resolve, reject) => {
      const settle = (answer: Answer, stamps?: Stamps): void => {
        if (answer.ok) return resolve(withStamps(answer.value, stamps))
        // A read that was not answered has done nothing: it may be asked again without a word.
        if (answer.error.retry !== 'never') this.#askNext(partition, member)
        const error = errorFrom(answer.error)
        reject(error.code === 'UNKNOWN_OUTCOME' && isRead(request.command) ? asRetry(error) : error)
      }
      const silenceMs = this.#silenceMs
      const onSilence = (): void => {
        this.#open.delete(call)
        settle({ ok: false, error: silence(`member ${this.#members[member]} did not answer within ${silenceMs} ms`) })
      }
      this.#open.set(call, { settle, timer: this.#runtime.timers.after(silenceMs, onSilence), onSilence })
      const bytes = encodeMessage({ kind: 'request', call, partition, request, patienceMs: silenceMs })
      this.#network.send(this.#address, this.#members[member]!, bytes)
    })
  }

  #askNext(partition: number, asked: number): void {
    if (this.#believed[partition] === asked) this.#believed[partition] = (asked + 1) % this.#members.length
  }

  #receive(bytes: Uint8Array): void {
    const message = decodeMessage(bytes)
    if (message.kind === 'request') return
    const open = this.#open.get(message.call)
    if (open === undefined) return
    if (message.kind === 'waiting') {
      open.timer.stop()
      open.timer = this.#runtime.timers.after(this.#silenceMs, open.onSilence)
      return
    }
    this.#open.delete(message.call)
    open.timer.stop()
    open.settle(message.answer, message.stamps)
  }
}

function silence(why: string): {
  code: 'UNKNOWN_OUTCOME'
  message: string
  retry: 'same'
  details: { silence: string }
} {
  return {
    code: 'UNKNOWN_OUTCOME',
    message: `Nobody knows whether it happened: ${why}.`,
    retry: 'same',
    details: { silence: why },
  }
}

function asRetry(error: PlenumError): PlenumError {
  return new PlenumError('NOT_PRIMARY', error.message, { cause: error, retry: 'elsewhere' })
}
