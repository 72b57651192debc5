import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { defaultLimits } from '../kernel/index.ts'
import { ByteWriter } from '../codec/index.ts'
import { Executor } from './executor.ts'
import { hashState } from './hash-state.ts'
import { compareItems, itemAt } from './item-order.ts'
import type { Layout, StoredValue } from './layout.ts'
import { Machine } from './machine.ts'
import { compileQuery } from './query.ts'

const layout: Layout = {
  name: 'thing',
  fields: ['id', 'a', 'b', 'c'],
  open: false,
  id: ['id'],
  route: ['id'],
  indexes: [['a'], ['a', 'b'], ['c.x'], ['b', 'a', 'c.x']],
}

const scalar = fc.oneof(
  fc.integer({ min: 0, max: 4 }),
  fc.constantFrom<unknown>('', 'a', 'ab', 'b', 'ba', null, true, false, 0n, 1n, 2n, -0),
)
const item = fc.oneof(
  { weight: 9, arbitrary: scalar },
  { weight: 1, arbitrary: fc.constantFrom<unknown>(undefined, [1], { y: 1 }) },
)
const fields = fc.record({ a: item, b: item, c: fc.oneof(item, fc.record({ x: item })) })
const ordered = fc.oneof(fc.integer({ min: 0, max: 4 }), fc.constantFrom<unknown>('', 'a', 'ab', 'b', 'ba', 0n, 1n, 2n))
const condition = fc.oneof(
  scalar,
  fc.record(
    { eq: item, in: fc.array(scalar, { maxLength: 3 }), ne: scalar, exists: fc.boolean() },
    { requiredKeys: [] },
  ),
  fc.record({ lt: ordered, lte: ordered, gt: ordered, gte: ordered }, { requiredKeys: [] }),
  fc.record({ between: fc.tuple(ordered, ordered) }),
  fc.record({ startsWith: fc.constantFrom('', 'a', 'b') }),
  fc.record({ like: fc.constantFrom('a%', '%', 'a_', '_a', 'ba') }),
)
const simple = fc.record(
  { id: fc.integer({ min: 0, max: 9 }), a: condition, b: condition, 'c.x': condition },
  { requiredKeys: [] },
)
const where = fc.record(
  {
    a: condition,
    b: condition,
    'c.x': condition,
    and: fc.array(simple, { maxLength: 2 }),
    or: fc.array(simple, { maxLength: 3 }),
    not: simple,
  },
  { requiredKeys: [] },
)
// Drawn on their own, for among all queries they are rare: an `or` whose branches have an index each, and both fields of one.
const union = fc.record({ or: fc.tuple(fc.record({ a: scalar }), fc.record({ 'c.x': scalar })) })
const both = fc.record({ a: scalar, b: scalar })
const asked = fc.oneof(
  { weight: 6, arbitrary: where },
  { weight: 2, arbitrary: union },
  { weight: 1, arbitrary: both },
  { weight: 1, arbitrary: fc.constant({}) },
)
const direction = fc.constantFrom<'asc' | 'desc'>('asc', 'desc')
const options = fc.record(
  {
    orderBy: fc.oneof(
      fc.record({ a: direction }),
      fc.record({ b: direction }),
      fc.record({ 'c.x': direction }),
      fc.record({ b: direction, a: direction }),
    ),
    limit: fc.integer({ min: 0, max: 4 }),
    offset: fc.integer({ min: 0, max: 3 }),
  },
  { requiredKeys: [] },
)

type Step =
  | { readonly kind: 'put'; readonly id: number; readonly fields: StoredValue; readonly undone: boolean }
  | { readonly kind: 'remove'; readonly id: number; readonly undone: boolean }
const id = fc.integer({ min: 0, max: 19 })
const undone = fc.boolean()
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('put'), id, fields, undone }),
  fc.record({ kind: fc.constant('remove'), id, undone }),
)

/** A machine and its naive twin: values by id, in write order. */
class Rig {
  readonly machine = new Machine(defaultLimits)
  readonly executor = new Executor(this.machine, defaultLimits, () => ({
    admit: (value) => Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined)),
    leaseMs: undefined,
  }))
  readonly twin = new Map<number, StoredValue>()
  readonly writer = new ByteWriter()
  readonly table

  constructor(given: Layout = layout) {
    this.table = this.machine.declare(given)
  }

  run(one: Step): void {
    this.machine.begin(this.writer, 1, 1)
    if (one.kind === 'remove') this.executor.remove(this.table, { id: one.id }, {})
    else this.executor.write(this.table, 'write', { id: one.id, ...one.fields }, {})
    if (one.undone) return this.machine.rollback()
    this.machine.commit()
    if (one.kind === 'remove') this.twin.delete(one.id)
    else this.twin.set(one.id, this.executor.get(this.table, { id: one.id })!)
  }
}

function twinReads(rig: Rig, where: StoredValue): readonly StoredValue[] {
  return [...rig.twin.values()].filter(compileQuery(where))
}

type OrderBy = Readonly<Record<string, 'asc' | 'desc' | undefined>>

function comparator(orderBy: OrderBy): (a: StoredValue, b: StoredValue) => number {
  return (a, b) => {
    for (const [path, way] of Object.entries(orderBy)) {
      const order = compareItems(itemAt(a, path.split('.')), itemAt(b, path.split('.')))
      if (order !== 0) return way === 'desc' ? -order : order
    }
    return 0
  }
}

/** What a value is sorted by; null, lists and objects are not told apart. */
function sortKey(value: StoredValue, orderBy: OrderBy): readonly unknown[] {
  return Object.keys(orderBy).map((path) => {
    const one = itemAt(value, path.split('.'))
    return typeof one === 'object' ? 'object' : one
  })
}

describe('queries by index', () => {
  test('[SP3] any query over any history finds what a scan of the naive twin finds, in the order asked for', () => {
    const ways = new Map<string, number>()
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.array(fc.tuple(asked, options), { maxLength: 12 }),
        (steps, queries) => {
          const rig = new Rig()
          // Some queries come before the last steps, so that what they build in an index must follow the changes.
          const cut = steps.length >> 1
          for (const [at, one] of steps.entries()) {
            rig.run(one)
            if (at === cut)
              for (const [query] of queries) rig.executor.readAll(rig.table, query, { orderBy: { a: 'asc' } })
          }
          for (const [query, wanted] of queries) {
            const all = twinReads(rig, query)
            const found = rig.executor.readAll(rig.table, query, wanted)
            const { limit = Infinity, offset = 0, orderBy } = wanted
            expect(found.length).toBe(Math.max(0, Math.min(all.length - offset, limit)))
            expect(new Set(found).size).toBe(found.length)
            for (const value of found) expect(all).toContain(value)
            if (orderBy !== undefined) {
              // 0 and -0 are one place in an order, and either may come first.
              const keysOf = (values: readonly StoredValue[]): unknown[] =>
                values.map((value) => sortKey(value, orderBy).map((key) => (key === 0 ? 0 : key)))
              const sorted = all.toSorted(comparator(orderBy))
              expect(keysOf(found)).toEqual(keysOf(sorted.slice(offset, offset + limit)))
            }
            expect(rig.executor.count(rig.table, query)).toBe(all.length)
            const { by } = rig.executor.explain(rig.table, query, wanted)
            ways.set(by, (ways.get(by) ?? 0) + 1)
          }
        },
      ),
      { numRuns: 1_500 },
    )
    for (const by of ['scan', 'id', 'a', 'a, b', 'c.x', 'b, a, c.x']) expect(ways.get(by)).toBeGreaterThan(10)
    expect(ways.get('a or c.x')).toBeGreaterThan(10)
  })

  test('[SP3] an index takes back what is rolled back, and is gone from nothing but the state', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const [indexed, plain] = [new Rig(), new Rig({ ...layout, indexes: [] })]
        for (const one of steps) {
          indexed.run(one)
          plain.run(one)
        }
        expect(hashState(indexed.machine)).toBe(hashState(plain.machine))
        for (const index of indexed.table.indexes) expect(index.count([])).toBe(indexed.twin.size)
      }),
    )
  })
})
