// Values as canonical JSON: keys sorted, absent fields left out, and a form for what JSON lacks.
//
//   bigint  {"$bigint":"12"}      bytes  {"$bytes":"0aff"} in hexadecimal

/** A value as something that JSON can hold, its keys sorted; `undefined` on its own becomes null. */
export function jsonOf(value: unknown): unknown {
  if (typeof value === 'bigint') return { $bigint: value.toString() }
  if (value === undefined) return null
  if (typeof value !== 'object' || value === null) return value
  if (value instanceof Uint8Array) {
    return { $bytes: Array.from(value, (byte) => byte.toString(16).padStart(2, '0')).join('') }
  }
  if (Array.isArray(value)) return value.map(jsonOf)
  const fields = Object.entries(value).filter(([, item]) => item !== undefined)
  fields.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
  return Object.fromEntries(fields.map(([name, item]) => [name, jsonOf(item)]))
}

/** Canonical JSON text: equal texts, equal values. */
export function canonicalText(value: unknown): string {
  return JSON.stringify(jsonOf(value))
}

/** True if both are the same value, whatever the order of their keys. */
export function sameValue(a: unknown, b: unknown): boolean {
  return a === b || canonicalText(a) === canonicalText(b)
}
