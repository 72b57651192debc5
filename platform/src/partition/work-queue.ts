// The entries that a worker may claim at one partition (UN3): which match, and which of those are claimed or put off.
//
// Owns what is handed out next. Does not own claims, nor what is kept of attempts that failed. Derived: made by a scan
// when the worker first asks in a reign, and kept up by what is written. Called by `claims.ts`.
//
// I1 Every row that matches, and is no dead letter, is here once: ready, claimed or put off.
// I2 What is not due yet is put off, like what has failed: it costs its place in a heap, and nothing while it waits.
// I3 What is no longer here is found stale in the orders when its turn comes, or when there is too much of it.
import { Heap } from '../kernel/index.ts'
import { compileQuery, type Matcher, type Row, type Table } from '../space/index.ts'
import type { WorkerRule } from './logic.ts'
import { GroupOrder, groupOf, WriteOrder, type Groups, type Work, type WorkOrder } from './work-order.ts'

/** Stale works in the orders before they are thrown out, at least. */
const compactMin = 1_024

/** What an earlier attempt at an entry, as it is, has left behind. */
export interface EarlierAttempts {
  readonly attempts: number
  readonly retryAt: number
  readonly isDead: boolean
}

export class WorkQueue {
  readonly rule: WorkerRule
  readonly table: Table
  readonly groups: Groups
  readonly #matches: Matcher
  readonly #earlier: (row: Row) => EarlierAttempts | undefined
  readonly #works = new Map<Row, Work>()
  readonly #order: WorkOrder
  readonly #putOff = new Heap<Work>((one, other) => one.until < other.until)
  /** Put off until a transaction is over. */
  #locked: Work[] = []

  constructor(rule: WorkerRule, table: Table, groups: Groups, earlier: (row: Row) => EarlierAttempts | undefined) {
    this.rule = rule
    this.table = table
    this.groups = groups
    this.#matches = compileQuery(rule.where)
    this.#earlier = earlier
    const isCurrent = (work: Work): boolean => this.#works.get(work.row) === work
    this.#order = table.layout.fifo === undefined ? new WriteOrder(isCurrent) : new GroupOrder(groups, isCurrent)
  }

  /** Works that it holds, stale ones included. */
  get size(): number {
    return this.#works.size + this.#order.size + this.#putOff.size
  }

  /** True if an entry with this value is still to be worked on. */
  matches(row: Row): boolean {
    return this.#matches(row.value)
  }

  /** Partition time from which on an entry may be claimed. */
  dueAt({ value }: Row): number {
    const { due } = this.rule
    const at: unknown = due === undefined ? 0 : value[due]
    return typeof at === 'number' ? at : 0
  }

  /** A row was written, or has to be looked at anew. */
  notice(row: Row, now: number): void {
    const known = this.#works.get(row)
    if (known?.state === 'claimed') return
    if (known !== undefined && known.stamp === row.stamp) return
    if (known !== undefined) this.#works.delete(row)
    if (!this.#matches(row.value)) return this.#freed(known)
    const earlier = this.#earlier(row)
    if (earlier?.isDead === true) return this.#freed(known)
    const until = Math.max(earlier?.retryAt ?? 0, this.dueAt(row))
    this.#add(row, until > now ? until : undefined)
    // It may stand in another group now, and what comes behind it in the one before must not wait for it.
    this.#freed(known)
  }

  /** A row was removed; true if that may let another be handed out. */
  gone(row: Row): boolean {
    const work = this.#works.get(row)
    if (work === undefined || work.state === 'claimed') return false
    this.#works.delete(row)
    this.#freed(work)
    return work.state === 'put off'
  }

  /** What is handed out next; undefined if nothing is ready. */
  next(now: number): Work | undefined {
    for (let due = this.#putOff.first; due !== undefined && due.until <= now; due = this.#putOff.first) {
      this.#putOff.pop()
      this.#resume(due)
    }
    return this.#order.next()
  }

  /** Partition time at which the next entry that was put off is ready; Infinity if none is. */
  get nextDue(): number {
    return this.#putOff.first?.until ?? Infinity
  }

  /** Hands out what `next` told. */
  claim(work: Work): void {
    this.#order.take(work)
    work.state = 'claimed'
    if (work.group !== undefined) this.groups.occupy(work.group)
  }

  /** What `next` told waits until a transaction is over. */
  putBehindLock(work: Work): void {
    this.#order.take(work)
    work.state = 'put off'
    work.until = Infinity
    this.#order.add(work)
    this.#locked.push(work)
  }

  /** Transactions are over. */
  unlocked(): boolean {
    const locked = this.#locked
    if (locked.length > 0) this.#locked = []
    for (const work of locked) this.#resume(work)
    return locked.length > 0
  }

  /** A claim has ended: its entry is looked at anew, and not handed out before `until`. */
  ended(work: Work, now: number, until: number): void {
    const { row } = work
    this.#works.delete(row)
    if (this.table.find(row.value) !== row) return
    if (until <= now) return this.notice(row, now)
    if (this.#matches(row.value) && this.#earlier(row)?.isDead !== true)
      this.#add(row, Math.max(until, this.dueAt(row)))
  }

  #add(row: Row, until: number | undefined): void {
    if (this.#order.size + this.#putOff.size > 2 * this.#works.size + compactMin) this.#compact()
    const work: Work = {
      row,
      stamp: row.stamp,
      state: until === undefined ? 'ready' : 'put off',
      until: until ?? 0,
      group: groupOf(this.table, row),
    }
    this.#works.set(row, work)
    this.#order.add(work)
    if (until !== undefined) this.#putOff.push(work)
  }

  #resume(work: Work): void {
    if (work.state !== 'put off' || this.#works.get(work.row) !== work) return
    work.state = 'ready'
    this.#order.ready(work)
  }

  /** An entry that held back its group is here no more. */
  #freed(work: Work | undefined): void {
    if (work?.state === 'put off') this.#order.ready(work)
  }

  #compact(): void {
    this.#order.compact()
    this.#putOff.keepOnly((work) => this.#works.get(work.row) === work)
    this.#locked = this.#locked.filter((work) => this.#works.get(work.row) === work)
  }
}
