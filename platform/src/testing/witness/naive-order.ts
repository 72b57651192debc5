// The order of items, spelt out a second time.
const kinds = ['undefined', 'object', 'boolean', 'number', 'bigint', 'string']

/** Negative, zero or positive, by kind first. */
export function orderOf(a: unknown, b: unknown): number {
  if (typeof a !== typeof b) return kinds.indexOf(typeof a) - kinds.indexOf(typeof b)
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b)
  const ordered = [
    typeof a === 'number' && typeof b === 'number' && (a < b ? -1 : a > b ? 1 : 0),
    typeof a === 'bigint' && typeof b === 'bigint' && (a < b ? -1 : a > b ? 1 : 0),
    typeof a === 'string' && typeof b === 'string' && (a < b ? -1 : a > b ? 1 : 0),
  ]
  return ordered.find((order) => typeof order === 'number') || 0
}
