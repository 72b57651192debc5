// The workers of a workflow: one runs the instances that have something to do, the other waits for entries on behalf of
// those that do.
import { PlenumError, workflowLimits } from '../kernel/index.ts'
import { WorkerDefinition, type AttemptContext, type Worker } from '../unit/index.ts'
import { beginUndoing, commitEnding, forget, stepsOf, stop, type Work } from './endings.ts'
import { keptError } from './kept-errors.ts'
import type { InstanceRow, WorkflowEntries } from './rows.ts'
import { Run } from './run.ts'
import { overtaken } from './take-step.ts'
import { undoSteps } from './undo.ts'
import type { WorkflowDefinition } from './workflow-definition.ts'
import { isEnded } from './workflow-handlers.ts'

/** Instances of one workflow for which one process waits at the same time; others have their turn. */
const lookingMax = 1_000
/** How long is waited for entries before it is looked whether anybody still wants them. */
const lookTime = '60s'

/** Runs the instances of all versions of a workflow. */
export function workflowWorker(newest: WorkflowDefinition, entries: WorkflowEntries): Worker {
  const { concurrency, timeoutMs, code } = newest
  return workerOf(
    {
      entry: entries.instances,
      // What the code at hand could not go on with waits for other code, or for somebody who has it go on.
      where: { or: [{ wakeAt: { gte: 0 } }, { status: 'stopped', stoppedBy: { ne: code } }] },
      due: 'wakeAt',
      concurrency,
      // A run that takes longer is one whose function waits for something that is no step.
      timeout: `${timeoutMs + 2 * workflowLimits.runMs}ms`,
      retry: { attempts: 5, backoff: '20ms' },
    },
    (instance, context) => advance(newest, { entries, instance, context }),
  )
}

/** Wakes the instances whose entries have come. */
export function lookingWorker({ name }: WorkflowDefinition, entries: WorkflowEntries): Worker {
  return workerOf(
    {
      entry: entries.instances,
      where: { looking: true },
      concurrency: lookingMax,
      timeout: '365d',
      retry: { attempts: 5, backoff: '1s' },
      isIdle: true,
    },
    async (instance, { space, tx, signal, now }) => {
      const { id, looks } = instance
      for (;;) {
        const wait = { wait: lookTime, signal }
        const found = await Promise.race(looks.map(({ type, where }) => space.read(type, { ...where }, wait)))
        if (found !== undefined) break
        const present = (await space.get(entries.instances, { id })) as InstanceRow | undefined
        if (present?.looking !== true) throw overtaken({ definition: { name }, instance })
      }
      await tx.patch(entries.instances, { id }, { looking: false, wakeAt: now })
    },
  )
}

async function advance(newest: WorkflowDefinition, claimed: Omit<Work, 'definition'>): Promise<void> {
  const { instance } = claimed
  if (isEnded(instance)) return forget({ ...claimed, definition: newest })
  const definition = newest.versions.get(instance.version)
  if (definition === undefined) {
    const error = keptError(versionMissing(newest, instance), null)
    return stop({ ...claimed, definition: newest }, { ...error, number: null, attempts: 0 })
  }
  const work = { ...claimed, definition }
  if (instance.cancel && !instance.undoing) return beginUndoing(work, null)
  const steps = await stepsOf(work)
  if (instance.undoing) return undoSteps(work, steps)
  await commitEnding(work, await new Run({ ...work, steps, takesSteps: true }).play())
}

function workerOf(
  declaration: ConstructorParameters<typeof WorkerDefinition>[0],
  run: (instance: InstanceRow, context: AttemptContext) => Promise<void>,
): Worker {
  return Object.freeze({ kind: 'worker', '~': new WorkerDefinition(declaration, run) })
}

function versionMissing({ name, versions }: WorkflowDefinition, { id, version }: InstanceRow): PlenumError {
  const known = [...versions.keys()]
  return new PlenumError(
    'WORKFLOW_VERSION_MISSING',
    `Instance '${id}' of workflow '${name}' began with version ${version}, and the unit has ${known.join(', ')}. It goes on by itself once the unit has that version again: name it in \`earlier\`.`,
    { details: { workflow: name, version, known } },
  )
}
