// Stamps on their way: an entry that was read tells its stamp (ID2) also where it came as bytes.
import { stampOf, stampValue } from './stamp.ts'

/** The stamps of an answer's entries: of one, or of a list; undefined where there are none. */
export type Stamps = number | readonly (number | null)[] | undefined

/** The stamps of what a partition answered: an entry, a list of entries, or the outcomes of a batch. */
export function stampsOf(value: unknown): Stamps {
  if (Array.isArray(value)) {
    const stamps = value.map((item) => stampOfEntry(entryIn(item)) ?? null)
    return stamps.some((stamp) => stamp !== null) ? stamps : undefined
  }
  return stampOfEntry(value)
}

/** The answer with its entries stamped again. */
export function withStamps(value: unknown, stamps: Stamps): unknown {
  if (stamps === undefined) return value
  if (typeof stamps === 'number') return stamped(value, stamps)
  return (value as readonly unknown[]).map((item, at) => {
    const stamp = stamps[at] ?? undefined
    if (stamp === undefined) return item
    return isOutcome(item) ? { ...item, value: stamped(item.value, stamp) } : stamped(item, stamp)
  })
}

function entryIn(item: unknown): unknown {
  return isOutcome(item) ? item.value : item
}

function isOutcome(item: unknown): item is { readonly ok: true; readonly value: unknown } {
  return typeof item === 'object' && item !== null && 'ok' in item && 'value' in item && stampOf(item) === undefined
}

function stampOfEntry(value: unknown): number | undefined {
  return typeof value === 'object' && value !== null ? stampOf(value) : undefined
}

function stamped(value: unknown, stamp: number): unknown {
  const copy = { ...(value as object) }
  stampValue(copy, stamp)
  return Object.freeze(copy)
}
