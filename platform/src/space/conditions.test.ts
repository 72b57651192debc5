import { beforeEach, describe, expect, test } from 'vitest'
import { ByteWriter } from '../codec/index.ts'
import { defaultLimits } from '../kernel/index.ts'
import { Executor } from './executor.ts'
import { hashState } from './hash-state.ts'
import type { Layout, StoredValue } from './layout.ts'
import { Machine } from './machine.ts'
import { stampOf } from './stamp.ts'
import type { Table } from './table.ts'

const layout: Layout = { name: 'item', fields: ['id', 'n', 'note'], open: false, id: ['id'], route: ['id'] }
const conflict = (current: number | null) =>
  expect.objectContaining({ code: 'STAMP_CONFLICT', details: expect.objectContaining({ current }) })

describe('changes under a condition', () => {
  let machine: Machine
  let executor: Executor
  let table: Table

  beforeEach(() => {
    machine = new Machine(defaultLimits)
    table = machine.declare(layout)
    const admit = (value: StoredValue): StoredValue => ({ ...value })
    executor = new Executor(machine, defaultLimits, () => ({ admit, leaseMs: undefined }))
    machine.begin(new ByteWriter(), 1, 1)
    executor.insert(table, { id: 'other', n: 0 }, {})
    executor.insert(table, { id: 'a', n: 1 }, {})
  })

  test('[SP2] it is the stamp that counts, not the version', () => {
    const stamp = stampOf(executor.get(table, { id: 'a' })!)!
    expect([stamp, table.find({ id: 'a' })?.version]).toEqual([2, 1])
    expect(() => executor.write(table, 'write', { id: 'a', n: 2 }, { ifStamp: 1 })).toThrow(conflict(2))
    expect(executor.write(table, 'write', { id: 'a', n: 2 }, { ifStamp: stamp })).toMatchObject({
      version: 2,
      stamp: 3,
    })
  })

  test('[SP2] whatever the change, a conflict carries the present stamp and nothing happened', () => {
    const before = hashState(machine)
    const old = { ifStamp: 1 }
    expect(() => executor.write(table, 'update', { id: 'a', n: 2 }, old)).toThrow(conflict(2))
    expect(() =>
      executor.execute({ kind: 'patch', type: 'item', key: { id: 'a' }, fields: { n: 2 }, options: old }),
    ).toThrow(conflict(2))
    expect(() =>
      executor.execute({ kind: 'change', type: 'item', key: { id: 'a' }, mutations: { add: { n: 1 } }, options: old }),
    ).toThrow(conflict(2))
    expect(() => executor.remove(table, { id: 'a' }, old)).toThrow(conflict(2))
    expect(() => executor.remove(table, { id: 'gone' }, old)).toThrow(conflict(null))
    expect(hashState(machine)).toBe(before)
  })

  test('[SP2] [ID2] an entry that was removed and inserted anew is not mistaken for the old one', () => {
    const stamp = stampOf(executor.get(table, { id: 'a' })!)!
    executor.remove(table, { id: 'a' }, {})
    executor.insert(table, { id: 'a', n: 1 }, {})
    expect(table.find({ id: 'a' })?.version).toBe(1)
    expect(() => executor.remove(table, { id: 'a' }, { ifStamp: stamp })).toThrow(conflict(4))
  })

  test('[SP1] a patch keeps what is absent and writes what is null; with previous it returns the entry before', () => {
    const patch = (fields: StoredValue): unknown =>
      executor.execute({ kind: 'patch', type: 'item', key: { id: 'a' }, fields, options: { returning: 'previous' } })
    expect(patch({ note: 'x', n: undefined })).toEqual({ id: 'a', version: 2, stamp: 3, previous: { id: 'a', n: 1 } })
    expect(patch({ note: null })).toMatchObject({ previous: { id: 'a', n: 1, note: 'x' } })
    expect(executor.get(table, { id: 'a' })).toEqual({ id: 'a', n: 1, note: null })
    expect(() => patch({ id: 'b' })).toThrow(expect.objectContaining({ code: 'ROUTE_IMMUTABLE' }))
  })
})
