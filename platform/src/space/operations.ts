import type { Duration, PlenumError } from '../kernel/index.ts'
import type { AnyEntry, Key, Named, NameOf, New, Of, Value } from './entry-type.ts'
import type { Stamp } from './stamp.ts'
import type { Stored } from './values.ts'
import type { Token, WatchEvent } from './watching.ts'
import type { At, Field, Path, Where } from './where.ts'

/** The same operations twice: at once inside a partition, as promises everywhere else. */
export type Mode = 'now' | 'later'

/** What an operation returns in a mode. */
export type Reply<M extends Mode, R> = M extends 'now' ? R : Promise<R>

/** How long a caller waits and how it gives up; undefined may be passed through (SP11). */
export interface CallOptions {
  /** Time until the answer has to be there; afterwards the call fails with TIMEOUT or UNKNOWN_OUTCOME. */
  readonly timeout?: Duration | undefined
  readonly signal?: AbortSignal | undefined
}

/** Options of a call that changes something: with a key of the caller's own, a repetition gets the first answer (SP12). */
export interface RequestOptions extends CallOptions {
  readonly key?: string | undefined
}

/** Inside a partition nothing can wait: there the waiting options do not exist. `wait` is for a match to appear (SP5). */
export type Patience<M extends Mode> = M extends 'now'
  ? unknown
  : CallOptions & { readonly wait?: Duration | undefined }

/** Options of a change: none inside a partition, where it is part of the handler's one transaction. */
export type Delivery<M extends Mode> = M extends 'now' ? unknown : RequestOptions

/** Fails the change with STAMP_CONFLICT unless the entry still has this stamp (SP2). */
export interface Conditional {
  readonly ifStamp?: Stamp | undefined
}

/** How long the entry lives unless it is written again; for ever, or the entry type's lease, if left out (SP8). */
export interface Leased {
  readonly lease?: Duration | undefined
}

/** Asks for the old entry in the answer (SP1). */
export interface Returning {
  readonly returning?: 'previous' | undefined
}

/** What a read may ask for beside its query. */
export interface ReadOptions<V, S> {
  /** Only these fields; the whole entry if left out. */
  readonly select?: readonly S[]
  readonly orderBy?: { readonly [P in Path<V>]?: 'asc' | 'desc' }
  readonly limit?: number | undefined
  readonly offset?: number | undefined
  /** In the order in which the entries were first written, within each partition (SP9). */
  readonly fifo?: boolean | undefined
}

/** What a read of pages may ask for beside its query. */
export interface PageOptions<V, S> {
  readonly select?: readonly S[]
  readonly orderBy?: { readonly [P in Path<V>]?: 'asc' | 'desc' }
  /** Entries of a page at most; 100 if left out. */
  readonly limit?: number | undefined
  /** The cursor of the page before; the first page if left out. */
  readonly cursor?: string | undefined
}

/** Some of what matches, and where to go on; no cursor after the last page. */
export interface Page<R> {
  readonly entries: readonly R[]
  readonly cursor: string | undefined
}

/** Figures to work out, each of some paths. */
export interface AggregateOptions<G, S, M> {
  /** One set of figures for each combination of what stands at these paths. */
  readonly groupBy?: readonly G[]
  readonly sum?: readonly S[]
  readonly avg?: readonly S[]
  readonly min?: readonly M[]
  readonly max?: readonly M[]
}

/** The figures of a group, or of everything that matches; by path, absent where nothing was there. */
export interface Aggregated<V, G extends string, S extends string, M extends string> {
  /** What stands at the paths of `groupBy`. */
  readonly group: { readonly [P in G]: Stored<At<V, P>> }
  readonly count: number
  readonly sum: { readonly [P in S]: Numeric<At<V, P>> }
  readonly avg: { readonly [P in S]?: number }
  readonly min: { readonly [P in M]?: Stored<At<V, P>> }
  readonly max: { readonly [P in M]?: Stored<At<V, P>> }
}

type Numeric<V> = NonNullable<V> extends bigint ? bigint | 0 : number

/** Paths of numbers, and paths of what can be ordered. */
type NumberPath<V> = { [P in Path<V>]: NonNullable<At<V, P>> extends number | bigint ? P : never }[Path<V>]
type OrderedPath<V> = {
  [P in Path<V>]: NonNullable<At<V, P>> extends number | bigint | string | boolean ? P : never
}[Path<V>]

/** How a query was answered: whether all partitions were asked, and what each of them did. */
export interface QueryExplanation {
  readonly fanOut: boolean
  readonly matches: number
  /** Entries that were looked at: an index that serves the query visits matches only. */
  readonly visited: number
  readonly partitions: readonly {
    readonly partition: number
    /** `id`, the paths of an index, several of them joined by `or`, or `scan`. */
    readonly by: string
    readonly visited: number
    readonly matches: number
    /** True if matches had to be sorted. */
    readonly sorted: boolean
  }[]
}

/** What a read returns for the fields it selected. */
export type Selected<V, S> = [S] extends [never] ? Stored<V> : V extends unknown ? Stored<Pick<V, S & keyof V>> : never

/** What a write returns; `previous` if it was asked for and there was one. */
export interface Written<V = unknown> {
  readonly id: string
  /** Starts at 1 and grows by one with each change; for people. */
  readonly version: number
  readonly stamp: Stamp
  readonly previous?: V | undefined
}

/** What became of one entry of a batch (SP10). */
export type EntryOutcome<R> =
  | { readonly ok: true; readonly value: R }
  | { readonly ok: false; readonly error: PlenumError }

type Changes<V> = { readonly [P in Path<V>]?: Stored<At<V, P>> }
type Lists<V> = {
  readonly [P in Path<V> as NonNullable<At<V, P>> extends readonly unknown[] ? P : never]?: NonNullable<
    At<V, P>
  > extends readonly (infer Item)[]
    ? Stored<Item>
    : never
}
type Numbers<V> = { readonly [P in Path<V> as At<V, P> extends number | bigint ? P : never]?: At<V, P> }

/** Declared mutations of one entry, applied together; the mutation travels, not the value (SP6). */
export interface Mutations<V> {
  readonly set?: Changes<V>
  readonly unset?: readonly Path<V>[]
  readonly add?: Numbers<V>
  /** Appends an item to a list; an absent list is an empty one. */
  readonly push?: Lists<V>
  /** Removes every item of a list that is equal to this one. */
  readonly removeFrom?: Lists<V>
  readonly min?: Numbers<V>
  readonly max?: Numbers<V>
}

/** What can be asked of entries. */
export interface Reads<M extends Mode, E extends AnyEntry> {
  /** The entry with this key, undefined if there is none. */
  get<const R extends NameOf<E> | E>(
    type: R,
    key: Key<Named<E, R>>,
    options?: Patience<M>,
  ): Reply<M, Of<Named<E, R>> | undefined>
  /** One entry that matches, undefined if none does (SP3). */
  read<const R extends NameOf<E> | E, const S extends Field<Value<Named<E, R>>> = never>(
    type: R,
    where: Where<Value<Named<E, R>>>,
    options?: ReadOptions<Value<Named<E, R>>, S> & Patience<M>,
  ): Reply<M, Selected<Value<Named<E, R>>, S> | undefined>
  /** All entries that match; outside a transaction consistent for each partition only (SP3). */
  readAll<const R extends NameOf<E> | E, const S extends Field<Value<Named<E, R>>> = never>(
    type: R,
    where: Where<Value<Named<E, R>>>,
    options?: ReadOptions<Value<Named<E, R>>, S> & (M extends 'now' ? unknown : CallOptions),
  ): Reply<M, readonly Selected<Value<Named<E, R>>, S>[]>
  /** How many entries match; no entry moves (SP3). */
  count<const R extends NameOf<E> | E>(
    type: R,
    where: Where<Value<Named<E, R>>>,
    options?: M extends 'now' ? unknown : CallOptions,
  ): Reply<M, number>
  /** Figures of all entries that match, or of each group of them; no entry moves (SP3). */
  aggregate<
    const R extends NameOf<E> | E,
    const S extends NumberPath<Value<Named<E, R>>> = never,
    const L extends OrderedPath<Value<Named<E, R>>> = never,
  >(
    type: R,
    where: Where<Value<Named<E, R>>>,
    request: AggregateOptions<never, S, L> & { readonly groupBy?: never },
    options?: M extends 'now' ? unknown : CallOptions,
  ): Reply<M, Aggregated<Value<Named<E, R>>, never, S, L>>
  aggregate<
    const R extends NameOf<E> | E,
    const G extends Path<Value<Named<E, R>>>,
    const S extends NumberPath<Value<Named<E, R>>> = never,
    const L extends OrderedPath<Value<Named<E, R>>> = never,
  >(
    type: R,
    where: Where<Value<Named<E, R>>>,
    request: AggregateOptions<G, S, L> & { readonly groupBy: readonly G[] },
    options?: M extends 'now' ? unknown : CallOptions,
  ): Reply<M, readonly Aggregated<Value<Named<E, R>>, G, S, L>[]>
}

/** Which of several matches a take takes. */
export interface TakeOptions<V> {
  readonly orderBy?: { readonly [P in Path<V>]?: 'asc' | 'desc' }
  /** The one that was written first (SP9). */
  readonly fifo?: boolean | undefined
}

/** What can be asked of entries and done to them. */
export interface Operations<M extends Mode, E extends AnyEntry> extends Reads<M, E> {
  /** Adds an entry and returns it; ENTRY_EXISTS if its key is taken (SP1). */
  insert<const R extends NameOf<E> | E>(
    type: R,
    value: New<Named<E, R>>,
    options?: Leased & Delivery<M>,
  ): Reply<M, Of<Named<E, R>>>
  /** Adds an entry or replaces it (SP1). */
  write<const R extends NameOf<E> | E>(
    type: R,
    value: New<Named<E, R>>,
    options?: Conditional & Leased & Returning & Delivery<M>,
  ): Reply<M, Written<Of<Named<E, R>>>>
  /** Replaces an entry; ENTRY_MISSING if there is none (SP1). */
  update<const R extends NameOf<E> | E>(
    type: R,
    value: Stored<Named<E, R>['~']['input']>,
    options?: Conditional & Leased & Returning & Delivery<M>,
  ): Reply<M, Written<Of<Named<E, R>>>>
  /** Changes the named fields: absent keeps, null is null; ENTRY_MISSING if there is no such entry (SP1). */
  patch<const R extends NameOf<E> | E>(
    type: R,
    key: Key<Named<E, R>>,
    fields: Partial<Of<Named<E, R>>>,
    options?: Conditional & Leased & Returning & Delivery<M>,
  ): Reply<M, Written<Of<Named<E, R>>>>
  /** Applies declared mutations; ENTRY_MISSING if there is no such entry (SP6). */
  change<const R extends NameOf<E> | E>(
    type: R,
    key: Key<Named<E, R>>,
    mutations: Mutations<Value<Named<E, R>>>,
    options?: Conditional & Returning & Delivery<M>,
  ): Reply<M, Written<Of<Named<E, R>>>>
  /**
   * Removes one entry that matches and returns it; two takers never get the same (SP4). Of a type with FIFO groups it is
   * the one that was written first (SP9).
   */
  take<const R extends NameOf<E> | E>(
    type: R,
    where: Where<Value<Named<E, R>>>,
    options?: TakeOptions<Value<Named<E, R>>> & Patience<M>,
  ): Reply<M, Of<Named<E, R>> | undefined>
  /** Removes all entries that match, `limit` at most, and returns them (SP4). */
  takeAll<const R extends NameOf<E> | E>(
    type: R,
    where: Where<Value<Named<E, R>>>,
    options?: TakeOptions<Value<Named<E, R>>> & { readonly limit?: number | undefined } & (M extends 'now'
        ? unknown
        : CallOptions),
  ): Reply<M, readonly Of<Named<E, R>>[]>
  /** Removes all entries that match and returns how many it were; from outside in steps of some thousands (SP7). */
  clear<const R extends NameOf<E> | E>(
    type: R,
    where: Where<Value<Named<E, R>>>,
    options?: M extends 'now' ? unknown : CallOptions,
  ): Reply<M, number>
  /**
   * Gives an entry a lease of this length from now on, or none; its value, version and stamp stay as they are (SP8).
   * ENTRY_MISSING if there is no such entry. To end a lease at once, remove the entry.
   */
  renew<const R extends NameOf<E> | E>(
    type: R,
    key: Key<Named<E, R>>,
    lease: Duration | 'forever',
    options?: Delivery<M>,
  ): Reply<M, { readonly expiresAt: number | undefined }>
  /** Removes an entry; false if there was none. */
  remove<const R extends NameOf<E> | E>(
    type: R,
    key: Key<Named<E, R>>,
    options?: Conditional & Delivery<M>,
  ): Reply<M, boolean>
}

/** Whether a batch is one transaction instead of many calls (SP10). */
export interface Atomic {
  /**
   * True: all entries or none, over any number of partitions, and reads of one moment. The first entry that fails ends
   * the batch with its error, whose `details.at` is the entry's place. As in a transaction, what is written has no stamp
   * yet (0), and `key` is TRANSACTION_INVALID.
   */
  readonly atomic?: boolean | undefined
}

/**
 * Many entries at once: grouped by partition, each with an outcome of its own, in the order given; with `atomic`, all or
 * none (SP10).
 */
export interface Batches<E extends AnyEntry> {
  insertAll<const R extends NameOf<E> | E>(
    type: R,
    values: readonly New<Named<E, R>>[],
    options?: Leased & Atomic & CallOptions,
  ): Promise<readonly EntryOutcome<Of<Named<E, R>>>[]>
  writeAll<const R extends NameOf<E> | E>(
    type: R,
    values: readonly New<Named<E, R>>[],
    options?: Leased & Atomic & CallOptions,
  ): Promise<readonly EntryOutcome<Written<Of<Named<E, R>>>>[]>
  readByIds<const R extends NameOf<E> | E>(
    type: R,
    keys: readonly Key<Named<E, R>>[],
    options?: Atomic & CallOptions,
  ): Promise<readonly EntryOutcome<Of<Named<E, R>> | undefined>[]>
  removeAll<const R extends NameOf<E> | E>(
    type: R,
    keys: readonly Key<Named<E, R>>[],
    options?: Atomic & CallOptions,
  ): Promise<readonly EntryOutcome<boolean>[]>
}

/** How a watch begins and how it is told; see WA1-WA3. */
export interface WatchOptions {
  readonly initial?: boolean | undefined
  readonly since?: Token | undefined
  readonly conflate?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * A live copy of what matches a query, read at once and never changed by its reader (WA4). It shows commits of one
 * partition as a whole, once they are acked; how far it is behind is told by `lag`.
 */
export interface LocalView<T extends AnyEntry> extends AsyncDisposable {
  /** Number of entries. */
  readonly size: number
  /** True while changes come. */
  readonly isLive: boolean
  /** Why no changes come any more; undefined while they do, or will again. The entries stay as they were. */
  readonly error: PlenumError | undefined
  get(key: Key<T>): Of<T> | undefined
  read(where: Where<Value<T>>, options?: ReadOptions<Value<T>, never>): Of<T> | undefined
  readAll(where?: Where<Value<T>>, options?: ReadOptions<Value<T>, never>): readonly Of<T>[]
  count(where?: Where<Value<T>>): number
  /** All entries, the same list until something changes: for user interfaces, beside `subscribe`. */
  readonly getSnapshot: () => readonly Of<T>[]
  /** Has a function called after each change of the view; ends with the function that it returns. */
  readonly subscribe: (listener: () => void) => () => void
  /**
   * Changes that are committed, match, and are not in the view yet; Infinity while none come. A partition counts no more
   * of them than it tells at once, `watchChangesMax`.
   */
  lag(): Promise<number>
}

/** The whole space, from anywhere. */
export interface Space<E extends AnyEntry> extends Operations<'later', E>, Batches<E> {
  /** What matches, a page at a time, in the order of `orderBy` and then of the entries' keys. */
  readPage<const R extends NameOf<E> | E, const S extends Field<Value<Named<E, R>>> = never>(
    type: R,
    where: Where<Value<Named<E, R>>>,
    options?: PageOptions<Value<Named<E, R>>, S> & CallOptions,
  ): Promise<Page<Selected<Value<Named<E, R>>, S>>>
  /** How `readAll` with the same query and options is answered: by which index, with how much work. */
  explain<const R extends NameOf<E> | E>(
    type: R,
    where: Where<Value<Named<E, R>>>,
    options?: ReadOptions<Value<Named<E, R>>, never> & CallOptions,
  ): Promise<QueryExplanation>
  /** Runs a function whose reads and writes count together or not at all (TX1). */
  transaction<R>(
    run: (tx: Operations<'later', E>) => Promise<R>,
    options?: CallOptions & { readonly attempts?: number },
  ): Promise<R>
  /** Follows the changes that match a query (WA1). */
  watch<const R extends NameOf<E> | E>(
    type: R,
    where: Where<Value<Named<E, R>>>,
    options?: WatchOptions,
  ): AsyncIterable<WatchEvent<Of<Named<E, R>>>>
  /** A live copy of what matches a query, once it is whole (WA4). */
  view<const R extends NameOf<E> | E>(
    type: R,
    where: Where<Value<Named<E, R>>>,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<LocalView<Named<E, R>>>
}
