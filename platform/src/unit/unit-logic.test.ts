import { expect, test } from 'vitest'
import { z } from 'zod'
import { ByteWriter } from '../codec/index.ts'
import { defaultLimits } from '../kernel/index.ts'
import { ManualRuntime } from '../partition/contract/manual-runtime.ts'
import { entry, hashState, Machine } from '../space/index.ts'
import { handler, resolveUnit, task, unit, unitDefinition, UnitLogic, type Unit } from './index.ts'

const Item = entry('item', z.object({ id: z.string(), n: z.number() }), { id: 'id' })
const OfItem = z.object({ id: z.string() })
const caller = { kind: 'unit', subject: 'test', claims: {} } as const

const stacks: string[] = []
const items = unit(
  'items',
  { entries: [Item] },
  {
    handlers: {
      create: handler({ input: OfItem, route: 'id' }, ({ id }, context) => {
        stacks.push(new Error('where').stack ?? '')
        const n = context.random() + context.now
        context.partition.write(Item, { id, n })
        return { n, key: context.newId(), who: context.caller.subject }
      }),
      fail: handler({ input: OfItem, route: 'id' }, ({ id }, { partition }) => {
        partition.write(Item, { id, n: 1 })
        throw new Error('after a write')
      }),
    },
    tasks: {
      look: task(
        { input: z.object({}) },
        () => {
          stacks.push(new Error('where').stack ?? '')
          return 1
        },
        (a, b) => a + b,
      ),
    },
  },
)

/** The unit's logic on a machine, with a world that gives the same each time. */
function bound(declared: Unit = items, showFaults = false) {
  const runtime = new ManualRuntime()
  const parts = resolveUnit(unitDefinition(declared), { runtime, limits: defaultLimits, checkAll: true })
  const faults: unknown[] = []
  let ids = 0
  const logic = new UnitLogic({
    parts,
    limits: defaultLimits,
    random: runtime.random,
    newId: () => `id-${++ids}`,
    partition: 0,
    partitionOf: () => 0,
    outside: () => undefined,
    runsWork: true,
    showFaults,
    onFault: (_, error) => void faults.push(error),
  })
  const machine = new Machine(defaultLimits)
  for (const layout of logic.layouts) machine.declare(layout)
  const execution = logic.bind(machine)
  const writer = new ByteWriter()
  const run = (command: Parameters<typeof execution.execute>[0]): unknown => {
    machine.begin(writer, 1, 1_000)
    try {
      const value = execution.execute(command)
      machine.commit()
      return value
    } catch (error) {
      machine.rollback()
      throw error
    }
  }
  const call = (name: string, input: unknown): unknown => run({ kind: 'call', handler: name, input, caller })
  return { machine, call, run, faults, writer }
}

test('[UN1] a part that the unit does not have is HANDLER_UNKNOWN, and says what there is', () => {
  const { call, run } = bound()
  expect(() => call('missing', { id: 'a' })).toThrow(
    expect.objectContaining({
      code: 'HANDLER_UNKNOWN',
      details: { kind: 'handler', name: 'missing', known: ['create', 'fail'] },
    }),
  )
  expect(() => run({ kind: 'task', task: 'missing', input: {}, caller })).toThrow(
    expect.objectContaining({ code: 'HANDLER_UNKNOWN', details: { kind: 'task', name: 'missing', known: ['look'] } }),
  )
})

test('[A2] a command is synchronous, and the same on any machine that is given the same time, chance and ids', () => {
  const [one, other] = [bound(), bound()]
  for (const id of ['a', 'b', 'a']) {
    const value = one.call('create', { id })
    expect(value).toEqual({ n: 1_000, key: expect.stringMatching(/^id-/), who: 'test' })
    expect(other.call('create', { id })).toEqual(value)
  }
  expect(hashState(one.machine)).toBe(hashState(other.machine))
  expect(one.writer.written()).toEqual(other.writer.written())
})

test('[UN2] what a handler did before it threw never happened, and its fault is told aside', () => {
  const { machine, call, faults, writer } = bound()
  const before = hashState(machine)
  expect(() => call('fail', { id: 'a' })).toThrow(expect.objectContaining({ code: 'HANDLER_FAILED' }))
  expect(hashState(machine)).toBe(before)
  expect(writer.at).toBe(0)
  expect(faults).toMatchObject([{ message: 'after a write' }])
})

test('[A6] the unit’s functions are called by unit/ alone: no frame of space/ or journal/ stands above them', () => {
  const { call, run } = bound()
  stacks.length = 0
  call('create', { id: 'a' })
  run({ kind: 'task', task: 'look', input: {}, caller })
  expect(stacks).toHaveLength(2)
  for (const stack of stacks) {
    expect(stack).toContain('/unit/unit-logic.ts')
    expect(stack).not.toMatch(/\/src\/(space|journal)\//)
  }
})

test.each([
  [true, 'task', 'The task break threw: no figures.'],
  [false, 'task', 'The task break failed; the fault event says why.'],
  [true, 'call', 'The handler break threw: no figures. Nothing happened.'],
  [false, 'call', 'The handler break failed; the fault event says why. Nothing happened.'],
] as const)('[UN2b] with faults shown: %s, a %s that throws says once what that means', (showFaults, kind, message) => {
  const fail = (): never => {
    throw new Error('no figures.')
  }
  const breaking = unit(
    'breaking',
    { entries: [Item] },
    {
      handlers: { break: handler({ input: OfItem, route: 'id' }, fail) },
      tasks: { break: task({ input: OfItem }, fail, (a) => a) },
    },
  )
  const { run } = bound(breaking, showFaults)
  const input = { id: 'a' }
  const command = kind === 'task' ? { kind, task: 'break', input, caller } : { kind, handler: 'break', input, caller }
  expect(() => run(command)).toThrow(expect.objectContaining({ message }))
})
