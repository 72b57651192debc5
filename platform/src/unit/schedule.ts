import type { AnyEntry } from '../space/index.ts'
import type { CheckedFunction } from './checked-function.ts'
import type { OutsideContext } from './context.ts'
import type { Uses } from './port.ts'

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
  readonly cron: string
  /** Time zone by its IANA name. */
  readonly zone: string
  /** Whether due times that were missed run once or not at all. */
  readonly missed: 'once' | 'skip'
  readonly run: CheckedFunction<[due: Due, context: unknown]>

  constructor(declaration: ScheduleDeclaration, run: Run) {
    this.cron = declaration.cron
    this.zone = declaration.zone
    this.missed = declaration.missed ?? 'once'
    this.run = run
    Object.freeze(this)
  }
}

interface ScheduleDeclaration {
  readonly cron: string
  readonly zone: string
  readonly missed?: 'once' | 'skip'
}

type Run = (due: Due, context: never) => unknown

/** Declares a schedule: a function that runs once for each due time of the whole grid (UN8). */
export function schedule<E extends AnyEntry, U extends Uses>(
  declaration: { readonly cron: string; readonly zone: string; readonly missed?: 'once' | 'skip' },
  run: (due: Due, context: OutsideContext<E, U>) => Promise<void>,
): Schedule<E, U>
export function schedule(declaration: ScheduleDeclaration, run: Run): Schedule {
  return Object.freeze({ kind: 'schedule', '~': new ScheduleDefinition(declaration, run) })
}
