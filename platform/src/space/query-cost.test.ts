import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ByteWriter } from '../codec/index.ts'
import { checkedLimits, defaultLimits, type Limits } from '../kernel/index.ts'
import { Executor } from './executor.ts'
import type { Layout, StoredValue } from './layout.ts'
import { Machine } from './machine.ts'
import { checkQuerySize } from './query-cost.ts'

const layout: Layout = {
  name: 'thing',
  fields: ['id', 'a', 'b', 'c'],
  open: false,
  id: ['id'],
  route: ['id'],
  indexes: [['a'], ['a', 'b']],
}

/** So many things, of which every second has the same `a`, and executors with limits of their own. */
function filled(count: number) {
  const machine = new Machine(defaultLimits)
  const table = machine.declare(layout)
  const executor = (limits: Partial<Limits>): Executor =>
    new Executor(machine, checkedLimits({ ...defaultLimits, ...limits }), () => ({
      admit: (value) => value,
      leaseMs: undefined,
    }))
  const writer = new ByteWriter()
  const all = executor({})
  const command = (run: () => void): void => {
    machine.begin(writer, 1, 1)
    run()
    machine.commit()
  }
  command(() => {
    for (let id = 0; id < count; id++) all.write(table, 'write', { id, a: id % 2, b: id % 5, c: id }, {})
  })
  return { table, executor, all, command }
}

const exceeded = (details: object) =>
  expect.objectContaining({ code: 'LIMIT_EXCEEDED', details: expect.objectContaining(details) as unknown })

describe('visits', () => {
  const tooMany = { limit: 'queryVisitsMax', value: 5, type: 'thing' }

  test('[A8] a query looks at no more entries than it may, whatever it is asked for', () => {
    const { table, executor, command } = filled(12)
    const few = executor({ queryVisitsMax: 5 })
    const where = { c: { gte: 100 } }
    const failure = exceeded({ ...tooMany, by: 'scan', indexes: [['c']] })
    expect(() => few.read(table, where, {})).toThrow(failure)
    expect(() => few.readAll(table, where, {})).toThrow(failure)
    expect(() => few.count(table, where)).toThrow(failure)
    expect(() => few.aggregate(table, where, {})).toThrow(failure)
    expect(() => few.explain(table, where, {})).toThrow(failure)
    command(() => {
      expect(() => few.take(table, where, {})).toThrow(failure)
      expect(() => few.takeAll(table, {}, {})).toThrow(exceeded(tooMany))
      expect(() => few.clear(table, {}, {})).toThrow(exceeded(tooMany))
    })
    expect(table.size).toBe(12)
  })

  test('[A8] what ends before the limit, or is found by an index, is answered, however many entries there are', () => {
    const { table, executor } = filled(12)
    const few = executor({ queryVisitsMax: 5 })
    expect(few.readAll(table, {}, { limit: 5 })).toHaveLength(5)
    expect(few.readAll(table, { a: 1, b: 3 }, {})).toHaveLength(1)
    expect(few.readAll(table, { a: 1 }, { limit: 5 })).toHaveLength(5)
    expect(() => few.readAll(table, { a: 1 }, {})).toThrow(exceeded({ ...tooMany, by: 'a', indexes: [] }))
    expect(executor({ queryVisitsMax: 6 }).readAll(table, { a: 1 }, {})).toHaveLength(6)
    expect(executor({ queryVisitsMax: 12 }).readAll(table, {}, {})).toHaveLength(12)
  })

  test('[A8] the error names the indexes that would help, equality first and then a range, and none that there is', () => {
    const { table, executor } = filled(12)
    const few = executor({ queryVisitsMax: 1 })
    const helpful = (where: StoredValue): unknown => {
      try {
        few.readAll(table, where, {})
      } catch (error) {
        return (error as { readonly details: StoredValue }).details['indexes']
      }
      return 'answered'
    }
    expect(helpful({ c: { gt: 1 }, b: 3 })).toEqual([['b', 'c']])
    expect(helpful({ and: [{ c: { in: [1, 2] } }, { b: { startsWith: 'x' } }] })).toEqual([['c', 'b']])
    expect(helpful({ or: [{ b: 1 }, { c: 4 }, { a: 1 }] })).toEqual([['b'], ['c']])
    expect(helpful({ or: [{ b: 1 }, { c: { ne: 4 } }] })).toEqual([])
    expect(helpful({ not: { b: 1 } })).toEqual([])
    expect(helpful({ a: { gte: 0 } })).toEqual([])
    expect(helpful({ a: 1, b: 3 })).toBe('answered')
  })

  test('[A8] a query fails if and only if it visits more without the limit, and finds the same if not', () => {
    const item = fc.integer({ min: 0, max: 6 })
    const simple = fc.record({ a: item, b: item, c: fc.record({ gte: item }) }, { requiredKeys: [] })
    const where = fc.oneof(simple, fc.record({ or: fc.array(simple, { minLength: 1, maxLength: 3 }) }))
    const options = fc.record(
      {
        limit: fc.integer({ min: 0, max: 4 }),
        orderBy: fc.constantFrom({ b: 'asc' as const }, { c: 'desc' as const }),
      },
      { requiredKeys: [] },
    )
    const { table, executor, all } = filled(20)
    let answered = 0
    let refused = 0
    fc.assert(
      fc.property(where, options, fc.integer({ min: 1, max: 20 }), (query, wanted, max) => {
        const limited = executor({ queryVisitsMax: max })
        if (all.explain(table, query, wanted).visited > max) {
          refused += 1
          expect(() => limited.readAll(table, query, wanted)).toThrow(exceeded({ limit: 'queryVisitsMax', value: max }))
        } else {
          answered += 1
          expect(limited.readAll(table, query, wanted)).toEqual(all.readAll(table, query, wanted))
        }
      }),
      { numRuns: 1_000 },
    )
    expect(Math.min(answered, refused)).toBeGreaterThan(100)
  })
})

describe('the size of a query', () => {
  const size = (where: StoredValue): void =>
    checkQuerySize(where, { queryVisitsMax: 1, queryConditionsMax: 6, inItemsMax: 3 })

  test('[A8] has a limit on conditions: operators, nested queries and what is in them', () => {
    const conditions = exceeded({ limit: 'queryConditionsMax', value: 6 })
    size({ a: 1, b: { gt: 1, lt: 5 }, not: { c: null }, e: { contains: 'x' } })
    expect(() => size({ a: 1, b: { gt: 1, lt: 5 }, not: { c: null }, e: 1, f: 1 })).toThrow(conditions)
    size({ or: [{ a: 1 }, { a: 2 }, { a: 3 }] })
    expect(() => size({ or: [{ a: 1 }, { a: 2 }, { a: 3 }], b: 1 })).toThrow(conditions)
    expect(() => size({ or: Array.from({ length: 7 }, () => ({})) })).toThrow(conditions)
    expect(() => size({ a: { contains: { b: 1, c: 1, d: 1, e: 1, f: 1, g: 1 } } })).toThrow(conditions)
    expect(() => size({ a: { gt: 1, gte: 1, lt: 1, lte: 1, ne: 1, exists: true, like: '' } })).toThrow(conditions)
  })

  test('[A8] has a limit on the items of a list', () => {
    size({ a: { in: [1, 2, 3] }, b: { notIn: [1, 2, 3] } })
    const items = exceeded({ limit: 'inItemsMax', value: 3, found: 4 })
    expect(() => size({ a: { in: [1, 2, 3, 4] } })).toThrow(items)
    expect(() => size({ not: { or: [{ a: { notIn: [1, 2, 3, 4] } }] } })).toThrow(items)
  })

  test('[A8] is checked before anything follows a query into its depth, and a query in itself has an end', () => {
    const { table, all } = filled(1)
    let deep: StoredValue = { a: 1 }
    for (let depth = 0; depth < 100_000; depth++) deep = { not: deep }
    const round: Record<string, unknown> = {}
    round['and'] = [round]
    const told: StoredValue[] = []
    all.observer = { hasStopped: false, entry: () => undefined, query: (_, where) => told.push(where) }
    for (const where of [deep, round])
      expect(() => all.readAll(table, where, {})).toThrow(exceeded({ limit: 'queryConditionsMax', value: 1_000 }))
    all.readAll(table, { a: 1 }, {})
    expect(told).toEqual([{ a: 1 }])
  })
})
