import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ByteWriter } from '../codec/index.ts'
import { defaultLimits } from '../kernel/index.ts'
import { ExpiryQueue } from './expiry-queue.ts'
import { hashState } from './hash-state.ts'
import type { Layout } from './layout.ts'
import { Machine } from './machine.ts'
import { Row } from './row.ts'
import { stampOf, stampValue } from './stamp.ts'
import { Table } from './table.ts'

const layout: Layout = { name: 'item', fields: ['id'], open: false, id: ['id'], route: ['id'] }

function newMachine() {
  const machine = new Machine(defaultLimits)
  const table = machine.declare(layout)
  const writer = new ByteWriter()
  const at = (now: number, run: () => void): void => {
    machine.begin(writer, 1, now)
    run()
    machine.commit()
  }
  return { machine, table, writer, at }
}

describe('leases', () => {
  test('[SP8] rows come up in the order of their ends, renewed and removed ones not at their old one', () => {
    const step = fc.record({ id: fc.integer({ min: 0, max: 8 }), ends: fc.option(fc.integer({ min: 1, max: 50 })) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const table = new Table(0, layout)
        const queue = new ExpiryQueue()
        let stamp = 0
        for (const { id, ends } of steps) {
          const row = table.find({ id })
          if (ends === null) {
            if (row !== undefined) table.delete(row)
            continue
          }
          const kept = row ?? new Row({ id }, 1, 0, 0, 0, 0)
          kept.stamp = ++stamp
          kept.lease = { expiresAt: ends, leaseMs: 0 }
          if (row === undefined) table.add(kept)
          queue.add(table, kept)
        }
        const expected = [...table.rows()].map(({ lease }) => lease!.expiresAt).toSorted((a, b) => a - b)
        const found: number[] = []
        for (let time = 0; time <= 50; time++) {
          for (let next = queue.takeExpired(time); next !== undefined; next = queue.takeExpired(time)) {
            expect(next.row.lease!.expiresAt).toBe(time)
            found.push(time)
            next.table.delete(next.row)
          }
        }
        expect(found).toEqual(expected)
      }),
    )
  })

  test('[SP8] [TI2] an entry lives until its lease is over, its removal is an effect, and a replay gives the same', () => {
    const { machine, table, writer, at } = newMachine()
    at(1_000, () => machine.put(table, undefined, { id: 'a' }, { leaseMs: 50 }))
    at(1_000, () => machine.put(table, undefined, { id: 'b' }))
    expect(machine.nextExpiry).toBe(1_050)
    at(1_049, () => expect(machine.expire()).toBe(0))
    expect(table.find({ id: 'a' })).toBeDefined()
    at(1_050, () => expect(machine.expire()).toBe(1))
    expect(table.find({ id: 'a' })).toBeUndefined()
    const replayed = newMachine()
    const reasons: string[] = []
    replayed.machine.apply(writer.written(), 1, machine.time, (effect) => {
      if (effect.kind === 'remove') reasons.push(effect.reason)
    })
    expect(reasons).toEqual(['expired'])
    expect(hashState(replayed.machine)).toBe(hashState(machine))
  })

  test('[SP1] [SP8] a write without a lease keeps the one that the entry has, one with a lease starts it anew', () => {
    const { machine, table, at } = newMachine()
    at(1_000, () => machine.put(table, undefined, { id: 'a' }, { leaseMs: 50 }))
    at(1_020, () => machine.put(table, table.find({ id: 'a' }), { id: 'a' }))
    expect(table.find({ id: 'a' })?.lease).toEqual({ leaseMs: 50, expiresAt: 1_050 })
    at(1_030, () => machine.put(table, table.find({ id: 'a' }), { id: 'a' }, { leaseMs: 50 }))
    expect(table.find({ id: 'a' })?.lease).toEqual({ leaseMs: 50, expiresAt: 1_080 })
  })

  test('[TI3] at OPEN renewable leases start anew in full from partition time, absolute ones do not', () => {
    const { machine, table, at } = newMachine()
    at(1_000, () => {
      machine.put(table, undefined, { id: 'renewable' }, { leaseMs: 50 })
      machine.put(table, undefined, { id: 'absolute' }, { expiresAt: 1_060 })
    })
    machine.advance(1_040)
    machine.renewLeases()
    at(1_060, () => machine.expire())
    expect([...table.rows()].map(({ value }) => value['id'])).toEqual(['renewable'])
    at(1_090, () => machine.expire())
    expect(table.size).toBe(0)
  })
})

describe('stamps', () => {
  test('[ID2] a stamp rides on the value itself: no key, no JSON, no copy has it', () => {
    const value = { a: 1 }
    expect(stampOf(value)).toBeUndefined()
    stampValue(value, 7)
    Object.freeze(value)
    expect(stampOf(value)).toBe(7)
    expect(Reflect.ownKeys(value)).toEqual(['a'])
    expect(JSON.stringify(value)).toBe('{"a":1}')
    expect(stampOf({ ...value })).toBeUndefined()
    expect(stampOf(structuredClone(value))).toBeUndefined()
    expect(value).toEqual({ a: 1 })
  })

  test('[ID2] every put and every removal takes the next change number, in order', () => {
    const { machine, table, at } = newMachine()
    at(1, () => {
      machine.put(table, undefined, { id: 'a' })
      machine.put(table, undefined, { id: 'b' })
      machine.remove(table, table.find({ id: 'a' })!, 'removed')
      machine.put(table, table.find({ id: 'b' }), { id: 'b' })
    })
    expect(machine.change).toBe(4)
    expect(table.find({ id: 'b' })).toMatchObject({ stamp: 4, version: 2 })
  })
})

test('[A8] [SP8] rows that are gone, and leases that were renewed, are not kept until they would have ended', () => {
  const table = new Table(9, layout)
  const queue = new ExpiryQueue()
  const stays = new Row({ id: 'stays' }, 1, 1, 1, 1, 0)
  table.add(stays)
  for (let n = 0; n < 20_000; n++) {
    stays.lease = { leaseMs: 1_000, expiresAt: 1_000_000 + n }
    queue.add(table, stays)
    const goes = new Row({ id: `goes ${n}` }, 1, 1, 1, 1, 0)
    goes.lease = { leaseMs: 1_000, expiresAt: 2_000_000 }
    table.add(goes)
    queue.add(table, goes)
    table.delete(goes)
  }
  expect(queue.size).toBeLessThan(2_000)
  expect(queue.takeExpired(1_019_998)).toBeUndefined()
  expect(queue.takeExpired(1_019_999)?.row).toBe(stays)
})
