import { PlenumError } from '../kernel/index.ts'
import { compareItems, itemAt } from './item-order.ts'
import type { StoredValue } from './layout.ts'
import type { PathCheck } from './query.ts'
import type { KeyFields } from './table.ts'

/** What a read may ask for beside its query. */
export interface SelectOptions {
  readonly select?: readonly string[] | undefined
  readonly orderBy?: OrderBy | undefined
  readonly limit?: number | undefined
  readonly offset?: number | undefined
  /** In the order in which the entries were first written, within a partition (SP9). */
  readonly fifo?: boolean | undefined
  /** In the order of pages, which tells any two entries apart. */
  readonly paged?: boolean | undefined
  /** Only what comes after this place in the order of pages. */
  readonly after?: Place | undefined
}

/** Where nothing is asked for beside the query. */
export const noOptions: SelectOptions = Object.freeze({})

/** Paths and their directions, the first counts most. */
export type OrderBy = Readonly<Record<string, 'asc' | 'desc' | undefined>>

/** A place in the order of pages, which is `orderBy`, then id, then route: that of an entry that was the last of its page. */
export interface Place {
  /** What stood at the paths of the order; absent where nothing did. */
  readonly items: StoredValue
  readonly key: KeyFields
}

type Compare = (a: StoredValue, b: StoredValue) => number

/** QUERY_INVALID for options that cannot be understood. */
export function checkOptions(options: SelectOptions, check: PathCheck | undefined): void {
  checkWhole('limit', options.limit)
  checkWhole('offset', options.offset)
  if (options.orderBy !== undefined) checkOrder(options.orderBy, check)
  if (options.select === undefined) return
  for (const field of options.select) {
    if (field.includes('.')) throw invalid(`select.${field}`, 'only whole fields can be selected')
    checkPath('select', field, check)
  }
}

function checkOrder(orderBy: OrderBy, check: PathCheck | undefined): void {
  for (const [path, direction] of Object.entries(orderBy)) {
    if (direction === undefined) continue
    if (direction !== 'asc' && direction !== 'desc') throw invalid(`orderBy.${path}`, `it is 'asc' or 'desc'`)
    checkPath('orderBy', path, check)
  }
}

function checkWhole(option: string, value: number | undefined): void {
  if (value === undefined || (Number.isInteger(value) && value >= 0)) return
  throw invalid(option, `a whole number of 0 or more is expected, not ${String(value)}`)
}

/** QUERY_INVALID for a path that no value has. */
export function checkPath(option: string, path: string, check: PathCheck | undefined): void {
  const why = check?.(path)
  if (why !== undefined) throw invalid(`${option}.${path}`, why)
}

function invalid(path: string, why: string): PlenumError {
  return new PlenumError('QUERY_INVALID', `${path} cannot be understood: ${why}.`, { details: { path } })
}

/** Sorts, cuts and limits values: the same code on a partition and over the answers of several. */
export function arrange(values: StoredValue[], options: SelectOptions, limitMax: number): readonly StoredValue[] {
  const { orderBy, offset = 0 } = options
  if (orderBy !== undefined) values.sort(comparatorOf(orderBy))
  const end = options.limit === undefined ? values.length : offset + options.limit
  const cut = offset === 0 && end >= values.length ? values : values.slice(offset, end)
  if (cut.length > limitMax) throw tooMany(limitMax)
  return cut
}

/** The error for a read that matches more than it may return. */
export function tooMany(limitMax: number): PlenumError {
  return new PlenumError(
    'LIMIT_EXCEEDED',
    `A read may return ${limitMax} entries at most; this one matches more. Give a limit, or read in pages (readPage).`,
    { details: { limit: 'readEntriesMax', value: limitMax } },
  )
}

/** Only the named fields of a value, frozen; the value itself where nothing is named. */
export function project<V extends StoredValue | undefined>(value: V, select: readonly string[] | undefined): V {
  if (select === undefined || value === undefined) return value
  const part: Record<string, unknown> = {}
  for (const field of select) if (value[field] !== undefined) part[field] = value[field]
  return Object.freeze(part) as V
}

/** Compares values by what stands at some paths. */
export function comparatorOf(orderBy: OrderBy): Compare {
  const keys = Object.entries(orderBy)
    .filter(([, direction]) => direction !== undefined)
    .map(([path, direction]) => ({ names: path.split('.'), sign: direction === 'desc' ? -1 : 1 }))
  return (a, b) => {
    for (const { names, sign } of keys) {
      const order = compareItems(itemAt(a, names), itemAt(b, names))
      if (order !== 0) return order * sign
    }
    return 0
  }
}

/** The order of pages: by `orderBy`, then by the fields that name an entry, so that no two are equal. */
export function pageOrder(orderBy: OrderBy | undefined, keyFields: readonly string[]): Compare {
  const first = comparatorOf(orderBy ?? {})
  return (a, b) => {
    const order = first(a, b)
    if (order !== 0) return order
    for (const field of keyFields) {
      const byKey = compareItems(a[field], b[field])
      if (byKey !== 0) return byKey
    }
    return 0
  }
}

/** The place of a value in the order of pages. */
export function placeOf(value: StoredValue, orderBy: OrderBy | undefined, keyFields: readonly string[]): Place {
  const items: Record<string, unknown> = {}
  for (const path of Object.keys(orderBy ?? {})) {
    const item = itemAt(value, path.split('.'))
    if (item !== undefined) items[path] = item
  }
  return { items, key: Object.fromEntries(keyFields.map((field) => [field, value[field]])) }
}

/** True if a value comes after a place. */
export function isAfter(
  place: Place,
  orderBy: OrderBy | undefined,
  keyFields: readonly string[],
): (value: StoredValue) => boolean {
  const keys = Object.entries(orderBy ?? {})
    .filter(([, direction]) => direction !== undefined)
    .map(([path, direction]) => ({
      item: place.items[path],
      names: path.split('.'),
      sign: direction === 'desc' ? -1 : 1,
    }))
  return (value) => {
    for (const { item, names, sign } of keys) {
      const order = compareItems(itemAt(value, names), item) * sign
      if (order !== 0) return order > 0
    }
    for (const field of keyFields) {
      const order = compareItems(value[field], place.key[field])
      if (order !== 0) return order > 0
    }
    return false
  }
}
