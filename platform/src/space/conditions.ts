// What a query says of single paths: the part of it that an index can serve.
import { isScalar, kindOf } from './item-order.ts'
import type { StoredValue } from './layout.ts'
import type { KeyRange } from './secondary-index.ts'

/** What every match has at a path: one of some scalars, or something in a range. */
export interface PathCondition {
  equal?: readonly unknown[]
  range?: KeyRange
}

/** The conditions that all must hold, by path; what is below `or` and `not` is left out. */
export function conditionsOf(where: StoredValue, found = new Map<string, PathCondition>()): Map<string, PathCondition> {
  for (const [name, condition] of Object.entries(where)) {
    if (condition === undefined || name === 'or' || name === 'not') continue
    if (name === 'and') {
      for (const part of Array.isArray(condition) ? condition : []) conditionsOf(part as StoredValue, found)
      continue
    }
    const known = found.get(name) ?? {}
    found.set(name, known)
    if (isScalar(condition)) known.equal = [condition]
    else if (typeof condition === 'object') addOperators(known, condition as StoredValue)
  }
  return found
}

function addOperators(known: PathCondition, operators: StoredValue): void {
  for (const [operator, operand] of Object.entries(operators)) {
    if (operator === 'eq' && isScalar(operand)) known.equal = [operand]
    else if (operator === 'in' && Array.isArray(operand) && operand.every(isScalar)) {
      if (known.equal === undefined || known.equal.length > operand.length) known.equal = [...new Set<unknown>(operand)]
    } else {
      const range = rangeOf(operator, operand)
      if (range !== undefined) known.range = known.range === undefined ? range : both(known.range, range)
    }
  }
}

function rangeOf(operator: string, operand: unknown): KeyRange | undefined {
  switch (operator) {
    case 'lt':
      return upTo(operand, (key) => key >= (operand as string))
    case 'lte':
      return upTo(operand, (key) => key > (operand as string))
    case 'gt':
      return from(operand, (key) => key > (operand as string))
    case 'gte':
      return from(operand, (key) => key >= (operand as string))
    case 'between': {
      if (!Array.isArray(operand) || operand.length !== 2) return undefined
      const [low, high] = [rangeOf('gte', operand[0]), rangeOf('lte', operand[1])]
      return low === undefined || high === undefined ? undefined : both(low, high)
    }
    case 'startsWith':
      return typeof operand === 'string' ? startingWith(operand) : undefined
    case 'like':
      return typeof operand === 'string' ? startingWith(/^[^%_]*/u.exec(operand)![0]) : undefined
    default:
      return undefined
  }
}

/** Keys of the operand's kind up to the first that `isAbove`. */
function upTo(operand: unknown, isAbove: (key: string) => boolean): KeyRange | undefined {
  const kind = orderedKind(operand)
  if (kind === undefined) return undefined
  return {
    isFrom: (key) => kindOf(key) >= kind,
    isBeyond: (key) => kindOf(key) > kind || (kindOf(key) === kind && isAbove(key as string)),
  }
}

/** Keys of the operand's kind from the first that `isIn`. */
function from(operand: unknown, isIn: (key: string) => boolean): KeyRange | undefined {
  const kind = orderedKind(operand)
  if (kind === undefined) return undefined
  return {
    isFrom: (key) => kindOf(key) > kind || (kindOf(key) === kind && isIn(key as string)),
    isBeyond: (key) => kindOf(key) > kind,
  }
}

function startingWith(prefix: string): KeyRange {
  return {
    isFrom: (key) => typeof key === 'string' && key >= prefix,
    isBeyond: (key) => typeof key === 'string' && key > prefix && !key.startsWith(prefix),
  }
}

function both(one: KeyRange, other: KeyRange): KeyRange {
  return {
    isFrom: (key) => one.isFrom(key) && other.isFrom(key),
    isBeyond: (key) => one.isBeyond(key) || other.isBeyond(key),
  }
}

function orderedKind(operand: unknown): number | undefined {
  return typeof operand === 'number' || typeof operand === 'bigint' || typeof operand === 'string'
    ? kindOf(operand)
    : undefined
}
