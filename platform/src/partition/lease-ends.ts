import type { Timer, Timers } from '../runtime/index.ts'
import { ownLayouts, type Answers, type Machine, type Row, type Table } from '../space/index.ts'

/** Milliseconds until a lease that is over, and could not be ended yet, is looked at again. */
const againMs = 100

/** What the ends of leases need of their primary. */
export interface LeaseEndsOptions {
  readonly machine: Machine
  readonly answers: Answers
  /** Effects of one command at most. */
  readonly effectsMax: number
  readonly timers: Timers
  /** Partition time. */
  readonly now: () => number
  /** Whether something may be changed now. */
  readonly mayChange: () => boolean
  /** Tells what has to stay although its lease is over. */
  readonly keeps: (table: Table, row: Row) => boolean
  /** Begins a command in the open batch. */
  readonly begin: () => void
  /** A command has changed something. */
  readonly changed: () => void
}

/**
 * Ends leases that are over, as commands of their own (TI2): before each request, and by a timer where nobody asks for
 * anything, or whoever watches would not hear of it.
 */
export class LeaseEnds {
  readonly #options: LeaseEndsOptions
  #timer: Timer | undefined
  /** Partition time for which the timer is set. */
  #at = Infinity
  #stopped = false

  constructor(options: LeaseEndsOptions) {
    this.#options = options
    this.look()
  }

  /** Ends what is over. */
  end(): void {
    const { machine, now } = this.#options
    if (machine.nextExpiry !== Infinity && machine.nextExpiry <= now()) this.#end()
  }

  /** Another lease may end first now. */
  look(): void {
    const next = this.#options.machine.nextExpiry
    if (next < this.#at && !this.#stopped) this.#wait(next, 1)
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.stop()
  }

  #end(): void {
    const { machine, answers, effectsMax, keeps, begin, changed } = this.#options
    const inCommands = (remove: () => number): void => {
      for (let count = effectsMax; count === effectsMax;) {
        begin()
        count = remove()
        if (machine.commit()) changed()
      }
    }
    const sessions = machine.table(ownLayouts.session.name)
    const before = sessions.size
    inCommands(() => machine.expire(effectsMax, keeps))
    if (sessions.size < before) inCommands(() => answers.forgetEnded(effectsMax))
  }

  #wait(at: number, leastMs: number): void {
    const { timers, now } = this.#options
    this.#timer?.stop()
    this.#at = at
    this.#timer = timers.after(Math.max(at - now(), leastMs), () => this.#onTime())
  }

  #onTime(): void {
    const { machine, mayChange } = this.#options
    this.#at = Infinity
    if (mayChange()) this.end()
    if (machine.nextExpiry < Infinity && !this.#stopped) this.#wait(machine.nextExpiry, againMs)
  }
}
