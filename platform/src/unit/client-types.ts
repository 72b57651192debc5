import type { CallOptions, RequestOptions, Space, Stored } from '../space/index.ts'
import type { HandlerShape } from './handler.ts'
import type { Given } from './port.ts'
import type { Refusal, Refusals } from './refusals.ts'
import type { Unit } from './unit.ts'

/** What came of a call that may be refused (UN2b). */
export type Outcome<R, F extends Refusals> =
  | { readonly ok: true; readonly value: R }
  | { readonly ok: false; readonly refusal: Refusal<F> }

/** Calls a handler. A refusal throws REFUSED; `attempt` returns it instead. */
export interface HandlerCall<H extends HandlerShape> {
  (input: H['input'], options?: RequestOptions): Promise<Stored<H['output']>>
  /** Declared refusals come back as values; everything else still throws. */
  attempt(input: H['input'], options?: RequestOptions): Promise<Outcome<Stored<H['output']>, H['refusals']>>
}

/** A task that runs: its parts as they arrive, or its total. Leaving the loop cancels what still runs (UN5). */
export interface TaskRun<R> extends AsyncIterable<{ readonly partition: number; readonly part: R }> {
  /** All parts reduced to one; if a partition failed, what there is, marked as incomplete. */
  total(): Promise<
    | { readonly complete: true; readonly value: R }
    | { readonly complete: false; readonly value: R | undefined; readonly failed: readonly number[] }
  >
}

/** What came of a load: all partitions, those that were loaded now, those that held their rows already, and rows written. */
export interface Loaded {
  readonly partitions: number
  readonly loaded: number
  readonly skipped: number
  readonly rows: number
}

/** How a load is watched and given up. */
export interface LoadOptions {
  readonly signal?: AbortSignal | undefined
  /** Told of the rows written so far and of the partitions done. */
  readonly onProgress?: ((rows: number, partitionsDone: number) => void) | undefined
}

/** Loads a source into every partition that has not been loaded yet (UN7). */
export interface SourceCall {
  load(options?: LoadOptions): Promise<Loaded>
}

/** A unit from outside: its space and its parts, typed by the unit. */
export interface Client<U extends Unit> extends AsyncDisposable {
  /** Number of partitions. */
  readonly partitions: number
  readonly space: Space<U['~']['entries']>
  readonly handlers: { readonly [K in keyof U['~']['handlers']]: HandlerCall<U['~']['handlers'][K]['~']> }
  readonly services: {
    readonly [K in keyof U['~']['services']]: (
      input: U['~']['services'][K]['~']['input'],
      options?: CallOptions,
    ) => Promise<Stored<U['~']['services'][K]['~']['output']>>
  }
  readonly tasks: {
    readonly [K in keyof U['~']['tasks']]: (
      input: U['~']['tasks'][K]['~']['input'],
      options?: CallOptions,
    ) => TaskRun<Stored<U['~']['tasks'][K]['~']['output']>>
  }
  readonly sources: { readonly [K in keyof U['~']['sources']]: SourceCall }
}

/** What a composition has to give for a unit's ports; nothing may be left out if the unit has any. */
export type UsesOption<U extends Unit> = {} extends U['~']['uses']
  ? { readonly uses?: {} }
  : { readonly uses: Given<U['~']['uses']> }
