// What projections send (UN6): a send is folded on every member, and becomes a message of the partition once.
//
// Owns the rows that say how far the sends of each projection have become messages. Does not own which there are
// (`projections.ts`), nor how a message is delivered (`deliveries.ts`).
//
// I1 That a send is a message, and that it has become one, stand in one record; its number is what tells it from others.
import { isPlenumError, type Limits } from '../kernel/index.ts'
import type { Timers } from '../runtime/index.ts'
import {
  ownLayouts,
  type Machine,
  type MessageCommand,
  type ProjectedSend,
  type Request,
  type Table,
} from '../space/index.ts'
import type { Backlog } from './backlog.ts'
import type { PartitionEvent } from './events.ts'
import type { Messages } from './messages.ts'
import { isBefore, noNumber, type OutputNumber } from './output-number.ts'
import type { Projections } from './projections.ts'
import { Retry } from './retry.ts'

/** Sends that one command makes messages of. */
const stepMax = 500
/** Changes that one send makes of a command's: its message, and the number of that. */
const effectsOfSend = 2

const delays = { firstMs: 100, mostMs: 1_000 }

export interface ProjectedMessagesOptions {
  readonly machine: Machine
  readonly projections: Projections
  readonly limits: Limits
  readonly timers: Timers
  readonly submit: (request: Request) => Promise<unknown>
  readonly onEvent: (event: PartitionEvent) => void
}

interface Progress {
  isBusy: boolean
  /** How far the sends were handed on in this reign. */
  handedOn: OutputNumber
  readonly retry: Retry
}

export class ProjectedMessages {
  readonly #options: ProjectedMessagesOptions
  readonly #messages: Messages
  readonly #table: Table
  readonly #all = new Map<string, Progress>()
  #stopped = false

  constructor(options: ProjectedMessagesOptions, messages: Messages) {
    this.#options = options
    this.#messages = messages
    this.#table = options.machine.table(ownLayouts.projected.name)
  }

  /** More is folded: what was sent becomes messages. */
  onFolded(): void {
    for (const [name, pending] of this.#options.projections.pending()) void this.#handOn(name, pending)
  }

  /** Makes messages of sends that have not become any, within the command at hand. */
  send({ projection, sends }: Extract<MessageCommand, { kind: 'project' }>): void {
    const row = this.#table.find({ projection })
    const before = (row?.value ?? noNumber) as unknown as OutputNumber
    const left = sends.filter((one) => isBefore(before, one))
    const last = left.at(-1)
    if (last === undefined) return
    this.#messages.post(
      left.map(({ message }) => message),
      true,
    )
    this.#options.machine.put(this.#table, row, { projection, index: last.index, offset: last.offset })
  }

  stop(): void {
    this.#stopped = true
    for (const { retry } of this.#all.values()) retry.stop()
  }

  async #handOn(projection: string, pending: Backlog<ProjectedSend>): Promise<void> {
    const progress = this.#progressOf(projection)
    const { retry, handedOn } = progress
    if (this.#stopped || progress.isBusy || retry.isWaiting || pending.after(handedOn, 1).length === 0) return
    progress.isBusy = true
    try {
      const sends = this.#step(pending, handedOn)
      await this.#options.submit({ command: { kind: 'project', projection, sends } })
      progress.handedOn = sends.at(-1)!
      retry.succeeded()
    } catch (error) {
      this.#failed(projection, retry, error)
    } finally {
      progress.isBusy = false
    }
    this.onFolded()
  }

  /** As many sends as there is room for, in a command and among the messages; LIMIT_EXCEEDED if that is none. */
  #step(pending: Backlog<ProjectedSend>, handedOn: OutputNumber): readonly ProjectedSend[] {
    const { limits } = this.#options
    const effects = Math.floor((limits.commandEffectsMax - 1) / effectsOfSend)
    const sends = pending.after(handedOn, Math.min(stepMax, Math.max(1, effects), this.#messages.roomFurther()))
    let bytes = 0
    const from = sends.findIndex((one) => (bytes += one.bytes) > limits.batchBytes)
    return from === -1 ? sends : sends.slice(0, Math.max(1, from))
  }

  #failed(projection: string, retry: Retry, error: unknown): void {
    if (this.#stopped) return
    retry.failed(error, () => this.onFolded())
    // The end of a reign has its own events.
    if (isPlenumError(error, 'NOT_PRIMARY')) return
    this.#options.onEvent({ kind: 'sends-waiting', projection, attempts: retry.failures, error })
  }

  #progressOf(projection: string): Progress {
    const found = this.#all.get(projection)
    if (found !== undefined) return found
    const progress = { isBusy: false, handedOn: noNumber, retry: new Retry(this.#options.timers, delays) }
    this.#all.set(projection, progress)
    return progress
  }
}
