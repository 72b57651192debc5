// What a workflow keeps: its instances, the steps of each, and the messages that none of them has received yet. All three
// are entries of the unit, with the id of the instance as their route, so that they lie on one partition.
import { described, entry, type EntryType, type Stored } from '../space/index.ts'

/** What an instance is about, for people and queries. */
export type WorkflowStatus =
  /** It is run, or will be as soon as there is room. */
  | 'running'
  /** A step has failed, and will be tried again. */
  | 'retrying'
  | 'sleeping'
  /** It waits for a message, or for an entry. */
  | 'waiting'
  /** It has failed or was cancelled, and its steps are being undone. */
  | 'undoing'
  /** It can go no further as its code is: see `trouble`. */
  | 'stopped'
  | 'done'
  | 'failed'
  | 'cancelled'

/** The statuses of instances at their end. */
export const endStatuses = ['done', 'failed', 'cancelled'] as const satisfies readonly WorkflowStatus[]

/** Something that went wrong, as it is kept. */
export interface KeptError<D = any> {
  readonly code: string
  readonly message: string
  /** The step in which it did; null if in none. */
  readonly step: string | null
  /** What was refused, and with which data; null if nothing was. */
  readonly refusal: { readonly reason: string; readonly data?: D } | null
}

/** What keeps an instance from going on. */
export interface Trouble extends KeptError {
  /** Number of the step; null if it is none. */
  readonly number: number | null
  /** Attempts that have failed. */
  readonly attempts: number
}

/** An instance of a workflow. */
export interface InstanceRow<I = any, R = any> {
  readonly id: string
  /** The version with which it began. */
  readonly version: number
  readonly status: WorkflowStatus
  readonly input: I
  /** What its function has returned. */
  readonly result?: R | undefined
  /** Why it has failed. */
  readonly error: KeptError | null
  /** Why it does not go on now. */
  readonly trouble: Trouble | null
  /** Partition time at which there is something to do, milliseconds since 1970; null if there is nothing. */
  readonly wakeAt: number | null
  /** Names of the messages that it waits for. */
  readonly awaits: readonly string[]
  /** The entries that it waits for. */
  readonly looks: readonly { readonly type: string; readonly where: object }[]
  /** True while it waits for entries. */
  readonly looking: boolean
  /** True once somebody has cancelled it. */
  readonly cancel: boolean
  /** True once its steps are to be undone. */
  readonly undoing: boolean
  /** The code that could not go on with it. */
  readonly stoppedBy: string | null
  readonly startedAt: number
  readonly endedAt: number | null
}

export type StepKind = 'step' | 'sleep' | 'receive' | 'until'

/** A step that was taken, or is waited in. */
export interface StepRow<R = any> {
  readonly instance: string
  /** Counts the steps of the instance, from 0, in the order in which they were begun. */
  readonly number: number
  readonly kind: StepKind
  readonly name: string
  readonly state: 'open' | 'done' | 'failed' | 'undone'
  /** Partition time of the last change of state. */
  readonly at: number
  /** When a wait ends; null if never. */
  readonly until: number | null
  readonly result?: R | undefined
  readonly error: KeptError | null
}

/** A message that was not received yet. */
export interface MessageRow<D = any> {
  readonly instance: string
  /** Counts those that wait, in the order in which they came. */
  readonly number: number
  readonly name: string
  readonly data?: D | undefined
}

/** The entry type of a workflow's instances. */
export type InstanceType<N extends string, I, R> = EntryType<
  N,
  { input: InstanceRow<I, R>; value: InstanceRow<I, R>; id: 'id'; route: 'id'; keyed: false }
>
export type StepType<N extends string> = EntryType<
  `${N}-step`,
  { input: StepRow; value: StepRow; id: 'instance' | 'number'; route: 'instance'; keyed: false }
>
export type MessageType<N extends string> = EntryType<
  `${N}-message`,
  { input: MessageRow; value: MessageRow; id: 'instance' | 'number'; route: 'instance'; keyed: false }
>

/** The entry types of a workflow. */
export interface WorkflowEntries<N extends string = string, I = any, R = any> {
  readonly instances: InstanceType<N, I, R>
  readonly steps: StepType<N>
  readonly messages: MessageType<N>
}

const text = { type: 'string' }
const count = { type: 'integer' }
const time = { type: ['number', 'null'] }
const anything = {}
const flag = { type: 'boolean' }
const errorFields = { code: text, message: text, step: { type: ['string', 'null'] }, refusal: anything }
const error = { anyOf: [{ type: 'null' }, object(errorFields, [])] }
const troubleFields = { ...errorFields, number: { type: ['integer', 'null'] }, attempts: count }
const trouble = { anyOf: [{ type: 'null' }, object(troubleFields, [])] }

/** Only the platform writes these rows, so that their shape is all there is to check. */
const instanceSchema = rowSchema<InstanceRow>(
  {
    id: text,
    version: count,
    status: text,
    input: anything,
    result: anything,
    error,
    trouble,
    wakeAt: time,
    awaits: { type: 'array', items: text },
    looks: { type: 'array', items: anything },
    looking: flag,
    cancel: flag,
    undoing: flag,
    stoppedBy: { type: ['string', 'null'] },
    startedAt: { type: 'number' },
    endedAt: time,
  },
  ['result', 'input'],
)
const stepSchema = rowSchema<StepRow>(
  {
    instance: text,
    number: count,
    kind: text,
    name: text,
    state: text,
    at: { type: 'number' },
    until: time,
    result: anything,
    error,
  },
  ['result'],
)
const messageSchema = rowSchema<MessageRow>({ instance: text, number: count, name: text, data: anything }, ['data'])

/** The entry types of the workflow of this name. */
export function workflowEntries<const N extends string, I, R>(name: N): WorkflowEntries<N, I, R>
export function workflowEntries(name: string): WorkflowEntries {
  return Object.freeze({
    instances: entry(name, instanceSchema, { id: 'id', indexes: [['status']] }),
    steps: entry(`${name}-step`, stepSchema, {
      id: ['instance', 'number'],
      route: 'instance',
      indexes: [['instance', 'number']],
    }),
    messages: entry(`${name}-message`, messageSchema, {
      id: ['instance', 'number'],
      route: 'instance',
      indexes: [['instance', 'number']],
    }),
  })
}

/** An instance that begins. */
export function newInstance(id: string, version: number, input: unknown, now: number): Stored<InstanceRow> {
  return {
    id,
    version,
    status: 'running',
    input,
    error: null,
    trouble: null,
    wakeAt: now,
    awaits: [],
    looks: [],
    looking: false,
    cancel: false,
    undoing: false,
    stoppedBy: null,
    startedAt: now,
    endedAt: null,
  }
}

function object<P extends Readonly<Record<string, unknown>>>(
  properties: P,
  optional: readonly string[],
): {
  readonly type: string
  readonly properties: P
  readonly required: string[]
  readonly additionalProperties: false
} {
  const required = Object.keys(properties).filter((name) => !optional.includes(name))
  return { type: 'object', properties, required, additionalProperties: false }
}

function rowSchema<V>(properties: Readonly<Record<string, unknown>>, optional: readonly string[]) {
  return described<V>(object(properties, optional), (value) =>
    typeof value === 'object' && value !== null
      ? { value: value as V }
      : { issues: [{ message: 'expected an object' }] },
  )
}
