import { PlenumError } from '../kernel/index.ts'
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
  type StoredValue,
} from '../space/index.ts'
import type { Access } from './access.ts'
import type { CheckedFunction } from './checked-function.ts'
import type { HandlerContext } from './context.ts'
import { checkRefusals, type Refusals } from './refusals.ts'

/** What the types know of a handler. */
export interface HandlerShape {
  input: unknown
  output: unknown
  refusals: Refusals
}

/** A handler of a unit that has the entry types E. */
export interface Handler<H extends HandlerShape = any, E extends AnyEntry = any> {
  readonly kind: 'handler'
  readonly '~': H
  for?(context: HandlerContext<E>): void
}

/** A handler as the platform uses it: its declaration, checked once, and its function. */
export class HandlerDefinition {
  readonly input: CheckedSchema
  /** The field of the input that decides the partition (UN2a). */
  readonly route: string
  readonly refusals: ReadonlyMap<string, CheckedSchema>
  /** Who may call it from outside; nobody if undefined (UN11). */
  readonly allow: CheckedFunction<[caller: Caller, input: StoredValue], boolean> | undefined
  readonly run: CheckedFunction<[input: StoredValue, context: unknown]>

  constructor(declaration: HandlerDeclaration, run: Run) {
    this.input = checkSchema(declaration.input, 'The input of a handler')
    this.route = checkRoute(this.input, declaration.route)
    this.refusals = checkRefusals(declaration.refusals)
    this.allow = declaration.allow
    this.run = checkSynchronous(run)
    Object.freeze(this)
  }
}

interface HandlerDeclaration {
  readonly input: Schema
  readonly route: string
  readonly refusals?: Refusals
  readonly allow?: Access<never>
}

type Run = (input: never, context: never) => unknown

/**
 * Declares a handler: a function that runs synchronously where the entries of its route are, as one transaction (UN2).
 * Throws HANDLER_ASYNC for an async function, ENTRY_FIELD_UNKNOWN for a route that is no field of the input, and the
 * errors of `entry` for schemas that cannot be used.
 */
export function handler<I extends Schema<any, object>, R, E extends AnyEntry, const F extends Refusals = {}>(
  declaration: {
    readonly input: I
    readonly route: Field<Output<I>>
    readonly refusals?: F
    readonly allow?: Access<Stored<Output<I>>>
  },
  run: (
    input: Stored<Output<I>>,
    context: HandlerContext<E, F>,
  ) => R extends PromiseLike<unknown>
    ? { 'a handler is synchronous and cannot return a promise: do the waiting in a worker or a service': never }
    : R,
): Handler<{ input: Input<I>; output: R; refusals: F }, E>
export function handler(declaration: HandlerDeclaration, run: Run): Handler {
  return Object.freeze({ kind: 'handler', '~': new HandlerDefinition(declaration, run) })
}

function checkRoute(input: CheckedSchema, route: string): string {
  const required = input.shape.members.every((member) => member.required.has(route))
  if (input.fieldNames.includes(route) && (required || input.validateAlways)) return route
  const what = (route as unknown) === undefined ? 'needs a `route`' : `has the route '${route}'`
  const not =
    (route as unknown) === undefined ? 'a field that every input has' : 'which is not a field that every input has'
  throw new PlenumError(
    'ENTRY_FIELD_UNKNOWN',
    `A handler ${what}, ${not}. The input has: ${input.fieldNames.join(', ')}.`,
    { details: { option: 'route', field: route, known: input.fieldNames } },
  )
}

/** Plain JavaScript and generators get past the types. */
function checkSynchronous(run: Run): Run {
  const kind = Object.prototype.toString.call(run)
  if (kind === '[object Function]') return run
  throw new PlenumError(
    'HANDLER_ASYNC',
    `A handler is a plain function, not ${kind.slice('[object '.length, -1)}: it is synchronous and cannot return a promise. ` +
      'Do the waiting in a worker or a service.',
  )
}
