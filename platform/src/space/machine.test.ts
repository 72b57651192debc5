import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ByteWriter } from '../codec/index.ts'
import { defaultLimits } from '../kernel/index.ts'
import { Executor } from './executor.ts'
import { hashState } from './hash-state.ts'
import type { Layout, StoredValue } from './layout.ts'
import { Machine } from './machine.ts'
import type { WriteCommand } from './requests.ts'
import { stampOf } from './stamp.ts'

const layout: Layout = { name: 'item', fields: ['id', 'group', 'n'], open: false, id: ['id'], route: ['group'] }

/** A machine with one entry type, the batch that its effects go to, and the executor over it. */
function newMachine(): { machine: Machine; writer: ByteWriter; executor: Executor } {
  const machine = new Machine(defaultLimits)
  machine.declare(layout)
  const admit = (value: StoredValue): StoredValue => {
    const copy: Record<string, unknown> = {}
    for (const field of layout.fields) if (value[field] !== undefined) copy[field] = value[field]
    return copy
  }
  const executor = new Executor(machine, defaultLimits, () => ({ admit, leaseMs: undefined }))
  return { machine, writer: new ByteWriter(), executor }
}

type Step =
  | { readonly kind: 'command'; readonly command: KeyedCommand; readonly fails: boolean }
  | { readonly kind: 'time'; readonly ms: number }

const key = fc.record({ id: fc.constantFrom('a', 'b', 'c'), group: fc.constantFrom('x', 'y') })
const options = fc.record({ leaseMs: fc.option(fc.integer({ min: 1, max: 50 }), { nil: undefined, freq: 3 }) })
const value = fc.record({ id: fc.constantFrom('a', 'b', 'c'), group: fc.constantFrom('x', 'y'), n: fc.integer() })
type KeyedCommand = Exclude<WriteCommand, { where: unknown } | { kind: 'renew' }>
const command: fc.Arbitrary<KeyedCommand> = fc.oneof(
  fc.record({ kind: fc.constantFrom('insert', 'write', 'update'), type: fc.constant('item'), value, options }),
  fc.record({
    kind: fc.constant('patch'),
    type: fc.constant('item'),
    key,
    fields: fc.record({ n: fc.integer() }),
    options,
  }),
  fc.record({ kind: fc.constant('remove'), type: fc.constant('item'), key, options: fc.constant({}) }),
)
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('command'), command, fails: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('time'), ms: fc.integer({ min: 1, max: 60 }) }) },
)

/** The naive twin: a plain map that knows nothing of stamps' bytes, undo or leases' heap. */
class Twin {
  entries = new Map<string, { value: StoredValue; version: number; expiresAt: number }>()

  run(one: KeyedCommand, now: number): boolean {
    const target = 'value' in one ? one.value : one.key
    const name = `${String(target['group'])}/${String(target['id'])}`
    const before = this.entries.get(name)
    const expiresAt = one.options.leaseMs === undefined ? (before?.expiresAt ?? Infinity) : now + one.options.leaseMs
    if (one.kind === 'remove') return this.entries.delete(name) || true
    if (one.kind === 'insert' && before !== undefined) return false
    if ((one.kind === 'update' || one.kind === 'patch') && before === undefined) return false
    const next = one.kind === 'patch' ? { ...before?.value, ...one.fields } : 'value' in one ? one.value : {}
    this.entries.set(name, { value: next, version: (before?.version ?? 0) + 1, expiresAt })
    return true
  }

  expire(now: number): void {
    for (const [name, { expiresAt }] of this.entries) if (expiresAt <= now) this.entries.delete(name)
  }
}

describe('machine', () => {
  test('[A1] [A5] [SP1] [SP8] [TI2] random commands: machine = naive twin = replay of the effects', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { machine, writer, executor } = newMachine()
        const twin = new Twin()
        let now = 1_000
        for (const one of steps) {
          if (one.kind === 'time') now += one.ms
          machine.begin(writer, 1, now)
          machine.expire()
          machine.commit()
          twin.expire(now)
          if (one.kind === 'time') continue
          const before = { hash: hashState(machine), at: writer.at }
          machine.begin(writer, 1, now)
          let happened = true
          try {
            executor.execute(one.command)
          } catch {
            happened = false
          }
          if (!happened || one.fails) {
            machine.rollback()
            expect({ hash: hashState(machine), at: writer.at }).toEqual(before)
            continue
          }
          machine.commit()
          expect(twin.run(one.command, now)).toBe(true)
        }
        const entries = [...machine.table('item').rows()].map(
          (row) =>
            [`${String(row.value['group'])}/${String(row.value['id'])}`, [{ ...row.value }, row.version]] as const,
        )
        const expected = [...twin.entries].map(([name, entry]) => [name, [{ ...entry.value }, entry.version]] as const)
        expect(Object.fromEntries(entries)).toEqual(Object.fromEntries(expected))
        const replayed = newMachine().machine
        replayed.apply(writer.written(), 1, machine.time)
        expect(hashState(replayed)).toBe(hashState(machine))
      }),
      { numRuns: 300 },
    )
  })

  test('[JR7] a walk shows the state at its start, whatever changes meanwhile', () => {
    fc.assert(
      fc.property(
        fc.array(command, { maxLength: 30 }),
        fc.array(command, { maxLength: 30 }),
        fc.integer({ min: 0, max: 4 }),
        (before, during, slice) => {
          const { machine, writer, executor } = newMachine()
          const run = (one: WriteCommand): void => {
            machine.begin(writer, 1, 1_000)
            try {
              executor.execute(one)
              machine.commit()
            } catch {
              machine.rollback()
            }
          }
          before.forEach(run)
          const expected = hashState(machine)
          const walk = machine.startWalk()
          for (const one of during) {
            let steps = 0
            walk.advance(() => steps++ >= slice)
            run(one)
          }
          while (walk.advance(() => false)) expect.unreachable()
          machine.endWalk()
          expect(walk.hash.toString()).toBe(expected)
        },
      ),
      { numRuns: 300 },
    )
  })

  test('[ID2] a stamp is the change number, survives no removal, and no spread', () => {
    const { machine, writer, executor } = newMachine()
    machine.begin(writer, 1, 1)
    const table = machine.table('item')
    const first = executor.insert(table, { id: 'a', group: 'x', n: 1 }, {})
    expect(stampOf(first)).toBe(1)
    expect(stampOf({ ...first })).toBeUndefined()
    executor.remove(table, { id: 'a', group: 'x' }, {})
    const again = executor.insert(table, { id: 'a', group: 'x', n: 1 }, {})
    expect(stampOf(again)).toBe(3)
    expect(table.find(again)?.version).toBe(1)
    expect(() => executor.write(table, 'write', again, { ifStamp: stampOf(first) })).toThrow(
      /STAMP|changed since stamp 1/,
    )
    machine.commit()
  })

  test('[ID1] entries with one id and two routes are two entries', () => {
    const { machine, writer, executor } = newMachine()
    machine.begin(writer, 1, 1)
    const table = machine.table('item')
    executor.insert(table, { id: 'a', group: 'x', n: 1 }, {})
    executor.insert(table, { id: 'a', group: 'y', n: 2 }, {})
    expect(executor.get(table, { id: 'a', group: 'x' })?.['n']).toBe(1)
    expect(executor.get(table, { id: 'a', group: 'y' })?.['n']).toBe(2)
    expect(executor.readAll(table, { id: 'a' }, {})).toHaveLength(2)
    expect(() => executor.get(table, { id: 'a' })).toThrow(/'group' is missing/)
    machine.commit()
  })
})
