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
  readonly run: CheckedFunction<[input: unknown, context: unknown]>

  constructor(declaration: ServiceDeclaration, run: Run) {
    this.input = checkSchema(declaration.input, 'The input of a service')
    this.route = declaration.route
    this.allow = declaration.allow
    this.run = run
    Object.freeze(this)
  }
}

interface ServiceDeclaration {
  readonly input: Schema
  readonly route?: string
  readonly allow?: Access<never>
}

type Run = (input: never, context: never) => unknown

/** Declares a service: a typed call that may wait, routed to a partition if it names a route (UN4). */
export function service<I extends Schema, R, E extends AnyEntry, U extends Uses>(
  declaration: { readonly input: I; readonly route?: Field<Output<I>>; readonly allow?: Access<Stored<Output<I>>> },
  run: (input: Stored<Output<I>>, context: ServiceContext<E, U>) => Promise<R>,
): Service<{ input: Input<I>; output: R }, E, U>
export function service(declaration: ServiceDeclaration, run: Run): Service {
  return Object.freeze({ kind: 'service', '~': new ServiceDefinition(declaration, run) })
}
