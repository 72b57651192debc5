// Transactions on one partition (TX1-TX5): what they try, hold, decide and do here, on its primary.
//
// Owns the locks of one reign and those who wait for them. Does not own the machine, or what travels between
// partitions: a client leads a transaction (`router/transaction.ts`), and `in-doubt.ts` finds out what became of one
// whose client is gone. Called by `primary.ts` and `commands.ts`.
//
// I1 What a transaction saw is checked in the same command that makes its changes, or holds them (TX2, TX3).
// I2 A commit or a prepare never waits: what is in its way is a conflict. Everything else waits for what is in its way.
// I3 The locks are those of the rows of prepared transactions that are committed to the machine, at any time.
import { isPlenumError, PlenumError, type Limits } from '../kernel/index.ts'
import {
  errorData,
  Locks,
  ownLayouts,
  stampsOf,
  waitOf,
  type Drafted,
  type Machine,
  type ReadObserver,
  type Request,
  type Row,
  type Seen,
  type StoredValue,
  type Table,
  type TransactionCommand,
  type TransactionName,
  type TransactionPart,
  type Wait,
} from '../space/index.ts'
import type { Runtime, Timer } from '../runtime/index.ts'
import type { Afterwards } from './afterwards.ts'
import type { Claims } from './claims.ts'
import type { PartitionEvent } from './events.ts'
import type { Failures } from './failures.ts'
import { attempt, chosenBy, SeenLog, unstamped } from './draft.ts'
import { InDoubt, type AskPartition } from './in-doubt.ts'
import { Inbox } from './inbox.ts'
import type { Execution } from './logic.ts'
import { checkCount, checkedName, holdingOf, nameEffect, type DecisionRow, type PreparedRow } from './prepared.ts'
import { overloaded, transactionConflict } from './primary-errors.ts'
import { checkSeen } from './seen.ts'

type Of<K extends TransactionCommand['kind']> = Extract<TransactionCommand, { kind: K }>

/** What transactions need of their primary. */
export interface TransactionsOptions {
  readonly machine: Machine
  readonly execution: Execution
  readonly limits: Limits
  /** Partition time. */
  readonly now: () => number
  /** Begins a command in the open batch. */
  readonly begin: () => void
  /** Index up to which everything is acked. */
  readonly acked: () => number
  readonly submit: (request: Request) => Promise<unknown>
  readonly runtime: Runtime
  /** Number of the partition. */
  readonly number: number
  readonly ask: AskPartition
  readonly onEvent: (event: PartitionEvent) => void
  readonly afterwards: Afterwards
  readonly claims: Claims
  readonly failures: Failures
}

/** Thrown out of a command that meets a lock. It is caught where the command is run, and never leaves the partition. */
class Locked extends PlenumError {
  constructor() {
    super('TRANSACTION_CONFLICT', 'A prepared transaction is in the way.')
  }
}

/** When a request came that met a lock. */
interface Ticket {
  /** Number of the last transaction that was prepared by then. */
  readonly number: number
  /** Partition time. */
  readonly at: number
}

/** Milliseconds that a decision against a transaction is kept beyond the time at which it could still commit. */
const abortKeptMs = 1_000

export class Transactions implements ReadObserver {
  readonly #options: TransactionsOptions
  readonly #locks = new Locks()
  readonly #prepared: Table
  readonly #decisions: Table
  readonly #inDoubt: InDoubt
  /** Requests that wait for the end of a transaction, by its id. */
  readonly #waiting = new Map<string, Inbox>()
  readonly #tickets = new WeakMap<Request, Ticket>()
  /** Those among them that wait for a match, by the name of the wait. */
  readonly #waits = new Map<string, { readonly timer: Timer; readonly end: () => boolean }>()
  /** Transactions after this one are in nobody's way, in the command at hand. */
  #until = Infinity
  /** The transaction whose lock the command at hand has met. */
  #inWay: string | undefined
  /** Transactions that are over since the last time that those who wait were served. */
  #over: string[] = []

  constructor(options: TransactionsOptions) {
    this.#options = options
    const { machine } = options
    this.#prepared = machine.table(ownLayouts.prepared.name)
    this.#decisions = machine.table(ownLayouts.decision.name)
    this.#inDoubt = new InDoubt({ ...options, find: (transaction) => this.#pending(transaction) })
    if (this.#prepared.size > 0) options.runtime.probe?.('takeover while prepared')
    if (this.#decisions.size > 0) options.runtime.probe?.('takeover with a decision')
    for (const row of this.#prepared.rows()) this.#lock(row.value as unknown as PreparedRow, true)
    for (const { value } of this.#decisions.rows()) {
      if (value['committed'] === true) this.#inDoubt.note(String(value['transaction']), true)
    }
    this.#guard()
  }

  /** Before a command runs: the transaction for which it has to wait, if that is known already. */
  enter(request: Request): string | undefined {
    this.#inWay = undefined
    if (this.#locks.count === 0) return undefined
    const ticket = this.#tickets.get(request)
    switch (request.command.kind) {
      case 'call':
      case 'deliver':
        this.#until = Infinity
        return undefined
      case 'watch':
        // What a transaction will change is told when it has.
        this.#until = -1
        return undefined
      case 'task':
      case 'service':
        // It may go on for long and is no transaction: it begins when what was prepared before it is over.
        return (this.#inWay = this.#locks.first(ticket?.number ?? this.#locks.last))
      default:
        this.#until = ticket?.number ?? Infinity
        return undefined
    }
  }

  /** True if the command at hand has met a lock. Whatever it made of that is not its answer. */
  get hasStopped(): boolean {
    return this.#inWay !== undefined
  }

  /** Throws if the command at hand has met a lock, though it may have caught the error. */
  check(): void {
    if (this.#inWay !== undefined) throw new Locked()
  }

  /** Has a request that met a lock wait for the end of that transaction. */
  wait(request: Request): Promise<unknown> {
    const { limits, now, runtime } = this.#options
    const transaction = this.#inWay ?? ''
    runtime.probe?.('request waited for a lock')
    this.#inWay = undefined
    if (!this.#tickets.has(request)) this.#tickets.set(request, { number: this.#locks.last, at: now() })
    const wait = waitOf(request.command)
    // A wait that is over looks no more; what there may be is not certain yet.
    if (wait?.over === true) return Promise.resolve(undefined)
    let count = 0
    for (const { size } of this.#waiting.values()) count += size
    if (count >= limits.inboxRequestsMax) return Promise.reject(overloaded('inboxRequestsMax', limits.inboxRequestsMax))
    let inbox = this.#waiting.get(transaction)
    if (inbox === undefined) this.#waiting.set(transaction, (inbox = new Inbox(limits.inboxRequestsMax)))
    const answer = inbox.add(request)
    if (wait !== undefined) this.#endInTime(inbox, request, wait)
    return answer
  }

  /** Ends a wait for a match that stands behind a lock; false if there is none of that name. */
  cancel(wait: string): boolean {
    return this.#waits.get(wait)?.end() ?? false
  }

  #endInTime(inbox: Inbox, request: Request, wait: Wait): void {
    const { runtime, submit } = this.#options
    const over = { ...request, command: { ...request.command, wait: { ...wait, ms: 0, over: true } } } as Request
    const end = (): boolean => {
      this.#forgetWait(wait)
      // Only if it still stands here may it be answered in its place.
      const { promise, resolve } = Promise.withResolvers<unknown>()
      const isHere = inbox.withdraw(request, promise)
      if (isHere) resolve(submit(over))
      return isHere
    }
    this.#waits.set(wait.id, { timer: runtime.timers.after(wait.ms, end), end })
  }

  #forgetWait({ id }: Wait): void {
    this.#waits.get(id)?.timer.stop()
    this.#waits.delete(id)
  }

  /** Runs those who waited for transactions that are over. True if there were any such transactions. */
  serve(): boolean {
    if (this.#over.length === 0) return false
    for (const transaction of this.#over.splice(0)) {
      const inbox = this.#waiting.get(transaction)
      this.#waiting.delete(transaction)
      inbox?.drain((request) => this.#options.submit(this.#later(request)))
    }
    return true
  }

  /** Nobody waits here any more. */
  abandon(error: unknown): void {
    for (const inbox of this.#waiting.values()) inbox.abandon(error)
    this.#waiting.clear()
    this.stop()
  }

  /** Looks after nobody any more. */
  stop(): void {
    this.#inDoubt.stop()
    for (const { timer } of this.#waits.values()) timer.stop()
    this.#waits.clear()
  }

  /** True if a transaction is about to change an entry. */
  readonly isLocked = (table: Table, row: Row): boolean =>
    this.#locks.count > 0 && this.#locks.inWayOfEntry(table, row.value, Infinity) !== undefined

  /** True if a lock keeps an entry whose lease is over. */
  readonly keepsOverdue = (table: Table, row: Row): boolean =>
    this.#locks.count > 0 && this.#locks.keepsOverdue(table, row)

  evaluate(command: Of<'draft' | 'validate'>): unknown {
    return command.kind === 'draft' ? this.#draft(command) : this.#validated(command.seen)
  }

  change(command: Exclude<TransactionCommand, Of<'draft' | 'validate'>>): unknown {
    switch (command.kind) {
      case 'prepare':
        return this.#atOnce(() => this.#prepare(command))
      case 'commit':
        return this.#atOnce(() => this.#commit(command))
      case 'outcome':
        return this.#outcome(command)
      case 'informed':
        return this.#informed(command)
      case 'inquire':
        return this.#inquire(command.transaction)
    }
  }

  /** What is known for certain of a transaction that is prepared or decided here. */
  #pending(transaction: string): PreparedRow | DecisionRow | undefined {
    const row = this.#prepared.find({ transaction }) ?? this.#decisions.find({ transaction })
    // What is not acked may never have been.
    if (row === undefined || row.index > this.#options.acked()) return undefined
    return row.value as unknown as PreparedRow | DecisionRow
  }

  /** Runs a command as the transaction would see it, and takes everything back. */
  #draft({ before, command }: Of<'draft'>): Drafted {
    const { machine, execution, begin, limits } = this.#options
    checkCount('transactionCommandsMax', limits.transactionCommandsMax, before.length)
    const seen = new SeenLog(machine, this.#locks, this.#until, (transaction) => this.#meet(transaction))
    const { observer } = execution
    const { guard } = machine
    begin()
    machine.guard = undefined
    try {
      const tried = machine.trial(() => {
        execution.observer = undefined
        for (const one of before) this.#again(one)
        // What it says must be acked, of all that it reads; whether it will be so at the commit is another question.
        execution.dependency = 0
        execution.observer = seen
        const from = machine.changes
        const answer = attempt(() => execution.execute(command))
        return { answer, removed: machine.removedSince(from) }
      })
      this.check()
      const own = unstamped(tried.value.answer, command.kind, seen.base)
      const stamps = own.ok ? stampsOf(own.value) : undefined
      const chosen = own.ok ? chosenBy(command, tried.value.removed, tried.effects) : undefined
      return { answer: own, stamps, seen: seen.all(), time: machine.time, chosen }
    } finally {
      execution.observer = observer
      machine.guard = guard
      machine.rollback()
    }
  }

  /** Runs a command of the transaction once more; it worked before, so that somebody has changed what it needs. */
  #again(command: Parameters<Execution['execute']>[0]): void {
    try {
      this.#options.execution.execute(command)
    } catch (error) {
      if (isPlenumError(error, 'LIMIT_EXCEEDED')) throw error
      throw transactionConflict(`something that it changes was changed: ${errorData(error).code}`)
    }
  }

  #validated(seen: Seen): undefined {
    this.#atOnce(() => this.#checkSeen(seen))
    this.#options.execution.dependency = Infinity
    return undefined
  }

  #prepare({ transaction, part }: Of<'prepare'>): undefined {
    const { machine, limits } = this.#options
    const { id, coordinator, until } = checkedName(transaction)
    if (this.#prepared.find({ transaction: id }) !== undefined) return undefined
    if (this.#prepared.size >= limits.preparedMax) throw overloaded('preparedMax', limits.preparedMax)
    this.#checkSeen(part.seen)
    const { effects } = machine.trial(() => this.#run(part))
    const named = effects.map((effect) => nameEffect(machine, effect))
    // Lists of its own: those of the caller may grow.
    const seen = { entries: [...part.seen.entries], queries: [...part.seen.queries] }
    const value = { transaction: id, coordinator, until, seen, effects: named } satisfies PreparedRow
    machine.put(this.#prepared, undefined, value)
    this.#afterwards(() => this.#lock(value))
    return undefined
  }

  #commit({ transaction, part, partitions, claim: name }: Of<'commit'>): undefined {
    const { claims, failures, afterwards } = this.#options
    const claim = name === undefined ? undefined : claims.held(name)
    if (claim !== undefined) failures.forget(claim.queue.rule.name, claim.queue.table, claim.work.row)
    if (partitions.length > 0) this.#decide(checkedName(transaction), partitions)
    this.#checkSeen(part.seen)
    this.#run(part)
    if (claim === undefined) return undefined
    claims.spend(claim)
    claims.requireReleased(claim)
    afterwards.add(() => claims.end(claim))
    return undefined
  }

  /** The decision that all participants follow. It stands before the effects, in the same record (TX4). */
  #decide({ id, until }: TransactionName, partitions: readonly number[]): void {
    const { machine, limits, runtime } = this.#options
    const before = this.#decisions.find({ transaction: id })
    if (before !== undefined) runtime.probe?.('asked for before it was decided')
    if (before !== undefined) throw transactionConflict('a participant asked for its outcome before there was one')
    if (machine.time >= until) throw transactionConflict('it took longer than it may')
    if (this.#decisions.size >= limits.preparedMax) throw overloaded('preparedMax', limits.preparedMax)
    machine.put(this.#decisions, undefined, { transaction: id, committed: true, partitions })
    this.#afterwards(() => this.#inDoubt.note(id, true))
  }

  #outcome({ transaction, committed }: Of<'outcome'>): undefined {
    const { machine, execution } = this.#options
    const row = this.#prepared.find({ transaction })
    // That it is over here may not be acked yet, and whoever hears it forgets the decision.
    execution.dependency = this.#prepared.lastIndex
    if (row === undefined) return undefined
    const { effects } = row.value as unknown as PreparedRow
    const { guard } = machine
    machine.unlimited()
    machine.remove(this.#prepared, row, 'removed')
    machine.guard = undefined
    try {
      if (committed) for (const effect of effects) machine.redo(effect)
    } finally {
      machine.guard = guard
    }
    this.#afterwards(() => {
      this.#locks.remove(transaction)
      this.#over.push(transaction)
      this.#inDoubt.note(transaction, false)
    })
    return undefined
  }

  #informed({ transaction, partitions }: Of<'informed'>): undefined {
    const { machine } = this.#options
    const row = this.#decisions.find({ transaction })
    const decision = row?.value as DecisionRow | undefined
    if (row === undefined || decision?.committed !== true) return undefined
    const left = decision.partitions.filter((partition) => !partitions.includes(partition))
    if (left.length > 0) machine.put(this.#decisions, row, { ...decision, partitions: left })
    else {
      machine.remove(this.#decisions, row, 'removed')
      this.#afterwards(() => this.#inDoubt.note(transaction, false))
    }
    return undefined
  }

  /** Whether it has committed. What nobody has decided yet never will: that is journaled before it is told (TX4). */
  #inquire(name: TransactionName): boolean {
    const { machine, execution, limits } = this.#options
    const { id, until } = checkedName(name)
    const row = this.#decisions.find({ transaction: id })
    if (row !== undefined) {
      execution.dependency = row.index
      return row.value['committed'] === true
    }
    if (this.#decisions.size >= limits.preparedMax) throw overloaded('preparedMax', limits.preparedMax)
    const expiresAt = Math.max(until, machine.time) + abortKeptMs
    machine.put(this.#decisions, undefined, { transaction: id, committed: false, partitions: [] }, { expiresAt })
    return false
  }

  #checkSeen(seen: Seen): void {
    const { machine, limits } = this.#options
    checkSeen(seen, machine, this.#locks, limits)
  }

  #run({ commands }: TransactionPart): void {
    const { execution, machine, limits } = this.#options
    const { transactionCommandsMax, transactionBytesMax, recordBytesMax } = limits
    checkCount('transactionCommandsMax', transactionCommandsMax, commands.length)
    const before = machine.effectBytes
    for (const command of commands) execution.execute(command)
    const bytes = machine.effectBytes - before
    checkCount('transactionBytesMax', Math.min(transactionBytesMax, recordBytesMax), bytes)
  }

  /** A lock in the way is a conflict (I2). */
  #atOnce<T>(run: () => T): T {
    this.#until = Infinity
    try {
      const value = run()
      this.check()
      return value
    } catch (error) {
      if (this.#inWay === undefined) throw error
      this.#inWay = undefined
      throw transactionConflict('another transaction holds what it needs')
    }
  }

  /** Once the command at hand is committed, its locks are as its rows say (I3). */
  #afterwards(change: () => void): void {
    this.#options.afterwards.add(() => {
      change()
      this.#guard()
    })
  }

  #lock(row: PreparedRow, isOld = false): void {
    this.#locks.add(holdingOf(row, this.#options.machine))
    this.#inDoubt.note(row.transaction, true, isOld)
  }

  /** Nothing is asked of anybody while nothing is locked. */
  #guard(): void {
    const { machine, execution } = this.#options
    const isFree = this.#locks.count === 0
    machine.guard = isFree ? undefined : this.#onChange
    execution.observer = isFree ? undefined : this
  }

  readonly #onChange = (table: Table, before: StoredValue | undefined, after: StoredValue | undefined): void =>
    this.#meet(this.#locks.inWayOfChange(table, before, after))

  entry(table: Table, key: StoredValue): void {
    this.#meet(this.#locks.inWayOfEntry(table, key, this.#until))
  }

  query(table: Table, where: StoredValue): void {
    this.#meet(this.#locks.inWayOfQuery(table, where, this.#until))
  }

  #meet(transaction: string | undefined): void {
    if (transaction === undefined) return
    this.#inWay = transaction
    throw new Locked()
  }

  /** What waited for a lock waits for a match so much shorter. */
  #later(request: Request): Request {
    const wait = waitOf(request.command)
    const ticket = this.#tickets.get(request)
    if (wait === undefined || ticket === undefined) return request
    this.#forgetWait(wait)
    const ms = wait.ms - (this.#options.now() - ticket.at)
    const command = { ...request.command, wait: ms > 0 ? { ...wait, ms } : { ...wait, ms: 0, over: true } }
    const later = { ...request, command } as Request
    this.#tickets.set(later, { ...ticket, at: this.#options.now() })
    return later
  }
}
