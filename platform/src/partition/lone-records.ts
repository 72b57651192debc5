import type { ByteWriter } from '../codec/index.ts'
import type { RecordKind } from '../journal/index.ts'
import type { Timers } from '../runtime/index.ts'
import type { HeldReplies } from './held-replies.ts'
import type { Pipeline } from './pipeline.ts'
import { notPrimary } from './primary-errors.ts'
import { emptyBody } from './record-body.ts'

/** What records without effects need of their primary. */
export interface LoneRecordsOptions {
  readonly pipeline: Pipeline
  readonly held: HeldReplies
  readonly timers: Timers
  /** Partition time. */
  readonly time: () => number
  readonly acked: () => number
  readonly isEnded: () => boolean
  /** Seals the open batch if it holds anything. */
  readonly flush: () => void
}

/** Records of a reign that hold no effects, each appended alone and waited for. */
export class LoneRecords {
  readonly #options: LoneRecordsOptions

  constructor(options: LoneRecordsOptions) {
    this.#options = options
  }

  /**
   * Appends a record and waits for its ack. The open batch goes first: its commands, and the answers that wait for them,
   * have the next index already.
   */
  async append(kind: RecordKind, body: ByteWriter = emptyBody()): Promise<void> {
    const { pipeline, flush, time } = this.#options
    const index = await this.whenFlowing(() => {
      flush()
      return pipeline.seal(kind, body, time())
    })
    await this.ackOf(index)
  }

  /** Resolves when `index` is acked; rejects if the reign ends before. */
  ackOf(index: number): Promise<void> {
    const { acked, isEnded, held } = this.#options
    if (index <= acked()) return Promise.resolve()
    if (isEnded()) return Promise.reject(notPrimary())
    return held.hold(index, undefined, false) as Promise<undefined>
  }

  /** Runs something once there is room for another record. */
  async whenFlowing<T>(run: () => T): Promise<T> {
    const { pipeline, isEnded, timers } = this.#options
    while (!pipeline.hasRoom) {
      if (isEnded()) throw notPrimary()
      await new Promise<void>((resolve) => void timers.after(1, resolve))
    }
    if (isEnded()) throw notPrimary()
    return run()
  }
}
