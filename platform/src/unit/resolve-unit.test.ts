import { expect, test } from 'vitest'
import { z } from 'zod'
import { defaultLimits } from '../kernel/index.ts'
import { ManualRuntime } from '../partition/contract/manual-runtime.ts'
import { entry, upgrade } from '../space/index.ts'
import { resolveUnit, source, unit, unitDefinition, type Unit } from './index.ts'

const schema = z.object({ id: z.string(), n: z.int() })
const Item = entry('item', schema, { id: 'id' })
const load = async function* (): AsyncGenerator<readonly { id: string; n: number }[]> {}
const get = (): Promise<readonly { id: string; n: number }[]> => Promise.resolve([])

const resolution = { runtime: new ManualRuntime(), limits: defaultLimits, checkAll: true }

function resolved(declared: Unit, limits = defaultLimits): unknown {
  return resolveUnit(unitDefinition(declared), { ...resolution, limits })
}

const older = upgrade(z.object({ id: z.string() }), ({ id }) => ({ id, n: 0 }))
const hashOf = (declared: Unit): string => resolveUnit(unitDefinition(declared), resolution).hash
const withEntry = (options: object): Unit =>
  unit('u', { entries: [entry('item', schema, { id: 'id', ...options })] }, {})

test.each([
  ['ids in sequence', withEntry({ keys: 'sequence' }), { section: 'entries', name: 'item', option: 'keys' }],
  ['sharded ids', withEntry({ keys: 'sharded' }), { section: 'entries', name: 'item', option: 'keys' }],
  [
    'a source that is read behind',
    unit('u', { entries: [Item] }, { sources: { s: source(Item, { load, get }) } }),
    { section: 'sources', name: 's', option: 'get' },
  ],
])('[A9] a unit that relies on %s is refused, rather than run without', (_, declared, details) => {
  expect(() => resolved(declared)).toThrow(expect.objectContaining({ code: 'NOT_AVAILABLE_YET', details }))
})

test('what is declared and done otherwise, or makes something faster only, is accepted', () => {
  const Made = entry('item', schema, { id: 'id', keys: 'uuid7', indexes: [['n']] })
  expect(() => resolved(unit('u', { entries: [Made] }, { sources: { s: source(Made, { load }) } }))).not.toThrow()
})

test('[SP14] a source of an entry type that is not durable is refused: its rows would be gone and its load be over', () => {
  const Spot = entry('item', schema, { id: 'id', durable: false })
  expect(() => resolved(unit('u', { entries: [Spot] }, { sources: { s: source(Spot, { load }) } }))).toThrow(
    expect.objectContaining({ code: 'UNIT_INVALID', details: { section: 'sources', name: 's' } }),
  )
})

test('[UN10] a unit with another upgrade is another unit; one without has the hash that it always had', () => {
  const hashes = [{}, { upgrades: [older] }, { upgrades: [older, older] }].map((options) => hashOf(withEntry(options)))
  expect(new Set(hashes).size).toBe(3)
  expect(hashOf(withEntry({ upgrades: [] }))).toBe(hashes[0])
})

test('[A8] a unit whose entry type has more indexes than it may is refused', () => {
  const limits = { ...defaultLimits, indexesMax: 2 }
  const indexed = (indexes: readonly (readonly string[])[]): Unit => withEntry({ indexes })
  expect(() => resolved(indexed([['n'], ['id', 'n']]), limits)).not.toThrow()
  expect(() => resolved(indexed([['n'], ['id', 'n'], ['id']]), limits)).toThrow(
    expect.objectContaining({
      code: 'LIMIT_EXCEEDED',
      details: { limit: 'indexesMax', value: 2, found: 3, type: 'item' },
    }),
  )
})
