// What projections send (UN6): a send is folded on every member, and becomes a message of the partition once.
//
// Owns the rows that say how far the sends of each projection have become messages. Does not own which there are
// (`projections.ts`), nor how a message is delivered (`deliveries.ts`).
//
// I1 That a send is a message, and that it has become one, stand in one record; its number is what tells it from others.
import type { Timer, Timers } from '../runtime/index.ts'
import { ownLayouts, type Machine, type MessageCommand, type Request, type Table } from '../space/index.ts'
import type { Messages } from './messages.ts'
import { isBefore, type OutputNumber } from './output-ring.ts'
import type { Projections } from './projections.ts'

/** Sends that one command makes messages of. */
const stepMax = 500
/** Milliseconds until what could not be sent is tried again. */
const againMs = 100

export interface ProjectedMessagesOptions {
  readonly machine: Machine
  readonly projections: Projections
  readonly timers: Timers
  readonly submit: (request: Request) => Promise<unknown>
}

export class ProjectedMessages {
  readonly #options: ProjectedMessagesOptions
  readonly #messages: Messages
  readonly #table: Table
  /** How far each projection's sends were handed on in this reign. */
  readonly #handedOn = new Map<string, OutputNumber>()
  readonly #busy = new Set<string>()
  #timer: Timer | undefined
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
    const before = (row?.value ?? { index: 0, offset: -1 }) as unknown as OutputNumber
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
    this.#timer?.stop()
  }

  async #handOn(projection: string, pending: readonly (OutputNumber & { readonly message: unknown })[]): Promise<void> {
    if (this.#busy.has(projection)) return
    const before = this.#handedOn.get(projection)
    const sends = pending.filter((one) => before === undefined || isBefore(before, one)).slice(0, stepMax)
    const last = sends.at(-1)
    if (last === undefined || this.#stopped) return
    this.#busy.add(projection)
    try {
      await this.#options.submit({ command: { kind: 'project', projection, sends } as MessageCommand })
      this.#handedOn.set(projection, { index: last.index, offset: last.offset })
    } catch {
      // No room for messages, or in the journal: what is pending stays so.
      this.#timer?.stop()
      this.#timer = this.#options.timers.after(againMs, () => this.onFolded())
      return
    } finally {
      this.#busy.delete(projection)
    }
    this.onFolded()
  }
}
