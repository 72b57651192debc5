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
  const sorted: Record<string, unknown> = {}
  for (const name of Object.keys(value).toSorted()) {
    const item: unknown = Reflect.get(value, name)
    if (item === undefined) continue
    // An assignment would take it for the prototype.
    if (name === '__proto__') Object.defineProperty(sorted, name, { value: jsonOf(item), enumerable: true })
    else sorted[name] = jsonOf(item)
  }
  return sorted
}

/** Canonical JSON text: equal texts, equal values. */
export function canonicalText(value: unknown): string {
  if (isScalar(value)) return JSON.stringify(value)
  return JSON.stringify(jsonOf(value))
}

/** True if both are the same value, whatever the order of their keys. */
export function sameValue(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (isScalar(a) || isScalar(b)) return false
  return canonicalText(a) === canonicalText(b)
}

/** True for values whose text no other value has. */
function isScalar(value: unknown): value is string | boolean | number {
  return typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value)
}
