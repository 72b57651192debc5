// The handlers of a workflow: what begins an instance, and what reaches one from outside.
//
// I1 A handler changes the row of an instance only where that does not spoil a step that is being taken: a message is a row
//    of its own, and whoever takes a step looks at the row before it commits.
import { PlenumError, workflowLimits } from '../kernel/index.ts'
import { described, equal, validateAny, type Of, type Operations, type Schema } from '../space/index.ts'
import { handler, type Handler } from '../unit/index.ts'
import { endStatuses, newInstance, type InstanceRow, type WorkflowEntries } from './rows.ts'
import type { WorkflowDefinition } from './workflow-definition.ts'

const { messages: messagesMax, idLength: idLengthMax } = workflowLimits

type Partition = Operations<'now', WorkflowEntries[keyof WorkflowEntries]>

const text = { type: 'string' }
const idField = { id: text }

/** Begins an instance, unless there is one with this id. */
export function startHandler({ name, version, input: checked }: WorkflowDefinition, entries: WorkflowEntries): Handler {
  const input = inputSchema<{ readonly id: string; readonly input?: unknown }>({ ...idField, input: {} }, ['input'])
  return handler({ input, route: 'id' }, (given, { partition, now }: { partition: Partition; now: number }) => {
    const { id } = given
    if (id.length === 0 || id.length > idLengthMax) throw badId(name, id)
    const value = validateAny(checked, given.input)
    const before = partition.get(entries.instances, { id })
    if (before === undefined) {
      partition.insert(entries.instances, newInstance(id, version, value, now))
      return { id, isNew: true }
    }
    if (equal(before.input, value)) return { id, isNew: false }
    throw new PlenumError(
      'ENTRY_EXISTS',
      `Workflow '${name}' has an instance '${id}' already, with another input. Give the other one another id.`,
      { details: { type: name, key: { id } } },
    )
  })
}

/** Keeps a message for an instance, and wakes it if it waits for one. False if the instance has ended. */
export function sendHandler({ name, versions }: WorkflowDefinition, entries: WorkflowEntries): Handler {
  const input = inputSchema<{ readonly id: string; readonly name: string; readonly data?: unknown }>(
    { ...idField, name: text, data: {} },
    ['data'],
  )
  return handler({ input, route: 'id' }, (given, { partition, now }: { partition: Partition; now: number }) => {
    const { id, name: message } = given
    const instance = found(partition, entries, name, id)
    const messages = versions.get(instance.version)?.messages ?? new Map()
    const schema = messages.get(message)
    if (schema === undefined) throw unknownMessage(name, instance.version, message, [...messages.keys()])
    const data = validateAny(schema, given.data)
    if (isEnded(instance)) return false
    if (partition.count(entries.messages, { instance: id }) >= messagesMax) throw tooManyMessages(name, id)
    const [last] = partition.readAll(entries.messages, { instance: id }, { orderBy: { number: 'desc' }, limit: 1 })
    partition.insert(entries.messages, { instance: id, number: (last?.number ?? 0) + 1, name: message, data })
    if (instance.awaits.includes(message)) partition.patch(entries.instances, { id }, { wakeAt: now })
    return true
  })
}

/**
 * Has an instance end, and what it has done undone. A step that is being taken is taken to its end, because what it has done
 * outside would be lost from sight otherwise. False if it fails already, or has ended.
 */
export function cancelHandler({ name }: WorkflowDefinition, entries: WorkflowEntries): Handler {
  const input = inputSchema<{ readonly id: string }>(idField, [])
  return handler({ input, route: 'id' }, ({ id }, { partition, now }: { partition: Partition; now: number }) => {
    const { cancel, undoing, ...instance } = found(partition, entries, name, id)
    if (cancel || undoing || isEnded(instance)) return false
    partition.patch(entries.instances, { id }, { cancel: true, wakeAt: now, stoppedBy: null, ...going(instance) })
    return true
  })
}

/** Has a stopped instance go on, with all attempts. False if it is not stopped. */
export function resumeHandler({ name }: WorkflowDefinition, entries: WorkflowEntries): Handler {
  const input = inputSchema<{ readonly id: string }>(idField, [])
  return handler({ input, route: 'id' }, ({ id }, { partition, now }: { partition: Partition; now: number }) => {
    const { status, undoing } = found(partition, entries, name, id)
    if (status !== 'stopped') return false
    const goesOn = { status: undoing ? 'undoing' : 'running', trouble: null, stoppedBy: null, wakeAt: now } as const
    partition.patch(entries.instances, { id }, goesOn)
    return true
  })
}

/** True once nothing more becomes of an instance. */
export function isEnded({ status }: Pick<InstanceRow, 'status'>): boolean {
  return endStatuses.some((one) => one === status)
}

/** True if an instance that was claimed has ended since, or was stopped, or had go on, by somebody else. */
export function isOvertaken(claimed: InstanceRow, present: InstanceRow): boolean {
  return isEnded(present) || present.stoppedBy !== claimed.stoppedBy
}

/** A stopped instance that is cancelled is undone as far as its code can. */
function going({ status }: Pick<InstanceRow, 'status'>): Partial<Pick<InstanceRow, 'status' | 'trouble'>> {
  return status === 'stopped' ? { status: 'running', trouble: null } : {}
}

function found(partition: Partition, { instances }: WorkflowEntries, name: string, id: string): Of<typeof instances> {
  const instance = partition.get(instances, { id })
  if (instance !== undefined) return instance
  throw new PlenumError('ENTRY_MISSING', `Workflow '${name}' has no instance '${id}'. Start it before.`, {
    details: { type: name, key: { id } },
  })
}

function inputSchema<V extends object>(properties: Readonly<Record<string, unknown>>, optional: readonly string[]) {
  const required = Object.keys(properties).filter((name) => !optional.includes(name))
  const json = { type: 'object', properties, required, additionalProperties: false }
  const schema: Schema<V> = described<V>(json, (value) => {
    const wrong = required.filter((name) => typeof (value as Record<string, unknown> | undefined)?.[name] !== 'string')
    return wrong.length === 0
      ? { value: value as V }
      : { issues: wrong.map((name) => ({ message: 'expected a text', path: [name] })) }
  })
  return schema
}

function badId(name: string, id: string): PlenumError {
  return new PlenumError(
    'VALUE_INVALID',
    `The id of an instance of workflow '${name}' has 1 to ${idLengthMax} characters, not ${id.length}.`,
    { details: { field: 'id' } },
  )
}

function unknownMessage(name: string, version: number, message: string, known: readonly string[]): PlenumError {
  return new PlenumError(
    'VALUE_INVALID',
    `Version ${version} of workflow '${name}' receives no message '${message}'. It receives: ${known.join(', ') || 'none'}.`,
    { details: { field: 'name', known } },
  )
}

function tooManyMessages(name: string, id: string): PlenumError {
  return new PlenumError(
    'LIMIT_EXCEEDED',
    `Instance '${id}' of workflow '${name}' has ${messagesMax} messages that it has not received, which is the limit. This one is not kept.`,
    { details: { limit: 'workflowLimits.messages', value: messagesMax } },
  )
}
