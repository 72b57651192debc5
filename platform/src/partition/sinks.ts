// What a partition writes behind to outside stores, in one reign (UN7): the changes that its sinks have kept, in order.
//
// Owns which batch is on its way, and when it is tried again. Does not own what is kept (`projections.ts`), nor how it is
// written, which is the unit's.
//
// I1 One batch of a sink is on its way; the next one begins after it. A batch is tried until it is written.
// I2 How far a sink has come is journaled once its store has the batch: whoever reigns next goes on there, and may give
//    the last batch once more, under the same numbers.
import { isPlenumError, PlenumError, type Limits } from '../kernel/index.ts'
import type { Timer, Timers } from '../runtime/index.ts'
import {
  isChange,
  ownLayouts,
  type Command,
  type KeptChange,
  type Machine,
  type ProjectionCommand,
  type Request,
  type SinkTold,
  type Table,
} from '../space/index.ts'
import type { PartitionEvent } from './events.ts'
import { Inbox } from './inbox.ts'
import { isBefore, type OutputNumber } from './output-ring.ts'
import type { Projections } from './projections.ts'

/** Changes of one partition, after what was written before. */
export interface SinkBatch {
  readonly partition: number
  readonly journal: string
  /** The number of the last change before the batch. */
  readonly after: OutputNumber
  readonly changes: readonly KeptChange[]
}

/** A sink of the unit. */
export interface SinkRule {
  /** Of the rule that keeps its changes. */
  readonly name: string
  readonly of: readonly string[]
  /** Changes of one batch, at most. */
  readonly batch: number
  /** Whether changes wait while too many are not written, or the oldest of them are dropped. */
  readonly whenFull: 'wait' | 'drop'
  readonly timeoutMs: number
  /** Resolves when the store has the batch; undefined where nobody runs the sink, which keeps what it is to write. */
  readonly write: ((batch: SinkBatch, signal: AbortSignal) => Promise<void>) | undefined
}

export interface SinksOptions {
  /** Number of the partition. */
  readonly number: number
  readonly journalId: Uint8Array
  readonly machine: Machine
  readonly projections: Projections
  readonly limits: Limits
  readonly timers: Timers
  readonly submit: (request: Request) => Promise<unknown>
  readonly onEvent: (event: PartitionEvent) => void
}

/** Milliseconds until a batch that has failed is tried again: doubled each time, up to the most. */
const retryMs = 100
const retryMsMax = 30_000

interface Progress {
  readonly rule: SinkRule
  isBusy: boolean
  /** How far the store is known to be, in this reign. */
  written: OutputNumber
  attempts: number
  error: unknown
  timer: Timer | undefined
}

export class Sinks {
  readonly #options: SinksOptions
  readonly #table: Table
  readonly #journal: string
  readonly #all: readonly Progress[]
  readonly #stop = new AbortController()
  /** Changes that wait for room. */
  readonly #inbox: Inbox

  constructor(options: SinksOptions, rules: readonly SinkRule[]) {
    this.#options = options
    this.#table = options.machine.table(ownLayouts.projected.name)
    this.#journal = [...options.journalId].map((byte) => byte.toString(16).padStart(2, '0')).join('')
    this.#inbox = new Inbox(options.limits.inboxRequestsMax)
    this.#all = rules.map((rule) => ({
      rule,
      isBusy: false,
      written: this.#committed(rule.name),
      attempts: 0,
      error: undefined,
      timer: undefined,
    }))
  }

  /** More is folded: there may be something to write, or room again. */
  onFolded(): void {
    for (const progress of this.#all) {
      const { write } = progress.rule
      if (write !== undefined && !progress.isBusy && progress.timer === undefined) void this.#write(progress, write)
    }
    if (!this.#inbox.isEmpty && !this.#all.some(({ rule }) => this.#isFull(rule)))
      this.#inbox.drain(this.#options.submit)
  }

  /** Has a change wait while a sink that it would feed is full; undefined if none is. */
  holdBack(request: Request): Promise<unknown> | undefined {
    const isFed = this.#all.some(({ rule }) => this.#isFull(rule) && feeds(request.command, rule))
    return isFed ? this.#inbox.add(request) : undefined
  }

  /** Notes how far a store has come, within the command at hand. */
  note({ sink, index, offset }: Extract<ProjectionCommand, { kind: 'sink-written' }>): void {
    const row = this.#table.find({ projection: sink })
    if (isBefore(this.#committed(sink), { index, offset }))
      this.#options.machine.put(this.#table, row, { projection: sink, index, offset })
  }

  tell(sink: string): SinkTold {
    const progress = this.#all.find(({ rule }) => rule.name === sink)
    const { attempts = 0, error } = progress ?? {}
    const { kept, dropped } = this.#options.projections.keptOf(sink)
    return { pending: kept.length, dropped, attempts, error: error === undefined ? undefined : whyOf(error) }
  }

  abandon(error: unknown): void {
    this.#inbox.abandon(error)
    this.stop()
  }

  stop(): void {
    this.#stop.abort()
    for (const { timer } of this.#all) timer?.stop()
  }

  #committed(sink: string): OutputNumber {
    const row = this.#table.find({ projection: sink })
    return (row?.value ?? { index: 0, offset: -1 }) as unknown as OutputNumber
  }

  #isFull({ name, whenFull }: SinkRule): boolean {
    return (
      whenFull === 'wait' && this.#options.projections.keptOf(name).kept.length >= this.#options.limits.sinkChangesMax
    )
  }

  async #write(progress: Progress, write: NonNullable<SinkRule['write']>): Promise<void> {
    const { projections, number: partition, submit } = this.#options
    const { rule, written: after } = progress
    const { kept } = projections.keptOf(rule.name)
    const from = kept.findIndex((change) => isBefore(after, change))
    if (from === -1 || this.#stop.signal.aborted) return
    const changes = kept.slice(from, from + rule.batch)
    const { index, offset } = changes.at(-1)!
    progress.isBusy = true
    try {
      await this.#within(rule, write, { partition, journal: this.#journal, after: numberOf(after), changes })
      await submit({ command: { kind: 'sink-written', sink: rule.name, index, offset } })
      progress.written = { index, offset }
      progress.attempts = 0
      progress.error = undefined
    } catch (error) {
      this.#failed(progress, error)
    } finally {
      progress.isBusy = false
    }
    if (progress.timer === undefined) void this.#write(progress, write)
  }

  /** Writes a batch within the sink's time-out. */
  async #within({ name, timeoutMs }: SinkRule, write: NonNullable<SinkRule['write']>, batch: SinkBatch): Promise<void> {
    const { timers } = this.#options
    const controller = new AbortController()
    const { promise: late, reject } = Promise.withResolvers<never>()
    const end = (error: unknown): void => {
      controller.abort(error)
      reject(error)
    }
    const timer = timers.after(timeoutMs, () =>
      end(new PlenumError('TIMEOUT', `The ${name} did not write its batch within ${timeoutMs} ms.`)),
    )
    const onStop = (): void => end(new PlenumError('CLOSED', 'The reign has ended.'))
    this.#stop.signal.addEventListener('abort', onStop)
    try {
      await Promise.race([write(batch, controller.signal), late])
    } finally {
      timer.stop()
      this.#stop.signal.removeEventListener('abort', onStop)
    }
  }

  #failed(progress: Progress, error: unknown): void {
    if (this.#stop.signal.aborted) return
    const { timers, onEvent } = this.#options
    progress.attempts += 1
    progress.error = error
    const delay = Math.min(retryMsMax, retryMs * 2 ** Math.min(progress.attempts - 1, 20))
    progress.timer = timers.after(delay, () => {
      progress.timer = undefined
      this.onFolded()
    })
    // What only waits for its member to start, or for room in the journal, is no failure of the store.
    if (isPlenumError(error, 'NOT_PRIMARY') || isPlenumError(error, 'JOURNAL_FULL')) return
    onEvent({ kind: 'sink-failed', sink: progress.rule.name, attempts: progress.attempts, error })
  }
}

/** Whether a command may change what a sink keeps. */
function feeds(command: Command, { of }: SinkRule): boolean {
  switch (command.kind) {
    case 'call':
    case 'prepare':
    case 'commit':
      return true
    case 'batch':
      return command.commands.some((one) => isChange(one) && of.includes(one.type))
    default:
      return isChange(command) && of.includes(command.type)
  }
}

function numberOf({ index, offset }: OutputNumber): OutputNumber {
  return { index, offset }
}

function whyOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
