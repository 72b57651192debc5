import {
  checkSchema,
  type AnyEntry,
  type Caller,
  type CheckedSchema,
  type Input,
  type Output,
  type Schema,
  type Stored,
} from '../space/index.ts'
import type { Access } from './access.ts'
import type { CheckedFunction } from './checked-function.ts'
import type { TaskContext } from './context.ts'
import type { CallShape } from './service.ts'

/** A task of a unit that has the entry types E. */
export interface Task<C extends CallShape = any, E extends AnyEntry = any> {
  readonly kind: 'task'
  readonly '~': C
  for?(context: TaskContext<E>): void
}

/** A task as the platform uses it. */
export class TaskDefinition {
  readonly input: CheckedSchema
  readonly allow: CheckedFunction<[caller: Caller, input: unknown], boolean> | undefined
  readonly map: CheckedFunction<[input: unknown, context: unknown]>
  readonly reduce: CheckedFunction<[left: unknown, right: unknown]>

  constructor(declaration: TaskDeclaration, map: Run, reduce: Run) {
    this.input = checkSchema(declaration.input, 'The input of a task')
    this.allow = declaration.allow
    this.map = map
    this.reduce = reduce
    Object.freeze(this)
  }
}

interface TaskDeclaration {
  readonly input: Schema
  readonly allow?: Access<never>
}

type Run = (first: never, second: never) => unknown

/** Declares a task: `map` runs on every primary beside its data, `reduce` joins what they return, two at a time (UN5). */
export function task<I extends Schema, R, E extends AnyEntry>(
  declaration: { readonly input: I; readonly allow?: Access<Stored<Output<I>>> },
  map: (input: Stored<Output<I>>, context: TaskContext<E>) => R,
  reduce: (left: Awaited<R>, right: Awaited<R>) => Awaited<R>,
): Task<{ input: Input<I>; output: Awaited<R> }, E>
export function task(declaration: TaskDeclaration, map: Run, reduce: Run): Task {
  return Object.freeze({ kind: 'task', '~': new TaskDefinition(declaration, map, reduce) })
}
