import { PlenumError } from '../kernel/index.ts'
import { itemAt } from './item-order.ts'
import type { StoredValue } from './layout.ts'

/** Decides whether a value matches; made once for each query. */
export type Matcher = (value: StoredValue) => boolean

/** Says why no value can have anything at a path; undefined if one can. */
export type PathCheck = (path: string) => string | undefined

type Test = (item: unknown) => boolean
type Plain = Readonly<Record<string, unknown>>

/**
 * Turns a query into a matcher: a template by example with operators (03). QUERY_INVALID names what cannot be
 * understood; with `check`, a field that there is not. Values of different types never compare as ordered; `null` and absent are equal to nothing but
 * themselves.
 */
export function compileQuery(where: Plain, check?: PathCheck, path = 'query'): Matcher {
  const parts: Matcher[] = []
  for (const [name, condition] of Object.entries(where)) {
    if (condition === undefined) continue
    if (name === 'and' || name === 'or') parts.push(compileList(name, condition, check, path))
    else if (name === 'not') parts.push(negate(compileQuery(asQuery(condition, `${path}.not`), check, `${path}.not`)))
    else parts.push(compileField(name, condition, check, path))
  }
  if (parts.length === 0) return () => true
  if (parts.length === 1) return parts[0]!
  return (value) => parts.every((part) => part(value))
}

function compileList(name: 'and' | 'or', list: unknown, check: PathCheck | undefined, path: string): Matcher {
  if (!Array.isArray(list)) throw invalid(`${path}.${name}`, 'a list of queries is expected')
  const parts = list.map((item, at) =>
    compileQuery(asQuery(item, `${path}.${name}[${at}]`), check, `${path}.${name}[${at}]`),
  )
  return name === 'and' ? (value) => parts.every((part) => part(value)) : (value) => parts.some((part) => part(value))
}

function negate(matcher: Matcher): Matcher {
  return (value) => !matcher(value)
}

function compileField(name: string, condition: unknown, check: PathCheck | undefined, path: string): Matcher {
  const why = check?.(name)
  if (why !== undefined) throw invalid(`${path}.${name}`, why)
  const test = compileCondition(condition, `${path}.${name}`)
  if (!name.includes('.')) return (value) => test(value[name])
  const names = name.split('.')
  return (value) => test(itemAt(value, names))
}

function compileCondition(condition: unknown, path: string): Test {
  if (typeof condition !== 'object' || condition === null) return (item) => item === condition
  const tests = Object.entries(condition)
    .filter(([, operand]) => operand !== undefined)
    .map(([operator, operand]) => compileOperator(operator, operand, `${path}.${operator}`))
  return tests.length === 1 ? tests[0]! : (item) => tests.every((test) => test(item))
}

function compileOperator(operator: string, operand: unknown, path: string): Test {
  switch (operator) {
    case 'eq':
      return (item) => equal(item, operand)
    case 'ne':
      return (item) => !equal(item, operand)
    case 'in':
      return oneOf(operand, path)
    case 'notIn': {
      const test = oneOf(operand, path)
      return (item) => !test(item)
    }
    case 'lt':
      checkOrdered(operand, path)
      return (item) => order(item, operand) < 0
    case 'lte':
      checkOrdered(operand, path)
      return (item) => order(item, operand) <= 0
    case 'gt':
      checkOrdered(operand, path)
      return (item) => order(item, operand) > 0
    case 'gte':
      checkOrdered(operand, path)
      return (item) => order(item, operand) >= 0
    case 'between':
      return between(operand, path)
    case 'like':
      return like(operand, path)
    case 'startsWith':
      return startsWith(operand, path)
    case 'exists':
      return exists(operand, path)
    case 'contains':
      return contains(operand, path)
    default:
      throw invalid(path, `there is no operator '${operator}'; nested fields are asked for by a dotted path`)
  }
}

function oneOf(operand: unknown, path: string): Test {
  if (!Array.isArray(operand)) throw invalid(path, 'a list is expected')
  const simple = new Set<unknown>(operand)
  const nested = operand.filter((one) => typeof one === 'object' && one !== null)
  return (item) => simple.has(item) || nested.some((one) => equal(item, one))
}

function between(operand: unknown, path: string): Test {
  if (!Array.isArray(operand) || operand.length !== 2) throw invalid(path, 'a list of two bounds is expected')
  const [low, high] = operand
  checkOrdered(low, path)
  checkOrdered(high, path)
  return (item) => order(item, low) >= 0 && order(item, high) <= 0
}

function startsWith(operand: unknown, path: string): Test {
  if (typeof operand !== 'string') throw invalid(path, 'a text is expected')
  return (item) => typeof item === 'string' && item.startsWith(operand)
}

function exists(operand: unknown, path: string): Test {
  if (typeof operand !== 'boolean') throw invalid(path, 'true or false is expected')
  return (item) => (item !== undefined) === operand
}

/** What has no order would match nothing, without a word. */
function checkOrdered(operand: unknown, path: string): void {
  if (typeof operand === 'number' || typeof operand === 'bigint' || typeof operand === 'string') return
  throw invalid(path, 'a number, bigint or text is expected')
}

/** `%` stands for any text, `_` for one character, as in SQL; matched in steps of pattern times text at most. */
function like(operand: unknown, path: string): Test {
  if (typeof operand !== 'string') throw invalid(path, 'a text is expected')
  const pattern = Array.from(operand)
  return (item) => typeof item === 'string' && isLike(Array.from(item), pattern)
}

/** Goes back to the last `%` only, which may take one character more: an earlier one need not change. */
function isLike(text: readonly string[], pattern: readonly string[]): boolean {
  let at = 0
  let step = 0
  let star = -1
  let resume = 0
  while (at < text.length) {
    if (step < pattern.length && pattern[step] === '%') {
      star = step
      resume = at
      step += 1
    } else if (step < pattern.length && (pattern[step] === '_' || pattern[step] === text[at])) {
      at += 1
      step += 1
    } else if (star >= 0) {
      resume += 1
      at = resume
      step = star + 1
    } else {
      return false
    }
  }
  while (step < pattern.length && pattern[step] === '%') step += 1
  return step === pattern.length
}

function contains(operand: unknown, path: string): Test {
  if (typeof operand !== 'object' || operand === null) {
    return (item) => Array.isArray(item) && item.includes(operand)
  }
  const matcher = compileQuery(asQuery(operand, path), undefined, path)
  return (item) =>
    Array.isArray(item) && item.some((one) => typeof one === 'object' && one !== null && matcher(one as StoredValue))
}

/** Negative, zero or positive; NaN, which every comparison denies, where the two have no order. */
function order(item: unknown, operand: unknown): number {
  if (typeof item === 'number' && typeof operand === 'number') return item - operand
  if (typeof item === 'string' && typeof operand === 'string') return item === operand ? 0 : item < operand ? -1 : 1
  if (typeof item === 'bigint' && typeof operand === 'bigint') return item === operand ? 0 : item < operand ? -1 : 1
  return NaN
}

/** True for equal scalars, and for lists and objects with equal items. */
export function equal(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  if (a instanceof Uint8Array || b instanceof Uint8Array) return isSameBytes(a, b)
  const names = Object.keys(a)
  if (names.length !== Object.keys(b).length) return false
  return names.every((name) => equal((a as Plain)[name], (b as Plain)[name]))
}

/** A list of their names would be as long as they are. */
function isSameBytes(a: object, b: object): boolean {
  if (!(a instanceof Uint8Array && b instanceof Uint8Array) || a.length !== b.length) return false
  for (let at = 0; at < a.length; at++) if (a[at] !== b[at]) return false
  return true
}

function asQuery(value: unknown, path: string): Plain {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(path, 'a query is an object')
  return value as Plain
}

function invalid(path: string, why: string): PlenumError {
  return new PlenumError('QUERY_INVALID', `${path} cannot be understood: ${why}.`, { details: { path } })
}
