// Finds the rows of a table that match a query, by the cheapest way there is.
//
// I1 Whatever way is taken, a row is visited once at most and shown only if it matches: the ways differ in work alone.
// I2 For a condition that an index serves alone, only matches are visited.
// I3 No query visits more rows than its limit; where a table has fewer, nothing is compared for it (A8).
import { conditionsOf, type PathCondition } from './conditions.ts'
import { isScalar } from './item-order.ts'
import type { StoredValue } from './layout.ts'
import { checkQuerySize, tooManyVisits, type QueryLimits } from './query-cost.ts'
import { compileQuery, type PathCheck } from './query.ts'
import type { Row } from './row.ts'
import type { Group, KeyRange, SecondaryIndex, Visit } from './secondary-index.ts'
import { SortedList } from './sorted-list.ts'
import type { Table } from './table.ts'

/** The order in which rows are wanted. */
export interface Wanted {
  readonly orderBy?: Readonly<Record<string, 'asc' | 'desc' | undefined>> | undefined
  /** In write order (SP9). */
  readonly fifo?: boolean | undefined
  /** Rows after which the caller stops, if they come in the order that it wants. */
  readonly enough?: number | undefined
}

/** More look-ups than this for one query are no longer cheaper than a walk. */
const lookupsMax = 1_024

/** A walk in order that may end early is a little better than one without order. */
const almost = 0.99

/** A way to the rows that match. */
export interface Way {
  /** `id`, the paths of an index, several of them joined by `or`, or `scan`. */
  readonly by: string
  /** True if rows come in the order that is wanted. */
  readonly inOrder: boolean
  /** Shows the matches until `visit` returns false; returns how many rows were looked at. */
  readonly walk: (visit: Visit) => number
}

/** A way before it filters. */
interface Path {
  readonly by: string
  /** Rows that it will visit, roughly. */
  readonly cost: number
  readonly inOrder: boolean
  readonly walk: (visit: Visit) => boolean
}

/**
 * The cheapest way to the matches. QUERY_INVALID for a query that cannot be understood, LIMIT_EXCEEDED for one that is
 * too large, and from the walk for one that would visit too many rows.
 */
export function wayTo(
  table: Table,
  where: StoredValue,
  check: PathCheck | undefined,
  wanted: Wanted,
  limits: QueryLimits,
): Way {
  const { queryVisitsMax } = limits
  const lookUp = lookUpFor(table, where, wanted)
  if (lookUp !== undefined) return lookUp.rows <= queryVisitsMax ? lookUp : lookUp.upTo(queryVisitsMax, table, where)
  checkQuerySize(where, limits)
  const matches = compileQuery(where, check)
  const { by, inOrder, walk } = cheapest(table, where, wanted)
  const mayExceed = table.size > queryVisitsMax
  return {
    by,
    inOrder,
    walk(visit) {
      const all = (one: Visit): void => void walk(one)
      const show: Visit = (row) => !matches(row.value) || visit(row)
      if (!mayExceed) return counted(all, show)
      return countedUpTo(queryVisitsMax, () => tooManyVisits(table, where, by, queryVisitsMax), all, show)
    },
  }
}

/** Walks, and counts the rows that are visited: the measure of a query's work. */
function counted(walk: (visit: Visit) => void, visit: Visit): number {
  let visited = 0
  walk((row) => {
    visited += 1
    return visit(row)
  })
  return visited
}

/** As `counted`, for a table of more rows than a query may visit: throws at the first row beyond. */
function countedUpTo(max: number, exceeded: () => Error, walk: (visit: Visit) => void, visit: Visit): number {
  let visited = 0
  walk((row) => {
    if (visited >= max) throw exceeded()
    visited += 1
    return visit(row)
  })
  return visited
}

/**
 * A look-up by equality on all paths of an index: the most frequent query, which needs no plan and no matcher. Undefined
 * for a query that asks for more than equality of fields that there are, or that no index serves.
 */
function lookUpFor(table: Table, where: StoredValue, { orderBy }: Wanted): LookUp | undefined {
  const { indexes } = table
  if (indexes.length === 0 || orderBy !== undefined || namesId(table, where)) return undefined
  let asked = 0
  let simple = true
  for (const name in where) {
    const item = where[name]
    if (typeof item === 'object' ? item !== null : item === undefined) return undefined
    if (!table.hasField(name)) simple = false
    asked += 1
  }
  let best: LookUp | undefined
  for (let at = 0; at < indexes.length; at++) {
    const index = indexes[at]!
    const isWhole = index.paths.length === asked
    if (!isWhole && !simple) continue
    const keys = keysOf(index, where)
    if (keys === undefined) continue
    const lookUp = new LookUp(index, index.groupOf(keys), isWhole ? undefined : where)
    if (isWhole) return lookUp
    if (best === undefined || lookUp.rows < best.rows) best = lookUp
  }
  return best
}

/** What a query asks for at each path of an index; undefined where it leaves one out. */
function keysOf(index: SecondaryIndex, where: StoredValue): readonly unknown[] | undefined {
  const { paths } = index
  const keys: unknown[] = []
  for (let at = 0; at < paths.length; at++) {
    const key = where[paths[at]!]
    if (key === undefined) return undefined
    keys.push(key)
  }
  return keys
}

class LookUp implements Way {
  readonly inOrder = true
  readonly #index: SecondaryIndex
  readonly #group: Group | undefined
  /** Fields that must be equal too. */
  readonly #rest: StoredValue | undefined

  constructor(index: SecondaryIndex, group: Group | undefined, rest: StoredValue | undefined) {
    this.#index = index
    this.#group = group
    this.#rest = rest
  }

  get by(): string {
    return this.#index.name
  }

  /** Rows that it will visit at most. */
  get rows(): number {
    if (this.#group === undefined) return 0
    return this.#group instanceof SortedList ? this.#group.size : 1
  }

  walk(visit: Visit): number {
    const group = this.#group
    const rest = this.#rest
    if (group === undefined) return 0
    if (!(group instanceof SortedList)) {
      if (rest === undefined || hasAll(group.value, rest)) visit(group)
      return 1
    }
    if (rest === undefined) return counted((one) => void group.visit(one), visit)
    return counted(
      (one) => void group.visit(one),
      (row) => !hasAll(row.value, rest) || visit(row),
    )
  }

  /** The same way, for a group of more rows than a query may visit. */
  upTo(max: number, table: Table, where: StoredValue): Way {
    const { by, inOrder } = this
    const group = this.#group
    const rest = this.#rest
    const all = (one: Visit): void => void (group instanceof SortedList ? group.visit(one) : group && one(group))
    const exceeded = (): Error => tooManyVisits(table, where, by, max)
    return {
      by,
      inOrder,
      walk: (visit) =>
        countedUpTo(max, exceeded, all, (row) => (rest !== undefined && !hasAll(row.value, rest)) || visit(row)),
    }
  }
}

function hasAll(value: StoredValue, fields: StoredValue): boolean {
  for (const name in fields) if (value[name] !== fields[name]) return false
  return true
}

/** True if a query asks for every id field by equality. */
function namesId(table: Table, where: StoredValue): boolean {
  for (const field of table.layout.id) if (!isScalar(where[field])) return false
  return true
}

function cheapest(table: Table, where: StoredValue, wanted: Wanted): Path {
  const conditions = conditionsOf(where)
  const ids = byIds(table, conditions, wanted)
  if (ids !== undefined) return ids
  let best = scan(table, wanted)
  for (const index of table.indexes) {
    const way = byIndex(index, conditions, wanted, hasMore(where))
    if (way !== undefined && way.cost < best.cost) best = way
  }
  const { or } = where
  if (!Array.isArray(or) || best.cost === 0) return best
  const union = byUnion(table, or as readonly StoredValue[], wanted)
  return union !== undefined && union.cost < best.cost ? union : best
}

/** By every id that the conditions leave; undefined if they leave one of its fields open. */
function byIds(table: Table, conditions: Map<string, PathCondition>, wanted: Wanted): Path | undefined {
  const { id } = table.layout
  const lists = id.map((field) => conditions.get(field)?.equal)
  if (!lists.every((list) => list !== undefined)) return undefined
  const lookups = lists.reduce((product, list) => product * list.length, 1)
  if (lookups > lookupsMax) return undefined
  const keys = combinations(lists).map((items) => Object.fromEntries(id.map((field, at) => [field, items[at]])))
  return {
    by: 'id',
    cost: lookups,
    inOrder: isAnyOrder(wanted),
    walk: (visit) => keys.every((key) => table.visitId(key, visit)),
  }
}

function scan(table: Table, wanted: Wanted): Path {
  return { by: 'scan', cost: table.size, inOrder: isAnyOrder(wanted), walk: (visit) => table.visit(visit) }
}

/** True if a query asks for more than its conditions say. */
function hasMore({ or, not }: StoredValue): boolean {
  return or !== undefined || not !== undefined
}

function byIndex(
  index: SecondaryIndex,
  conditions: Map<string, PathCondition>,
  wanted: Wanted,
  more: boolean,
): Path | undefined {
  const { paths, name } = index
  const lists: (readonly unknown[])[] = []
  let lookups = 1
  for (const path of paths) {
    const equal = conditions.get(path)?.equal
    if (equal === undefined || lookups * equal.length > lookupsMax) break
    lists.push(equal)
    lookups *= equal.length
  }
  const tuples = combinations(lists)
  const rows = tuples.reduce((sum, keys) => sum + index.count(keys), 0)
  if (lists.length === paths.length) {
    const inOrder = wanted.orderBy === undefined && (wanted.fifo !== true || tuples.length === 1)
    return { by: name, cost: rows, inOrder, walk: (visit) => tuples.every((keys) => index.visit(keys, visit)) }
  }
  const last = paths.at(-1)!
  const direction = tuples.length === 1 ? orderedBy(last, wanted) : undefined
  const asked = lists.length === paths.length - 1 ? conditions.get(last)?.range : undefined
  if (asked !== undefined || (direction !== undefined && lists.length === paths.length - 1)) {
    const inOrder = direction !== undefined || isAnyOrder(wanted)
    const narrowed = asked === undefined ? rows : rows / 4
    // In order, it is over with the last row that is wanted; unless rows come that do not match what else is asked.
    const isServed = !more && [...conditions.keys()].every((path) => paths.includes(path))
    const upTo = isServed ? (wanted.enough ?? Infinity) : rows * almost
    const cost = direction === undefined ? narrowed : Math.min(narrowed, upTo)
    // A whole walk in order costs more than one without, and saves no row.
    if (asked === undefined && lists.length === 0 && wanted.enough === undefined) return undefined
    const range = asked ?? everything
    const walk = (visit: Visit): boolean =>
      tuples.every((keys) => index.visit(keys, visit, range, direction === 'desc'))
    return { by: name, cost, inOrder, walk }
  }
  if (lists.length === 0) return undefined
  const inOrder = isAnyOrder(wanted)
  return { by: name, cost: rows, inOrder, walk: (visit) => tuples.every((keys) => index.visit(keys, visit)) }
}

/** Each branch of an `or` by an index of its own; undefined if one of them has none. */
function byUnion(table: Table, branches: readonly StoredValue[], wanted: Wanted): Path | undefined {
  const ways = branches.map((branch) => cheapest(table, branch, {}))
  if (ways.some(({ by }) => by === 'scan')) return undefined
  return {
    by: [...new Set(ways.map(({ by }) => by))].join(' or '),
    cost: ways.reduce((sum, { cost }) => sum + cost, 0),
    inOrder: isAnyOrder(wanted),
    walk(visit) {
      const seen = new Set<Row>()
      const once: Visit = (row) => {
        if (seen.has(row)) return true
        seen.add(row)
        return visit(row)
      }
      return ways.every((way) => way.walk(once))
    },
  }
}

/** The direction in which an index's last path gives the order that is wanted. */
function orderedBy(path: string, { orderBy, fifo }: Wanted): 'asc' | 'desc' | undefined {
  if (orderBy === undefined || fifo === true) return undefined
  const [first, another] = Object.entries(orderBy).filter(([, direction]) => direction !== undefined)
  return another === undefined && first?.[0] === path ? first[1] : undefined
}

function isAnyOrder({ orderBy, fifo }: Wanted): boolean {
  return orderBy === undefined && fifo !== true
}

const everything: KeyRange = { isFrom: () => true, isBeyond: () => false }

/** Every combination of one item of each list. */
function combinations(lists: readonly (readonly unknown[])[]): readonly (readonly unknown[])[] {
  return lists.reduce<readonly (readonly unknown[])[]>(
    (tuples, list) => tuples.flatMap((tuple) => list.map((item) => [...tuple, item])),
    [[]],
  )
}
