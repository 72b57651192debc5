// When the schedules of a unit are due (UN8): the first partition keeps count, for the whole grid.
//
// Owns the rows that say which due time was the last of each schedule, and which are to be run. Does not run anything: who
// does claims a due time as a worker claims an entry (`claims.ts`), and the end of the claim removes it.
// Called by `unit-work.ts` and `commands.ts`.
//
// I1 A due time is noted once, in the record that also says that it was: no other reign notes it again.
// I2 Of several that have passed, the last is noted alone.
// I3 A dead letter holds up none that comes after it.
import type { Timer, Timers } from '../runtime/index.ts'
import { ownLayouts, type Machine, type Request, type Row, type Table } from '../space/index.ts'
import type { PartitionEvent } from './events.ts'
import type { Failures } from './failures.ts'
import type { ScheduleRule } from './logic.ts'
import type { PartitionMeters } from './partition-meters.ts'

/** The partition that keeps count. */
const home = 0
/** Milliseconds by which a due time may be late before it counts as missed: a failover takes less. */
const graceMs = 60_000
/** Due times of one schedule that wait, or are run; more come too fast for what it does. */
const waitingMax = 2
/** Milliseconds of the longest timer. */
const lookEveryMs = 1_000
/** Milliseconds until what could not be noted is tried again. */
const againMs = 100

export interface SchedulesOptions {
  /** Number of this partition. */
  readonly number: number
  /** Undefined where nobody runs them: then nothing is noted, and nothing forgotten. */
  readonly rules: readonly ScheduleRule[] | undefined
  readonly machine: Machine
  readonly failures: Failures
  readonly timers: Timers
  readonly now: () => number
  readonly submit: (request: Request) => Promise<unknown>
  readonly onEvent: (event: PartitionEvent) => void
  readonly meters?: PartitionMeters | undefined
}

export class Schedules {
  readonly #options: SchedulesOptions
  /** The last due time of each schedule that was noted. */
  readonly #last: Table
  /** What is to be run. */
  readonly #due: Table
  /** Partition time at which something may be due; at first it has to be looked at. */
  #nextAt = -Infinity
  #timer: Timer | undefined
  #stopped = false

  constructor(options: SchedulesOptions) {
    this.#options = options
    this.#last = options.machine.table(ownLayouts.schedule.name)
    this.#due = options.machine.table(ownLayouts.due.name)
  }

  /** Begins to keep count, where this is the partition that does. */
  start(): void {
    const { number, rules } = this.#options
    const isLeft = this.#last.size + this.#due.size > 0
    if (number === home && rules !== undefined && (rules.length > 0 || isLeft)) this.#lookAfter(1)
  }

  /** Notes what is due, within the command at hand. */
  note(): void {
    const { rules } = this.#options
    if (rules === undefined) return
    for (const rule of rules) this.#note(rule)
    this.#forgetUnknown(rules)
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.stop()
  }

  #note(rule: ScheduleRule): void {
    const { machine, onEvent, meters } = this.#options
    const { name, missed } = rule
    const row = this.#last.find({ name })
    // A schedule that is new begins now.
    const at = row === undefined ? machine.time : rule.last(Number(row.value['at']), machine.time)
    if (at === undefined) return
    machine.put(this.#last, row, { name, at })
    if (row === undefined) return
    const late = machine.time - at
    meters?.noted(name, late)
    if (this.#waiting(rule) >= waitingMax || (missed === 'skip' && late > graceMs))
      return onEvent({ kind: 'schedule-missed', schedule: name, at, late })
    machine.put(this.#due, undefined, { schedule: name, at })
  }

  /** Due times that wait, or are run; dead letters do neither. */
  #waiting({ name, worker }: ScheduleRule): number {
    const { failures } = this.#options
    const isWaiting = (row: Row): boolean =>
      row.value['schedule'] === name && failures.of(worker, this.#due, row)?.isDead !== true
    return [...this.#due.rows()].filter(isWaiting).length
  }

  /** Schedules that the unit has no more are begun anew if it has them again. */
  #forgetUnknown(rules: readonly ScheduleRule[]): void {
    const { machine } = this.#options
    const isKnown = (name: unknown): boolean => rules.some((rule) => rule.name === name)
    for (const row of this.#last.rows()) if (!isKnown(row.value['name'])) machine.remove(this.#last, row, 'removed')
    for (const row of this.#due.rows()) if (!isKnown(row.value['schedule'])) machine.remove(this.#due, row, 'removed')
  }

  #lookAfter(ms: number): void {
    this.#timer?.stop()
    if (!this.#stopped) this.#timer = this.#options.timers.after(ms, () => void this.#look())
  }

  async #look(): Promise<void> {
    const { now, submit, rules = [] } = this.#options
    if (now() >= this.#nextAt) {
      try {
        await submit({ command: { kind: 'schedules-due' } })
      } catch {
        return this.#lookAfter(againMs)
      }
      this.#nextAt = Math.min(...rules.map((rule) => this.#next(rule)))
    }
    // Partition time may run a little faster than a timer.
    if (this.#nextAt < Infinity) this.#lookAfter(Math.min(Math.max(1, this.#nextAt - now()), lookEveryMs))
  }

  #next(rule: ScheduleRule): number {
    const row = this.#last.find({ name: rule.name })
    return row === undefined ? Infinity : (rule.next(Number(row.value['at'])) ?? Infinity)
  }
}
