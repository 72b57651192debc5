import { PlenumError } from '../../kernel/index.ts'
import type { PartitionChannel } from '../../router/index.ts'
import { errorData, type Answer, type Request } from '../../space/index.ts'

/** One try of a request at one partition, and what came back. */
export interface WitnessedReply {
  readonly partition: number
  readonly request: Request
  /** Undefined while nothing came back. */
  readonly answer: Answer | undefined
  /** When it was sent and when its answer came, as places in one order of all such events; Infinity if never. */
  readonly sent: number
  readonly settled: number
  /** The answer comes from a state at this index or a later one; 0 where that is not known. */
  readonly from: number
  /** The answer comes from a state at this index or an earlier one: the highest that was accepted when it came. */
  readonly to: number
}

/** Asks for an index of a partition's journal as it is now. */
export type IndexNow = (partition: number) => number

/** Records every try that goes through the channels that it watches. */
export class ReplyRecorder {
  readonly #acceptedNow: IndexNow
  readonly #replies: WitnessedReply[] = []
  #events = 0

  /** `acceptedNow`: the highest index that is accepted in the journal's authority; Infinity where nobody can tell. */
  constructor(acceptedNow: IndexNow = () => Infinity) {
    this.#acceptedNow = acceptedNow
  }

  /** Every try so far, in the order in which they were sent. */
  get replies(): readonly WitnessedReply[] {
    return this.#replies
  }

  /** The same channel, its requests and answers recorded. */
  watch(channel: PartitionChannel): PartitionChannel {
    const { partition, sharesFate } = channel
    return { partition, sharesFate, send: (request) => this.#send(channel, request) }
  }

  async #send(channel: PartitionChannel, request: Request): Promise<unknown> {
    const { partition } = channel
    const at = this.#replies.length
    const sent = this.#events++
    this.#replies.push({ partition, request, answer: undefined, sent, settled: Infinity, from: 0, to: Infinity })
    const settle = (answer: Answer): void => {
      const to = this.#acceptedNow(partition)
      this.#replies[at] = { partition, request, answer, sent, settled: this.#events++, from: 0, to }
    }
    try {
      const value = await channel.send(request)
      settle({ ok: true, value })
      return value
    } catch (error) {
      settle({ ok: false, error: errorData(error) })
      throw error instanceof PlenumError ? error : new PlenumError('INVARIANT_BROKEN', String(error), { cause: error })
    }
  }
}
