// What a partition does for the workers, messages, schedules and projections of its unit, in one reign (UN3, UN6, UN8, UN12).
//
// Owns the parts that do it. Does not own the machine or the open batch. Called by `primary.ts`; its parts also by
// `commands.ts` and `transactions.ts`.
import type { Limits } from '../kernel/index.ts'
import type { Random } from '../runtime/index.ts'
import { Claims, type ClaimsOptions } from './claims.ts'
import { Deliveries, type DeliveriesOptions } from './deliveries.ts'
import { Failures } from './failures.ts'
import type { Logic } from './logic.ts'
import { HeldLines } from './held-lines.ts'
import { Messages, type MessagesOptions } from './messages.ts'
import type { Noticing } from './noticing.ts'
import { ProjectedMessages, type ProjectedMessagesOptions } from './projected-messages.ts'
import { Schedules, type SchedulesOptions } from './schedules.ts'
import { Sinks, type SinksOptions } from './sinks.ts'

/** What all of it needs of its primary. */
export interface UnitWorkOptions
  extends
    Omit<ClaimsOptions, 'rules' | 'failures'>,
    Omit<MessagesOptions, 'onPosted'>,
    DeliveriesOptions,
    Omit<SchedulesOptions, 'rules' | 'failures'>,
    ProjectedMessagesOptions,
    SinksOptions {
  readonly logic: Pick<Logic, 'workers' | 'schedules' | 'sinks'>
  readonly limits: Limits
  readonly random: Random
}

export class UnitWork {
  readonly claims: Claims
  readonly failures: Failures
  readonly messages: Messages
  readonly schedules: Schedules
  readonly projected: ProjectedMessages
  readonly sinks: Sinks
  readonly lines: HeldLines
  readonly #deliveries: Deliveries

  constructor(options: UnitWorkOptions) {
    const { machine, limits, logic } = options
    this.failures = new Failures(machine, limits)
    this.claims = new Claims({ ...options, rules: logic.workers, failures: this.failures })
    this.#deliveries = new Deliveries(options)
    this.messages = new Messages({ ...options, onPosted: this.#deliveries.posted })
    const dropped = options.meters?.linesDropped
    this.lines = new HeldLines({ ...options, linesMax: limits.logLinesMax, dropped })
    this.schedules = new Schedules({ ...options, rules: logic.schedules, failures: this.failures })
    this.projected = new ProjectedMessages(options, this.messages)
    this.sinks = new Sinks(options, logic.sinks)
  }

  /** Goes on with what earlier reigns have left. */
  start(): void {
    this.#deliveries.start(this.messages)
    this.schedules.start()
    this.#folded()
  }

  /** Told of every row that is written; undefined where no worker has asked yet. */
  get noticing(): Noticing | undefined {
    return this.claims.noticing
  }

  onAcked(index: number): void {
    this.#deliveries.onAcked(index)
    this.#folded()
    this.lines.onAcked(index)
  }

  /** A command has ended: whoever waits for work may have some. */
  serve(): void {
    this.claims.serve()
  }

  /** Transactions are over. */
  unlocked(): void {
    this.claims.unlocked()
  }

  cancel(wait: string): boolean {
    return this.claims.cancel(wait) || this.sinks.cancel(wait)
  }

  abandon(error: unknown): void {
    this.claims.abandon(error)
    this.sinks.abandon(error)
    this.#stopAll()
  }

  stop(): void {
    this.claims.stop()
    this.#stopAll()
  }

  #folded(): void {
    this.projected.onFolded()
    this.sinks.onFolded()
  }

  #stopAll(): void {
    this.#deliveries.stop()
    this.schedules.stop()
    this.projected.stop()
    this.sinks.stop()
  }
}
