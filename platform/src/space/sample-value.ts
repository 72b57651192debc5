import { isRecord } from './plain.ts'

type Keywords = Readonly<Record<string, unknown>>

/** Deeper places of a sample are left out, which ends recursive schemas. */
const depthMax = 6

/**
 * A made-up value for a JSON Schema, as small as it can be. It often fits, and need not: patterns and the checks that a
 * schema does not tell are not looked at.
 */
export function sampleOf(json: unknown, root: unknown = json, depth = 0): unknown {
  if (!isRecord(json) || depth > depthMax) return null
  if ('const' in json) return json['const']
  if ('default' in json) return json['default']
  const first = [json['enum'], json['examples']].find(Array.isArray)
  if (first !== undefined) return first[0]
  const members = [json['anyOf'], json['oneOf'], json['allOf']].find(Array.isArray)
  if (members !== undefined) return sampleOf(members[0], root, depth + 1)
  if (typeof json['$ref'] === 'string') return sampleOf(at(root, json['$ref']), root, depth + 1)
  const type: unknown = Array.isArray(json['type']) ? json['type'][0] : json['type']
  switch (type) {
    case 'string':
      return sampleText(json)
    case 'integer':
      return json['format'] === 'int64' || json['format'] === 'bigint' ? 0n : sampleNumber(json)
    case 'number':
      return sampleNumber(json)
    case 'boolean':
      return false
    case 'array':
      return sampleList(json, root, depth)
    case 'object':
      return sampleObject(json, root, depth)
    default:
      return null
  }
}

function sampleObject(json: Keywords, root: unknown, depth: number): unknown {
  const properties = isRecord(json['properties']) ? json['properties'] : {}
  const required: readonly unknown[] = Array.isArray(json['required']) ? json['required'] : []
  return Object.fromEntries(
    Object.keys(properties)
      .filter((name) => required.includes(name) || depth === 0)
      .map((name) => [name, sampleOf(properties[name], root, depth + 1)]),
  )
}

function sampleList(json: Keywords, root: unknown, depth: number): unknown {
  if (Array.isArray(json['prefixItems'])) return json['prefixItems'].map((item) => sampleOf(item, root, depth + 1))
  const length = Math.min(numberOf(json['minItems']) ?? 0, 16)
  return Array.from({ length }, () => sampleOf(json['items'], root, depth + 1))
}

function sampleNumber(json: Keywords): number {
  const low = numberOf(json['minimum']) ?? after(json['exclusiveMinimum'], 1)
  const high = numberOf(json['maximum']) ?? after(json['exclusiveMaximum'], -1)
  if (low !== undefined && low > 0) return low
  return high !== undefined && high < 0 ? high : 0
}

function after(bound: unknown, step: number): number | undefined {
  const number = numberOf(bound)
  return number === undefined ? undefined : number + step
}

function sampleText(json: Keywords): unknown {
  if (json['contentEncoding'] === 'base64' && json['format'] === 'bytes') return new Uint8Array(0)
  const format = typeof json['format'] === 'string' ? texts[json['format']] : undefined
  return format ?? 'a'.repeat(Math.min(numberOf(json['minLength']) ?? 1, 1_000))
}

const texts: Readonly<Record<string, string>> = {
  uuid: '00000000-0000-4000-8000-000000000000',
  email: 'a@example.com',
  uri: 'https://example.com',
  date: '2000-01-01',
  'date-time': '2000-01-01T00:00:00Z',
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined
}

function at(root: unknown, reference: string): unknown {
  return reference
    .slice(1)
    .split('/')
    .filter((part) => part !== '')
    .reduce<unknown>((place, part) => (isRecord(place) ? place[part] : undefined), root)
}
