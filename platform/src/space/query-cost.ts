// What a query may cost (A8): how large it may be, and how many entries it may look at.
import { PlenumError, type Limits } from '../kernel/index.ts'
import { conditionsOf } from './conditions.ts'
import type { StoredValue } from './layout.ts'
import type { Table } from './table.ts'

/** The limits of one query. */
export type QueryLimits = Pick<Limits, 'queryVisitsMax' | 'queryConditionsMax' | 'inItemsMax'>

/**
 * LIMIT_EXCEEDED for a query of too many conditions, or with too long a list of `in` or `notIn`. Goes first: what comes
 * after may follow the query into its depth. What cannot be understood is left to `compileQuery` to say.
 */
export function checkQuerySize(where: StoredValue, { queryConditionsMax, inItemsMax }: QueryLimits): void {
  const left: StoredValue[] = [where]
  let conditions = 0
  for (let query = left.pop(); query !== undefined; query = left.pop()) {
    for (const name in query) {
      const condition = query[name]
      if (name === 'and' || name === 'or' || name === 'not') {
        const below: readonly unknown[] = Array.isArray(condition) ? condition : [condition]
        conditions += below.length
        if (conditions > queryConditionsMax) throw tooManyConditions(queryConditionsMax)
        for (const part of below) if (isObject(part)) left.push(part)
        continue
      }
      conditions += 1
      if (isObject(condition)) conditions += checkOperators(name, condition, left, inItemsMax)
      if (conditions > queryConditionsMax) throw tooManyConditions(queryConditionsMax)
    }
  }
}

/** How many operators there are beyond the first; what is asked of items is left to be checked. */
function checkOperators(field: string, operators: StoredValue, left: StoredValue[], inItemsMax: number): number {
  let count = 0
  for (const operator in operators) {
    const operand = operators[operator]
    count += 1
    if (operator === 'contains' && isObject(operand)) left.push(operand)
    else if ((operator === 'in' || operator === 'notIn') && Array.isArray(operand) && operand.length > inItemsMax)
      throw tooManyItems(`${field}.${operator}`, operand.length, inItemsMax)
  }
  return Math.max(0, count - 1)
}

function isObject(value: unknown): value is StoredValue {
  return typeof value === 'object' && value !== null
}

function tooManyConditions(max: number): PlenumError {
  return new PlenumError(
    'LIMIT_EXCEEDED',
    `A query may have ${max} conditions, nested ones included; this one has more. Ask in parts; where one field may be ` +
      'one of many things, use `in`.',
    { details: { limit: 'queryConditionsMax', value: max } },
  )
}

function tooManyItems(path: string, found: number, max: number): PlenumError {
  return new PlenumError(
    'LIMIT_EXCEEDED',
    `A list in a query may have ${max} items; ${path} has ${found}. Ask in parts.`,
    { details: { limit: 'inItemsMax', value: max, found, path } },
  )
}

/** The error for a query that would look at more entries than it may; `by` is the way that it went. */
export function tooManyVisits(table: Table, where: StoredValue, by: string, max: number): PlenumError {
  const indexes = helpfulIndexes(table, where)
  const help =
    indexes.length === 0
      ? 'No other index would help: ask for less, such as for one route, with a limit, or for a narrower range.'
      : `Indexes that would help: [${indexes.map((paths) => `[${paths.map((path) => `'${path}'`).join(', ')}]`).join(', ')}].`
  return new PlenumError(
    'LIMIT_EXCEEDED',
    `A query may look at ${max} entries; this one, of '${table.layout.name}', went by ${by} and met more. ${help}`,
    { details: { limit: 'queryVisitsMax', value: max, type: table.layout.name, by, indexes } },
  )
}

/**
 * The indexes that would serve a query, and that there are not: what it asks for by equality first, then one range; for
 * a query that is all `or`, one for each branch.
 */
function helpfulIndexes(table: Table, where: StoredValue): readonly (readonly string[])[] {
  const whole = pathsOf(where)
  const branches = whole.length === 0 && Array.isArray(where['or']) ? (where['or'] as readonly StoredValue[]) : []
  // An `or` is served only where every branch of it is.
  const wanted = whole.length > 0 ? [whole] : branches.map(pathsOf)
  if (wanted.some((paths) => paths.length === 0)) return []
  const known = new Set(table.indexes.map(({ name }) => name))
  const missing = new Map(wanted.map((paths) => [paths.join(', '), paths]))
  return [...missing].filter(([name]) => !known.has(name)).map(([, paths]) => paths)
}

function pathsOf(where: StoredValue): readonly string[] {
  const conditions = [...conditionsOf(where)]
  const equal = conditions.filter(([, condition]) => condition.equal !== undefined)
  const range = conditions.find(([, condition]) => condition.equal === undefined && condition.range !== undefined)
  return [...equal, ...(range === undefined ? [] : [range])].map(([path]) => path)
}
