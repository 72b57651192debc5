// Steps that wait: for a time, a message, or an entry. What was waited for is kept like the result of any other step.
import { durationMs } from '../kernel/index.ts'
import type { SpaceClient } from '../router/index.ts'
import type { StoredValue } from '../space/index.ts'
import type { AttemptContext } from '../unit/index.ts'
import type { Park } from './park.ts'
import type { InstanceRow, StepRow, WorkflowEntries } from './rows.ts'

/** What is waited for. */
export type Wait =
  | { readonly kind: 'sleep'; readonly name: string; readonly time: string }
  | { readonly kind: 'receive'; readonly name: string; readonly timeout: string | undefined }
  | {
      readonly kind: 'until'
      /** Of the entry type. */
      readonly name: string
      readonly where: object
      readonly timeout: string | undefined
    }

/** The end of a wait, or that it goes on. */
export type Waited =
  | { readonly kind: 'over'; readonly value: unknown }
  | { readonly kind: 'parked'; readonly park: Park }

/** Where it is waited. */
export interface WaitPlace {
  readonly entries: WorkflowEntries
  readonly instance: InstanceRow
  readonly number: number
  /** What is kept of the step, once the wait was begun. */
  readonly row: StepRow | undefined
  readonly context: AttemptContext
  /** Throws where the instance takes no more steps. */
  readonly guard: (tx: SpaceClient) => Promise<void>
}

/** Ends a wait if it can be ended now. */
export function waitFor(wait: Wait, place: WaitPlace): Promise<Waited> {
  return wait.kind === 'sleep' ? sleep(wait, place) : find(wait, place)
}

/** The time stands when it is asked for; the row is written together with the end of the claim. */
async function sleep({ name, time }: Extract<Wait, { kind: 'sleep' }>, place: WaitPlace): Promise<Waited> {
  const { context, row } = place
  const until = row?.until ?? context.now + durationMs(time, 'the time of a sleep')
  const opens = row === undefined ? { opens: rowOf(place, 'sleep', name, 'done', until) } : {}
  return { kind: 'parked', park: { status: 'sleeping', wakeAt: until, ...opens } }
}

/** Looks for what is waited for; takes it, or the end of the wait, in one commit with the step. */
async function find(wait: Exclude<Wait, { kind: 'sleep' }>, place: WaitPlace): Promise<Waited> {
  const { entries, context, row, guard } = place
  const { kind, name, timeout } = wait
  const until =
    row === undefined
      ? timeout === undefined
        ? null
        : context.now + durationMs(timeout, `the time-out of ${kind}`)
      : row.until
  return context.space.transaction(async (tx): Promise<Waited> => {
    await guard(tx)
    const found = await (wait.kind === 'receive' ? received(tx, place, name) : entry(tx, wait))
    if (found === undefined && (until === null || context.now < until)) {
      const opens = row === undefined ? { opens: rowOf(place, kind, name, 'open', until) } : {}
      const awaited = wait.kind === 'receive' ? { message: name } : { look: { type: name, where: { ...wait.where } } }
      return { kind: 'parked', park: { status: 'waiting', wakeAt: until, ...awaited, ...opens } }
    }
    const value = found?.value
    const result = value === undefined ? {} : { result: value }
    await tx.write(entries.steps, { ...rowOf(place, kind, name, 'done', until), ...result })
    return { kind: 'over', value }
  })
}

async function received(
  tx: SpaceClient,
  { entries, instance }: WaitPlace,
  name: string,
): Promise<{ readonly value: unknown } | undefined> {
  const where = { instance: instance.id, name }
  const found = await tx.read(entries.messages, where, { orderBy: { number: 'asc' } })
  if (found === undefined) return undefined
  const message = found as StoredValue
  await tx.remove(entries.messages, message)
  return { value: message['data'] }
}

async function entry(
  tx: SpaceClient,
  { name, where }: Extract<Wait, { kind: 'until' }>,
): Promise<{ readonly value: unknown } | undefined> {
  const value = await tx.read(name, { ...where })
  return value === undefined ? undefined : { value }
}

function rowOf(
  { instance, number, context }: WaitPlace,
  kind: StepRow['kind'],
  name: string,
  state: 'open' | 'done',
  until: number | null,
): StepRow {
  return { instance: instance.id, number, kind, name, state, at: context.now, until, error: null }
}
