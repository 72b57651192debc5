// The order of what stands in fields, for sorting and for indexes.

/** Kinds of item in their order; items of one kind compare by their value, lists and objects are all equal. */
const kinds: Readonly<Record<string, number>> = {
  undefined: 0,
  object: 1,
  boolean: 2,
  number: 3,
  bigint: 4,
  string: 5,
}

/** The place of an item's kind in the order of kinds. */
export function kindOf(item: unknown): number {
  return kinds[typeof item]!
}

/** Negative, zero or positive: absent, null and everything that is not a scalar, booleans, numbers, bigints, texts. */
export function compareItems(a: unknown, b: unknown): number {
  if (a === b) return 0
  if (typeof a !== typeof b) return kindOf(a) - kindOf(b)
  if (typeof a === 'object' || typeof a === 'undefined') return 0
  return (a as number) < (b as number) ? -1 : 1
}

/** True for what an index can be asked for: anything but absent, lists and objects. */
export function isScalar(item: unknown): boolean {
  return item !== undefined && (typeof item !== 'object' || item === null)
}

/** What stands at a dotted path; undefined where the path ends early. */
export function itemAt(value: unknown, names: readonly string[]): unknown {
  let item = value
  for (const name of names) {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) return undefined
    item = (item as Readonly<Record<string, unknown>>)[name]
  }
  return item
}
