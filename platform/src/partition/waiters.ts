import type { Timer, Timers } from '../runtime/index.ts'
import { compileQuery, type Matcher, type Request, type Row, type StoredValue, type Table } from '../space/index.ts'

/** A read or take that found nothing and waits for a match (SP5). */
export interface Waiter {
  readonly id: string
  readonly request: Request
  readonly table: Table
  /** Partition time at which it gives up. */
  readonly until: number
  /** Settles it, with a value or a promise of one. */
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
}

/** How an attempt to serve somebody ended; `locked`: a transaction was in the way, and it is tried again after its end. */
export type Served = 'answered' | 'nothing' | 'locked'

/** Cancelled waits that are remembered. */
const cancelledMax = 4_096

interface Entry extends Waiter {
  readonly matches: Matcher
  readonly promise: Promise<unknown>
  readonly timer: Timer
  /** True if something was written that matches it, since it was last served. */
  noticed: boolean
  /** True if a lock was in its way when it was last served. */
  locked: boolean
}

/** What a waiter is made of. */
export interface WaiterOptions {
  readonly id: string
  readonly request: Request
  readonly table: Table
  readonly where: StoredValue
  readonly until: number
  readonly afterMs: number
  /** Called when nothing came in time; it is to cancel the waiter. */
  readonly onTimeout: (id: string) => void
}

/**
 * Those who wait for a match at one partition, in the order in which they came (SP5). Volatile: when a reign ends they
 * are asked to come again elsewhere. Nothing is evaluated while nothing is written.
 */
export class Waiters {
  readonly #timers: Timers
  readonly #waiting = new Map<string, Entry>()
  #evaluated = 0
  #noticed = 0
  /** Partition time before which nobody gives up. */
  #soonest = Infinity
  /** Rows that were written since the last service, of types that somebody waits for. */
  #rows: { readonly table: Table; readonly row: Row }[] = []
  /** Waits that were cancelled and were not here: their requests may still be on their way. */
  readonly #cancelled = new Set<string>()

  constructor(timers: Timers) {
    this.#timers = timers
  }

  get count(): number {
    return this.#waiting.size
  }

  /** How often a query was evaluated for somebody who waits. */
  get evaluated(): number {
    return this.#evaluated
  }

  /** The answer of whoever waits already: its request was sent again, and it goes on waiting where it stood. */
  promiseOf(id: string): Promise<unknown> | undefined {
    return this.#waiting.get(id)?.promise
  }

  /** Waits. */
  add(options: WaiterOptions): Promise<unknown> {
    const { id, request, table, where, until, afterMs, onTimeout } = options
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const timer = this.#timers.after(afterMs, () => onTimeout(id))
    const matches = compileQuery(where)
    this.#waiting.set(id, {
      id,
      request,
      table,
      until,
      resolve,
      reject,
      matches,
      promise,
      timer,
      noticed: false,
      locked: false,
    })
    this.#soonest = Math.min(this.#soonest, until)
    return promise
  }

  /** Has `end` end every wait that is over at this partition time: before anything is written that it could be given. */
  endUntil(now: number, end: (id: string) => void): void {
    if (now < this.#soonest) return
    this.#soonest = Infinity
    for (const { id, until } of this.#waiting.values()) {
      if (until <= now) end(id)
      else this.#soonest = Math.min(this.#soonest, until)
    }
  }

  /** A row was written: those that it matches are served next. */
  notice(table: Table, row: Row): void {
    let isAwaited = false
    for (const waiter of this.#waiting.values()) {
      if (waiter.table !== table) continue
      isAwaited = true
      if (waiter.noticed) continue
      this.#evaluated += 1
      if (!matchesSafely(waiter.matches, row.value)) continue
      waiter.noticed = true
      this.#noticed += 1
    }
    if (isAwaited) this.#rows.push({ table, row })
  }

  /** Locks are gone: those that met one are served again. */
  unlocked(): void {
    for (const waiter of this.#waiting.values()) {
      if (!waiter.locked || waiter.noticed) continue
      waiter.noticed = true
      this.#noticed += 1
    }
  }

  /** Lets `grant` try each waiter for which something came, in order of arrival; those that it serves are gone. */
  serve(grant: (waiter: Waiter) => Served): void {
    const rows = this.#rows
    if (rows.length > 0) this.#rows = []
    if (this.#noticed === 0) return
    this.#noticed = 0
    for (const waiter of this.#waiting.values()) {
      if (!waiter.noticed) continue
      waiter.noticed = false
      const wasLocked = waiter.locked
      waiter.locked = false
      // Those who came before may have taken everything.
      const isLeft = rows.some(
        ({ table, row }) =>
          table === waiter.table && table.find(row.value) === row && matchesSafely(waiter.matches, row.value),
      )
      if (!isLeft && !wasLocked) continue
      const served = grant(waiter)
      if (served === 'answered') this.#remove(waiter.id)
      waiter.locked = served === 'locked'
    }
  }

  /** Takes a waiter out; undefined if it does not wait here, or no longer, or not yet. */
  cancel(id: string): Waiter | undefined {
    const waiter = this.#remove(id)
    if (waiter !== undefined) return waiter
    this.#cancelled.add(id)
    if (this.#cancelled.size > cancelledMax) for (const first of this.#cancelled) return this.#forgetCancelled(first)
    return undefined
  }

  /** True if the wait was cancelled before it came. */
  wasCancelled(id: string): boolean {
    return this.#cancelled.size > 0 && this.#cancelled.has(id)
  }

  #forgetCancelled(id: string): undefined {
    this.#cancelled.delete(id)
  }

  /** Nobody waits here any more. */
  abandon(error: unknown): void {
    for (const { id, reject } of this.#waiting.values()) {
      this.#remove(id)
      reject(error)
    }
  }

  /** Forgets everybody without a word. */
  stop(): void {
    for (const { id } of this.#waiting.values()) this.#remove(id)
  }

  #remove(id: string): Entry | undefined {
    const waiter = this.#waiting.get(id)
    if (waiter === undefined) return undefined
    this.#waiting.delete(id)
    waiter.timer.stop()
    return waiter
  }
}

/** A query that cannot be evaluated matches nothing: it must not fail somebody else's write. */
function matchesSafely(matches: Matcher, value: StoredValue): boolean {
  try {
    return matches(value)
  } catch {
    return false
  }
}
