import { PlenumError } from '../kernel/index.ts'
import { compileQuery } from './query.ts'
import type { StoredValue } from './layout.ts'
import type { Row } from './row.ts'
import type { Table } from './table.ts'

/** What a read may ask for beside its query. */
export interface SelectOptions {
  readonly select?: readonly string[] | undefined
  readonly orderBy?: Readonly<Record<string, 'asc' | 'desc' | undefined>> | undefined
  readonly limit?: number | undefined
  readonly offset?: number | undefined
}

/** The rows that match, in no promised order. An equality on every id field is looked up, anything else is a scan. */
export function* matchingRows(table: Table, where: StoredValue): Generator<Row> {
  const matches = compileQuery(where, table.layout.open ? undefined : table.layout.fields)
  const byId = table.layout.id.every((field) => isScalar(where[field]))
  for (const row of byId ? table.withId(where) : table.rows()) if (matches(row.value)) yield row
}

/** Sorts, cuts and projects values: the same code on a partition and over the answers of several. */
export function arrange(values: StoredValue[], options: SelectOptions, limitMax: number): readonly StoredValue[] {
  const { orderBy, offset = 0 } = options
  if (orderBy !== undefined) values.sort(comparator(orderBy))
  const end = options.limit === undefined ? values.length : offset + options.limit
  const cut = offset === 0 && end >= values.length ? values : values.slice(offset, end)
  if (cut.length > limitMax) {
    throw new PlenumError(
      'LIMIT_EXCEEDED',
      `A read may return ${limitMax} entries at most; this one matches ${cut.length}. Give a limit.`,
      {
        details: { limit: 'readEntriesMax', value: limitMax, found: cut.length },
      },
    )
  }
  return cut
}

/** Only the named fields of a value, frozen; the value itself where nothing is named. */
export function project(value: StoredValue, select: readonly string[] | undefined): StoredValue {
  if (select === undefined) return value
  const part: Record<string, unknown> = {}
  for (const field of select) if (value[field] !== undefined) part[field] = value[field]
  return Object.freeze(part)
}

function comparator(orderBy: NonNullable<SelectOptions['orderBy']>): (a: StoredValue, b: StoredValue) => number {
  const keys = Object.entries(orderBy).filter(([, direction]) => direction !== undefined)
  return (a, b) => {
    for (const [path, direction] of keys) {
      const order = compare(itemAt(a, path), itemAt(b, path))
      if (order !== 0) return direction === 'desc' ? -order : order
    }
    return 0
  }
}

function itemAt(value: StoredValue, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>(
      (item, name) => (typeof item === 'object' && item !== null ? (item as StoredValue)[name] : undefined),
      value,
    )
}

const typeOrder = ['undefined', 'object', 'boolean', 'number', 'bigint', 'string']

function compare(a: unknown, b: unknown): number {
  if (typeof a !== typeof b) return typeOrder.indexOf(typeof a) - typeOrder.indexOf(typeof b)
  if (a === b || typeof a === 'object' || a === undefined) return 0
  return (a as number) < (b as number) ? -1 : 1
}

function isScalar(value: unknown): boolean {
  return value !== undefined && (typeof value !== 'object' || value === null)
}
