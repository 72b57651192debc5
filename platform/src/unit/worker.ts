import { durationMs, PlenumError, type Duration } from '../kernel/index.ts'
import {
  definitionOf,
  type AnyEntry,
  type Field,
  type Of,
  type StoredValue,
  type Value,
  type Where,
} from '../space/index.ts'
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
  readonly due: string | undefined
  readonly concurrency: number
  readonly timeoutMs: number
  readonly attemptsMax: number
  readonly backoffMs: number
  /** True where its function mostly waits for what is there again after a restart: closing does not wait for it. */
  readonly isIdle: boolean
  readonly run: CheckedFunction<[entry: StoredValue, context: unknown]>

  constructor(declaration: WorkerDeclaration, run: Run) {
    const { entry, where, due, concurrency, timeout, retry } = declaration
    this.entry = definitionOf(entry).name
    this.where = where
    this.due = due
    this.concurrency = wholeNumber('concurrency', concurrency ?? 1)
    this.timeoutMs = durationMs(timeout ?? usualAttempts.timeout, 'timeout of a worker')
    this.attemptsMax = wholeNumber('retry.attempts', retry?.attempts ?? usualAttempts.attempts)
    this.backoffMs = durationMs(retry?.backoff ?? usualAttempts.backoff, 'backoff of a worker')
    this.isIdle = declaration.isIdle ?? false
    this.run = run
    Object.freeze(this)
  }
}

/** What holds where a worker or a schedule says nothing else. */
export const usualAttempts = { timeout: '30s', attempts: 5, backoff: '1s' } as const

/** UNIT_INVALID for what is no whole number above 0. */
export function wholeNumber(field: string, value: number): number {
  if (Number.isInteger(value) && value >= 1) return value
  throw new PlenumError('UNIT_INVALID', `${field} is a whole number from 1 on, not ${String(value)}.`, {
    details: { field },
  })
}

interface WorkerDeclaration {
  readonly entry: AnyEntry
  readonly where: StoredValue
  readonly due?: string | undefined
  readonly concurrency?: number
  readonly timeout?: Duration
  readonly retry?: { readonly attempts: number; readonly backoff: Duration }
  readonly isIdle?: boolean
}

type Run = (entry: never, context: never) => unknown

/**
 * Declares a worker: a function that is given entries that match, one for each place of `concurrency` at the same time
 * (UN3). What it changes by `tx` is committed when it returns, together with the end of its claim, and must leave the entry
 * without a match. An attempt that throws, or takes longer than `timeout` (30s), is made again after `backoff` (1s, twice as
 * long each time, with jitter); after `attempts` of them (5) the entry is a dead letter. Throws UNIT_INVALID for numbers that
 * cannot be, DURATION_INVALID for durations.
 */
export function worker<const T extends E, E extends AnyEntry, U extends Uses>(
  declaration: {
    readonly entry: T
    readonly where: Where<Value<T>>
    /**
     * The field that says from when on an entry is worked on, in milliseconds since 1970; null, or a field that is not there,
     * is at once. An entry that matches still may be put off to a later time in place of being left without a match.
     */
    readonly due?: Field<Value<T>>
    readonly concurrency?: number
    readonly timeout?: Duration
    readonly retry?: { readonly attempts: number; readonly backoff: Duration }
  },
  run: (entry: Of<T>, context: WorkerContext<E, U>) => Promise<void>,
): Worker<E, U>
export function worker(declaration: WorkerDeclaration, run: Run): Worker {
  return Object.freeze({ kind: 'worker', '~': new WorkerDefinition(declaration, run) })
}
