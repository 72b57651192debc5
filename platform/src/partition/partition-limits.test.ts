import { expect, test, vi } from 'vitest'
import { recordKinds } from '../journal/record.ts'
import { turns } from './contract/manual-runtime.ts'
import { Answers, get, insert, numbered, PartitionBench, register, write } from './contract/partition-bench.ts'

const keyed = (key: string) => ({ identity: { kind: 'keyed', key } as const })

test('[JR8] at 90 % changes are refused once two snapshots made no room, and nothing happens; all else goes on', async () => {
  const bench = new PartitionBench({ shared: true })
  const { partition, events } = await bench.primary()
  const snapshots = (): number => events.filter(({ kind }) => kind === 'snapshot').length
  await partition.submit({ ...write('a', 1), ...keyed('k') })
  bench.stream.filled = 0.9
  await expect(partition.submit(write('b', 1))).rejects.toMatchObject({ code: 'JOURNAL_FULL' })
  expect(snapshots()).toBe(2)
  await expect(partition.submit(write('b', 1))).rejects.toMatchObject({ code: 'JOURNAL_FULL' })
  expect(snapshots()).toBe(2)
  expect(await partition.submit(get('b'))).toBeUndefined()
  expect(await partition.submit({ ...get('a'), read: 'confirmed' })).toEqual({ id: 'a', n: 1 })
  expect(await partition.submit({ ...write('a', 1), ...keyed('k') })).toMatchObject({ id: 'a' })
  await partition.snapshot()
  bench.stream.filled = 0.89
  await partition.submit(write('b', 1))
  bench.stream.filled = 0.9
  await partition.close()
  const sent = bench.stream.sent.map(({ bytes }) => recordKinds[bytes[5]!])
  expect(sent.filter((kind) => kind !== 'BATCH')).toEqual([
    'OPEN',
    'UPGRADE',
    'SNAPSHOT',
    'SNAPSHOT',
    'HEARTBEAT',
    'SNAPSHOT',
    'CLOSE',
  ])
})

test('[JR8] a change that comes while room is being made waits for it; a read does not', async () => {
  const bench = new PartitionBench({ shared: false })
  const { partition, events } = await bench.primary()
  const { promise, resolve } = Promise.withResolvers<void>()
  bench.stream.naming = promise
  bench.stream.filled = 0.9
  const answers = new Answers()
  answers.watch('write', partition.submit(write('a', 1)))
  answers.watch('read', partition.submit(get('a')))
  await turns()
  expect([answers.of('write'), answers.of('read')]).toEqual(['waits', { value: undefined }])
  bench.stream.filled = 0.4
  resolve()
  await vi.waitFor(() => expect(answers.of('write')).toMatchObject({ value: { id: 'a' } }))
  expect(events.filter(({ kind }) => kind === 'snapshot').length).toBe(1)
})

test('[JR8] [PA3] where a record finds no room, changes are refused, what is acked is read, and an end in order does not wait for it', async () => {
  const bench = new PartitionBench({ shared: false })
  const { partition } = await bench.primary()
  await partition.submit(write('a', 1))
  bench.stream.fate = 'full'
  const answers = new Answers()
  answers.watch('stuck', partition.submit(write('b', 1)))
  await bench.runtime.advance(500)
  expect(await partition.submit(get('a'))).toEqual({ id: 'a', n: 1 })
  expect(answers.of('stuck')).toBe('waits')
  bench.stream.filled = 0.95
  answers.watch('late', partition.submit(write('c', 1)))
  await bench.runtime.advance(500)
  expect(answers.of('late')).toEqual({ code: 'JOURNAL_FULL' })
  await partition.close()
  await turns()
  expect(answers.of('stuck')).toEqual({ code: 'UNKNOWN_OUTCOME' })
  bench.stream.fate = 'acked'
  bench.stream.filled = 0
  const { partition: again } = await bench.primary()
  expect(await again.submit(get('b'))).toBeUndefined()
})

test('[JR8] a full journal can change hands: OPEN is appended', async () => {
  const bench = new PartitionBench({ shared: true })
  const first = await bench.primary(1)
  await first.partition.submit(write('a', 1))
  first.partition.drop()
  bench.stream.filled = 0.95
  const second = await bench.follower(2)
  await bench.runtime.advance(bench.limits.leaseMs * 1.2)
  expect(await second.partition.submit(get('a'))).toEqual({ id: 'a', n: 1 })
})

test('[A8] more held replies than the limit are OVERLOADED, which may be tried again and did nothing', async () => {
  const bench = new PartitionBench({ shared: false, limits: { heldRepliesMax: 3 } })
  const { partition } = await bench.primary()
  bench.stream.fate = 'held'
  const answers = new Answers()
  for (const id of ['a', 'b', 'c']) answers.watch(id, partition.submit(insert(id, 1)))
  await expect(partition.submit(insert('d', 1))).rejects.toMatchObject({
    code: 'OVERLOADED',
    retry: 'same',
    details: { limit: 'heldRepliesMax', value: 3 },
  })
  while (answers.order.length < 3) {
    await turns(1)
    bench.stream.release()
  }
  bench.stream.fate = 'acked'
  expect(await partition.submit(insert('d', 1))).toMatchObject({ id: 'd', n: 1 })
})

test('[A8] more requests than the limit, while nothing is accepted, are OVERLOADED', async () => {
  const bench = new PartitionBench({ shared: true, limits: { inboxRequestsMax: 2 } })
  const { partition, journal } = await bench.primary()
  bench.stream.plan('dropped')
  journal.silent = true
  const answers = new Answers()
  answers.watch('first', partition.submit(write('a', 1)))
  await turns()
  answers.watch('second', partition.submit(write('a', 2)))
  answers.watch('third', partition.submit(get('a')))
  await expect(partition.submit(get('a'))).rejects.toMatchObject({
    code: 'OVERLOADED',
    details: { limit: 'inboxRequestsMax', value: 2 },
  })
  journal.silent = false
  await bench.runtime.advance(100)
  expect(answers.of('third')).toEqual({ value: { id: 'a', n: 2 } })
})

test('[A8] the window is bounded: what comes beyond it waits in the open batch', async () => {
  const limits = { batchBytes: 1, windowRecordsMax: 2 }
  const bench = new PartitionBench({ shared: false, limits })
  const { partition } = await bench.primary()
  bench.stream.fate = 'held'
  const answers = new Answers()
  const before = bench.stream.sent.length
  for (const id of ['a', 'b', 'c', 'd', 'e']) answers.watch(id, partition.submit(write(id, 1)))
  await turns()
  expect(bench.stream.sent.length - before).toBe(2)
  for (let i = 0; i < 4; i++) {
    bench.stream.release()
    await turns()
  }
  expect(answers.order).toEqual(['a', 'b', 'c', 'd', 'e'])
  expect(bench.stream.sent.length - before).toBe(3)
})

test('[A8] [SP12] a command over its limit of effects, a value over its limit and an answer over its limit undo all', async () => {
  const limits = { commandEffectsMax: 3, valueBytesMax: 200, answerBytesMax: 100 }
  const bench = new PartitionBench({ shared: false, limits })
  const { partition } = await bench.primary()
  await partition.submit(register('s'))
  const many = ['a', 'b', 'c', 'd'].map((id) => write(id, 1).command) as never
  const outcomes = await partition.submit({ command: { kind: 'batch', commands: many } })
  expect(outcomes).toMatchObject([
    { ok: true },
    { ok: true },
    { ok: true },
    { ok: false, error: { code: 'LIMIT_EXCEEDED' } },
  ])
  await expect(partition.submit(insert('x'.repeat(300), 1))).rejects.toMatchObject({ code: 'VALUE_TOO_LARGE' })
  const long = numbered(insert('y'.repeat(120), 1), 's', 1)
  const refused = partition.submit(long)
  await expect(refused).rejects.toMatchObject({ code: 'VALUE_TOO_LARGE', details: { limit: 100 } })
  expect(await partition.submit(get('y'.repeat(120)))).toBeUndefined()
  await expect(partition.submit(long)).rejects.toMatchObject({ code: 'VALUE_TOO_LARGE', details: { limit: 100 } })
  expect((await bench.fold()).hash()).toBe(partition.replica!.hash())
})

test('[A8] [TI2] more leases than a command may have effects end at once, in several commands', async () => {
  const bench = new PartitionBench({ shared: false, limits: { commandEffectsMax: 3, sessionLeaseMs: 1_000 } })
  const { partition } = await bench.primary()
  for (let s = 0; s < 10; s++) {
    await partition.submit(register(`s${s}`))
    await partition.submit(numbered(write('a', s), `s${s}`, 1))
  }
  bench.runtime.stall(1_001)
  expect(await partition.submit(get('a'))).toEqual({ id: 'a', n: 9 })
  const { machine } = partition.replica!
  expect([machine.table('plenum.session').size, machine.table('plenum.answer').size]).toEqual([0, 0])
  expect((await bench.fold()).hash()).toBe(partition.replica!.hash())
})
