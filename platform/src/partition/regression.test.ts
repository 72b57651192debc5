import { expect, test } from 'vitest'
import { Answers, get, PartitionBench, write } from './contract/partition-bench.ts'

async function bench(limits = {}) {
  const at = new PartitionBench({ shared: true, limits: { batchBytes: 1, ...limits } })
  const first = await at.primary(1)
  for (let n = 1; n <= 5; n++) await first.partition.submit(write(`i${n}`, n))
  return { at, first }
}

test('[JR5] [A9] a primary appends again, unchanged and in order, what the authority has lost, and then goes on', async () => {
  const { at, first } = await bench()
  const before = await at.stream.found()
  await at.stream.regress(3)
  const answers = new Answers()
  answers.watch('new', first.partition.submit(write('new', 6)))
  await at.runtime.advance(500)
  expect(answers.of('new')).toMatchObject({ value: { id: 'new' } })
  expect((await at.stream.found()).slice(0, before.length)).toEqual(before)
  expect(await at.stored('i5')).toEqual({ id: 'i5', n: 5 })
  expect(await at.stored('new')).toEqual({ id: 'new', n: 6 })
  expect(first.events).toContainEqual({ kind: 'regressed', from: before.length + 1, to: before.length - 2 })
})

test('[JR5] a follower gives back what the authority has lost before it opens', async () => {
  const { at, first } = await bench()
  const second = await at.follower(2)
  const before = await at.stream.found()
  first.partition.drop()
  await at.stream.regress(2)
  await at.runtime.advance(at.limits.leaseMs * 1.3)
  expect(second.partition.role.kind).toBe('primary')
  const after = await at.stream.found()
  expect(after.slice(0, before.length)).toEqual(before)
  expect((await at.stream.kinds()).slice(before.length)).toContain('OPEN')
  expect(await second.partition.submit(get('i5'))).toEqual({ id: 'i5', n: 5 })
})

test('[JR5] another record than the one that stood there before is JOURNAL_FORKED: the suffix is handed over, nothing appended', async () => {
  const { at, first } = await bench()
  await at.stream.fork(flipTime)
  const length = (await at.stream.found()).length
  at.stream.plan('refused')
  const answers = new Answers()
  answers.watch('new', first.partition.submit(write('new', 6)))
  await at.runtime.advance(500)
  expect(answers.of('new')).toEqual({ code: 'UNKNOWN_OUTCOME' })
  expect(first.partition.role).toMatchObject({ kind: 'failed', error: { code: 'JOURNAL_FORKED' } })
  const forked = first.events.find((event) => event.kind === 'forked')
  expect(forked?.suffix.length).toBeGreaterThan(0)
  expect((await at.stream.found()).length).toBe(length)
})

test('[JR5] a fork at the last record that is left after a loss is found before anything is appended', async () => {
  const { at, first } = await bench()
  await at.stream.regress(2)
  await at.stream.fork(flipTime)
  const found = await at.stream.found()
  first.partition.submit(write('new', 6)).catch(() => undefined)
  await at.runtime.advance(500)
  expect(first.partition.role).toMatchObject({ kind: 'failed', error: { code: 'JOURNAL_FORKED' } })
  expect(await at.stream.found()).toEqual(found)
})

test('[JR5] a follower that finds a fork does not open', async () => {
  const { at, first } = await bench()
  const second = await at.follower(2)
  first.partition.drop()
  await at.stream.fork(flipTime)
  const found = await at.stream.found()
  await at.runtime.advance(at.limits.leaseMs * 1.3)
  expect(second.partition.role).toMatchObject({ kind: 'failed', error: { code: 'JOURNAL_FORKED' } })
  expect(await at.stream.found()).toEqual(found)
})

test('[JR5] records that nobody here holds any more, for longer than an old leader may answer, are JOURNAL_CORRUPT', async () => {
  const { at, first } = await bench({ recentRecordsMax: 16, windowRecordsMax: 16 })
  for (let n = 0; n < 60; n++) await first.partition.submit(write(`j${n}`, n))
  await at.stream.regress(50)
  const found = await at.stream.found()
  first.partition.submit(write('new', 6)).catch(() => undefined)
  await at.runtime.advance(10_000)
  expect(first.partition.role.kind).toBe('primary')
  await at.runtime.advance(10_000)
  expect(first.partition.role).toMatchObject({ kind: 'failed', error: { code: 'JOURNAL_CORRUPT' } })
  expect(await at.stream.found()).toEqual(found)
})

/** Changes the partition time in the header, as another writer of the same place would have another one. */
function flipTime(bytes: Uint8Array): Uint8Array {
  bytes[64]! ^= 1
  return bytes
}
