// What a partition writes behind to outside stores, in one reign (UN7): the changes that its sinks have kept, in order.
//
// Owns which batch is on its way, and when it is tried again. Does not own what is kept (`projections.ts`), nor how it is
// written, which is the unit's.
//
// I1 One batch of a sink is on its way; the next one begins after it. A batch is tried until it is written.
// I2 How far a sink has come is journaled once its store has the batch: whoever reigns next goes on there, and may give
//    the last batch once more, under the same numbers.
import { isPlenumError, PlenumError, type Limits } from '../kernel/index.ts'
import type { Timers } from '../runtime/index.ts'
import {
  ownLayouts,
  presentChange,
  type KeptChange,
  type Machine,
  type ProjectionCommand,
  type Request,
  type SinkTold,
  type Table,
} from '../space/index.ts'
import type { PartitionEvent } from './events.ts'
import { isBefore, noNumber, type OutputNumber } from './output-number.ts'
import type { Projections } from './projections.ts'
import { Retry } from './retry.ts'
import { SinkGate } from './sink-gate.ts'

/** Changes of one partition, after what was written before. */
export interface SinkBatch {
  readonly partition: number
  readonly journal: string
  /** The number of the last change before the batch. */
  readonly after: OutputNumber
  readonly changes: readonly (OutputNumber & Pick<KeptChange, 'change'>)[]
}

/** Resolves when the store has the batch. */
export type WriteBatch = (batch: SinkBatch, signal: AbortSignal) => Promise<void>

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
  /**
   * Gives what writes batches, nothing while this member is not started; undefined where nobody runs the sink, which keeps
   * what it is to write.
   */
  readonly writer: (() => WriteBatch | undefined) | undefined
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

const delays = { firstMs: 100, mostMs: 30_000 }

interface Progress {
  readonly rule: SinkRule
  readonly retry: Retry
  isBusy: boolean
  /** How far the store is known to be, in this reign. */
  written: OutputNumber
  /** Whether somebody was told that it is full. */
  isTold: boolean
}

export class Sinks {
  readonly #options: SinksOptions
  readonly #table: Table
  readonly #journal: string
  readonly #all: readonly Progress[]
  readonly #gate: SinkGate
  readonly #stop = new AbortController()

  constructor(options: SinksOptions, rules: readonly SinkRule[]) {
    const { machine, journalId, limits, timers } = options
    this.#options = options
    this.#table = machine.table(ownLayouts.projected.name)
    this.#journal = [...journalId].map((byte) => byte.toString(16).padStart(2, '0')).join('')
    this.#all = rules.map((rule) => ({
      rule,
      retry: new Retry(timers, delays),
      isBusy: false,
      written: this.#committed(rule.name),
      isTold: false,
    }))
    this.#gate = new SinkGate({
      sinks: rules.filter(({ whenFull }) => whenFull === 'wait'),
      room: ({ name }) => this.#room(name),
      waitingMax: limits.inboxRequestsMax,
      timers,
      submit: options.submit,
      onFull: ({ name }) => this.#tellFull(name),
    })
  }

  /** More is folded: there may be something to write, or room again. */
  onFolded(): void {
    for (const progress of this.#all) {
      void this.#write(progress)
      if (this.#room(progress.rule.name) > this.#options.limits.sinkChangesMax / 2) progress.isTold = false
    }
    this.#gate.admit()
  }

  /** Has a change wait while a sink that it would feed is full; undefined if none is. */
  holdBack(request: Request): Promise<unknown> | undefined {
    return this.#gate.holdBack(request)
  }

  /** Ends a wait that has not begun. */
  cancel(wait: string): boolean {
    return this.#gate.cancel(wait)
  }

  /** Notes how far a store has come, within the command at hand. */
  note({ sink, index, offset }: Extract<ProjectionCommand, { kind: 'sink-written' }>): void {
    const row = this.#table.find({ projection: sink })
    if (isBefore(this.#committed(sink), { index, offset }))
      this.#options.machine.put(this.#table, row, { projection: sink, index, offset })
  }

  tell(sink: string): SinkTold {
    const retry = this.#all.find(({ rule }) => rule.name === sink)?.retry
    const { kept, dropped, standing } = this.#options.projections.keptOf(sink)
    const why = standing.kind === 'failed' ? standing.error : retry?.error
    const error = why === undefined ? undefined : whyOf(why)
    return { pending: kept.length, dropped, attempts: retry?.failures ?? 0, error }
  }

  abandon(error: unknown): void {
    this.#gate.abandon(error)
    this.stop()
  }

  stop(): void {
    this.#stop.abort()
    this.#gate.stop()
    for (const { retry } of this.#all) retry.stop()
  }

  #committed(sink: string): OutputNumber {
    const row = this.#table.find({ projection: sink })
    return (row?.value ?? noNumber) as unknown as OutputNumber
  }

  /** How many more changes a sink may keep: what it began with is not counted, nor what its store has. */
  #room(name: string): number {
    const { kept, begunWith } = this.#options.projections.keptOf(name)
    return this.#options.limits.sinkChangesMax - (kept.length - begunWith)
  }

  #tellFull(name: string): void {
    const progress = this.#all.find(({ rule }) => rule.name === name)
    if (progress === undefined || progress.isTold) return
    progress.isTold = true
    const pending = this.#options.projections.keptOf(name).kept.length
    this.#options.onEvent({ kind: 'sink-full', sink: name, pending })
  }

  async #write(progress: Progress): Promise<void> {
    const { projections, machine, number: partition, submit } = this.#options
    const { rule, retry, written } = progress
    if (rule.writer === undefined || progress.isBusy || retry.isWaiting || this.#stop.signal.aborted) return
    const kept = projections.keptOf(rule.name).kept.after(written, rule.batch)
    const last = kept.at(-1)
    // What it begins with is there before the record is acked by which it does.
    if (last === undefined || last.index > projections.index) return
    const write = rule.writer()
    if (write === undefined) return retry.wait(() => this.onFolded())
    const after = numberOf(written)
    const changes = kept.map((one) => ({ ...numberOf(one), change: presentChange(one, machine.upgrades) }))
    progress.isBusy = true
    let isWritten = false
    try {
      await this.#within(rule, write, { partition, journal: this.#journal, after, changes })
      isWritten = true
      await submit({ command: { kind: 'sink-written', sink: rule.name, ...numberOf(last) } })
      progress.written = numberOf(last)
      retry.succeeded()
    } catch (error) {
      this.#failed(progress, error, isWritten)
    } finally {
      progress.isBusy = false
    }
    void this.#write(progress)
  }

  /** Writes a batch within the sink's time-out. */
  async #within({ name, timeoutMs }: SinkRule, write: WriteBatch, batch: SinkBatch): Promise<void> {
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

  #failed({ rule, retry }: Progress, error: unknown, isWritten: boolean): void {
    if (this.#stop.signal.aborted) return
    retry.failed(error, () => this.onFolded())
    // The store has it, and the end of a reign has its own events.
    if (isWritten && isPlenumError(error, 'NOT_PRIMARY')) return
    this.#options.onEvent({ kind: 'sink-failed', sink: rule.name, attempts: retry.failures, error })
  }
}

function numberOf({ index, offset }: OutputNumber): OutputNumber {
  return { index, offset }
}

function whyOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
