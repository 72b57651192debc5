// A watch over all partitions (WA1): each is asked what changed since a place, and what they answer becomes one stream.
//
// I1 What a partition tells is passed on commit by commit, in its order; partitions are not ordered against each other.
// I2 A partition is asked again when its answer has been consumed: whoever is slow holds up nobody and fills nothing,
//    and at worst finds that the changes do not reach back any more (WA3).
// I3 Every token names a place for each partition, so that a watch can go on from any of them (WA2).
import { PlenumError } from '../kernel/index.ts'
import {
  stampOf,
  stampValue,
  type Change,
  type Command,
  type StoredValue,
  type Token,
  type Wait,
  type Watched,
  type WatchedCommit,
  type WatchEvent,
  type WatchPlace,
} from '../space/index.ts'
import { conflated } from './conflation.ts'
import { copied } from './copied.ts'
import { opaqueText, readOpaque } from './cursor.ts'
import type { Sender } from './sender.ts'
import type { ClientType } from './space-client.ts'

export interface WatchOptions {
  readonly initial?: boolean | undefined
  readonly since?: string | undefined
  readonly conflate?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

/** Milliseconds that a partition is asked to wait for a change; then it is asked again. */
const waitMs = 20_000

/** An answer, and the partition that it is from. */
interface Heard {
  readonly partition: number
  readonly watched: Watched
}

/** Follows what matches a query, from its present state or from a token on. */
export class Watch {
  readonly #router: Sender
  readonly #type: ClientType
  readonly #where: StoredValue
  readonly #options: WatchOptions
  /** Where it stands at each partition; undefined where the present state was not told yet. */
  #places: (WatchPlace | undefined)[] = []
  readonly #heard: Heard[] = []
  readonly #open = new Map<number, Wait>()
  #failure: Error | undefined
  #wake: (() => void) | undefined
  #over = false

  constructor(router: Sender, type: ClientType, where: StoredValue, options: WatchOptions) {
    this.#router = router
    this.#type = type
    this.#where = copied(where)
    this.#options = options
  }

  async *events(): AsyncGenerator<WatchEvent<StoredValue>> {
    const { since, signal, initial = true } = this.#options
    const onAbort = (): void => {
      this.#over = true
      this.#wake?.()
    }
    signal?.addEventListener('abort', onAbort)
    if (signal?.aborted === true) return
    try {
      if (since !== undefined) yield* this.#resume(since)
      else yield* this.#begin(initial ? 'initial' : undefined)
      while (!this.#over) {
        const heard = this.#heard.shift() ?? (await this.#hear())
        if (heard === undefined) continue
        if (heard.watched.kind === 'gone') yield* this.#startAgain(heard.partition, heard.watched.epoch)
        else {
          for (const event of this.#tell(heard)) yield event
          this.#ask(heard.partition)
        }
      }
    } finally {
      this.#over = true
      signal?.removeEventListener('abort', onAbort)
      for (const [partition, wait] of this.#open) void this.#router.cancel(partition, wait)
    }
  }

  /** Changes that match and that this watch has not told yet; Infinity where they do not reach back to it. */
  async behind(): Promise<number> {
    const all = await this.#askAll(this.#places, false)
    return all.reduce((sum, watched) => sum + changesIn(watched), 0)
  }

  /** The present state of every partition; without a reason only where they stand. */
  async *#begin(reason: 'initial' | 'history-gone' | undefined): AsyncGenerator<WatchEvent<StoredValue>> {
    this.#places = Array.from({ length: this.#router.partitions }, () => undefined)
    const all = await this.#askAll(this.#places, reason !== undefined)
    if (reason !== undefined) yield { kind: 'reset', reason }
    for (const [partition, watched] of all.entries())
      for (const event of this.#tell({ partition, watched })) yield event
    for (const partition of this.#places.keys()) this.#ask(partition)
    yield { kind: 'ready', token: this.#token() }
  }

  /** What changed since the token; a fresh state if somewhere the changes do not reach back so far. */
  async *#resume(token: string): AsyncGenerator<WatchEvent<StoredValue>> {
    this.#places = this.#placesIn(token)
    const all = await this.#askAll(this.#places, true)
    if (all.some(({ kind }) => kind === 'gone')) return yield* this.#begin('history-gone')
    for (const [partition, watched] of all.entries())
      for (const event of this.#tell({ partition, watched })) yield event
    for (const partition of this.#places.keys()) this.#ask(partition)
    yield { kind: 'ready', token: this.#token() }
  }

  /** Waits until something was heard, or the watch is over. */
  async #hear(): Promise<Heard | undefined> {
    if (this.#failure !== undefined) throw this.#failure
    await new Promise<void>((resolve) => (this.#wake = resolve))
    return this.#heard.shift()
  }

  /** A partition's changes do not reach back to where this watch stood there. */
  async *#startAgain(partition: number, epoch: number): AsyncGenerator<WatchEvent<StoredValue>> {
    // Another reign may know less than the one before; the same one has gone on without this watch.
    if (epoch === this.#places[partition]?.epoch && this.#options.conflate !== true) throw tooSlow()
    this.#heard.length = 0
    for (const [other, wait] of this.#open) void this.#router.cancel(other, wait)
    this.#open.clear()
    yield* this.#begin('history-gone')
  }

  *#tell({ partition, watched }: Heard): Generator<WatchEvent<StoredValue>> {
    if (watched.kind === 'gone') return
    if (watched.kind === 'initial') {
      this.#places[partition] = watched.place
      const changes = watched.entries.map((entry) => ({ kind: 'added', entry }) as const)
      if (changes.length > 0) yield this.#changed(changes)
      return
    }
    const commits = watched.commits.map((commit) => ({ changes: withStamps(commit), place: commit.place }))
    if (this.#options.conflate === true) {
      const changes = conflated(
        commits.flatMap((commit) => commit.changes),
        this.#type,
      )
      this.#places[partition] = watched.place
      if (changes.length > 0) yield this.#changed(changes)
      return
    }
    for (const { changes, place } of commits) {
      this.#places[partition] = place
      yield this.#changed(changes)
    }
    this.#places[partition] = watched.place
  }

  /** Asks a partition what comes next; its answer is heard later. */
  #ask(partition: number): void {
    const wait = this.#router.newWait(waitMs)
    this.#open.set(partition, wait)
    this.#send(partition, this.#places[partition], false, wait).then(
      (watched) => {
        if (this.#open.get(partition) !== wait) return
        this.#open.delete(partition)
        this.#heard.push({ partition, watched })
        this.#wake?.()
      },
      (error: unknown) => {
        if (this.#open.get(partition) !== wait) return
        this.#failure ??= error instanceof Error ? error : new Error(String(error))
        this.#wake?.()
      },
    )
  }

  #askAll(places: readonly (WatchPlace | undefined)[], initial: boolean): Promise<readonly Watched[]> {
    return Promise.all(places.map((place, partition) => this.#send(partition, place, initial, this.#router.newWait(0))))
  }

  async #send(partition: number, since: WatchPlace | undefined, initial: boolean, wait: Wait): Promise<Watched> {
    const command: Command = { kind: 'watch', type: this.#type.layout.name, where: this.#where, initial, since, wait }
    return (await this.#router.send(partition, command)) as Watched
  }

  get #asked(): { readonly type: string; readonly where: StoredValue } {
    return { type: this.#type.layout.name, where: this.#where }
  }

  /** A token costs more than a delivery, and few are looked at: it is made by whoever does. */
  #changed(changes: readonly Change<StoredValue>[]): WatchEvent<StoredValue> {
    const places = [...this.#places]
    const asked = this.#asked
    return {
      kind: 'changes',
      changes,
      get token() {
        return tokenOf(places, asked)
      },
    }
  }

  #token(): Token {
    return tokenOf(this.#places, this.#asked)
  }

  #placesIn(token: string): (WatchPlace | undefined)[] {
    const places = readOpaque(token, this.#asked, 'since') as readonly (WatchPlace | null)[]
    if (places.length === this.#router.partitions) return places.map((place) => place ?? undefined)
    throw new PlenumError(
      'QUERY_INVALID',
      `The token of this watch is of ${places.length} partitions; there are ${this.#router.partitions}.`,
      { details: { path: 'since' } },
    )
  }
}

function changesIn(watched: Watched): number {
  if (watched.kind !== 'changes') return Infinity
  return watched.commits.reduce((sum, { changes }) => sum + changes.length, 0)
}

function tokenOf(
  places: readonly (WatchPlace | undefined)[],
  asked: { readonly type: string; readonly where: StoredValue },
): Token {
  return opaqueText(
    places.map((place) => place ?? null),
    asked,
  ) as Token
}

/** The changes of a commit, with stamps also where they came over a network. */
function withStamps({ changes, stamps }: WatchedCommit): readonly Change<StoredValue>[] {
  return changes.map((change, at) => {
    if (stampOf(change.entry) !== undefined) return change
    const entry = { ...change.entry }
    stampValue(entry, stamps[at]!)
    return { ...change, entry: Object.freeze(entry) }
  })
}

function tooSlow(): PlenumError {
  return new PlenumError(
    'WATCHER_TOO_SLOW',
    'This watch was slower than what it watches, and changes that it has not seen are gone. Watch again from its last ' +
      'token, which begins with the present state; or ask for `conflate: true`, which never ends so.',
  )
}
