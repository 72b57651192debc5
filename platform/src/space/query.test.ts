import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { StoredValue } from './layout.ts'
import { compileQuery, type PathCheck } from './query.ts'

type Plain = Readonly<Record<string, unknown>>

/** The naive twin: says for one value at once whether it matches, operator by operator, as the words of the rule do. */
function matches(value: StoredValue, where: Plain): boolean {
  return Object.entries(where).every(([name, condition]) => {
    if (name === 'and') return (condition as Plain[]).every((part) => matches(value, part))
    if (name === 'or') return (condition as Plain[]).some((part) => matches(value, part))
    if (name === 'not') return !matches(value, condition as Plain)
    let item: unknown = value
    for (const step of name.split('.')) {
      item = typeof item === 'object' && item !== null && !Array.isArray(item) ? (item as Plain)[step] : undefined
    }
    if (typeof condition !== 'object' || condition === null) return same(item, condition)
    return Object.entries(condition).every(([operator, operand]) => holds(item, operator, operand))
  })
}

const same = (a: unknown, b: unknown): boolean => typeof a === typeof b && textOf(a) === textOf(b)
const textOf = (value: unknown): string | undefined => JSON.stringify(value, (_, one: unknown) => sorted(one))

function sorted(value: unknown): unknown {
  if (typeof value === 'bigint') return { bigint: value.toString() }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

function isBelow(a: unknown, b: unknown): boolean | undefined {
  if (typeof a !== typeof b || !['number', 'bigint', 'string'].includes(typeof a)) return undefined
  return (a as number) < (b as number)
}

function holds(item: unknown, operator: string, operand: unknown): boolean {
  const below = isBelow(item, operand)
  switch (operator) {
    case 'eq':
      return same(item, operand)
    case 'ne':
      return !same(item, operand)
    case 'in':
      return (operand as unknown[]).some((one) => same(item, one))
    case 'notIn':
      return !(operand as unknown[]).some((one) => same(item, one))
    case 'lt':
      return below === true
    case 'gte':
      return below === false
    case 'lte':
      return below === true || (below === false && same(item, operand))
    case 'gt':
      return below === false && !same(item, operand)
    case 'between': {
      const [low, high] = operand as [unknown, unknown]
      return holds(item, 'gte', low) && holds(item, 'lte', high)
    }
    case 'startsWith':
      return typeof item === 'string' && item.slice(0, String(operand).length) === operand
    case 'like':
      return typeof item === 'string' && isLike(Array.from(item), Array.from(String(operand)))
    case 'exists':
      return (item !== undefined) === operand
    case 'contains':
      if (!Array.isArray(item)) return false
      return item.some((one) =>
        typeof operand === 'object' && operand !== null
          ? typeof one === 'object' && one !== null && matches(one, operand as Plain)
          : same(one, operand),
      )
    default:
      throw new Error(operator)
  }
}

function isLike(text: readonly string[], pattern: readonly string[]): boolean {
  const [first, ...rest] = pattern
  if (first === undefined) return text.length === 0
  if (first === '%') return isLike(text, rest) || (text.length > 0 && isLike(text.slice(1), pattern))
  return text.length > 0 && (first === '_' || first === text[0]) && isLike(text.slice(1), rest)
}

const number = fc.integer({ min: -3, max: 3 })
const text = fc.string({ unit: fc.constantFrom('a', 'b', '.', '*'), maxLength: 3 })
const ordered = fc.oneof(number, text, fc.bigInt({ min: -2n, max: 2n }))
const scalar = fc.oneof(ordered, fc.boolean(), fc.constant(null))
const item = fc.oneof(scalar, fc.array(scalar, { maxLength: 3 }), fc.record({ c: scalar }, { requiredKeys: [] }))
const value = fc.record(
  { a: item, b: item, d: fc.array(fc.record({ c: number }), { maxLength: 2 }) },
  { requiredKeys: [] },
)
const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '.', '%', '_'), maxLength: 4 })
const operators = fc.record(
  {
    eq: item,
    ne: scalar,
    in: fc.array(item, { maxLength: 3 }),
    notIn: fc.array(scalar, { maxLength: 3 }),
    lt: ordered,
    lte: ordered,
    gt: ordered,
    gte: ordered,
    between: fc.tuple(ordered, ordered),
    like: pattern,
    startsWith: text,
    exists: fc.boolean(),
    contains: fc.oneof(scalar, fc.record({ c: fc.oneof(number, fc.record({ gt: number })) })),
  },
  { requiredKeys: [] },
)
const one = fc.oneof(scalar, single(operators), operators)
const query = fc.letrec<{ query: Plain }>((tie) => ({
  query: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.dictionary(fc.constantFrom('a', 'b', 'a.c', 'd'), one, { minKeys: 1, maxKeys: 2, noNullPrototype: true }),
    fc.record({ and: fc.array(tie('query'), { maxLength: 2 }) }),
    fc.record({ or: fc.array(tie('query'), { maxLength: 2 }) }),
    fc.record({ not: tie('query') }),
  ),
})).query

/** One operator alone: several together seldom hold. */
function single(all: fc.Arbitrary<Plain>): fc.Arbitrary<Plain> {
  return all
    .chain((given) =>
      fc.constantFrom(...(Object.entries(given).length === 0 ? [['exists', true] as const] : Object.entries(given))),
    )
    .map(([name, operand]) => ({ [name]: operand }))
}

function only(...known: readonly string[]): PathCheck {
  return (path) => (known.includes(path.split('.')[0]!) ? undefined : 'there is no such field')
}

describe('queries', () => {
  test('[SP1] any query matches what its naive twin says', () => {
    let matched = 0
    fc.assert(
      fc.property(query, fc.array(value, { minLength: 1, maxLength: 8 }), (where, values) => {
        const matcher = compileQuery(where, only('a', 'b', 'd'))
        for (const given of values) {
          const expected = matches(given, where)
          if (expected) matched += 1
          expect(matcher(given)).toBe(expected)
        }
      }),
      { numRuns: 3_000 },
    )
    expect(matched).toBeGreaterThan(1_000)
  })

  test.each<[object, string]>([
    [{ x: 1 }, 'query.x'],
    [{ a: { gtt: 1 } }, 'query.a.gtt'],
    [{ a: { in: 1 } }, 'query.a.in'],
    [{ a: { between: [1] } }, 'query.a.between'],
    [{ a: { like: 1 } }, 'query.a.like'],
    [{ and: 1 }, 'query.and'],
    [{ or: [1] }, 'query.or[0]'],
    [{ not: [] }, 'query.not'],
    [{ or: [{ a: 1 }, { not: { y: 1 } }] }, 'query.or[1].not.y'],
  ])('[SP1] %j is QUERY_INVALID and says where', (where, path) => {
    expect(() => compileQuery(where as Plain, only('a'))).toThrow(
      expect.objectContaining({ code: 'QUERY_INVALID', details: { path } }),
    )
  })
})
