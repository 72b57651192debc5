import { expect, test } from 'vitest'
import { ByteWriter } from '../codec/index.ts'
import { defaultLimits } from '../kernel/index.ts'
import { hashState } from './hash-state.ts'
import type { Layout } from './layout.ts'
import { laterLayout } from './layout.ts'
import { Machine } from './machine.ts'
import { stampOf } from './stamp.ts'
import { bringUp, isPresent, valueNow, type BringUp, type EntryUpgrade } from './upgrading.ts'

const fields = ['id', 'n']
const before: Layout = {
  name: 'item',
  fields,
  open: false,
  id: ['id'],
  route: ['id'],
  indexes: [['n']],
  shapes: [0],
  schema: { hash: 'old', fields },
}
const after = laterLayout(before, { ...before, shapes: [1], schema: { hash: 'new', fields } }, 2)
const run: BringUp = ({ id, n }, upgradesBehind) => ({ id, n: Number(n) + (upgradesBehind === 0 ? 100 : 0) })
const upgrade: EntryUpgrade = {
  count: 1,
  schema: 'new',
  fields: [fields],
  run,
  keeps: (behind) => behind === 1,
  check: () => ({ run, lost: () => [] }),
}

/** A machine in which one entry was put before the upgrade and brought up after it, and its twin without the code. */
function upgraded() {
  const [machine, twin] = [new Machine(defaultLimits, new Map([['item', upgrade]])), new Machine(defaultLimits)]
  const writer = new ByteWriter()
  for (const one of [machine, twin]) {
    one.declare(before)
    one.begin(writer, 1, 0)
    one.put(one.table('item'), undefined, { id: 'a', n: 1 })
    one.commit()
    one.declare(after)
  }
  const table = machine.table('item')
  const row = table.find({ id: 'a' })!
  return { machine, twin, table, row, writer }
}

test('[UN10] an entry is read as the step makes it, found by the index, with the stamp that it has', () => {
  const { table, row } = upgraded()
  expect(isPresent(table, upgrade)).toBe(true)
  expect(bringUp(table, row, run)).toBe(true)
  expect(bringUp(table, row, run)).toBe(false)
  expect(row.value).toEqual({ id: 'a', n: 101 })
  expect(Object.isFrozen(row.value)).toBe(true)
  expect(stampOf(row.value)).toBe(row.stamp)
  const [index] = table.indexes
  expect([index!.count([1]), index!.count([101])]).toEqual([0, 1])
})

test('[UN10] [A5] what is hashed is what is stored, whether the entry was brought up or not', () => {
  const { machine, twin, table, row } = upgraded()
  expect(hashState(machine)).toBe(hashState(twin))
  bringUp(table, row, run)
  expect(hashState(machine)).toBe(hashState(twin))
})

test('[UN10] [A5] a change that is taken back leaves what is stored, and the value that was read', () => {
  const { machine, twin, table, row, writer } = upgraded()
  bringUp(table, row, run)
  machine.begin(writer, 2, 0)
  machine.put(table, row, { id: 'a', n: 5 })
  expect([row.shape, row.stored]).toEqual([1, undefined])
  machine.rollback()
  expect(row.value).toEqual({ id: 'a', n: 101 })
  expect(hashState(machine)).toBe(hashState(twin))
})

test('[UN10] whoever is told of a change hears what was read before, also where nobody had asked yet', () => {
  const { machine, table, row, writer } = upgraded()
  const heard: unknown[] = []
  machine.begin(writer, 2, 0)
  machine.put(table, row, { id: 'a', n: 5 })
  machine.commit()
  machine.ringOf(table).visit(table, 1, 9, (change) => heard.push(change?.before, change?.after) > 0)
  expect(heard).toEqual([
    { id: 'a', n: 101 },
    { id: 'a', n: 5 },
  ])
})

test('[UN10] the type notes from which change on its values look as they do', () => {
  const { machine, table } = upgraded()
  expect([table.shapedAt, machine.change]).toEqual([1, 1])
  machine.declare(after)
  expect(table.shape).toBe(1)
})

test('[UN10] what was tried before an upgrade is put as the steps make it, what was tried after it as it is', () => {
  const { machine, table, writer } = upgraded()
  const upgrades = new Map([['item', upgrade]])
  const tried = { kind: 'put', type: 'item', value: { id: 'b', n: 7 } } as const
  expect(valueNow(table, { ...tried, shape: 1 }, upgrades)).toBe(tried.value)
  expect(valueNow(table, tried, upgrades)).toEqual({ id: 'b', n: 107 })
  machine.begin(writer, 2, 0)
  machine.redo(tried)
  machine.commit()
  expect(table.find({ id: 'b' })).toMatchObject({ value: { id: 'b', n: 107 }, shape: 1, stored: undefined })
})

test('[UN10] code that does not have the newest shape shows what is stored', () => {
  const old: EntryUpgrade = { ...upgrade, count: 0, schema: 'old' }
  const machine = new Machine(defaultLimits, new Map([['item', old]]))
  const writer = new ByteWriter()
  machine.declare(before)
  machine.begin(writer, 1, 0)
  const row = machine.put(machine.table('item'), undefined, { id: 'a', n: 1 })
  machine.commit()
  machine.declare(after)
  machine.begin(writer, 2, 0)
  machine.remove(machine.table('item'), row, 'removed')
  machine.commit()
  expect(row.value).toEqual({ id: 'a', n: 1 })
})
