import { durationMs, PlenumError, type Duration } from '../kernel/index.ts'
import {
  checkSchema,
  type AnyEntry,
  type Caller,
  type CheckedSchema,
  type Field,
  type Input,
  type Output,
  type Schema,
  type Stored,
} from '../space/index.ts'
import type { Access } from './access.ts'
import type { CheckedFunction } from './checked-function.ts'
import type { ServiceContext } from './context.ts'
import type { Uses } from './port.ts'

/** What the types know of a service or a task. */
export interface CallShape {
  input: unknown
  output: unknown
}

/** A service of a unit that has the entry types E and uses U. */
export interface Service<C extends CallShape = any, E extends AnyEntry = any, U extends Uses = any> {
  readonly kind: 'service'
  readonly '~': C
  for?(context: ServiceContext<E, U>): void
}

/** A service as the platform uses it. */
export class ServiceDefinition {
  readonly input: CheckedSchema
  readonly route: string | undefined
  readonly allow: CheckedFunction<[caller: Caller, input: unknown], boolean> | undefined
  readonly timeoutMs: number
  readonly run: CheckedFunction<[input: unknown, context: unknown]>
  /** Joins what all partitions have answered; undefined where one is asked. */
  readonly reduce: CheckedFunction<[left: unknown, right: unknown]> | undefined

  constructor(declaration: ServiceDeclaration, run: Run, reduce: Run | undefined) {
    if (reduce !== undefined && declaration.route !== undefined) {
      throw new PlenumError('UNIT_INVALID', 'A service with a route asks one partition, and has no reducer.', {
        details: { field: 'route' },
      })
    }
    this.input = checkSchema(declaration.input, 'The input of a service')
    this.route = declaration.route
    this.allow = declaration.allow
    this.timeoutMs = durationMs(declaration.timeout ?? '30s', 'timeout of a service')
    this.run = run
    this.reduce = reduce
    Object.freeze(this)
  }
}

interface ServiceDeclaration {
  readonly input: Schema
  readonly route?: string
  readonly allow?: Access<never>
  readonly timeout?: Duration
}

type Run = (first: never, second: never) => unknown

/**
 * Declares a service: a typed call that may wait (UN4). It runs beside the data of one partition: that of its route, or any
 * if it names none; or with a reducer at all of them, and answers with what `reduce` makes of their answers, two at a time
 * in the order of partitions. It may take `timeout` (30s), and may run again where a member is lost, with the same `key`.
 */
export function service<I extends Schema, R, E extends AnyEntry, U extends Uses>(
  declaration: {
    readonly input: I
    readonly route?: Field<Output<I>>
    readonly allow?: Access<Stored<Output<I>>>
    readonly timeout?: Duration
  },
  run: (input: Stored<Output<I>>, context: ServiceContext<E, U>) => Promise<R>,
  reduce?: (left: R, right: R) => R,
): Service<{ input: Input<I>; output: R }, E, U>
export function service(declaration: ServiceDeclaration, run: Run, reduce?: Run): Service {
  return Object.freeze({ kind: 'service', '~': new ServiceDefinition(declaration, run, reduce) })
}
