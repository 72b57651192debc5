import type { Duration } from '../kernel/index.ts'
import type { AnyEntry, Caller, Input, Operations, Reads, Space } from '../space/index.ts'
import type { Handler, HandlerShape } from './handler.ts'
import type { PartLog } from './part-log.ts'
import type { Given, Uses } from './port.ts'
import type { Projection } from './projection.ts'
import type { Refusals } from './refusals.ts'

/** What a handler gets: its partition at once, and a world that is the same on every replay (UN1, UN2). */
export interface HandlerContext<E extends AnyEntry, F extends Refusals = any> {
  /** Entries of the handler's own route, at once; reads and writes are one transaction. */
  readonly partition: Operations<'now', E>
  readonly caller: Caller
  /** Partition time, milliseconds since 1970. */
  readonly now: number
  /** Told once this call is acked; of a call that fails at once, as undone. Never told again at a recovery. */
  readonly log: PartLog
  /** From 0 up to but not including 1. */
  random(): number
  /** A UUID of version 7. */
  newId(): string
  /** `throw refuse('REASON', data)`: nothing happened, the caller gets the reason, typed. */
  refuse<K extends keyof F & string>(reason: K, data: Input<F[K]>): Error
  /** Calls another handler, on any partition, after this commit, exactly once (UN12). */
  send<H extends HandlerShape>(to: Handler<H, any>, input: H['input'], options?: { readonly after?: Duration }): void
}

/** What workers, services and schedules get: the whole space, and the world outside. */
export interface OutsideContext<E extends AnyEntry, U extends Uses> {
  readonly space: Space<E>
  readonly uses: Given<U>
  readonly signal: AbortSignal
  readonly log: PartLog
  /** The same for each run of the same work: give it to the outside world as its idempotency key (UN9). */
  readonly key: string
}

/** What a worker gets. */
export interface WorkerContext<E extends AnyEntry, U extends Uses> extends OutsideContext<E, U> {
  /** Commits when the function returns, together with the end of the claim (UN3). */
  readonly tx: Operations<'later', E>
  /** 1 for the first run. */
  readonly attempt: number
}

/** What a service gets. */
export interface ServiceContext<E extends AnyEntry, U extends Uses> extends OutsideContext<E, U> {
  readonly caller: Caller
  readonly partition: Reads<'now', E>
  /** The state of a projection on this partition, as of the last change that is acked: to be read, never changed (UN6). */
  readonly state: <S>(of: Projection<S, any>) => S
}

/** What a task gets on each partition. */
export interface TaskContext<E extends AnyEntry> {
  readonly partition: Reads<'now', E>
  /** Number of the partition, from 0. */
  readonly index: number
  /** The state of a projection on this partition, as of the last change that is acked: to be read, never changed (UN6). */
  readonly state: <S>(of: Projection<S, any>) => S
  readonly log: PartLog
  readonly signal: AbortSignal
}
