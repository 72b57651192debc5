import { expect, test } from 'vitest'
import { Answers, get, PartitionBench, write } from './contract/partition-bench.ts'
import { turns } from './contract/manual-runtime.ts'

const shared = { shared: true }

test('[PA4] under a valid lease a read is answered at once; when it is over, only with an ack that came later', async () => {
  const bench = new PartitionBench(shared)
  const { partition } = await bench.primary()
  await partition.submit(write('a', 1))
  const answers = new Answers()
  bench.stream.fate = 'held'
  bench.runtime.stall(bench.limits.leaseMs - 1)
  answers.watch('under the lease', partition.submit(get('a')))
  await turns()
  expect(answers.of('under the lease')).toEqual({ value: { id: 'a', n: 1 } })
  bench.runtime.stall(1)
  answers.watch('after it', partition.submit(get('a')))
  await turns()
  expect(answers.of('after it')).toBe('waits')
  expect((await bench.stream.kinds()).at(-1)).toBe('HEARTBEAT')
  bench.stream.release()
  await turns()
  expect(answers.of('after it')).toEqual({ value: { id: 'a', n: 1 } })
})

test('[PA4] the ack of a record that was sent before the read proves nothing once the lease is over', async () => {
  const bench = new PartitionBench(shared)
  const first = await bench.primary(1)
  const second = await bench.follower(2)
  bench.stream.plan('held')
  const answers = new Answers()
  answers.watch('write', first.partition.submit(write('a', 1)))
  await turns()
  await bench.runtime.advance(bench.limits.leaseMs * 1.2)
  expect(second.partition.role.kind).toBe('primary')
  await second.partition.submit(write('a', 2))
  answers.watch('stale read', first.partition.submit(get('a')))
  bench.stream.release()
  await turns()
  expect(answers.of('write')).toMatchObject({ value: { id: 'a' } })
  await bench.runtime.advance(100)
  expect(answers.of('stale read')).toEqual({ code: 'UNKNOWN_OUTCOME' })
})

test.each([false, true])('[PA4] a confirmed read waits for an ack under any lease (shared: %s)', async (isShared) => {
  const bench = new PartitionBench({ shared: isShared })
  const { partition } = await bench.primary()
  await partition.submit(write('a', 1))
  bench.stream.fate = 'held'
  const answers = new Answers()
  answers.watch('leased', partition.submit({ ...get('a'), read: 'leased' }))
  answers.watch('confirmed', partition.submit({ ...get('a'), read: 'confirmed' }))
  await turns()
  expect(answers.order).toEqual(['leased'])
  bench.stream.release()
  await turns()
  expect(answers.order).toEqual(['leased', 'confirmed'])
})

test('[PA4] a follower opens when the lease and one per cent are over since it last heard, and not before', async () => {
  const bench = new PartitionBench(shared)
  const first = await bench.primary(1)
  const second = await bench.follower(2)
  first.partition.drop()
  const { leaseMs } = bench.limits
  await bench.runtime.advance(leaseMs * 1.009)
  expect(second.partition.role.kind).toBe('following')
  await bench.runtime.advance(leaseMs / 8)
  expect(second.partition.role.kind).toBe('primary')
})

test('[PA4] where wall and monotonic time disagree, the machine was suspended and the wait begins anew', async () => {
  const bench = new PartitionBench(shared)
  const first = await bench.primary(1)
  const second = await bench.follower(2)
  first.partition.drop()
  const { leaseMs } = bench.limits
  await bench.runtime.advance(leaseMs / 2)
  bench.runtime.setWall(101)
  await bench.runtime.advance(leaseMs)
  expect(second.partition.role.kind).toBe('following')
  expect(bench.runtime.probes).toContain('lease void after a suspension')
  await bench.runtime.advance(leaseMs)
  expect(second.partition.role.kind).toBe('primary')
})

test('[PA5] heartbeats keep the lease while the loop runs; a loop that is stalled loses it', async () => {
  const bench = new PartitionBench(shared)
  const first = await bench.primary(1)
  const second = await bench.follower(2)
  const { leaseMs } = bench.limits
  await bench.runtime.advance(leaseMs * 3)
  expect(first.partition.role.kind).toBe('primary')
  const beats = (await bench.stream.kinds()).filter((kind) => kind === 'HEARTBEAT').length
  expect(beats).toBeGreaterThanOrEqual(23)
  const read = get('a')
  expect(await first.partition.submit(read)).toBeUndefined()
  bench.runtime.stall(leaseMs)
  bench.stream.fate = 'held'
  const answers = new Answers()
  answers.watch('read', first.partition.submit(read))
  await turns()
  expect(answers.of('read')).toBe('waits')
  expect(second.partition.role.kind).toBe('following')
})

test.each([false, true])(
  '[TI2] a lease ends, and is journaled, where nobody asks for anything (shared: %s)',
  async (isShared) => {
    const bench = new PartitionBench({ shared: isShared })
    const { partition } = await bench.primary()
    const { command } = write('a', 1) as { readonly command: object }
    await partition.submit({ command: { ...command, options: { leaseMs: 5_000 } } as never })
    await bench.runtime.advance(4_900)
    expect(await bench.stored('a')).toBeDefined()
    await bench.runtime.advance(300)
    expect(await bench.stored('a')).toBeUndefined()
  },
)
