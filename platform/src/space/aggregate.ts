// Sums, extremes and averages of what matches, in groups: worked out beside the data and merged by whoever asked.
import { PlenumError } from '../kernel/index.ts'
import { compareItems, isScalar, itemAt } from './item-order.ts'
import type { StoredValue } from './layout.ts'

/** What is asked for: paths for each kind of figure, and the paths by whose items the matches are grouped. */
export interface AggregateRequest {
  readonly groupBy?: readonly string[] | undefined
  readonly sum?: readonly string[] | undefined
  readonly avg?: readonly string[] | undefined
  readonly min?: readonly string[] | undefined
  readonly max?: readonly string[] | undefined
}

/** The figures of one group on one partition; by path, absent where nothing was there to count. */
export interface AggregatePart {
  readonly group: StoredValue
  readonly count: number
  readonly sum: Readonly<Record<string, number | bigint>>
  /** How many numbers each sum is of. */
  readonly numbers: Readonly<Record<string, number>>
  readonly min: StoredValue
  readonly max: StoredValue
}

/** The figures of one group. */
export interface Aggregate {
  readonly group: StoredValue
  readonly count: number
  readonly sum: Readonly<Record<string, number | bigint>>
  readonly avg: Readonly<Record<string, number>>
  readonly min: StoredValue
  readonly max: StoredValue
}

type Figures = {
  group: StoredValue
  count: number
  sum: Record<string, number | bigint>
  numbers: Record<string, number>
  min: Record<string, unknown>
  max: Record<string, unknown>
}

/** Gathers figures, one value after the other, or the parts of several partitions. LIMIT_EXCEEDED beyond `groupsMax`. */
export class Aggregation {
  readonly #request: AggregateRequest
  readonly #groupsMax: number
  readonly #summed: readonly string[]
  readonly #groups = new Map<string, Figures>()

  constructor(request: AggregateRequest, groupsMax: number) {
    this.#request = request
    this.#groupsMax = groupsMax
    this.#summed = [...new Set([...(request.sum ?? []), ...(request.avg ?? [])])]
  }

  add(value: StoredValue): void {
    const { groupBy = [], min = [], max = [] } = this.#request
    const group: Record<string, unknown> = {}
    for (const path of groupBy) {
      const item = at(value, path)
      if (item !== undefined) group[path] = item
    }
    const figures = this.#of(group)
    figures.count += 1
    for (const path of this.#summed) {
      const item = at(value, path)
      if (typeof item === 'number' || typeof item === 'bigint') addTo(figures, path, item, 1)
    }
    for (const path of min) keepFirst(figures.min, path, at(value, path), 1)
    for (const path of max) keepFirst(figures.max, path, at(value, path), -1)
  }

  merge(part: AggregatePart): void {
    const figures = this.#of(part.group)
    figures.count += part.count
    for (const [path, sum] of Object.entries(part.sum)) addTo(figures, path, sum, part.numbers[path] ?? 0)
    for (const [path, item] of Object.entries(part.min)) keepFirst(figures.min, path, item, 1)
    for (const [path, item] of Object.entries(part.max)) keepFirst(figures.max, path, item, -1)
  }

  /** One for each group, in the order of the groups' items. */
  parts(): readonly AggregatePart[] {
    const { groupBy = [] } = this.#request
    return [...this.#groups.values()].toSorted((a, b) => {
      for (const path of groupBy) {
        const order = compareItems(a.group[path], b.group[path])
        if (order !== 0) return order
      }
      return 0
    })
  }

  /** The figures of each group; without `groupBy` those of all matches, in one. */
  results(): readonly Aggregate[] {
    const { groupBy, sum = [], avg = [] } = this.#request
    if (groupBy === undefined && this.#groups.size === 0) this.#of({})
    return this.parts().map(({ group, count, sum: sums, numbers, min, max }) => ({
      group,
      count,
      sum: Object.fromEntries(sum.map((path) => [path, sums[path] ?? 0])),
      avg: Object.fromEntries(
        avg.flatMap((path) => (sums[path] === undefined ? [] : [[path, Number(sums[path]) / numbers[path]!]])),
      ),
      min,
      max,
    }))
  }

  #of(group: StoredValue): Figures {
    const name = this.#request.groupBy === undefined ? '' : nameOf(group, this.#request.groupBy)
    const known = this.#groups.get(name)
    if (known !== undefined) return known
    if (this.#groups.size >= this.#groupsMax) {
      throw new PlenumError(
        'LIMIT_EXCEEDED',
        `An aggregate may have ${this.#groupsMax} groups at most. Ask for fewer.`,
        {
          details: { limit: 'aggregateGroupsMax', value: this.#groupsMax },
        },
      )
    }
    const figures: Figures = { group, count: 0, sum: {}, numbers: {}, min: {}, max: {} }
    this.#groups.set(name, figures)
    return figures
  }
}

function at(value: StoredValue, path: string): unknown {
  return path.includes('.') ? itemAt(value, path.split('.')) : value[path]
}

function nameOf(group: StoredValue, paths: readonly string[]): string {
  return JSON.stringify(paths.map((path) => nameOfItem(group[path])))
}

function nameOfItem(item: unknown): string {
  if (typeof item !== 'object' || item === null) return `${item === null ? 'null' : typeof item} ${String(item)}`
  return `object ${JSON.stringify(item, (_, one: unknown) => (typeof one === 'bigint' ? `${one}n` : one))}`
}

function addTo(figures: Figures, path: string, by: number | bigint, numbers: number): void {
  const sum = figures.sum[path]
  if (sum !== undefined && typeof sum !== typeof by) {
    throw new PlenumError(
      'QUERY_INVALID',
      `The sum of '${path}' meets numbers and bigints, which have no common sum.`,
      {
        details: { path },
      },
    )
  }
  figures.sum[path] = sum === undefined ? by : (sum as number) + (by as number)
  figures.numbers[path] = (figures.numbers[path] ?? 0) + numbers
}

/** Keeps the lower item, or with `sign` -1 the higher one; only scalars that are there count. */
function keepFirst(kept: Record<string, unknown>, path: string, item: unknown, sign: 1 | -1): void {
  if (!isScalar(item) || item === null) return
  if (kept[path] === undefined || compareItems(item, kept[path]) * sign < 0) kept[path] = item
}
