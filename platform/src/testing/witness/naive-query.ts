// What a query means, spelt out a second time: no compilation, no sharing with the machine.
import { sameValue } from '../checkers/canonical.ts'

type Fields = Readonly<Record<string, unknown>>

/** True if a value matches a query; undefined if the query has something that this reading does not know. */
export function naiveMatches(value: Fields, where: Fields): boolean | undefined {
  let all: boolean | undefined = true
  for (const [name, condition] of Object.entries(where)) {
    if (condition === undefined) continue
    const one = holds(value, name, condition)
    if (one === undefined) return undefined
    if (!one) all = false
  }
  return all
}

function holds(value: Fields, name: string, condition: unknown): boolean | undefined {
  if (name === 'not') {
    const inner = isFields(condition) ? naiveMatches(value, condition) : undefined
    return inner === undefined ? undefined : !inner
  }
  if (name !== 'and' && name !== 'or') return fits(itemAt(value, name), condition)
  if (!Array.isArray(condition)) return undefined
  const parts = condition.map((part: unknown) => (isFields(part) ? naiveMatches(value, part) : undefined))
  if (parts.includes(undefined)) return undefined
  return name === 'and' ? !parts.includes(false) : parts.includes(true)
}

/** What stands at a dotted path; undefined where there is nothing. */
export function itemAt(value: unknown, path: string): unknown {
  const [name = '', ...rest] = path.split('.')
  const item = isFields(value) ? value[name] : undefined
  return rest.length === 0 ? item : itemAt(item, rest.join('.'))
}

function fits(item: unknown, condition: unknown): boolean | undefined {
  if (!isFields(condition)) return item === condition
  let all: boolean | undefined = true
  for (const [operator, operand] of Object.entries(condition)) {
    if (operand === undefined) continue
    const one = operate(item, operator, operand)
    if (one === undefined) return undefined
    if (!one) all = false
  }
  return all
}

function operate(item: unknown, operator: string, operand: unknown): boolean | undefined {
  switch (operator) {
    case 'eq':
      return equal(item, operand)
    case 'ne':
      return !equal(item, operand)
    case 'in':
      return Array.isArray(operand) ? operand.some((one) => equal(item, one)) : undefined
    case 'notIn':
      return Array.isArray(operand) ? !operand.some((one) => equal(item, one)) : undefined
    case 'lt':
      return isOrdered(operand) ? compared(item, operand) === -1 : undefined
    case 'lte':
      return isOrdered(operand) ? [-1, 0].includes(compared(item, operand) ?? 2) : undefined
    case 'gt':
      return isOrdered(operand) ? compared(item, operand) === 1 : undefined
    case 'gte':
      return isOrdered(operand) ? [1, 0].includes(compared(item, operand) ?? 2) : undefined
    case 'between': {
      if (!Array.isArray(operand) || operand.length !== 2 || !operand.every(isOrdered)) return undefined
      return operate(item, 'gte', operand[0]) === true && operate(item, 'lte', operand[1]) === true
    }
    case 'exists':
      return typeof operand === 'boolean' ? (item !== undefined) === operand : undefined
    case 'startsWith':
      return typeof operand === 'string'
        ? typeof item === 'string' && item.slice(0, operand.length) === operand
        : undefined
    case 'like':
      return typeof operand === 'string'
        ? typeof item === 'string' && isLike(Array.from(item), Array.from(operand))
        : undefined
    case 'contains':
      return contains(item, operand)
    default:
      return undefined
  }
}

/** What has an order; a comparison with anything else is no query. */
function isOrdered(operand: unknown): boolean {
  return typeof operand === 'number' || typeof operand === 'bigint' || typeof operand === 'string'
}

/** -1, 0 or 1 for two of one ordered kind; undefined where the two have no order. */
function compared(a: unknown, b: unknown): number | undefined {
  const bothNumbers = typeof a === 'number' && typeof b === 'number'
  const bothBig = typeof a === 'bigint' && typeof b === 'bigint'
  const bothTexts = typeof a === 'string' && typeof b === 'string'
  if (bothNumbers || bothBig || bothTexts) return a < b ? -1 : a > b ? 1 : 0
  return undefined
}

/** `%` is any text, `_` one character. */
function isLike(text: readonly string[], pattern: readonly string[]): boolean {
  const [first, ...rest] = pattern
  if (first === undefined) return text.length === 0
  if (first === '%') return text.some((_, at) => isLike(text.slice(at), rest)) || isLike([], rest)
  return text.length > 0 && (first === '_' || first === text[0]) && isLike(text.slice(1), rest)
}

function contains(item: unknown, operand: unknown): boolean | undefined {
  if (!Array.isArray(item)) return false
  if (!isFields(operand)) return item.some((one) => one === operand)
  const parts = item.filter(isFields).map((one) => naiveMatches(one, operand))
  return parts.includes(undefined) ? undefined : parts.includes(true)
}

function equal(a: unknown, b: unknown): boolean {
  return a === undefined || b === undefined ? a === b : sameValue(a, b)
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
}
