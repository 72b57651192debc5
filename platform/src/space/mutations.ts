import { PlenumError } from '../kernel/index.ts'
import type { StoredValue } from './layout.ts'
import { equal } from './query.ts'
import type { MutationSet } from './requests.ts'

type Plain = Record<string, unknown>

/** Applies declared mutations to a value and returns the new one; the old one stays as it is (SP6). */
export function mutate(value: StoredValue, mutations: MutationSet): StoredValue {
  const next: Plain = { ...value }
  for (const [path, item] of Object.entries(mutations.set ?? {})) replace(next, path, () => item)
  for (const path of mutations.unset ?? []) replace(next, path, () => undefined)
  for (const [path, by] of Object.entries(mutations.add ?? {})) replace(next, path, (item) => add(item, by, path))
  for (const [path, item] of Object.entries(mutations.push ?? {}))
    replace(next, path, (list) => [...listAt(list, path), item])
  for (const [path, item] of Object.entries(mutations.removeFrom ?? {})) {
    replace(next, path, (list) => listAt(list, path).filter((one) => !equal(one, item)))
  }
  for (const [path, bound] of Object.entries(mutations.min ?? {})) {
    replace(next, path, (item) => (item === undefined || numberOf(bound, path) < numberOf(item, path) ? bound : item))
  }
  for (const [path, bound] of Object.entries(mutations.max ?? {})) {
    replace(next, path, (item) => (item === undefined || numberOf(bound, path) > numberOf(item, path) ? bound : item))
  }
  return next
}

/** Replaces the item at a dotted path, copying the objects on the way. */
function replace(object: Plain, path: string, change: (item: unknown) => unknown): void {
  const names = path.split('.')
  let at = object
  for (const name of names.slice(0, -1)) {
    const below = at[name]
    if (typeof below !== 'object' || below === null || Array.isArray(below))
      throw invalid(path, `'${name}' is not an object`)
    const copy = { ...below }
    at[name] = copy
    at = copy
  }
  const last = names.at(-1)!
  const item = change(at[last])
  if (item === undefined) delete at[last]
  else at[last] = item
}

function add(item: unknown, by: unknown, path: string): number | bigint {
  if (typeof item === 'number' && typeof by === 'number') return item + by
  if (typeof item === 'bigint' && typeof by === 'bigint') return item + by
  throw invalid(path, `${typeof by} cannot be added to ${item === undefined ? 'a field that is absent' : typeof item}`)
}

/** An absent list is an empty one. */
function listAt(item: unknown, path: string): readonly unknown[] {
  if (item === undefined) return []
  if (Array.isArray(item)) return item
  throw invalid(path, 'it is not a list')
}

function numberOf(item: unknown, path: string): number | bigint {
  if (typeof item === 'number' || typeof item === 'bigint') return item
  throw invalid(path, `${typeof item} is not a number`)
}

function invalid(path: string, why: string): PlenumError {
  return new PlenumError('VALUE_INVALID', `'${path}' cannot be changed so: ${why}.`, { details: { field: path } })
}
