// What is committed together with the end of a claim: an instance goes on later, has ended, or is stopped.
//
// I1 Each leaves an instance with nothing to do, or with something to do later than before, so that its claim is released
//    (UN3).
// I2 Whoever has sent a message, or cancelled, in the meantime has changed what is read here: then nothing is committed, and
//    the instance is claimed again.
import { unreachable } from '../kernel/index.ts'
import type { AttemptContext } from '../unit/index.ts'
import { isDefect, keptError } from './kept-errors.ts'
import type { Park } from './park.ts'
import type { InstanceRow, KeptError, StepRow, Trouble, WorkflowEntries } from './rows.ts'
import type { Ending } from './run.ts'
import type { WorkflowDefinition } from './workflow-definition.ts'

/** An instance that was claimed. */
export interface Work {
  readonly definition: WorkflowDefinition
  readonly entries: WorkflowEntries
  readonly instance: InstanceRow
  readonly context: AttemptContext
}

/** Commits how a run has ended. */
export function commitEnding(work: Work, ending: Ending): Promise<void> {
  switch (ending.kind) {
    case 'done':
      return done(work, ending.result)
    case 'failed':
      return beginUndoing(work, ending.error)
    case 'halted':
      return change(work, { status: 'running', stoppedBy: null, wakeAt: soon(work) })
    case 'parked':
      return park(work, ending.parks)
    case 'stopped':
      return stop(work, { ...ending.error, number: null, attempts: 0 })
    case 'given back':
      return Promise.reject(ending.error)
    default:
      return unreachable(ending)
  }
}

/** What a function has returned must be kept: where it cannot be, the instance waits for code that returns something else. */
async function done(work: Work, result: unknown): Promise<void> {
  try {
    await finish(work, 'done', { error: null, ...(result === undefined ? {} : { result }) })
  } catch (error) {
    if (!isDefect(error)) throw error
    await stop(work, { ...keptError(error, null), number: null, attempts: 0 })
  }
}

/** Before the first step is undone it is certain that none is taken any more. */
export function beginUndoing(work: Work, error: KeptError | null): Promise<void> {
  const none = { awaits: [], looks: [], looking: false, trouble: null, stoppedBy: null }
  return change(work, { ...none, status: 'undoing', undoing: true, error, wakeAt: soon(work) })
}

/** The instance has ended, and is forgotten after a while. */
export function finish(
  work: Work,
  status: 'done' | 'failed' | 'cancelled',
  fields: Partial<Pick<InstanceRow, 'result' | 'error'>> = {},
): Promise<void> {
  const { definition, instance, context } = work
  const { keepMs } = definition
  const wakeAt = keepMs === undefined ? null : Math.max(context.now + keepMs, soon(work))
  const waits = instance.awaits.length > 0 || instance.looking ? { awaits: [], looks: [], looking: false } : {}
  return change(work, { ...waits, status, trouble: null, stoppedBy: null, endedAt: context.now, wakeAt, ...fields })
}

/** The instance goes no further with this code. */
export function stop(work: Work, trouble: Trouble): Promise<void> {
  const stoppedBy = work.definition.code
  const none = { awaits: [], looks: [], looking: false, wakeAt: null }
  return change(work, { ...none, status: 'stopped', stoppedBy, trouble })
}

/** The instance is left alone until there is something to do. */
export async function park(work: Work, parks: readonly Park[]): Promise<void> {
  const { entries, instance, context } = work
  const { tx } = context
  const messages = parks.flatMap(({ message }) => (message === undefined ? [] : [message]))
  const looks = parks.flatMap(({ look }) => (look === undefined ? [] : [look]))
  const times = parks.flatMap(({ wakeAt }) => (wakeAt === null ? [] : [wakeAt]))
  const hasCome = await Promise.all([
    ...messages.map((name) => tx.read(entries.messages, { instance: instance.id, name })),
    ...looks.map(({ type, where }) => tx.read(type, { ...where })),
  ])
  if (hasCome.some((one) => one !== undefined)) times.push(0)
  const status = (['retrying', 'waiting', 'sleeping'] as const).find((one) => parks.some((park) => park.status === one))
  await Promise.all([
    ...parks.flatMap(({ opens }) => (opens === undefined ? [] : [tx.insert(entries.steps, { ...opens })])),
    change(work, {
      ...(instance.undoing ? { status: 'undoing' } : { status: status ?? 'running' }),
      wakeAt: times.length === 0 ? null : Math.max(Math.min(...times), soon(work)),
      trouble: parks.find(({ trouble }) => trouble !== undefined)?.trouble ?? null,
      awaits: messages,
      looks,
      looking: looks.length > 0,
      stoppedBy: null,
    }),
  ])
}

/** Nobody needs the instance any more. */
export async function forget({ entries, instance, context }: Work): Promise<void> {
  const { tx } = context
  const where = { instance: instance.id }
  await Promise.all([
    tx.remove(entries.instances, { id: instance.id }),
    ...[entries.steps, entries.messages].map((type) => tx.clear(type, where)),
  ])
}

/** The steps that an instance has taken, by number. */
export async function stepsOf({ entries, instance, context }: Work): Promise<ReadonlyMap<number, StepRow>> {
  const rows = (await context.space.readAll(entries.steps, { instance: instance.id })) as readonly unknown[]
  return new Map((rows as readonly StepRow[]).map((row) => [row.number, row]))
}

async function change({ entries, instance, context }: Work, fields: Partial<InstanceRow>): Promise<void> {
  await context.tx.patch(entries.instances, { id: instance.id }, { ...fields })
}

/** As soon as possible, and later than the instance was due. */
function soon({ instance, context }: Work): number {
  return Math.max(context.now, (instance.wakeAt ?? 0) + 0.001)
}
