// Undoes what an instance has done: the last step first, each of them once, as a step of its own.
//
// I1 A step is undone in the transaction that says so. Its function is found by running the workflow's as far as the steps
//    that were taken.
import type { SpaceClient } from '../router/index.ts'
import { isPassing } from '../unit/index.ts'
import { commitEnding, finish, park, stop, type Work } from './endings.ts'
import { keptError, Overtaken } from './kept-errors.ts'
import { backoff } from './park.ts'
import type { InstanceRow, StepRow } from './rows.ts'
import { Run, type Undo } from './run.ts'
import { attemptStep } from './step-attempt.ts'
import { overtaken, stepKey } from './take-step.ts'
import { retryRule } from './workflow-definition.ts'
import { isOvertaken } from './workflow-handlers.ts'

/** Undoes the steps of an instance, and ends it. */
export async function undoSteps(work: Work, steps: ReadonlyMap<number, StepRow>): Promise<void> {
  const run = new Run({ ...work, steps, takesSteps: false })
  const ending = await run.play()
  if (ending.kind === 'stopped' || ending.kind === 'given back') return commitEnding(work, ending)
  if (!run.hasMetAll) return commitEnding(work, run.changed)
  for (const undo of run.undos.toReversed()) if (!(await isUndone(work, undo))) return
  await finish(work, work.instance.cancel ? 'cancelled' : 'failed')
}

/** Makes one attempt at undoing a step; false if that has failed, and the instance is left alone for now. */
async function isUndone(work: Work, undo: Undo): Promise<boolean> {
  const { definition, instance, context } = work
  const { number, name, result, run } = undo
  const retry = undo.retry === undefined ? definition.retry : retryRule(name, undo.retry)
  const attempt = (instance.trouble?.number === number ? instance.trouble.attempts : 0) + 1
  try {
    await attemptStep({
      context,
      label: `undo of step ${name} of workflow ${definition.name}`,
      key: `${stepKey(work, number, name)}/undo`,
      attempt,
      timeoutMs: definition.timeoutMs,
      run: (given) => run(result, given),
      conclude: (tx) => conclude(tx, work, number),
    })
    return true
  } catch (error) {
    if (error instanceof Overtaken) throw overtaken(work)
    if (isPassing(error)) throw error
    const trouble = { ...keptError(error, name), number, attempts: attempt }
    if (attempt < retry.attempts) await park(work, [backoff(trouble, retry, context)])
    else await stop(work, trouble)
    return false
  }
}

async function conclude(tx: SpaceClient, { entries, instance, context }: Work, number: number): Promise<void> {
  const key = { instance: instance.id, number }
  const [present, step] = (await Promise.all([
    tx.get(entries.instances, { id: instance.id }),
    tx.get(entries.steps, key),
  ])) as [InstanceRow | undefined, StepRow | undefined]
  if (present?.undoing !== true || isOvertaken(instance, present)) throw new Overtaken()
  if (step?.state !== 'done') throw new Overtaken()
  await tx.patch(entries.steps, key, { state: 'undone', at: context.now })
}
