import { PlenumError } from '../kernel/index.ts'
import { copyItem, isUnchanged } from './plain-copy.ts'
import { describeSchema } from './json-schema.ts'
import { isRecord } from './plain.ts'
import { sampleOf } from './sample-value.ts'
import { ValueShape } from './value-shape.ts'
import type { Schema } from './values.ts'

/** A schema that was checked when something was declared with it, and what checking values needs to know of it. */
export interface CheckedSchema {
  /** Begins the sentences of errors: `An entry of type 'order'`. */
  readonly subject: string
  readonly schema: Schema
  /** The JSON Schema of what is accepted. */
  readonly json: Readonly<Record<string, unknown>>
  readonly shape: ValueShape
  /** Fields of the values in declared order; empty where they are not objects. */
  readonly fieldNames: readonly string[]
  /** True where values may have other fields too. */
  readonly open: boolean
  /** True where types do not say all that is stored, because the schema fills in or changes what it accepts. */
  readonly validateAlways: boolean
  /** Runs the schema: issues if it refuses, what it made if not. */
  readonly run: (value: unknown) => SchemaResult
}

/** What a schema answers. */
export type SchemaResult =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly issues: readonly SchemaIssue[] }

/** One complaint of a schema, with a path of plain names. */
export interface SchemaIssue {
  readonly message: string
  readonly path: readonly string[]
}

/**
 * Checks a schema before it is used: it describes itself, is plain (SC1), answers at once and its output is its own
 * input (SC2). Throws SCHEMA_INVALID, VALUE_NOT_PLAIN, SCHEMA_ASYNC, SCHEMA_UNSTABLE or FIELD_RESERVED.
 */
export function checkSchema(schema: Schema, subject: string): CheckedSchema {
  const { input, adjusts } = describeSchema(schema, subject)
  const shape = new ValueShape(input, [input])
  const { names, rest } = shape.merged
  const isObject = shape.members.length > 0
  const checked: CheckedSchema = {
    subject,
    schema,
    json: input,
    shape,
    fieldNames: isObject ? names : [],
    open: !isObject || rest !== undefined,
    validateAlways: adjusts,
    run: runner(schema, subject),
  }
  checkNames(shape, subject, [], new Set())
  probe(checked)
  return Object.freeze(checked)
}

function runner(schema: Schema, subject: string): CheckedSchema['run'] {
  const standard = schema['~standard']
  return (value) => {
    const result: unknown = standard.validate(value)
    if (typeof result !== 'object' || result === null) throw unusable(subject)
    if (isThenable(result)) {
      // The promise is not waited for; if it is rejected later, this error has said so already.
      result.then(undefined, ignore)
      throw new PlenumError(
        'SCHEMA_ASYNC',
        `${subject} cannot be checked at once: a check of its schema is asynchronous, or threw an error. ` +
          'Checks that have to wait belong in a service, before the value is written.',
      )
    }
    const { issues } = result as { readonly issues?: unknown }
    if (issues === undefined) return { ok: true, value: (result as { readonly value?: unknown }).value }
    return { ok: false, issues: Array.isArray(issues) ? issues.map(readIssue) : [] }
  }
}

function readIssue(issue: unknown): SchemaIssue {
  if (!isRecord(issue)) return { message: String(issue), path: [] }
  const path =
    isRecord(issue['path']) || Array.isArray(issue['path']) ? Array.from(issue['path'] as ArrayLike<unknown>) : []
  return {
    message: String(issue['message']),
    path: path.map((step) => String(isRecord(step) && 'key' in step ? step['key'] : step)),
  }
}

/** Tries the schema on nothing and on a made-up value, to find at declaration what would fail at the first write. */
function probe(checked: CheckedSchema): void {
  checked.run(undefined)
  const sample = sampleOf(checked.json)
  const first = attempt(checked, sample)
  if (first === undefined || !first.ok) return
  const second = checked.run(first.value)
  if (second.ok && isUnchanged(copyItem(checked.shape, first.value, 0), second.value)) return
  throw unstable(checked.subject)
}

/** A check that throws on a made-up value says nothing about the schema; one that waits does. */
function attempt(checked: CheckedSchema, sample: unknown): SchemaResult | undefined {
  const { schema } = checked
  try {
    return checked.run(sample)
  } catch (error) {
    const safeParse: unknown = isRecord(schema) ? schema['safeParse'] : undefined
    if (typeof safeParse !== 'function') throw error
    try {
      safeParse.call(schema, sample)
    } catch (cause) {
      if (cause instanceof Error && cause.constructor.name === '$ZodAsyncError') throw error
      return undefined
    }
    throw error
  }
}

/** Refuses the field names that queries could not ask for, at every depth (03). */
function checkNames(shape: ValueShape, subject: string, path: readonly string[], done: Set<string>): void {
  for (const { names, fields } of shape.members) {
    for (const name of names) {
      const field = [...path, name]
      const why = reservedBecause(name)
      if (why !== undefined) {
        throw new PlenumError('FIELD_RESERVED', `${subject} has a field '${field.join('.')}', but ${why}. Rename it.`, {
          details: { field: field.join('.') },
        })
      }
      if (path.length >= namesDepthMax || done.has(field.join('.'))) continue
      done.add(field.join('.'))
      const below = fields.get(name)!
      checkNames(below, subject, field, done)
      checkNames(below.item(0), subject, field, done)
    }
  }
}

/** Queries reach four names deep. */
const namesDepthMax = 4

function reservedBecause(name: string): string | undefined {
  if (name === 'and' || name === 'or' || name === 'not') return `'${name}' combines queries`
  if (name.includes('.')) return 'a dot in a query leads into nested objects'
  if (name === '') return 'a field needs a name'
  return name === '__proto__' ? 'that name is special in JavaScript' : undefined
}

/** The error for a schema whose output is not its own input. */
export function unstable(subject: string): PlenumError {
  return new PlenumError(
    'SCHEMA_UNSTABLE',
    `${subject} has a schema whose output does not validate to itself, so that a stored value could not be written back. ` +
      'Store the outcome, and transform before or after.',
  )
}

function unusable(subject: string): PlenumError {
  return new PlenumError('SCHEMA_INVALID', `${subject} has a schema that does not follow Standard Schema v1.`)
}

function isThenable(value: object): value is PromiseLike<unknown> {
  return 'then' in value && typeof value.then === 'function'
}

function ignore(): void {}
