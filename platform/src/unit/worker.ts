import { durationMs, type Duration } from '../kernel/index.ts'
import { definitionOf, type AnyEntry, type Of, type StoredValue, type Value, type Where } from '../space/index.ts'
import type { CheckedFunction } from './checked-function.ts'
import type { WorkerContext } from './context.ts'
import type { Uses } from './port.ts'

/** A worker of a unit that has the entry types E and uses U. */
export interface Worker<E extends AnyEntry = any, U extends Uses = any> {
  readonly kind: 'worker'
  readonly '~': unknown
  for?(context: WorkerContext<E, U>): void
}

/** A worker as the platform uses it. */
export class WorkerDefinition {
  readonly entry: string
  readonly where: StoredValue
  readonly concurrency: number
  readonly timeoutMs: number | undefined
  readonly retry: { readonly attempts: number; readonly backoffMs: number } | undefined
  readonly run: CheckedFunction<[entry: StoredValue, context: unknown]>

  constructor(declaration: WorkerDeclaration, run: Run) {
    const { entry, where, concurrency, timeout, retry } = declaration
    this.entry = definitionOf(entry).name
    this.where = where
    this.concurrency = concurrency ?? 1
    this.timeoutMs = timeout === undefined ? undefined : durationMs(timeout, 'timeout of a worker')
    this.retry = retry && { attempts: retry.attempts, backoffMs: durationMs(retry.backoff, 'backoff of a worker') }
    this.run = run
    Object.freeze(this)
  }
}

interface WorkerDeclaration {
  readonly entry: AnyEntry
  readonly where: StoredValue
  readonly concurrency?: number
  readonly timeout?: Duration
  readonly retry?: { readonly attempts: number; readonly backoff: Duration }
}

type Run = (entry: never, context: never) => unknown

/** Declares a worker: a function that claims entries that match, one at a time for each place of `concurrency` (UN3). */
export function worker<const T extends E, E extends AnyEntry, U extends Uses>(
  declaration: {
    readonly entry: T
    readonly where: Where<Value<T>>
    readonly concurrency?: number
    readonly timeout?: Duration
    readonly retry?: { readonly attempts: number; readonly backoff: Duration }
  },
  run: (entry: Of<T>, context: WorkerContext<E, U>) => Promise<void>,
): Worker<E, U>
export function worker(declaration: WorkerDeclaration, run: Run): Worker {
  return Object.freeze({ kind: 'worker', '~': new WorkerDefinition(declaration, run) })
}
