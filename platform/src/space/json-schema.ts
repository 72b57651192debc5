// Reads how a schema describes itself: Standard JSON Schema, as zod (from 4.2) and ArkType speak it.
//
// I1 What is not plain data (SC1) or transforms (SC2) is refused here as far as the library lets it be seen; the rest
//    is caught when a value is checked.
import { PlenumError } from '../kernel/index.ts'
import { isRecord } from './plain.ts'
import type { Schema } from './values.ts'

/** A JSON Schema: a set of keywords, or a boolean that accepts everything or nothing. */
export type JsonSchema = boolean | Readonly<Record<string, unknown>>

/** How a schema describes itself. */
export interface Description {
  readonly input: Readonly<Record<string, unknown>>
  readonly output: Readonly<Record<string, unknown>>
  /** True where valid input may become another value: defaults, trimming, coercion. */
  readonly adjusts: boolean
}

/**
 * Asks a schema for its JSON Schema. SCHEMA_INVALID if it has none, VALUE_NOT_PLAIN if it accepts what is not plain data,
 * SCHEMA_UNSTABLE if it transforms. `subject` begins the sentence of an error.
 */
export function describeSchema(schema: Schema, subject: string): Description {
  if ((schema as unknown) === undefined)
    throw new PlenumError('SCHEMA_INVALID', `${subject} is missing: give a schema, such as z.object({ … }).`)
  const standard: unknown = isRecord(schema) ? schema['~standard'] : undefined
  const converter: unknown = isRecord(standard) ? standard['jsonSchema'] : undefined
  if (!isRecord(standard) || !isRecord(converter)) throw describesNothing(subject)
  const seen = { adjusts: false }
  const options = { target: 'draft-2020-12', libraryOptions: libraryOptions(subject, seen) }
  const input = convert(converter['input'], options, subject)
  const output = convert(converter['output'], options, subject)
  if (canonical(input) !== canonical(output)) throw transforms(subject, undefined)
  return { input, output, adjusts: seen.adjusts || mentions(input, 'default') || differsInRequired(input, output) }
}

function convert(convert: unknown, options: object, subject: string): Readonly<Record<string, unknown>> {
  if (typeof convert !== 'function') throw describesNothing(subject)
  try {
    const json: unknown = convert(options)
    if (isRecord(json)) return json
  } catch (error) {
    if (error instanceof PlenumError) throw error
    const why = error instanceof Error ? error.message : String(error)
    throw new PlenumError('SCHEMA_INVALID', `${subject} cannot be described as JSON Schema: ${why}`, { cause: error })
  }
  throw describesNothing(subject)
}

/** zod calls `unrepresentable` and `override`, ArkType `fallback`; each library ignores the others' options. */
function libraryOptions(subject: string, seen: { adjusts: boolean }): object {
  return {
    unrepresentable: ({ zodSchema, path }: { readonly zodSchema: unknown; readonly path: unknown }) => {
      const type = zodType(zodSchema)
      const field = fieldOf(path)
      if (type === 'transform') throw transforms(subject, field)
      if (notPlainInZod.has(type)) throw notPlain(subject, field, type)
      if (type === 'bigint') return { type: 'integer', format: 'bigint' }
      const instanceOf = zodClass(zodSchema)
      if (instanceOf === undefined) return 'any'
      if (instanceOf === Uint8Array) return { type: 'string', format: 'bytes', contentEncoding: 'base64' }
      throw notPlain(subject, field, nameOf(instanceOf))
    },
    override: ({ zodSchema }: { readonly zodSchema: unknown }) => {
      if (adjustsInZod(zodSchema)) seen.adjusts = true
    },
    fallback: (node: {
      readonly code?: unknown
      readonly proto?: unknown
      readonly domain?: unknown
      base: unknown
    }) => {
      if (node.code === 'date') throw notPlain(subject, undefined, 'date')
      if (node.code === 'proto' && node.proto !== Uint8Array) throw notPlain(subject, undefined, nameOf(node.proto))
      if (node.code === 'domain' && node.domain === 'symbol') throw notPlain(subject, undefined, 'symbol')
      if (node.code === 'morph') throw transforms(subject, undefined)
      return node.base
    },
  }
}

const notPlainInZod: ReadonlySet<string> = new Set([
  'date',
  'map',
  'set',
  'symbol',
  'function',
  'promise',
  'nan',
  'file',
])
const adjustingInZod: ReadonlySet<string> = new Set(['default', 'prefault', 'catch', 'pipe'])

function zodDefinition(zodSchema: unknown): Readonly<Record<string, unknown>> {
  const internals = isRecord(zodSchema) ? zodSchema['_zod'] : undefined
  const definition = isRecord(internals) ? internals['def'] : undefined
  return isRecord(definition) ? definition : {}
}

function zodType(zodSchema: unknown): string {
  const { type } = zodDefinition(zodSchema)
  return typeof type === 'string' ? type : ''
}

/** The class of a `z.instanceof`. */
function zodClass(zodSchema: unknown): unknown {
  const internals = isRecord(zodSchema) ? zodSchema['_zod'] : undefined
  const bag = isRecord(internals) ? internals['bag'] : undefined
  return isRecord(bag) ? bag['Class'] : undefined
}

function adjustsInZod(zodSchema: unknown): boolean {
  const { type, coerce, checks } = zodDefinition(zodSchema)
  if (typeof type === 'string' && adjustingInZod.has(type)) return true
  if (coerce === true) return true
  return Array.isArray(checks) && checks.some((check) => zodDefinition(check)['check'] === 'overwrite')
}

/** The dotted field at a JSON Schema path such as `['properties', 'limit', 'properties', 'daily']`. */
function fieldOf(path: unknown): string | undefined {
  if (!Array.isArray(path)) return undefined
  const names: string[] = []
  for (let at = 0; at < path.length; at++) {
    if (path[at] !== 'properties') continue
    at += 1
    names.push(String(path[at]))
  }
  return names.length === 0 ? undefined : names.join('.')
}

/** Keywords that may differ between what goes in and what comes out although each output is valid input. */
const notCompared: ReadonlySet<string> = new Set([
  '$schema',
  '$id',
  'required',
  'default',
  'examples',
  'title',
  'description',
  'readOnly',
  'writeOnly',
  'deprecated',
])

/** A text that is equal for input and output of a schema that does not transform. */
function canonical(json: unknown, names = false): string {
  if (Array.isArray(json)) return `[${json.map((item) => canonical(item)).join(',')}]`
  if (!isRecord(json)) return JSON.stringify(json) ?? 'undefined'
  const parts: string[] = []
  for (const key of Object.keys(json).toSorted()) {
    if (!names && (notCompared.has(key) || (key === 'additionalProperties' && json[key] === false))) continue
    parts.push(`${JSON.stringify(key)}:${canonical(json[key], !names && holdsNames.has(key))}`)
  }
  return `{${parts.join(',')}}`
}

/** Keywords whose keys are names, not keywords. */
const holdsNames: ReadonlySet<string> = new Set(['properties', 'patternProperties', '$defs', 'definitions'])

function mentions(json: unknown, keyword: string, names = false): boolean {
  if (Array.isArray(json)) return json.some((item) => mentions(item, keyword))
  if (!isRecord(json)) return false
  return Object.keys(json).some(
    (key) => (!names && key === keyword) || mentions(json[key], keyword, !names && holdsNames.has(key)),
  )
}

function differsInRequired(input: unknown, output: unknown): boolean {
  if (Array.isArray(input))
    return Array.isArray(output) && input.some((item, at) => differsInRequired(item, output[at]))
  if (!isRecord(input) || !isRecord(output)) return false
  const required = (json: Readonly<Record<string, unknown>>) =>
    Array.isArray(json['required'])
      ? json['required']
          .map(String)
          .toSorted((a, b) => (a < b ? -1 : 1))
          .join('\n')
      : ''
  return (
    required(input) !== required(output) || Object.keys(input).some((key) => differsInRequired(input[key], output[key]))
  )
}

function nameOf(proto: unknown): string {
  return typeof proto === 'function' ? proto.name : 'class'
}

function describesNothing(subject: string): PlenumError {
  return new PlenumError(
    'SCHEMA_INVALID',
    `${subject} does not describe itself as JSON Schema. Use zod 4.2 or later, ArkType, or wrap the schema with its ` +
      `library's adapter to Standard JSON Schema (for Valibot, toStandardJsonSchema of @valibot/to-json-schema).`,
  )
}

function transforms(subject: string, field: string | undefined): PlenumError {
  return new PlenumError(
    'SCHEMA_UNSTABLE',
    `${subject} transforms ${field === undefined ? 'its input' : `'${field}'`}: what comes out would not go in again, ` +
      'so a stored value could not be written back. Store the outcome, and transform before or after.',
    { details: field === undefined ? {} : { field } },
  )
}

function notPlain(subject: string, field: string | undefined, type: string): PlenumError {
  const advice = type === 'date' ? 'write a time as integer milliseconds' : 'use plain objects and arrays'
  return new PlenumError(
    'VALUE_NOT_PLAIN',
    `${subject} accepts a ${type}${field === undefined ? '' : ` at '${field}'`}, which is not plain data: ${advice}.`,
    { details: field === undefined ? { type } : { field, type } },
  )
}
