import type { Duration } from '../kernel/index.ts'
import type { Input, Output, Schema, Stored } from '../space/index.ts'
import type { Handler, Uses, Worker } from '../unit/index.ts'
import type { Messages, StepRetry, WorkflowContext } from './context.ts'
import { workflowEntries, type WorkflowEntries } from './rows.ts'
import { WorkflowDefinition, type WorkflowDeclaration } from './workflow-definition.ts'
import { WorkflowCalls, type WorkflowHandle, type WorkflowHost } from './workflow-calls.ts'
import { cancelHandler, resumeHandler, sendHandler, startHandler } from './workflow-handlers.ts'
import { lookingWorker, workflowWorker } from './workflow-worker.ts'

/** What the types know of a workflow. */
export interface WorkflowShape {
  name: string
  input: unknown
  result: unknown
  messages: Messages
  uses: Uses
}

/** The handlers of a workflow, by the names that they have in the unit. */
export type WorkflowHandlers<W extends WorkflowShape> = {
  readonly [K in W['name']]: Handler<{
    input: { readonly id: string; readonly input: W['input'] }
    output: { readonly id: string; readonly isNew: boolean }
    refusals: {}
  }>
} & {
  readonly [K in `${W['name']}-send`]: Handler<{ input: Sent<W['messages']>; output: boolean; refusals: {} }>
} & {
  readonly [K in `${W['name']}-cancel` | `${W['name']}-resume`]: Handler<{
    input: { readonly id: string }
    output: boolean
    refusals: {}
  }>
}

/** A message to an instance. */
export type Sent<M extends Messages> = {
  [K in keyof M & string]: { readonly id: string; readonly name: K; readonly data: Input<M[K]> }
}[keyof M & string]

/** The workers of a workflow, by the names that they have in the unit. */
export type WorkflowWorkers<N extends string> = { readonly [K in N | `${N}-until`]: Worker }

/** A workflow: the parts that a unit takes over, and a door to its instances. */
export interface Workflow<W extends WorkflowShape = any> {
  readonly kind: 'workflow'
  readonly name: W['name']
  readonly '~': unknown
  /** For `entries` of the unit: instances, steps, and messages that were not received yet. */
  readonly entries: readonly WorkflowEntries<W['name'], W['input'], W['result']>[keyof WorkflowEntries][]
  readonly instances: WorkflowEntries<W['name'], W['input'], W['result']>['instances']
  readonly steps: WorkflowEntries<W['name']>['steps']
  /** For `handlers` of the unit. */
  readonly handlers: WorkflowHandlers<W>
  /** For `workers` of the unit. */
  readonly workers: WorkflowWorkers<W['name']>
  /** Starts and follows instances through a client of the unit. */
  on(client: WorkflowHost): WorkflowHandle<W>
}

/**
 * Declares a workflow: a function whose steps are each done once, in commits of their own, and which goes on after a crash
 * where it was. It becomes plain parts of a unit: entry types, handlers and workers. Throws UNIT_INVALID,
 * DURATION_INVALID, and the errors of schemas that cannot be used.
 *
 * @example
 * const fulfil = workflow('fulfil', { input: Order, uses }, async (order, { step }) => {
 *   await step('pay', ({ uses, key }) => uses.bank.charge(order.card, order.total, key))
 * })
 */
export function workflow<
  const N extends string,
  I extends Schema,
  R,
  U extends Uses = {},
  const M extends Messages = {},
>(
  name: N,
  declaration: {
    /** What an instance begins with. */
    readonly input: I
    /** 1 if left out. An instance goes on with the version with which it began. */
    readonly version?: number
    /** Versions of the same workflow with which instances may have begun. */
    readonly earlier?: readonly Workflow[]
    /** What instances receive, by name. */
    readonly messages?: M
    /** The ports of its steps, which the unit must have too. */
    readonly uses?: U
    /** Instances that are run in one process at the same time; 100. */
    readonly concurrency?: number
    /** Time that one attempt at a step may take; 30s. */
    readonly timeout?: Duration
    /** Of each step that says nothing else; 5 attempts, and 1s after the first. */
    readonly retry?: StepRetry
    /** How long an instance and its steps are kept after its end; 7d. */
    readonly keep?: Duration | 'forever'
  },
  run: (input: Stored<Output<I>>, context: WorkflowContext<U, M>) => Promise<R>,
): Workflow<{ name: N; input: Stored<Input<I>>; result: Stored<R>; messages: M; uses: U }>
export function workflow(
  name: string,
  declaration: WorkflowDeclaration,
  run: (input: never, context: never) => unknown,
): Workflow {
  const definition = new WorkflowDefinition(name, declaration, run)
  const entries = workflowEntries(name)
  return Object.freeze({
    kind: 'workflow',
    name,
    '~': definition,
    entries: Object.freeze([entries.instances, entries.steps, entries.messages]),
    instances: entries.instances,
    steps: entries.steps,
    handlers: Object.freeze({
      [name]: startHandler(definition, entries),
      [`${name}-send`]: sendHandler(definition, entries),
      [`${name}-cancel`]: cancelHandler(definition, entries),
      [`${name}-resume`]: resumeHandler(definition, entries),
    }),
    workers: Object.freeze({
      [name]: workflowWorker(definition, entries),
      [`${name}-until`]: lookingWorker(definition, entries),
    }),
    on: (client: WorkflowHost) => new WorkflowCalls(name, client),
  })
}
