import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compileQuery, type StoredValue } from '../../space/index.ts'
import { naiveMatches } from './naive-query.ts'

const scalar = fc.oneof(
  fc.constantFrom<unknown>(null, true, 0, 1, 2, -0, 1n, 2n, '', 'a', 'ab', 'b%', '1'),
  fc.constant(undefined),
)
const ordered = scalar.filter((one) => ['number', 'string', 'bigint'].includes(typeof one))
const item = fc.oneof(scalar, fc.array(scalar, { maxLength: 3 }), fc.array(fc.record({ x: scalar }), { maxLength: 2 }))
const value: fc.Arbitrary<StoredValue> = fc.record({ x: item, y: item, z: fc.record({ x: item }) })

const operators = fc.record(
  {
    eq: item,
    ne: item,
    in: fc.array(scalar, { maxLength: 3 }),
    notIn: fc.array(scalar, { maxLength: 3 }),
    lt: ordered,
    lte: ordered,
    gt: ordered,
    gte: ordered,
    between: fc.tuple(ordered, ordered),
    like: fc.constantFrom('%', 'a%', '_', '%b%', 'b\\%', ''),
    startsWith: fc.constantFrom('', 'a', 'ab'),
    exists: fc.boolean(),
    contains: fc.oneof(scalar, fc.record({ x: scalar })),
  },
  { requiredKeys: [] },
)
const condition = fc.oneof(scalar, operators)
const fields = fc.record({ x: condition, y: condition, 'z.x': condition, 'y.x.x': condition }, { requiredKeys: [] })
const where = fc.letrec<{ where: StoredValue }>((tie) => ({
  where: fc.oneof(
    { maxDepth: 2 },
    fields,
    fc.record({ x: condition, and: fc.array(tie('where'), { maxLength: 2 }) }),
    fc.record({ or: fc.array(tie('where'), { maxLength: 3 }) }),
    fc.record({ not: tie('where') }),
  ),
})).where

test('[A1] random queries: what the twin reads into a query is what the machine does', () => {
  const counts = { yes: 0, no: 0 }
  fc.assert(
    fc.property(value, where, (one, query) => {
      const expected = compileQuery(query)(one)
      counts[expected ? 'yes' : 'no'] += 1
      expect(naiveMatches(one, query)).toBe(expected)
    }),
    { numRuns: 5_000 },
  )
  expect(Math.min(counts.yes, counts.no)).toBeGreaterThan(500)
})

test('a query that the twin does not know is neither yes nor no', () => {
  expect(naiveMatches({ x: 1 }, { x: { near: 1 } })).toBeUndefined()
  expect(naiveMatches({ x: 1 }, { or: [{ x: 1 }, { x: { near: 1 } }] })).toBeUndefined()
  expect(naiveMatches({ x: 1 }, { not: 1 })).toBeUndefined()
})
