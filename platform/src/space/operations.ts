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
type Numbers<V> = { readonly [P in Path<V> as At<V, P> extends number | bigint ? P : never]?: At<V, P> }

/** Declared mutations of one entry, applied together; the mutation travels, not the value (SP6). */
export interface Mutations<V> {
  readonly set?: Changes<V>
  readonly unset?: readonly Path<V>[]
  readonly add?: Numbers<V>
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
    options?: ReadOptions<Value<Named<E, R>>, S> & Patience<M>,
  ): Reply<M, readonly Selected<Value<Named<E, R>>, S>[]>
  /** How many entries match; no entry moves (SP3). */
  count<const R extends NameOf<E> | E>(
    type: R,
    where: Where<Value<Named<E, R>>>,
    options?: M extends 'now' ? unknown : CallOptions,
  ): Reply<M, number>
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
  /** Removes one entry that matches and returns it; two takers never get the same (SP4). */
  take<const R extends NameOf<E> | E>(
    type: R,
    where: Where<Value<Named<E, R>>>,
    options?: Patience<M>,
  ): Reply<M, Of<Named<E, R>> | undefined>
  /** Removes an entry; false if there was none. */
  remove<const R extends NameOf<E> | E>(
    type: R,
    key: Key<Named<E, R>>,
    options?: Conditional & Delivery<M>,
  ): Reply<M, boolean>
}

/** Many entries at once: grouped by partition, each with an outcome of its own, in the order given (SP10). */
export interface Batches<E extends AnyEntry> {
  insertAll<const R extends NameOf<E> | E>(
    type: R,
    values: readonly New<Named<E, R>>[],
    options?: Leased & CallOptions,
  ): Promise<readonly EntryOutcome<Of<Named<E, R>>>[]>
  writeAll<const R extends NameOf<E> | E>(
    type: R,
    values: readonly New<Named<E, R>>[],
    options?: Leased & CallOptions,
  ): Promise<readonly EntryOutcome<Written<Of<Named<E, R>>>>[]>
  readByIds<const R extends NameOf<E> | E>(
    type: R,
    keys: readonly Key<Named<E, R>>[],
    options?: CallOptions,
  ): Promise<readonly EntryOutcome<Of<Named<E, R>> | undefined>[]>
  removeAll<const R extends NameOf<E> | E>(
    type: R,
    keys: readonly Key<Named<E, R>>[],
    options?: CallOptions,
  ): Promise<readonly EntryOutcome<boolean>[]>
}

/** How a watch begins and how it is told; see WA1-WA3. */
export interface WatchOptions {
  readonly initial?: boolean | undefined
  readonly since?: Token | undefined
  readonly conflate?: boolean | undefined
  readonly signal?: AbortSignal | undefined
}

/** The whole space, from anywhere. */
export interface Space<E extends AnyEntry> extends Operations<'later', E>, Batches<E> {
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
}
