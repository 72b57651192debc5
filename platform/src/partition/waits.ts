// Reads and takes that wait for a match (SP5): how a waiter is served, ended and answered on a primary.
//
// Owns the waiters of one reign. Does not own the machine, the open batch or the answers that are held: it asks its
// primary for them. Called by `primary.ts` alone.
//
// I1 A waiter is served by running its query again, as a command of its own; what was noticed is only a reason to try.
// I2 The answer of a wait is kept as any other, also where there was no match: a late copy of the request takes nothing.
import { PlenumError, type Limits } from '../kernel/index.ts'
import {
  isRead,
  waitOf,
  type Answers,
  type Command,
  type Machine,
  type Request,
  type Row,
  type Table,
} from '../space/index.ts'
import type { Timers } from '../runtime/index.ts'
import type { Commands } from './commands.ts'
import type { KeptAnswers } from './kept-answers.ts'
import type { Execution } from './logic.ts'
import { overloaded } from './primary-errors.ts'
import type { Transactions } from './transactions.ts'
import { Waiters, type Served, type Waiter } from './waiters.ts'

/** Milliseconds until the end of a wait that was refused is tried again. */
const againMs = 100

/** What waits need of their primary. */
export interface WaitsOptions {
  readonly machine: Machine
  readonly execution: Execution
  readonly answers: Answers
  readonly commands: Commands
  readonly limits: Limits
  readonly timers: Timers
  /** Partition time. */
  readonly now: () => number
  /** Begins a command in the open batch. */
  readonly begin: () => void
  /** A command has changed something: the open batch is to be sealed, and has this index. */
  readonly changed: () => number
  /** The index of the open batch, or the last one if it holds nothing. */
  readonly lastIndex: () => number
  /** Answers when the index is acked. */
  readonly hold: (index: number, value: unknown, confirmed?: boolean) => Promise<unknown>
  readonly kept: KeptAnswers
  readonly submit: (request: Request) => Promise<unknown>
  /** What is locked, and by whom. */
  readonly transactions: Pick<Transactions, 'enter' | 'check' | 'hasStopped'>
}

export class Waits {
  readonly #options: WaitsOptions
  readonly #waiters: Waiters

  constructor(options: WaitsOptions) {
    this.#options = options
    this.#waiters = new Waiters(options.timers)
  }

  /** Those who wait. */
  get count(): number {
    return this.#waiters.count
  }

  /** Told of every row that is written; undefined where nobody waits. */
  get noticing(): ((table: Table, row: Row) => void) | undefined {
    return this.#waiters.count === 0 ? undefined : this.#notice
  }

  /** Ends the waits that are over; the answer of `command` if it waits here already. */
  lookFor(command: Command): Promise<unknown> | undefined {
    if (this.#waiters.count === 0) return undefined
    this.#waiters.endUntil(this.#options.now(), this.cancel)
    return this.#waiters.promiseOf(waitOf(command)?.id ?? '')
  }

  /** Waits for a match: nothing was found, and nothing was changed. */
  add(request: Request): Promise<unknown> {
    const { limits, machine, now } = this.#options
    const { command } = request
    const wait = waitOf(command)
    if (wait === undefined || !('where' in command)) throw new PlenumError('INVARIANT_BROKEN', 'Only queries wait.')
    if (this.#waiters.count >= limits.waitersMax) return Promise.reject(overloaded('waitersMax', limits.waitersMax))
    return this.#waiters.add({
      id: wait.id,
      request,
      table: machine.table(command.type),
      where: command.where,
      until: now() + wait.ms,
      afterMs: wait.ms,
      onTimeout: (id) => this.#giveUp(id),
    })
  }

  /** The answer of a take that comes after its deadline, or after it was given up: it takes nothing (SP5). */
  late(request: Request): Promise<unknown> {
    const { command } = request
    if (!('where' in command)) throw new PlenumError('INVARIANT_BROKEN', 'Only queries wait.')
    return this.#nothing({ request, table: this.#options.machine.table(command.type) })
  }

  /** True if the command's wait was over before it came. */
  isLate(command: Command): boolean {
    const wait = waitOf(command)
    return wait !== undefined && (wait.over === true || this.#waiters.wasCancelled(wait.id))
  }

  /** As everything that may write, the end of a wait waits its turn where the flow is stopped, and is never refused. */
  #giveUp(id: string): void {
    const { submit, timers } = this.#options
    submit({ command: { kind: 'cancel', wait: id } }).catch(() => {
      if (this.#waiters.promiseOf(id) !== undefined) timers.after(againMs, () => this.#giveUp(id))
    })
  }

  /** Gives those who wait what was written for them. */
  serve(): void {
    this.#waiters.serve(this.#grant)
  }

  /** Locks are gone: those who met one are served. */
  unlocked(): void {
    this.#waiters.unlocked()
    this.serve()
  }

  /** Ends a wait; false if it does not wait here, because it was answered already. */
  readonly cancel = (id: string): boolean => {
    const waiter = this.#waiters.cancel(id)
    waiter?.resolve(this.#nothing(waiter))
    return waiter !== undefined
  }

  /** Nobody waits here any more. */
  abandon(error: unknown): void {
    this.#waiters.abandon(error)
  }

  /** Forgets everybody without a word. */
  stop(): void {
    this.#waiters.stop()
  }

  readonly #notice = (table: Table, row: Row): void => this.#waiters.notice(table, row)

  /** Runs the query of a waiter again because something matched it. */
  readonly #grant = ({ request, resolve }: Waiter): Served => {
    const { machine, execution, answers, commands, begin, changed, lastIndex, hold, kept: keptAnswers } = this.#options
    const { command, identity } = request
    const { transactions } = this.#options
    execution.dependency = 0
    transactions.enter(request)
    let value: unknown
    if (isRead(command)) {
      try {
        value = commands.evaluate(command)
        transactions.check()
      } catch (error) {
        if (transactions.hasStopped) return 'locked'
        resolve(Promise.reject(error))
        return 'answered'
      }
      if (value === undefined) return 'nothing'
      resolve(hold(Math.min(execution.dependency, lastIndex()), value, request.read === 'confirmed'))
      return 'answered'
    }
    // Another wait of the same request may have been answered; and of a session that ended nobody would fetch the entry.
    const kept = identity === undefined ? undefined : keptAnswers.find(identity, 0)
    if (kept !== undefined) {
      resolve(kept)
      return 'answered'
    }
    begin()
    try {
      value = commands.change(command)
      transactions.check()
      if (value !== undefined && identity !== undefined) answers.keep(identity, { ok: true, value })
    } catch (error) {
      machine.rollback()
      if (transactions.hasStopped) return 'locked'
      resolve(keptAnswers.refuse(error, identity))
      return 'answered'
    }
    const dependency = Math.min(execution.dependency, lastIndex())
    const index = machine.commit(undefined, dependency) ? changed() : dependency
    if (value === undefined) return 'nothing'
    resolve(hold(index, value))
    return 'answered'
  }

  /** The answer of a wait that ends without a match. */
  #nothing({ request, table }: Pick<Waiter, 'request' | 'table'>): Promise<unknown> {
    const { machine, answers, begin, changed, lastIndex, hold, kept: keptAnswers } = this.#options
    const { identity } = request
    if (identity === undefined)
      return hold(Math.min(table.lastIndex, lastIndex()), undefined, request.read === 'confirmed')
    const kept = keptAnswers.find(identity, 0)
    if (kept !== undefined) return kept
    begin()
    try {
      answers.keep(identity, { ok: true, value: undefined })
    } catch (error) {
      machine.rollback()
      return keptAnswers.refuse(error, identity)
    }
    return hold(machine.commit() ? changed() : lastIndex(), undefined)
  }
}
