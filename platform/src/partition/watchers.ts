import type { Limits } from '../kernel/index.ts'
import type { Timer, Timers } from '../runtime/index.ts'
import {
  compileQuery,
  stampOf,
  type Change,
  type Machine,
  type Matcher,
  type RingChange,
  type StoredValue,
  type Table,
  type WatchCommand,
  type Watched,
  type WatchedCommit,
  type WatchPlace,
} from '../space/index.ts'
import type { Commands } from './commands.ts'
import { otherJournal, overloaded } from './primary-errors.ts'

interface Watcher {
  readonly id: string
  readonly table: Table
  readonly matches: Matcher
  place: WatchPlace
  readonly resolve: (watched: Watched) => void
  readonly reject: (error: unknown) => void
  readonly timer: Timer
}

/** What watchers need of their primary. */
export interface WatchersOptions {
  readonly machine: Machine
  readonly commands: Commands
  readonly journalId: Uint8Array
  /** The reign. */
  readonly epoch: () => number
  /** Whether no other reign can have begun. */
  readonly leaseHolds: () => boolean
  readonly limits: Limits
  readonly timers: Timers
  readonly acked: () => number
  /** The index of the open batch, or the last one if it holds nothing. */
  readonly lastIndex: () => number
  /** Answers when the index is acked. */
  readonly hold: (index: number, value: unknown, confirmed?: boolean) => Promise<unknown>
}

/**
 * Those who watch a partition (WA1): each asks what changed since a place, and waits here if nothing has. Nothing is kept
 * for anybody beside the place: whoever is slow finds the ring gone on.
 */
export class Watchers {
  readonly #options: WatchersOptions
  /** The journal's id, in hexadecimal digits. */
  readonly #journal: string
  readonly #waiting = new Map<string, Watcher>()
  /** Compiled queries by the object that was asked with: in one process a watch asks with the same one each time. */
  readonly #matchers = new WeakMap<StoredValue, Matcher>()
  /** Those among them that watch what is not durable. */
  readonly #ofVolatile = new Set<Watcher>()

  constructor(options: WatchersOptions) {
    this.#options = options
    this.#journal = [...options.journalId].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  }

  /** Those that wait for changes. */
  get count(): number {
    return this.#waiting.size
  }

  /** What changed of what matches; without a place to start from, where the partition stands, and what matches there. */
  ask(command: WatchCommand): Promise<unknown> {
    const { machine, commands, limits } = this.#options
    const { type, where, since, initial } = command
    try {
      const known = this.#matchers.get(where)
      if (since === undefined || known === undefined) {
        // Evaluated in any case: a query says what is wrong with it.
        const options = initial && since === undefined ? {} : { limit: 0 }
        const entries = commands.evaluate({ kind: 'readAll', type, where, options })
        if (known === undefined) this.#matchers.set(where, compileQuery(where))
        if (since === undefined) return this.#begin(machine.table(type), entries)
      }
      if (since.journal !== this.#journal) throw otherJournal()
      if (this.#waiting.size >= limits.watchersMax) throw overloaded('watchersMax', limits.watchersMax)
      return this.#changes(command, machine.table(type), since)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Where the partition stands, and what matches there. */
  #begin(table: Table, entries: unknown): Promise<unknown> {
    const { machine, lastIndex, hold } = this.#options
    const index = table.isVolatile ? Math.min(table.lastIndex, lastIndex()) : lastIndex()
    const place = { ...this.#reign, index, change: machine.ringOf(table).last }
    return hold(place.index, { kind: 'initial', entries, place })
  }

  /** What changed since a place, of what is acked; waits for something if nothing has. */
  #changes({ wait, where }: WatchCommand, table: Table, since: WatchPlace): Promise<Watched> {
    const matches = this.#matchers.get(where) ?? compileQuery(where)
    const watched = this.#collect(table, matches, since, this.#options.acked())
    if (watched.kind !== 'changes' || watched.commits.length > 0 || wait.ms <= 0) return Promise.resolve(watched)
    this.#waiting.get(wait.id)?.resolve(watched)
    const { promise, resolve, reject } = Promise.withResolvers<Watched>()
    const timer = this.#options.timers.after(wait.ms, () => this.#end(wait.id))
    const watcher = { id: wait.id, table, matches, place: watched.place, resolve, reject, timer }
    this.#waiting.set(wait.id, watcher)
    if (table.isVolatile) this.#ofVolatile.add(watcher)
    return promise
  }

  /** More is acked: whoever sees something of it is told. */
  onAcked(acked: number): void {
    if (this.#waiting.size === 0) return
    for (const watcher of this.#waiting.values()) this.#look(watcher, acked)
  }

  /** Something that is not durable has changed: no ack will say so. */
  onVolatile(acked: number): void {
    for (const watcher of this.#ofVolatile) this.#look(watcher, acked)
  }

  #look(watcher: Watcher, acked: number): void {
    const watched = this.#collect(watcher.table, watcher.matches, watcher.place, acked)
    if (watched.kind === 'changes' && watched.commits.length === 0) watcher.place = watched.place
    else this.#settle(watcher, watched)
  }

  /** Ends a wait; false if nobody waits under this name. */
  cancel(id: string): boolean {
    return this.#end(id)
  }

  /** Nobody watches here any more. */
  abandon(error: unknown): void {
    for (const watcher of this.#waiting.values()) {
      this.#forget(watcher)
      watcher.reject(error)
    }
  }

  /** Forgets everybody without a word. */
  stop(): void {
    for (const { timer } of this.#waiting.values()) timer.stop()
    this.#waiting.clear()
    this.#ofVolatile.clear()
  }

  #end(id: string): boolean {
    const watcher = this.#waiting.get(id)
    if (watcher === undefined) return false
    this.#settle(watcher, { kind: 'changes', commits: [], place: watcher.place })
    return true
  }

  get #reign(): { readonly journal: string; readonly epoch: number } {
    return { journal: this.#journal, epoch: this.#options.epoch() }
  }

  #settle(watcher: Watcher, watched: Watched): void {
    this.#forget(watcher)
    watcher.resolve(watched)
  }

  #forget(watcher: Watcher): void {
    this.#waiting.delete(watcher.id)
    this.#ofVolatile.delete(watcher)
    watcher.timer.stop()
  }

  #collect(table: Table, matches: Matcher, since: WatchPlace, acked: number): Watched {
    const { limits, machine } = this.#options
    const ring = machine.ringOf(table)
    // What is acked is so whoever reigns; what is not journaled is so only here, and only as long as that is certain.
    if (table.isVolatile && !this.#options.leaseHolds()) return { kind: 'changes', commits: [], place: since }
    // What was told before an upgrade looked otherwise, though nothing has changed since (UN10).
    if (since.epoch < (table.layout.schema?.epoch ?? 0)) return { kind: 'gone', epoch: this.#options.epoch() }
    if (!ring.reaches(since.change)) return { kind: 'gone', epoch: this.#options.epoch() }
    const commits: WatchedCommit[] = []
    let place = since
    let open: Change<StoredValue>[] = []
    let count = 0
    ring.visit(table, since.change, acked, (change, { number, index, isLast }) => {
      const seen = change === undefined ? undefined : seenBy(matches, change)
      if (seen !== undefined) open.push(seen)
      if (!isLast) return true
      place = { ...this.#reign, index, change: number }
      if (open.length > 0) {
        commits.push({ changes: open, stamps: open.map(({ entry }) => stampOf(entry) ?? 0), place })
        count += open.length
        open = []
      }
      return count < limits.watchChangesMax
    })
    return { kind: 'changes', commits, place }
  }
}

/** A change as a query sees it; undefined if it sees nothing of it. */
function seenBy(matches: Matcher, { before, after, reason }: RingChange): Change<StoredValue> | undefined {
  const previous = before !== undefined && matches(before) ? before : undefined
  const entry = after !== undefined && matches(after) ? after : undefined
  if (entry !== undefined)
    return previous === undefined ? { kind: 'added', entry } : { kind: 'changed', entry, previous }
  return previous === undefined ? undefined : { kind: 'removed', entry: previous, reason: reason ?? 'unmatched' }
}
