import { PlenumError } from '../kernel/index.ts'
import type { AnyEntry } from '../space/index.ts'
import type { Handler } from './handler.ts'
import type { Uses } from './port.ts'
import type { Projection } from './projection.ts'
import type { Schedule } from './schedule.ts'
import type { Service } from './service.ts'
import type { Sink } from './sink.ts'
import type { Source } from './source.ts'
import type { Task } from './task.ts'
import { UnitDefinition, type UnitNeeds, type UnitSections } from './unit-definition.ts'
import type { Worker } from './worker.ts'

/** Parts by name. */
type Named<T> = Readonly<Record<string, T>>

/** What the types know of a unit: what its clients and compositions need. */
export interface UnitShape {
  name: string
  entries: AnyEntry
  uses: Uses
  handlers: Named<Handler>
  services: Named<Service>
  tasks: Named<Task>
  projections: Named<Projection>
  sources: Named<Source>
  sinks: Named<Sink>
  workers: Named<Worker>
  schedules: Named<Schedule>
}

/** A processing unit: what an application part stores, does and promises. */
export interface Unit<U extends UnitShape = any> {
  readonly kind: 'unit'
  readonly name: U['name']
  readonly '~': U
}

/**
 * Declares a unit. Entry types and ports come before the parts, because the parts' contexts are typed by them. Throws
 * UNIT_INVALID if a name cannot be, is taken twice, or refers to an entry type that the unit does not have.
 */
export function unit<
  const N extends string,
  const E extends AnyEntry,
  H extends Named<Handler<any, E>> = {},
  W extends Named<Worker<E, U>> = {},
  S extends Named<Service<any, E, U>> = {},
  T extends Named<Task<any, E>> = {},
  P extends Named<Projection<any, E>> = {},
  C extends Named<Schedule<E, U>> = {},
  Q extends Named<Source<E, U>> = {},
  K extends Named<Sink<E, U>> = {},
  U extends Uses = {},
>(
  name: N,
  needs: { readonly entries: readonly E[]; readonly uses?: U },
  parts: {
    readonly handlers?: H
    readonly workers?: W
    readonly services?: S
    readonly tasks?: T
    readonly projections?: P
    readonly schedules?: C
    readonly sources?: Q
    readonly sinks?: K
  },
): Unit<{
  name: N
  entries: E
  uses: U
  handlers: H
  services: S
  tasks: T
  projections: P
  sources: Q
  sinks: K
  workers: W
  schedules: C
}>
export function unit(name: string, needs: UnitNeeds, parts: UnitSections = {}): Unit {
  return Object.freeze({ kind: 'unit', name, '~': new UnitDefinition(name, needs, parts) })
}

/** What `unit` made of a declaration. UNIT_INVALID for anything that is not a unit of this package. */
export function unitDefinition(declared: Unit): UnitDefinition {
  const definition: unknown = declared['~']
  if (definition instanceof UnitDefinition) return definition
  throw new PlenumError('UNIT_INVALID', 'A unit is expected: what unit(…) of this copy of plenum returned.')
}

/** True for what `unit` returned, such as the default export of a unit file. */
export function isUnit(value: unknown): value is Unit {
  return typeof value === 'object' && value !== null && '~' in value && value['~'] instanceof UnitDefinition
}
