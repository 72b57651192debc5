import type { MetricsSnapshot } from '../metrics/index.ts'
import type { OutputEvent, OutputOptions } from '../router/index.ts'
import type { CallOptions, ProjectionTold, RequestOptions, SinkTold, Space, Stored } from '../space/index.ts'
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
  /** All parts reduced to one; if partitions failed, what there is, marked as incomplete, and why one of them did. */
  total(): Promise<
    | { readonly complete: true; readonly value: R }
    | {
        readonly complete: false
        readonly value: R | undefined
        readonly failed: readonly number[]
        readonly error: unknown
      }
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

/** An entry at which all attempts of a worker have failed (UN3). */
export interface DeadLetter {
  readonly worker: string
  /** Names the entry, for `sendBack`. */
  readonly entry: string
  /** Its entry type. */
  readonly type: string
  /** Its id and route fields. */
  readonly key: Readonly<Record<string, unknown>>
  readonly value: Readonly<Record<string, unknown>>
  readonly attempts: number
  /** The last errors, oldest first; `at` is partition time in milliseconds since 1970. */
  readonly errors: readonly { readonly at: number; readonly message: string }[]
}

/** A worker of the unit, as its operator sees it. */
export interface WorkerHandle {
  /**
   * Entries that are worked on in this process at the same time, at most; may be set while it runs, 0 pauses.
   * VALUE_INVALID for what is no such number; NOT_HOSTED where this process does not run the unit's workers.
   */
  concurrency: number
  /** Entries that are worked on now. */
  readonly running: number
  /** Claims nothing more, sets `concurrency` to 0, and resolves when nothing is worked on. */
  drain(): Promise<void>
  /** The worker's dead letters; 1,000 at most from each partition, unless told. */
  deadLetters(options?: { readonly limit?: number | undefined }): Promise<readonly DeadLetter[]>
  /** Has these dead letters worked on again, or all; their number. */
  sendBack(letters?: readonly Pick<DeadLetter, 'entry'>[]): Promise<number>
}

/** A schedule of the unit, as its operator sees it. The value of a dead letter has the due time, `at`. */
export type ScheduleHandle = Pick<WorkerHandle, 'running' | 'deadLetters' | 'sendBack'>

/** A message that could not be delivered: its handler refused it, or all attempts have failed (UN12). */
export interface DeadMessage {
  readonly id: string
  readonly handler: string
  readonly input: unknown
  /** The last errors, oldest first; `at` is partition time in milliseconds since 1970. */
  readonly errors: readonly { readonly at: number; readonly message: string }[]
}

/** A projection of the unit, from outside (UN6). */
export interface ProjectionHandle {
  /**
   * What it puts out, on all partitions, from now on or from a token on. Each output has the number (journal, index,
   * offset), the same after a restart or a takeover, by which a reader that has gone back drops what it knows already.
   */
  outputs(options?: OutputOptions): AsyncIterable<OutputEvent>
  /** How it stands on each partition; the same journal gives the same hash. */
  status(): Promise<readonly ProjectionStatus[]>
}

/** How a projection stands on one partition. */
export interface ProjectionStatus extends ProjectionTold {
  readonly partition: number
}

/** A sink of the unit, as its operator sees it (UN7). */
export interface SinkHandle {
  /** How it stands on each partition. Where this process does not run the unit's sinks, what it keeps is `pending`. */
  status(): Promise<readonly (SinkTold & { readonly partition: number })[]>
}

/** The messages that handlers have sent. */
export interface MessagesHandle {
  /** Messages that are not delivered yet, those included whose time has not come. */
  pending(): Promise<number>
  /** Messages that could not be delivered; 1,000 at most from each partition, unless told. */
  deadLetters(options?: { readonly limit?: number | undefined }): Promise<readonly DeadMessage[]>
  /** Sends these dead letters once more, or all; their number. */
  sendBack(letters?: readonly Pick<DeadMessage, 'id'>[]): Promise<number>
  /** Forgets these dead letters for good; their number. */
  discard(letters: readonly Pick<DeadMessage, 'id'>[]): Promise<number>
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
  readonly projections: { readonly [K in keyof U['~']['projections']]: ProjectionHandle }
  readonly sources: { readonly [K in keyof U['~']['sources']]: SourceCall }
  readonly sinks: { readonly [K in keyof U['~']['sinks']]: SinkHandle }
  readonly workers: { readonly [K in keyof U['~']['workers']]: WorkerHandle }
  readonly schedules: { readonly [K in keyof U['~']['schedules']]: ScheduleHandle }
  readonly messages: MessagesHandle
  /** What was counted in this process since it began, as plain data: see `mergeMetrics`, `quantile` and `metricsText`. */
  metrics(): MetricsSnapshot
}

/** What a composition has to give for a unit's ports; nothing may be left out if the unit has any. */
export type UsesOption<U extends Unit> = {} extends U['~']['uses']
  ? { readonly uses?: {} }
  : { readonly uses: Given<U['~']['uses']> }
