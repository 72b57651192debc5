// An index over the entries of one table: equality on its paths from the first on, order on the last of them.
//
// I1 Every row is in the index exactly once, also where it has nothing at a path: the index can serve any query that
//    names its first path, and any order by its last.
// I2 Rows with the same keys stand in write order (SP9).
// I3 The index is derived: it follows the rows, and nothing of it is journaled.
import { compareItems, isScalar } from './item-order.ts'
import type { StoredValue } from './layout.ts'
import { ReusingMap } from './reusing-map.ts'
import type { Row } from './row.ts'
import { SortedList } from './sorted-list.ts'
import { compilePath } from './value-code.ts'

/** Where a walk over keys begins and ends: both hold for all keys after the first for which they hold. */
export interface KeyRange {
  readonly isFrom: (key: unknown) => boolean
  readonly isBeyond: (key: unknown) => boolean
}

/** Sees a row; false ends the walk. */
export type Visit = (row: Row) => boolean

/** The rows with equal keys: one, or several in write order. */
export type Group = Row | SortedList<Row>

/** The rows that share their keys up to here. */
interface Level {
  rows: number
  /** By the next key: levels, and at the last path groups. */
  readonly below: ReusingMap<unknown, Level | Group>
  /** The keys in order; made when the first query asks for order, because many an index is never asked. */
  keys: SortedList<unknown> | undefined
}

/** Stand for nothing, and for a list or an object: no query asks for them by equality or range. */
const absent: unknown = Object.freeze({})
const notScalar: unknown = Object.freeze({})

export class SecondaryIndex {
  readonly paths: readonly string[]
  /** How `explain` and errors name it. */
  readonly name: string
  readonly #read: readonly ((value: StoredValue) => unknown)[]
  readonly #last: number
  readonly #root: Level = newLevel()

  constructor(paths: readonly string[]) {
    this.paths = paths
    this.name = paths.join(', ')
    this.#read = paths.map(compilePath)
    this.#last = paths.length - 1
  }

  add(row: Row): void {
    let level = this.#root
    for (let depth = 0; depth < this.#last; depth++) {
      level.rows += 1
      const key = this.#keyAt(depth, row.value)
      let next = level.below.get(key) as Level | undefined
      if (next === undefined) {
        level.below.set(key, (next = newLevel()))
        level.keys?.add(key)
      }
      level = next
    }
    level.rows += 1
    const key = this.#keyAt(this.#last, row.value)
    const group = level.below.get(key) as Group | undefined
    if (group === undefined) {
      level.below.set(key, row)
      level.keys?.add(key)
    } else if (group instanceof SortedList) {
      group.add(row)
    } else {
      const list = new SortedList(inWriteOrder)
      list.fill([group, row])
      level.below.set(key, list)
    }
  }

  /** Takes out a row that has, or had, this value. */
  delete(row: Row, value: StoredValue): void {
    this.#deleteBelow(this.#root, 0, row, value)
  }

  /** Follows a row whose value was `before`. */
  change(row: Row, before: StoredValue): void {
    for (let depth = 0; depth <= this.#last; depth++) {
      if (this.#keyAt(depth, before) === this.#keyAt(depth, row.value)) continue
      this.delete(row, before)
      this.add(row)
      return
    }
  }

  /** Number of rows that have these keys at the first paths. */
  count(keys: readonly unknown[]): number {
    const found = this.#find(keys)
    if (found === undefined) return 0
    if (found instanceof SortedList) return found.size
    return 'below' in found ? found.rows : 1
  }

  /** The rows that have these keys at all paths. */
  groupOf(keys: readonly unknown[]): Group | undefined {
    return this.#find(keys) as Group | undefined
  }

  /**
   * Visits the rows that have these keys at the first paths, those with equal keys in write order. With a range, which
   * is about the last path and wants a key for each path before it, only what lies in it, in order of that path.
   */
  visit(keys: readonly unknown[], visit: Visit, range?: KeyRange, descending = false): boolean {
    const found = this.#find(keys)
    if (found === undefined) return true
    if (found instanceof SortedList || !('below' in found)) return visitGroup(found, visit)
    if (range === undefined) return visitAll(found, visit)
    found.keys ??= sorted(found.below)
    const { below } = found
    let goesOn = true
    const visitKey = (key: unknown): boolean => (goesOn = visitGroup(below.get(key) as Group, visit))
    if (descending) found.keys.visitBackFrom(range.isBeyond, (key) => range.isFrom(key) && visitKey(key))
    else found.keys.visitFrom(range.isFrom, (key) => !range.isBeyond(key) && visitKey(key))
    return goesOn
  }

  #find(keys: readonly unknown[]): Level | Group | undefined {
    let found: Level | Group | undefined = this.#root
    for (let at = 0; at < keys.length; at++) {
      if (found === undefined) return undefined
      found = (found as Level).below.get(keys[at])
    }
    return found
  }

  /** True if the level is empty afterwards. */
  #deleteBelow(level: Level, depth: number, row: Row, value: StoredValue): boolean {
    const key = this.#keyAt(depth, value)
    const below = level.below.get(key)
    level.rows -= 1
    if (depth < this.#last) {
      if (this.#deleteBelow(below as Level, depth + 1, row, value)) forget(level, key)
    } else if (below instanceof SortedList) {
      below.delete(row)
      if (below.size === 0) forget(level, key)
    } else {
      forget(level, key)
    }
    return level.rows === 0
  }

  #keyAt(depth: number, value: StoredValue): unknown {
    const item = this.#read[depth]!(value)
    if (item === undefined) return absent
    return isScalar(item) ? item : notScalar
  }
}

function newLevel(): Level {
  return { rows: 0, below: new ReusingMap(), keys: undefined }
}

function forget(level: Level, key: unknown): void {
  level.below.delete(key)
  level.keys?.delete(key)
}

function sorted(below: ReusingMap<unknown, Level | Group>): SortedList<unknown> {
  const keys = new SortedList(compareKeys)
  keys.fill(below.keys())
  return keys
}

/** As `compareItems`, with null and what is no scalar apart. */
function compareKeys(a: unknown, b: unknown): number {
  if (a === b) return 0
  if (a === absent || b === absent) return a === absent ? -1 : 1
  return compareItems(a, b) || (a === null ? -1 : 1)
}

/** Rows in the order in which their entries were first written. */
export function inWriteOrder(a: Row, b: Row): number {
  return a.born - b.born
}

function visitGroup(group: Group, visit: Visit): boolean {
  return group instanceof SortedList ? group.visit(visit) : visit(group)
}

function visitAll(level: Level, visit: Visit): boolean {
  for (const below of level.below.values()) {
    if (below === undefined) continue
    const isOver =
      below instanceof SortedList || !('below' in below) ? !visitGroup(below, visit) : !visitAll(below, visit)
    if (isOver) return false
  }
  return true
}
