// The claims of workers on one partition (UN3): who works on which entry, in one reign.
//
// Owns the claims and those who wait for work. Does not own what is committed: a claim is checked and ended by the commit
// of its worker's transaction (`transactions.ts`). Volatile: what it knows is gone with the reign, and rows of attempts
// that failed are all that stays. Called by `unit-work.ts`, `primary.ts`, `commands.ts` and `transactions.ts`.
//
// I1 An entry has one claim of each worker at most, and a FIFO group one among all workers of its type (SP9).
// I2 A claim is of one reign: whoever holds one of an earlier reign commits nothing by it.
// I3 What a claim tells is acked before it is told, and so is the end of the last claim in its group.
import { PlenumError, type Limits } from '../kernel/index.ts'
import type { Timer, Timers } from '../runtime/index.ts'
import {
  keyOf,
  wayTo,
  type ClaimCommand,
  type Claimed,
  type ClaimName,
  type Machine,
  type Row,
  type Table,
} from '../space/index.ts'
import type { Failures } from './failures.ts'
import type { WorkerRule } from './logic.ts'
import { overloaded, transactionConflict } from './primary-errors.ts'
import { Groups, type Work } from './work-order.ts'
import { WorkQueue } from './work-queue.ts'

/** A claim that is held. */
export interface Claim {
  readonly number: number
  readonly queue: WorkQueue
  readonly work: Work
  /** The entry's stamp when it was claimed. */
  readonly stamp: number
  /** When it was due, as it was claimed. */
  readonly due: number
  /** Partition time at which it ends by itself. */
  until: number
}

interface Waiting {
  readonly queue: WorkQueue
  readonly resolve: (hasWork: boolean) => void
  readonly reject: (error: unknown) => void
  readonly timer: Timer
}

/** What claims need of their primary. */
export interface ClaimsOptions {
  readonly machine: Machine
  readonly rules: readonly WorkerRule[]
  readonly failures: Failures
  readonly limits: Limits
  readonly timers: Timers
  /** Partition time. */
  readonly now: () => number
  readonly epoch: () => number
  readonly acked: () => number
  /** The index of the open batch, or the last one if it holds nothing. */
  readonly lastIndex: () => number
  /** Answers when the index is acked. */
  readonly hold: (index: number, value: unknown) => Promise<unknown>
  /** True if a prepared transaction is about to change an entry. */
  readonly isLocked: (table: Table, row: Row) => boolean
}

export class Claims {
  readonly #options: ClaimsOptions
  readonly #queues = new Map<string, WorkQueue>()
  readonly #byTable = new Map<Table, WorkQueue[]>()
  readonly #groups = new Map<Table, Groups>()
  readonly #claims = new Map<number, Claim>()
  readonly #waiting = new Map<string, Waiting>()
  /** Claims that end by themselves unless they are kept. */
  readonly #leased = new Set<Claim>()
  #number = 0
  /** True if something may be ready that was not before. */
  #hasNews = false
  #timer: Timer | undefined
  /** Partition time for which the timer is set. */
  #timerAt = Infinity
  #stopped = false

  constructor(options: ClaimsOptions) {
    this.#options = options
  }

  /** Entries that are claimed. */
  get count(): number {
    return this.#claims.size
  }

  /** Told of every row that is written; undefined where no worker has asked yet. */
  get noticing(): ((table: Table, row: Row) => void) | undefined {
    return this.#queues.size === 0 ? undefined : this.#notice
  }

  ask(command: ClaimCommand): Promise<unknown> {
    try {
      switch (command.kind) {
        case 'await-work':
          return this.#await(command)
        case 'claim':
          return this.#claim(command)
        case 'keep-claims':
          return Promise.resolve(this.#keep(command))
        case 'release':
          return Promise.resolve(this.#release(command))
      }
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** The claim of this name. TRANSACTION_CONFLICT if it is over, or its entry is no longer what was claimed. */
  held(name: ClaimName): Claim {
    const claim = this.find(name)
    if (claim === undefined) throw transactionConflict('the claim of the worker is over')
    if (!this.isAsClaimed(claim)) throw transactionConflict('the entry that was claimed was changed')
    return claim
  }

  /** True if the entry is what it was when it was claimed. */
  isAsClaimed({ queue, work: { row }, stamp }: Claim): boolean {
    return queue.table.find(row.value) === row && row.stamp === stamp
  }

  /** The claim of this name; undefined if it is over. */
  find({ epoch, number }: ClaimName): Claim | undefined {
    return epoch === this.#options.epoch() ? this.#claims.get(number) : undefined
  }

  /** Ends the entry of a claim that is spent with it, within the command at hand. */
  spend({ queue, work }: Claim): void {
    if (queue.rule.isSpent === true) this.#options.machine.remove(queue.table, work.row, 'removed')
  }

  /** CLAIM_NOT_RELEASED if the worker would be given the entry again, as the command at hand leaves it (UN3). */
  requireReleased({ queue, work, due }: Claim): void {
    const { table, rule } = queue
    const row = table.find(work.row.value)
    // What was put off to a later time is not the same work any more.
    if (row === undefined || !queue.matches(row) || queue.dueAt(row) > due) return
    throw new PlenumError(
      'CLAIM_NOT_RELEASED',
      `Worker '${rule.name}' has returned, and its entry of type '${rule.type}' still matches ${JSON.stringify(rule.where)}, so that it would get it again and again. Nothing happened: change or remove the entry by \`tx\`.`,
      { details: { worker: rule.name, type: rule.type, key: keyOf(table, row.value) } },
    )
  }

  /** The claim has ended with the command that was just committed, or without any; its entry is not given before `until`. */
  end(claim: Claim, until = 0): void {
    const { now, acked, lastIndex } = this.#options
    const { queue, work } = claim
    if (!this.#claims.delete(claim.number)) return
    this.#leased.delete(claim)
    queue.ended(work, now(), until)
    if (work.group !== undefined) queue.groups.free(work.group, lastIndex(), acked())
    this.#hasNews = true
  }

  /** Entries may be claimed again that were dead letters. */
  sentBack(rows: readonly { readonly table: Table; readonly row: Row }[]): void {
    for (const { table, row } of rows)
      for (const queue of this.#byTable.get(table) ?? []) queue.notice(row, this.#options.now())
    this.#hasNews = true
  }

  /** Transactions are over: what they were about to change may be given. */
  unlocked(): void {
    for (const queue of this.#queues.values()) if (queue.unlocked()) this.#hasNews = true
    this.serve()
  }

  /** Tells those who wait that there is work. */
  serve(): void {
    if (!this.#hasNews) return
    this.#hasNews = false
    for (const [id, { queue }] of this.#waiting) {
      if (this.#hasWork(queue)) this.#answer(id, true)
    }
    this.#look()
  }

  /** Ends a wait for work; false if it does not wait here. */
  cancel(wait: string): boolean {
    return this.#answer(wait, false)
  }

  /** Nobody waits here any more. */
  abandon(error: unknown): void {
    for (const { reject } of this.#waiting.values()) reject(error)
    this.stop()
  }

  /** Forgets everybody without a word. */
  stop(): void {
    this.#stopped = true
    this.#timer?.stop()
    for (const { timer } of this.#waiting.values()) timer.stop()
    this.#waiting.clear()
  }

  readonly #notice = (table: Table, row: Row): void => {
    const queues = this.#byTable.get(table)
    if (queues === undefined) return
    for (const queue of queues) queue.notice(row, this.#options.now())
    this.#hasNews = true
  }

  readonly #onGone = (table: Table, row: Row): void => {
    for (const queue of this.#byTable.get(table) ?? []) if (queue.gone(row)) this.#hasNews = true
  }

  #await({ worker, wait }: Extract<ClaimCommand, { kind: 'await-work' }>): Promise<unknown> {
    const { limits, timers } = this.#options
    const queue = this.#queueOf(worker)
    if (this.#hasWork(queue)) return Promise.resolve(true)
    if (wait.ms <= 0 || wait.over === true) return Promise.resolve(false)
    if (this.#waiting.size >= limits.waitersMax) throw overloaded('waitersMax', limits.waitersMax)
    // A request that was sent again goes on waiting in the place of the first.
    this.#answer(wait.id, false)
    const { promise, resolve, reject } = Promise.withResolvers<boolean>()
    const timer = timers.after(wait.ms, () => this.#answer(wait.id, false))
    this.#waiting.set(wait.id, { queue, resolve, reject, timer })
    this.#look()
    return promise
  }

  /** True if a claim would be given something. */
  #hasWork(queue: WorkQueue): boolean {
    const { limits, now } = this.#options
    return this.#claims.size < limits.claimsMax && queue.next(now()) !== undefined
  }

  #answer(id: string, hasWork: boolean): boolean {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) return false
    this.#waiting.delete(id)
    waiting.timer.stop()
    waiting.resolve(hasWork)
    return true
  }

  #claim({ worker, count, leaseMs }: Extract<ClaimCommand, { kind: 'claim' }>): Promise<unknown> {
    const { machine, limits, now, epoch, lastIndex, hold, failures, isLocked } = this.#options
    const queue = this.#queueOf(worker)
    const { table, groups } = queue
    const claims: Claimed[] = []
    let index = 0
    while (claims.length < count && this.#claims.size < limits.claimsMax) {
      const work = queue.next(now())
      if (work === undefined) break
      const { row, group } = work
      if (isLocked(table, row)) {
        queue.putBehindLock(work)
        continue
      }
      queue.claim(work)
      const earlier = failures.of(worker, table, row)
      index = Math.max(index, row.index, earlier?.index ?? 0, group === undefined ? 0 : groups.dependencyOf(group))
      const number = ++this.#number
      const claim: Claim = {
        number,
        queue,
        work,
        stamp: row.stamp,
        due: queue.dueAt(row),
        until: now() + (leaseMs ?? Infinity),
      }
      this.#claims.set(number, claim)
      if (leaseMs !== undefined) this.#leased.add(claim)
      claims.push({
        number,
        entry: row.value,
        stamp: row.stamp,
        version: row.version,
        attempt: (earlier?.attempts ?? 0) + 1,
      })
    }
    if (leaseMs !== undefined) this.#look()
    return hold(Math.min(index, lastIndex()), { epoch: epoch(), time: machine.time, claims })
  }

  #keep({ epoch, numbers, leaseMs }: Extract<ClaimCommand, { kind: 'keep-claims' }>): undefined {
    for (const number of numbers) {
      const claim = this.find({ epoch, number })
      if (claim !== undefined) claim.until = this.#options.now() + leaseMs
    }
    return undefined
  }

  #release({ claim: name, delayMs }: Extract<ClaimCommand, { kind: 'release' }>): undefined {
    const claim = this.find(name)
    if (claim !== undefined) this.end(claim, this.#options.now() + delayMs)
    this.serve()
    return undefined
  }

  #queueOf(worker: string): WorkQueue {
    return this.#queues.get(worker) ?? this.#newQueue(worker)
  }

  #newQueue(worker: string): WorkQueue {
    const { machine, rules, limits, failures, now } = this.#options
    const rule = rules.find(({ name }) => name === worker)
    if (rule === undefined) throw unknownWorker(worker, rules)
    const table = machine.table(rule.type)
    const groups = this.#groups.get(table) ?? new Groups()
    const queue = new WorkQueue(rule, table, groups, (row) => failures.of(worker, table, row))
    this.#groups.set(table, groups)
    this.#queues.set(worker, queue)
    this.#byTable.set(table, [...(this.#byTable.get(table) ?? []), queue])
    machine.onGone = this.#onGone
    // All that match, however many rows have to be looked at: it happens once in a reign.
    wayTo(table, rule.where, undefined, {}, { ...limits, queryVisitsMax: Infinity }).walk((row) => {
      queue.notice(row, now())
      return true
    })
    return queue
  }

  /** Sets the timer to when the next claim ends by itself, or the next entry that was put off is ready. */
  #look(): void {
    const { timers, now } = this.#options
    let at = Infinity
    if (this.#waiting.size > 0) for (const { nextDue } of this.#queues.values()) at = Math.min(at, nextDue)
    for (const { until } of this.#leased) at = Math.min(at, until)
    if (at === Infinity || at >= this.#timerAt || this.#stopped) return
    this.#timer?.stop()
    this.#timerAt = at
    this.#timer = timers.after(Math.max(1, at - now()), () => this.#onTime())
  }

  #onTime(): void {
    const { now } = this.#options
    this.#timerAt = Infinity
    for (const claim of this.#leased) if (claim.until <= now()) this.end(claim)
    this.#hasNews = true
    this.serve()
  }
}

function unknownWorker(name: string, rules: readonly WorkerRule[]): PlenumError {
  const known = rules.map((rule) => rule.name)
  return new PlenumError(
    'HANDLER_UNKNOWN',
    `The unit has no worker '${name}'. It has: ${known.join(', ') || 'none'}.`,
    { details: { kind: 'worker', name, known } },
  )
}
