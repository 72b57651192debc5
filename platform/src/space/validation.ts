// Checks values that come from outside, and makes of them what is stored.
import { PlenumError } from '../kernel/index.ts'
import { unstable, type CheckedSchema, type SchemaIssue } from './checked-schema.ts'
import { copyItem, copyObject, isUnchanged, Misfit, patchAtOnce } from './plain-copy.ts'
import type { ValueShape } from './value-shape.ts'

type Plain = Readonly<Record<string, unknown>>

/** How a value is checked. */
export interface ValidationOptions {
  /** Only some of the fields are given, for a patch: fields that are absent are not missed, and none is filled in. */
  readonly partial?: boolean | undefined
  /** Leave the copy itself unfrozen, everything below it frozen: for the machine, which stamps it first. */
  readonly unfrozen?: boolean | undefined
  /** Run the schema again on its output and throw SCHEMA_UNSTABLE if that changes it (SC2): for tests. */
  readonly checkStable?: boolean | undefined
  /** Begins the sentences of errors instead of the schema's own subject. */
  readonly subject?: string | undefined
}

const none: ValidationOptions = Object.freeze({})

/**
 * A deep-frozen plain copy of an object that fits its schema, defaults filled in, fields in declared order. Throws
 * VALUE_INVALID, UNKNOWN_FIELD, VALUE_NOT_PLAIN, VALUE_TOO_LARGE or SCHEMA_ASYNC, naming the field.
 */
export function validateValue(checked: CheckedSchema, value: unknown, options: ValidationOptions = none): Plain {
  try {
    return validated(checked, objectOf(checked, value, options), options)
  } catch (error) {
    throw asPlenumError(error, checked, options)
  }
}

/** The same copy without running the schema, for code whose types say that the value fits (SC1, SC3). */
export function copyPlain(checked: CheckedSchema, value: unknown, options: ValidationOptions = none): Plain {
  try {
    const copy = copyObject(checked.shape, objectOf(checked, value, options))
    return options.unfrozen === true ? copy : Object.freeze(copy)
  } catch (error) {
    throw asPlenumError(error, checked, options)
  }
}

/** A stored value with some of its fields changed, as `copyPlain` copies; undefined where the caller must merge them. */
export function patchPlain({ shape }: CheckedSchema, value: Plain, fields: Plain): Record<string, unknown> | undefined {
  return isObject(fields) ? patchAtOnce(shape, value, fields) : undefined
}

/** As `validateValue`, for schemas whose values need not be objects: the inputs of services and tasks, refusals. */
export function validateAny(checked: CheckedSchema, value: unknown, options: ValidationOptions = none): unknown {
  if (checked.shape.members.length > 0 && isObject(value)) return validateValue(checked, value, options)
  try {
    const copy = value === undefined ? undefined : copyItem(checked.shape, value, 0)
    const result = checked.run(copy)
    if (!result.ok) throw invalid(checked, result.issues, options)
    if (isUnchanged(copy, result.value)) return copy
    return result.value === undefined ? undefined : copyItem(checked.shape, result.value, 0)
  } catch (error) {
    throw asPlenumError(error, checked, options)
  }
}

function validated(checked: CheckedSchema, value: object, options: ValidationOptions): Plain {
  const { shape } = checked
  const copy = copyObject(shape, value)
  const result = checked.run(copy)
  let stored = copy
  if (result.ok) {
    if (!isSame(shape, copy, result.value) && !isUnchanged(copy, result.value))
      stored = changed(checked, copy, result.value, options)
    if (options.checkStable === true) checkStable(checked, stored, options)
  } else {
    const issues = options.partial === true ? result.issues.filter(({ path }) => isGiven(copy, path)) : result.issues
    if (issues.length > 0) throw invalid(checked, issues, options)
  }
  return options.unfrozen === true ? stored : Object.freeze(stored)
}

/** The usual case of `isUnchanged`: an object of declared fields, none of them nested. */
function isSame(shape: ValueShape, copy: Plain, output: unknown): boolean {
  return isObject(output) && shape.objectFor(copy).code?.isSame(copy, output as Plain) === true
}

/** What the schema made of a value: copied, in declared order; of a partial one only the fields that were given. */
function changed(
  checked: CheckedSchema,
  copy: Plain,
  output: unknown,
  options: ValidationOptions,
): Record<string, unknown> {
  const stored = copyObject(checked.shape, objectOf(checked, output, options))
  if (options.partial !== true) return stored
  return Object.fromEntries(Object.keys(copy).map((name) => [name, stored[name]]))
}

function checkStable(checked: CheckedSchema, stored: Plain, options: ValidationOptions): void {
  if (options.partial === true) return
  const again = checked.run(stored)
  if (!again.ok || !isUnchanged(stored, again.value)) throw unstable(options.subject ?? checked.subject)
}

/** A missing field is no fault of a partial value: complaints count that lead to something that was given. */
function isGiven(copy: Plain, path: readonly string[]): boolean {
  const [first] = path
  return first !== undefined && copy[first] !== undefined
}

function objectOf(checked: CheckedSchema, value: unknown, options: ValidationOptions): object {
  if (isObject(value)) return value
  const kind = value === null ? 'null' : Array.isArray(value) ? 'a list' : `${typeof value}`
  throw new PlenumError('VALUE_INVALID', `${options.subject ?? checked.subject} is an object, not ${kind}.`, {
    details: { issues: [{ path: '', message: 'expected an object' }] },
  })
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function invalid(checked: CheckedSchema, issues: readonly SchemaIssue[], options: ValidationOptions): PlenumError {
  const [first] = issues
  const more = issues.length > 1 ? ` (and ${issues.length - 1} more)` : ''
  const where = first === undefined || first.path.length === 0 ? '' : ` at '${first.path.join('.')}'`
  const field = first?.path.join('.') ?? ''
  return new PlenumError(
    'VALUE_INVALID',
    `${options.subject ?? checked.subject} is invalid${where}: ${first?.message ?? 'the schema refuses it'}${more}.`,
    { details: { field, issues: issues.map(({ path, message }) => ({ path: path.join('.'), message })) } },
  )
}

function asPlenumError(error: unknown, checked: CheckedSchema, options: ValidationOptions): unknown {
  if (!(error instanceof Misfit)) return error
  const field = error.path.join('.')
  const where = field === '' ? '' : ` at '${field}'`
  return new PlenumError(
    error.code,
    `${options.subject ?? checked.subject} cannot be stored${where}: ${error.message}.`,
    {
      details: { field },
    },
  )
}
