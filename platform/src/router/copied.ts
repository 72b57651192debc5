/** Levels of a command that are copied; what lies deeper is refused by the partition. */
const copiedLevels = 64

/**
 * A copy of plain objects, arrays and bytes, because what a caller gave may change in its hands; everything else as it
 * is, for the partition to refuse.
 */
export function copied<T>(value: T): T {
  return copiedAt(value, 0) as T
}

function copiedAt(value: unknown, level: number): unknown {
  if (typeof value !== 'object' || value === null || level > copiedLevels) return value
  if (Array.isArray(value)) return value.map((item) => copiedAt(item, level + 1))
  if (value instanceof Uint8Array) return value.slice()
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) return value
  const copy: Record<string, unknown> = {}
  for (const name of Object.keys(value)) {
    const item = copiedAt((value as Readonly<Record<string, unknown>>)[name], level + 1)
    // An own field of this name would become the prototype.
    if (name === '__proto__') Object.defineProperty(copy, name, { value: item, enumerable: true })
    else copy[name] = item
  }
  return copy
}
