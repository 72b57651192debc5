// Answers queries on a machine (SP3): what matches, in the order asked for, counted, summed up or explained.
//
// I1 `onQuery` is told of every query that can be answered, before it is: an answer about what matches depends on all of
//    the type (PA3).
import type { Limits } from '../kernel/index.ts'
import { Aggregation, type AggregatePart, type AggregateRequest } from './aggregate.ts'
import { wayTo, type Way } from './find.ts'
import type { StoredValue } from './layout.ts'
import type { PathCheck } from './query.ts'
import type { Row } from './row.ts'
import { inWriteOrder } from './secondary-index.ts'
import {
  checkOptions,
  checkPath,
  comparatorOf,
  isAfter,
  pageOrder,
  project,
  tooMany,
  type SelectOptions,
} from './select.ts'
import type { Table } from './table.ts'

/** How a query was answered on one partition. */
export interface Explanation {
  /** `id`, the paths of an index, several of them joined by `or`, or `scan`. */
  readonly by: string
  /** Entries that were looked at. */
  readonly visited: number
  readonly matches: number
  /** True if matches had to be sorted. */
  readonly sorted: boolean
}

export interface ReaderOptions {
  readonly limits: Limits
  readonly checkOf: (table: Table) => PathCheck | undefined
  readonly onQuery: (table: Table, where: StoredValue) => void
}

export class Reader {
  readonly #options: ReaderOptions

  constructor(options: ReaderOptions) {
    this.#options = options
  }

  read(table: Table, where: StoredValue, options: SelectOptions): StoredValue | undefined {
    const [first] = this.rows(table, where, { ...options, limit: 1 })
    return first === undefined ? undefined : project(first.value, options.select)
  }

  readAll(table: Table, where: StoredValue, options: SelectOptions): readonly StoredValue[] {
    return valuesOf(this.rows(table, where, options), options.select)
  }

  count(table: Table, where: StoredValue): number {
    let count = 0
    this.#wayTo(table, where, {}).walk(() => {
      count += 1
      return true
    })
    return count
  }

  aggregate(table: Table, where: StoredValue, request: AggregateRequest): readonly AggregatePart[] {
    const check = this.#options.checkOf(table)
    const paths = [request.groupBy, request.sum, request.avg, request.min, request.max].flatMap((list) => list ?? [])
    for (const path of paths) checkPath('aggregate', path, check)
    const aggregation = new Aggregation(request, this.#options.limits.aggregateGroupsMax)
    this.#wayTo(table, where, {}).walk((row) => {
      aggregation.add(row.value)
      return true
    })
    return aggregation.parts()
  }

  explain(table: Table, where: StoredValue, options: SelectOptions): Explanation {
    const explained = { by: '', visited: 0, matches: 0, sorted: false }
    this.#collect(table, where, options, explained)
    return explained
  }

  /** The rows that match, in the order asked for, cut as asked. LIMIT_EXCEEDED where more match than may be returned. */
  rows(table: Table, where: StoredValue, options: SelectOptions): readonly Row[] {
    return this.#collect(table, where, options, undefined)
  }

  #collect(
    table: Table,
    where: StoredValue,
    options: SelectOptions,
    explained: { -readonly [K in keyof Explanation]: Explanation[K] } | undefined,
  ): readonly Row[] {
    const { limit, offset = 0, after, orderBy } = options
    const { readEntriesMax } = this.#options.limits
    const way = this.#wayTo(table, where, options)
    const isBefore = after === undefined ? undefined : isAfter(after, orderBy, keyFieldsOf(table))
    const sorts = !way.inOrder || after !== undefined || options.paged === true
    // One more than may be returned shows that there are too many.
    const enough = offset + (limit ?? readEntriesMax + 1)
    const rows: Row[] = []
    const stopsAt = sorts ? Infinity : enough
    const visited =
      stopsAt === 0
        ? 0
        : way.walk((row) => {
            if (isBefore === undefined || isBefore(row.value)) rows.push(row)
            return rows.length < stopsAt
          })
    if (sorts) this.#sort(table, rows, options)
    if (explained !== undefined) Object.assign(explained, { by: way.by, visited, matches: rows.length, sorted: sorts })
    const cut = offset === 0 && rows.length <= enough ? rows : rows.slice(offset, enough)
    if (cut.length > readEntriesMax) throw tooMany(readEntriesMax)
    return cut
  }

  #sort(table: Table, rows: Row[], { orderBy, fifo, paged }: SelectOptions): void {
    if (fifo === true) {
      rows.sort(inWriteOrder)
    } else if (paged === true) {
      const compare = pageOrder(orderBy, keyFieldsOf(table))
      rows.sort((a, b) => compare(a.value, b.value))
    } else if (orderBy !== undefined) {
      const compare = comparatorOf(orderBy)
      rows.sort((a, b) => compare(a.value, b.value))
    }
  }

  #wayTo(table: Table, where: StoredValue, options: SelectOptions): Way {
    const check = this.#options.checkOf(table)
    checkOptions(options, check)
    const { orderBy, fifo, limit, offset = 0, after } = options
    const enough = limit === undefined || after !== undefined ? undefined : offset + limit
    const way = wayTo(table, where, check, { orderBy, fifo, enough }, this.#options.limits)
    // Whoever is told may follow the query into its depth, which only now has a known end (A8).
    this.#options.onQuery(table, where)
    return way
  }
}

/** The rows' values, or the selected fields of them. */
export function valuesOf(rows: readonly Row[], select: readonly string[] | undefined): readonly StoredValue[] {
  const values: StoredValue[] = []
  for (let at = 0; at < rows.length; at++) values.push(project(rows[at]!.value, select))
  return values
}

/** The fields that name an entry, each once. */
export function keyFieldsOf({ layout }: Pick<Table, 'layout'>): readonly string[] {
  return [...new Set([...layout.id, ...layout.route])]
}
