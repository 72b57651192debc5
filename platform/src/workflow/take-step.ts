// Takes a step: makes one attempt, and keeps what came of it.
//
// I1 What a step has returned, or that it has failed for good, is kept once: whoever finds it kept by somebody else goes on
//    with that, whatever its own attempt has made.
import { isPlenumError, PlenumError } from '../kernel/index.ts'
import type { SpaceClient } from '../router/index.ts'
import { isPassing, keyPart } from '../unit/index.ts'
import type { StepRetry } from './context.ts'
import type { Work } from './endings.ts'
import { isDefect, keptError, Overtaken, StepRefusal, stepFailed } from './kept-errors.ts'
import { backoff } from './park.ts'
import type { InstanceRow, KeptError, StepRow } from './rows.ts'
import { attemptStep, type StepContextObject } from './step-attempt.ts'
import type { Waited } from './step-waits.ts'
import { retryRule, type WorkflowDefinition } from './workflow-definition.ts'

/** A step that is to be taken. */
export interface StepToTake extends Work {
  readonly number: number
  readonly name: string
  /** In place of the workflow's. */
  readonly retry: StepRetry | undefined
  readonly run: (context: StepContextObject) => unknown
  /** Throws where the instance takes no more steps. */
  readonly guard: (tx: SpaceClient) => Promise<void>
}

/** Makes one attempt at a step: what it returned, or a pause before the next one. Throws once the last attempt has failed. */
export async function takeStep(step: StepToTake): Promise<Waited> {
  const { definition, instance, entries, context, number, name, run } = step
  const retry = step.retry === undefined ? definition.retry : retryRule(name, step.retry)
  const attempt = (instance.trouble?.number === number ? instance.trouble.attempts : 0) + 1
  const row = { instance: instance.id, number, kind: 'step', name, until: null, error: null } as const
  const done = (result: unknown): StepRow => ({
    ...row,
    state: 'done',
    at: context.now,
    ...(result === undefined ? {} : { result }),
  })
  try {
    const value = await attemptStep({
      context,
      label: `step ${name} of workflow ${definition.name}`,
      key: stepKey(step, number, name),
      attempt,
      timeoutMs: definition.timeoutMs,
      run,
      conclude: (tx, result) => conclude(tx, step, done(result)),
      concludeAtOnce: (result) =>
        context.space.insertBeside(entries.steps, { ...done(result) }, entries.instances, instance),
    })
    return { kind: 'over', value }
  } catch (error) {
    if (isTaken(error, step)) return takenByOther(step)
    if (error instanceof Overtaken || isPassing(error) || isDefect(error)) throw error
    const kept = keptError(error, name)
    if (!(error instanceof StepRefusal) && attempt < retry.attempts)
      return { kind: 'parked', park: backoff({ ...kept, number, attempts: attempt }, retry, context) }
    return fail(step, { ...row, state: 'failed', at: context.now, error: kept }, kept)
  }
}

/** Keeps that a step has failed for good, so that it throws the same in each run. */
async function fail(step: StepToTake, row: StepRow, error: KeptError): Promise<Waited> {
  try {
    await step.context.space.transaction((tx) => conclude(tx, step, row))
  } catch (cause) {
    if (isTaken(cause, step)) return takenByOther(step)
    throw cause
  }
  throw stepFailed(step.definition.name, error)
}

/** What a step has returned that somebody else had taken before this run could commit it. */
async function takenByOther({ definition, entries, instance, context, number }: StepToTake): Promise<Waited> {
  const row = (await context.space.get(entries.steps, { instance: instance.id, number })) as StepRow | undefined
  if (row === undefined) throw new Overtaken()
  if (row.error !== null) throw stepFailed(definition.name, row.error)
  return { kind: 'over', value: row.result }
}

async function conclude(tx: SpaceClient, { entries, guard }: StepToTake, row: StepRow): Promise<void> {
  await Promise.all([guard(tx), tx.insert(entries.steps, { ...row })])
}

/** True if somebody else has committed the step before. */
function isTaken(error: unknown, { entries }: StepToTake): boolean {
  return isPlenumError(error, 'ENTRY_EXISTS') && error.details['type'] === entries.steps.name
}

/** The idempotency key of a step (WF1): unit, workflow, instance, number and name. */
export function stepKey(
  { definition, instance, context }: Pick<Work, 'definition' | 'instance' | 'context'>,
  number: number,
  name: string,
): string {
  const [unit] = context.key.split('/')
  return [unit, definition.name, keyPart(instance.id), number, keyPart(name)].join('/')
}

/** The error of whoever comes too late: its claim is given back, and nobody is told. */
export function overtaken({
  definition,
  instance,
}: {
  readonly definition: Pick<WorkflowDefinition, 'name'>
  readonly instance: InstanceRow
}): PlenumError {
  return new PlenumError(
    'TRANSACTION_CONFLICT',
    `Instance '${instance.id}' of workflow '${definition.name}' was taken further by somebody else.`,
  )
}
