import { expect, test } from 'vitest'
import { PlenumError } from '../kernel/index.ts'
import {
  Answers,
  DataLogic,
  get,
  insert,
  itemLayout,
  numbered,
  PartitionBench,
  register,
  write,
} from './contract/partition-bench.ts'
import { turns } from './contract/manual-runtime.ts'

const roles = (events: readonly { readonly kind: string }[]) =>
  events.flatMap((event) => ('role' in event ? [event.role] : []))

test('[PA1] a member recovers, follows, opens and reigns; only a primary answers', async () => {
  const bench = new PartitionBench({ shared: true })
  const early = bench.member(1)
  await expect(early.partition.submit(get('a'))).rejects.toMatchObject({ code: 'NOT_PRIMARY', retry: 'elsewhere' })
  const { partition, events } = await bench.primary()
  expect(roles(events)).toEqual(['recovering', 'following', 'opening', 'primary'])
  const second = await bench.follower(2)
  await expect(second.partition.submit(get('a'))).rejects.toMatchObject({ code: 'NOT_PRIMARY' })
  bench.stream.plan('held')
  const closed = partition.close()
  await expect(partition.submit(get('a'))).rejects.toMatchObject({ code: 'NOT_PRIMARY' })
  await turns()
  bench.stream.release()
  await closed
  await expect(partition.submit(get('a'))).rejects.toMatchObject({ code: 'CLOSED' })
  expect(roles(events).at(-1)).toBe('closed')
})

test('[PA1] after CLOSE the next member opens at once, and everything that was acked is there', async () => {
  const bench = new PartitionBench({ shared: true })
  const first = await bench.primary(1)
  const second = await bench.follower(2)
  await first.partition.submit(write('a', 1))
  await first.partition.close()
  await bench.runtime.advance(bench.limits.leaseMs / 8)
  expect(await second.partition.submit(get('a'))).toEqual({ id: 'a', n: 1 })
})

test('[PA2] [A4] two contenders send OPEN of one epoch: one is accepted, the other follows', async () => {
  const bench = new PartitionBench({ shared: true })
  const [one, other] = [bench.member(1), bench.member(2)]
  void one.partition.run()
  void other.partition.run()
  await turns(20)
  await bench.runtime.advance(bench.limits.leaseMs / 8)
  const kinds = [one, other].map(({ partition }) => partition.role.kind)
  expect(kinds.toSorted()).toEqual(['following', 'primary'])
  expect(bench.stream.sent.length).toBeGreaterThan(2)
  const opens = (await bench.stream.records()).filter(({ kind }) => kind === 'OPEN')
  expect(opens.map(({ epoch }) => epoch)).toEqual([1])
})

test('[PA2] a member that meets its own OPEN, whose outcome it did not know, adopts it', async () => {
  const bench = new PartitionBench({ shared: true })
  bench.stream.plan('lost ack')
  const { partition, events } = await bench.primary()
  await bench.runtime.advance(bench.limits.leaseMs / 8)
  expect(partition.role.kind).toBe('primary')
  expect(bench.runtime.probes).toContain('unknown OPEN adopted')
  expect((await bench.stream.kinds()).filter((kind) => kind === 'OPEN')).toHaveLength(1)
  expect(roles(events).at(-1)).toBe('primary')
  await partition.submit(write('a', 1))
})

test('[PA2] OPEN carries the next epoch and stands on the last record that was accepted', async () => {
  const bench = new PartitionBench({ shared: true })
  const first = await bench.primary(1)
  const second = await bench.follower(2)
  await first.partition.submit(write('a', 1))
  first.partition.drop()
  await bench.runtime.advance(bench.limits.leaseMs * 1.2)
  const records = await bench.stream.records()
  const open = records.findLast(({ kind }) => kind === 'OPEN')!
  expect([open.epoch, open.index, open.member]).toEqual([2, records[open.position - 2]!.index + 1, 2])
  expect([...open.previousHash]).toEqual([...bench.runtime.digest([records[open.position - 2]!.bytes])])
  expect(await second.partition.submit(get('a'))).toEqual({ id: 'a', n: 1 })
})

test('[TI1] a member whose clock is more than a second off does not open', async () => {
  const bench = new PartitionBench({ shared: true })
  bench.reference = () => bench.runtime.clock.wall() + 1_001
  const { partition, events } = await bench.primary()
  expect(partition.role.kind).toBe('following')
  expect(events).toContainEqual({ kind: 'clock-suspect', offMs: 1_001 })
  expect(bench.stream.sent).toEqual([])
  bench.reference = () => bench.runtime.clock.wall() + 999
  await bench.runtime.advance(bench.limits.leaseMs * 2)
  expect(partition.role.kind).toBe('primary')
})

test('[TI3] [TI2] renewable leases start anew in full at OPEN; absolute ones do not', async () => {
  const bench = new PartitionBench({ shared: true, limits: { sessionLeaseMs: 10_000, keyedAnswerMs: 10_000 } })
  const first = await bench.primary(1)
  const second = await bench.follower(2)
  await first.partition.submit(register('s'))
  await first.partition.submit({ ...insert('a', 1), identity: { kind: 'keyed', key: 'k' } })
  await bench.runtime.advance(7_000)
  first.partition.drop()
  await bench.runtime.advance(bench.limits.leaseMs * 1.2)
  await bench.runtime.advance(7_000)
  await second.partition.submit(numbered(write('b', 1), 's', 1))
  const again = second.partition.submit({ ...insert('a', 1), identity: { kind: 'keyed', key: 'k' } })
  await expect(again).rejects.toMatchObject({ code: 'ENTRY_EXISTS' })
})

test('[PA10] UPGRADE stands before anything of a new unit, names it and its layouts, and once', async () => {
  const bench = new PartitionBench({ shared: false })
  const first = await bench.primary(1)
  await first.partition.submit(write('a', 1))
  await first.partition.close()
  const wider = { ...itemLayout, fields: ['id', 'more', 'n'] }
  const second = await bench.primary(1, new DataLogic('unit-2', bench.limits, [wider]))
  await second.partition.submit({
    command: { kind: 'write', type: 'item', value: { id: 'b', n: 1, more: 2 }, options: {} },
  })
  expect(await bench.stream.kinds()).toEqual(['OPEN', 'UPGRADE', 'BATCH', 'CLOSE', 'OPEN', 'UPGRADE', 'BATCH'])
  const replica = await bench.fold()
  expect(replica.unit).toBe('unit-2')
  expect(replica.unitsBefore).toEqual(['unit-1'])
  expect(replica.layouts[0]?.fields).toEqual(['id', 'n', 'more'])
  expect(replica.machine.table('item').find({ id: 'a' })?.value).toEqual({ id: 'a', n: 1 })
  await second.partition.close()
  await bench.primary(1, new DataLogic('unit-2', bench.limits, [wider]))
  expect((await bench.stream.kinds()).at(-1)).toBe('OPEN')
})

test('[PA10] the code of a unit that was superseded does not open a shared journal again', async () => {
  const bench = new PartitionBench({ shared: true })
  const first = await bench.primary(1)
  await first.partition.close()
  const second = await bench.primary(2, new DataLogic('unit-2', bench.limits))
  await second.partition.close()
  const again = await bench.primary(3)
  await bench.runtime.advance(bench.limits.leaseMs * 2)
  expect(again.partition.role.kind).toBe('following')
  expect(again.events).toContainEqual({ kind: 'unit-superseded', unit: 'unit-1' })
  expect((await bench.stream.kinds()).at(-1)).toBe('CLOSE')
})

test('[PA9] a request that was in execution three times when its primary was lost is POISON_REQUEST and does not run', async () => {
  const bench = new PartitionBench({ shared: false })
  const { partition } = await bench.primary()
  await partition.submit(register('s'))
  await expect(partition.submit({ ...numbered(write('a', 1), 's', 1), attempt: 3 })).rejects.toMatchObject({
    code: 'POISON_REQUEST',
    details: { attempt: 3 },
  })
  expect(await partition.submit(get('a'))).toBeUndefined()
  await partition.submit({ ...numbered(write('a', 1), 's', 1), attempt: 2 })
  expect(await partition.submit({ ...numbered(write('a', 9), 's', 1), attempt: 3 })).toMatchObject({ version: 1 })
})

test('[SP13] an unclear outcome says that it may be asked again, and why the reign ended', async () => {
  const bench = new PartitionBench({ shared: false })
  const { partition } = await bench.primary()
  bench.stream.plan('failed')
  const error: unknown = await partition.submit(write('a', 1)).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(PlenumError)
  expect(error).toMatchObject({ code: 'UNKNOWN_OUTCOME', retry: 'same', details: { reason: 'failed' } })
  const answers = new Answers()
  answers.watch('next', partition.submit(get('a')))
  await turns()
  expect(answers.of('next')).toEqual({ code: 'JOURNAL_FAILED' })
})
