import { durationMs, PlenumError, type Duration } from '../kernel/index.ts'
import type { AnyEntry } from '../space/index.ts'
import type { CheckedFunction } from './checked-function.ts'
import type { OutsideContext } from './context.ts'
import { checkedDueTimes, type DueTimes } from './due-times.ts'
import type { Uses } from './port.ts'
import { usualAttempts, wholeNumber } from './worker.ts'

/** A schedule of a unit that has the entry types E and uses U. */
export interface Schedule<E extends AnyEntry = any, U extends Uses = any> {
  readonly kind: 'schedule'
  readonly '~': unknown
  for?(context: OutsideContext<E, U>): void
}

/** When a schedule was due, milliseconds since 1970, and how many milliseconds later it ran. */
export interface Due {
  readonly at: number
  readonly late: number
}

/** A schedule as the platform uses it. */
export class ScheduleDefinition {
  readonly dueTimes: DueTimes
  /** Whether due times that were missed run once or not at all. */
  readonly missed: 'once' | 'skip'
  readonly timeoutMs: number
  readonly attemptsMax: number
  readonly backoffMs: number
  readonly run: CheckedFunction<[due: Due, context: unknown]>

  constructor(declaration: ScheduleDeclaration, run: Run) {
    const { cron, zone, missed = 'once', timeout, retry } = declaration
    if (missed !== 'once' && missed !== 'skip') {
      throw new PlenumError(
        'UNIT_INVALID',
        `missed of a schedule is 'once' or 'skip', not ${JSON.stringify(missed)}.`,
        {
          details: { field: 'missed' },
        },
      )
    }
    this.dueTimes = checkedDueTimes(cron, zone)
    this.missed = missed
    this.timeoutMs = durationMs(timeout ?? usualAttempts.timeout, 'timeout of a schedule')
    this.attemptsMax = wholeNumber('retry.attempts', retry?.attempts ?? usualAttempts.attempts)
    this.backoffMs = durationMs(retry?.backoff ?? usualAttempts.backoff, 'backoff of a schedule')
    this.run = run
    Object.freeze(this)
  }
}

interface ScheduleDeclaration {
  readonly cron: string
  readonly zone: string
  readonly missed?: 'once' | 'skip'
  readonly timeout?: Duration
  readonly retry?: { readonly attempts: number; readonly backoff: Duration }
}

type Run = (due: Due, context: never) => unknown

/**
 * Declares a schedule: a function that runs once for each due time of the whole grid (UN8). `cron` has five fields, or six
 * with seconds first; `zone` is a time zone by its IANA name. Of due times that pass while nobody runs the unit the last one
 * runs, late (`missed: 'once'`), or none that is more than a minute late (`'skip'`). Two at most wait or run at the same
 * time: what is due beside them is an event `schedule-missed`. A run that throws, or takes longer than `timeout` (30s), is
 * made again, as a worker's attempt is, with the same `key`. Throws UNIT_INVALID, DURATION_INVALID.
 */
export function schedule<E extends AnyEntry, U extends Uses>(
  declaration: {
    readonly cron: string
    readonly zone: string
    readonly missed?: 'once' | 'skip'
    readonly timeout?: Duration
    readonly retry?: { readonly attempts: number; readonly backoff: Duration }
  },
  run: (due: Due, context: OutsideContext<E, U>) => Promise<void>,
): Schedule<E, U>
export function schedule(declaration: ScheduleDeclaration, run: Run): Schedule {
  return Object.freeze({ kind: 'schedule', '~': new ScheduleDefinition(declaration, run) })
}
