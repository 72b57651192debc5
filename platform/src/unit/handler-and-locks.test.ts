import { expect, test } from 'vitest'
import { z } from 'zod'
import { defaultLimits } from '../kernel/index.ts'
import { Answers, PartitionBench } from '../partition/contract/partition-bench.ts'
import { turns } from '../partition/contract/manual-runtime.ts'
import { entry } from '../space/index.ts'
import { handler, resolveUnit, unit, unitDefinition, UnitLogic, type PartLine } from './index.ts'

const Item = entry('item', z.object({ id: z.string(), n: z.number() }), { id: 'id' })

test('[TX3] [UN2] [DG5] a handler that catches what a lock throws is run again; no fault, and its lines are told once', async () => {
  let runs = 0
  const items = unit(
    'items',
    { entries: [Item] },
    {
      handlers: {
        touch: handler({ input: z.object({ id: z.string() }), route: 'id' }, ({ id }, { partition, log }) => {
          runs += 1
          log.info('touching')
          try {
            partition.write(Item, { id, n: 5 })
          } catch (cause) {
            throw new Error('could not write', { cause })
          }
        }),
      },
    },
  )
  const at = new PartitionBench({ shared: false })
  const parts = resolveUnit(unitDefinition(items), { runtime: at.runtime, limits: defaultLimits, checkAll: true })
  const faults: unknown[] = []
  const lines: PartLine[] = []
  const logic = new UnitLogic({
    parts,
    limits: defaultLimits,
    random: at.runtime.random,
    newId: () => '',
    partition: 0,
    partitionOf: () => 0,
    outside: () => undefined,
    runsWork: true,
    showFaults: true,
    onFault: (_, error) => void faults.push(error),
    onLine: (line) => void lines.push(line),
  })
  const { partition } = await at.primary(1, logic)
  const answers = new Answers()
  await partition.submit({
    command: {
      kind: 'prepare',
      transaction: { id: 't', coordinator: 1, until: 1e15 },
      part: {
        seen: { entries: [], queries: [] },
        commands: [{ kind: 'write', type: 'item', value: { id: 'a', n: 1 }, options: {} }],
      },
    },
  })
  answers.watch(
    'call',
    partition.submit({
      command: {
        kind: 'call',
        handler: 'touch',
        input: { id: 'a' },
        caller: { kind: 'unit', subject: 't', claims: {} },
      },
    }),
  )
  await turns()
  expect([answers.of('call'), runs]).toEqual(['waits', 1])
  await partition.submit({ command: { kind: 'outcome', transaction: 't', committed: true } })
  await turns()
  expect([answers.of('call'), runs]).toEqual([{ value: undefined }, 2])
  expect(faults).toEqual([])
  expect(lines).toMatchObject([{ text: 'touching', part: 'handler touch' }])
  expect(lines[0]).not.toHaveProperty('undone')
})
