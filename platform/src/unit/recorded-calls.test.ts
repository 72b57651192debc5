import { expect, test } from 'vitest'
import { z } from 'zod'
import { ByteWriter } from '../codec/index.ts'
import { defaultLimits } from '../kernel/index.ts'
import { PartitionBench } from '../partition/contract/partition-bench.ts'
import { encodeCall, entry, Machine, readJournaled, type RecordedCall } from '../space/index.ts'
import { handler, resolveUnit, unit, unitDefinition, UnitLogic } from './index.ts'

const Item = entry('item', z.object({ id: z.string(), n: z.number() }), { id: 'id' })
const Of = z.object({ id: z.string() })
const items = unit(
  'items',
  { entries: [Item] },
  {
    handlers: {
      draw: handler({ input: Of, route: 'id' }, ({ id }, { partition, random, newId }) => {
        partition.write(Item, { id, n: random() })
        return [newId(), random()]
      }),
      look: handler({ input: Of, route: 'id' }, ({ id }, { partition }) => partition.get(Item, { id })),
      fail: handler({ input: Of, route: 'id' }, ({ id }, { partition, random }) => {
        partition.write(Item, { id, n: random() })
        throw new Error('on purpose')
      }),
    },
  },
)
const caller = { kind: 'unit', subject: 'test', claims: {} } as const

/** A primary of the unit that has answered some calls, and what its journal says. */
async function called(recordsCalls: boolean) {
  const bench = new PartitionBench({ shared: false, limits: { batchBytes: 1 } })
  const { runtime, limits } = bench
  let ids = 0
  const parts = resolveUnit(unitDefinition(items), { runtime, limits, checkAll: true })
  const logic = new UnitLogic({
    parts,
    limits,
    random: runtime.random,
    newId: () => `id-${++ids}`,
    partition: 0,
    partitionOf: () => 0,
    outside: () => undefined,
    runsWork: false,
    showFaults: false,
    recordsCalls,
    onFault: () => {},
  })
  const { partition } = await bench.primary(1, logic)
  const answers: unknown[] = []
  for (const name of ['draw', 'look', 'fail', 'look', 'draw', 'none'])
    answers.push(
      await partition
        .submit({ command: { kind: 'call', handler: name, input: { id: 'a' }, caller } })
        .catch((error: { readonly code: string }) => error.code),
    )
  const replica = await bench.fold()
  const calls: RecordedCall[] = []
  const again = new Machine(defaultLimits)
  for (const layout of replica.layouts) again.declare(layout)
  for (const found of await bench.stream.found()) {
    if (found.bytes[5] !== 1) continue
    for (const { call } of readJournaled(found.bytes.subarray(104), (number) => again.tables[number]!))
      if (call !== undefined) calls.push(call as RecordedCall)
  }
  return { answers, calls, live: partition.replica!.hash(), folded: replica.hash() }
}

test('[TT3] [A5] a call is kept with all that it depends on and its outcome, and the state is the same without', async () => {
  const [plain, recorded] = [await called(false), await called(true)]
  expect(plain.calls).toEqual([])
  expect(recorded.answers).toEqual(plain.answers)
  expect([recorded.live, recorded.folded, plain.folded]).toEqual([plain.live, plain.live, plain.live])
  expect(
    recorded.calls.map(({ handler: name, random, ids, outcome }) => [name, random.length, ids.length, outcome.ok]),
  ).toEqual([
    ['draw', 2, 1, true],
    ['look', 0, 0, true],
    ['fail', 1, 0, false],
    ['look', 0, 0, true],
    ['draw', 2, 1, true],
  ])
  const [first] = recorded.calls
  expect(first).toMatchObject({ input: { id: 'a' }, caller, outcome: { value: [first!.ids[0], first!.random[1]] } })
  expect(recorded.calls[2]!.outcome).toMatchObject({ error: { code: 'HANDLER_FAILED' } })
})

test('[TT3] a call that cannot be kept whole is kept by its name, and its answer is given all the same', () => {
  const call: RecordedCall = {
    handler: 'draw',
    input: 'x'.repeat(100),
    caller,
    now: 7,
    random: [],
    ids: [],
    outcome: { ok: false, error: { code: 'REFUSED', message: '', retry: 'never', details: { odd: () => 1 } } },
  }
  const readBack = (bytes: Uint8Array): unknown => {
    const writer = new ByteWriter(256)
    writer.byte(8)
    writer.varint(0)
    writer.varint(bytes.length)
    writer.raw(bytes)
    return readJournaled(writer.written(), () => expect.unreachable('no table is named'))[0]?.call
  }
  expect(readBack(encodeCall(new ByteWriter(16), call, 1_000))).toEqual({ handler: 'draw', now: 7, why: 'not plain' })
  const plain = { ...call, outcome: { ok: true, value: 1 } } as const
  expect(readBack(encodeCall(new ByteWriter(16), plain, 50))).toEqual({ handler: 'draw', now: 7, why: 'too large' })
  expect(readBack(encodeCall(new ByteWriter(16), plain, 1_000))).toEqual(plain)
})

test.each([0, 9, 255])(
  '[JR1] [TT3] an effect of the kind %i is one of another version, which is said, and not taken for damage',
  (kind) => {
    const machine = new Machine(defaultLimits)
    expect(() => machine.apply(Uint8Array.of(kind, 0), 1, 1)).toThrow(
      expect.objectContaining({ code: 'FORMAT_UNKNOWN', details: { found: kind, known: 8 } }),
    )
  },
)
