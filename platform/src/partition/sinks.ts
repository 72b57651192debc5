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
  isChange,
  ownLayouts,
  presentChange,
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
import { isBefore, noNumber, type OutputNumber } from './output-number.ts'
import { sinkFull } from './primary-errors.ts'
import type { Projections } from './projections.ts'
import { Retry } from './retry.ts'

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
  /** Index of the record that the next answer may depend on. */
  readonly lastIndex: () => number
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
  /** Changes that wait for room. */
  readonly inbox: Inbox
  /** Those who waited and were let in: how many, up to which index, and whether they are just now. */
  admitted: number
  admittedUpTo: number
  isAdmitting: boolean
  /** Whether somebody was told that it is full. */
  isTold: boolean
}

export class Sinks {
  readonly #options: SinksOptions
  readonly #table: Table
  readonly #journal: string
  readonly #all: readonly Progress[]
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
      inbox: new Inbox(limits.inboxRequestsMax),
      admitted: 0,
      admittedUpTo: 0,
      isAdmitting: false,
      isTold: false,
    }))
  }

  /** More is folded: there may be something to write, or room again. */
  onFolded(): void {
    for (const progress of this.#all) {
      void this.#write(progress)
      this.#admit(progress)
    }
  }

  /** Has a change wait while a sink that it would feed is full; undefined if none is. */
  holdBack(request: Request): Promise<unknown> | undefined {
    const { command } = request
    const full = this.#all.find((progress) => this.#isFull(progress) && feeds(command, progress.rule))
    if (full === undefined) return undefined
    this.#tellFull(full)
    const { name } = full.rule
    // Whoever delivers a message asks again, and would wait here each time.
    if (command.kind === 'deliver') return Promise.reject(sinkFull(name, this.#options.limits.sinkChangesMax))
    return full.inbox.add(request)
  }

  /** Notes how far a store has come, within the command at hand. */
  note({ sink, index, offset }: Extract<ProjectionCommand, { kind: 'sink-written' }>): void {
    const row = this.#table.find({ projection: sink })
    if (isBefore(this.#committed(sink), { index, offset }))
      this.#options.machine.put(this.#table, row, { projection: sink, index, offset })
  }

  tell(sink: string): SinkTold {
    const retry = this.#all.find(({ rule }) => rule.name === sink)?.retry
    const { kept, dropped } = this.#options.projections.keptOf(sink)
    const error = retry?.error === undefined ? undefined : whyOf(retry.error)
    return { pending: kept.length, dropped, attempts: retry?.failures ?? 0, error }
  }

  abandon(error: unknown): void {
    for (const { inbox } of this.#all) inbox.abandon(error)
    this.stop()
  }

  stop(): void {
    this.#stop.abort()
    for (const { retry } of this.#all) retry.stop()
  }

  #committed(sink: string): OutputNumber {
    const row = this.#table.find({ projection: sink })
    return (row?.value ?? noNumber) as unknown as OutputNumber
  }

  /** How many more changes it may keep: what it began with is not counted, nor what its store has. */
  #room({ rule: { name, whenFull } }: Progress): number {
    if (whenFull === 'drop') return Infinity
    const { kept, begunWith } = this.#options.projections.keptOf(name)
    return this.#options.limits.sinkChangesMax - (kept.length - begunWith)
  }

  /** Nobody passes those who wait. */
  #isFull(progress: Progress): boolean {
    return !progress.isAdmitting && (!progress.inbox.isEmpty || this.#room(progress) <= 0)
  }

  /** Lets as many in of those who wait as there is room for; each is taken for one change until that is folded. */
  #admit(progress: Progress): void {
    const { projections, limits, submit, lastIndex } = this.#options
    const room = this.#room(progress)
    if (room > limits.sinkChangesMax / 2) progress.isTold = false
    if (progress.inbox.isEmpty) return
    if (projections.index >= progress.admittedUpTo) progress.admitted = 0
    const count = Math.min(progress.inbox.size, room - progress.admitted)
    if (count <= 0) return
    progress.isAdmitting = true
    progress.inbox.drain(submit, count)
    progress.isAdmitting = false
    progress.admitted += count
    progress.admittedUpTo = lastIndex()
  }

  #tellFull(progress: Progress): void {
    if (progress.isTold) return
    progress.isTold = true
    const { name } = progress.rule
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
    // Where the store has it, and only the journal has no room for that, the journal has its own events.
    if (isWritten && (isPlenumError(error, 'NOT_PRIMARY') || isPlenumError(error, 'JOURNAL_FULL'))) return
    this.#options.onEvent({ kind: 'sink-failed', sink: rule.name, attempts: retry.failures, error })
  }
}

/** Whether a command may change what a sink keeps. */
function feeds(command: Command, { of }: SinkRule): boolean {
  switch (command.kind) {
    case 'call':
    case 'prepare':
    case 'commit':
      return true
    case 'deliver':
      return command.call !== undefined
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
