import { expect, test } from 'vitest'
import { turns } from './contract/manual-runtime.ts'
import { get, insert, numbered, PartitionBench, register, remove, write } from './contract/partition-bench.ts'

const exact = { batchBytes: 1, snapshotSliceMs: 1 }

/** A partition that holds sessions, kept answers, a source's state and entries, one of them changed and one removed. */
async function filled(limits = {}) {
  const bench = new PartitionBench({ shared: false, limits: { ...exact, ...limits } })
  const member = await bench.primary()
  const { partition } = member
  await partition.submit(register('s'))
  await partition.submit(numbered(write('a', 1), 's', 1))
  await partition.submit({ ...insert('b', 2), identity: { kind: 'keyed', key: 'k' } })
  await partition.submit({ command: { kind: 'source-loaded', source: 'trades', rows: 7 } })
  await partition.submit(write('c', 3))
  await partition.submit(remove('c'))
  for (let n = 0; n < 300; n++) await partition.submit(write(`i${n}`, n))
  return { bench, ...member }
}

/** The state after a new start, and what the start told. */
async function restarted(bench: PartitionBench) {
  const again = bench.member(1)
  await again.partition.startAlone()
  return again
}

test('[JR7] [A5] [A7] a snapshot is the state at its index, own tables included: it and the tail give what the fold from zero gives', async () => {
  const { bench, partition, events } = await filled()
  const before = partition.replica!.hash()
  const { promise, resolve } = Promise.withResolvers<void>()
  bench.stream.naming = promise
  const taken = partition.snapshot()
  for (let n = 0; n < 300; n += 3) {
    await partition.submit(n % 2 === 0 ? remove(`i${n}`) : write(`i${n}`, -n))
    await partition.submit(insert(`new${n}`, n))
  }
  resolve()
  await taken
  const snapshot = events.find((event) => event.kind === 'snapshot')!
  expect(snapshot.hash).toBe(before)
  expect(snapshot.rows).toBe(1 + 1 + 1 + 1 + 2 + 300)
  await partition.submit(numbered(write('after', 1), 's', 2))
  await partition.close()
  const again = await restarted(bench)
  expect(again.events.some((event) => event.kind === 'snapshot-ignored')).toBe(false)
  const replayed = again.events.find((event) => event.kind === 'recovery')
  expect(replayed?.records).toBeLessThan((await bench.stream.found()).length - 300)
  expect(again.partition.replica!.hash()).toBe((await bench.fold()).hash())
})

test('[A7] [SP12] kept answers are rows like any other: they outlive a start from snapshot and tail', async () => {
  const { bench, partition } = await filled()
  await partition.snapshot()
  await partition.close()
  const { partition: again } = await restarted(bench)
  expect(await again.submit(numbered(write('a', 99), 's', 1))).toMatchObject({ id: 'a', version: 1 })
  expect(await again.submit({ ...insert('b', 2), identity: { kind: 'keyed', key: 'k' } })).toMatchObject({ id: 'b' })
  expect(await again.submit({ command: { kind: 'source-state', source: 'trades' } })).toMatchObject({ rows: 7 })
  expect(await again.submit(get('a'))).toEqual({ id: 'a', n: 1 })
})

test('[JR7] a snapshot that no record names does not count', async () => {
  const { bench, partition } = await filled()
  await partition.snapshot()
  await partition.submit(write('late', 1))
  await partition.close()
  const found = await bench.stream.found()
  const named = (await bench.stream.records()).find(({ kind }) => kind === 'SNAPSHOT')!
  await bench.stream.regress(found.length - named.position + 1)
  const again = await restarted(bench)
  expect(again.events).toContainEqual(
    expect.objectContaining({ kind: 'snapshot-ignored', reason: 'no record names it' }),
  )
  expect(await again.partition.submit(get('a'))).toEqual({ id: 'a', n: 1 })
})

test('[JR7] [A9] a damaged snapshot is told and not used: an older one is, or the journal', async () => {
  const { bench, partition } = await filled()
  await partition.snapshot()
  await partition.submit(write('between', 1))
  await partition.snapshot()
  await partition.submit(write('late', 1))
  await partition.close()
  const [newest] = await bench.stream.snapshots.listSnapshots()
  for (const byte of [1, 600, 2_000, 3_000]) {
    const again = bench.member(1)
    again.journal.spoil = (chunk, name) => {
      if (name.index === newest?.index && chunk.length > 3_000) chunk[byte]! ^= 0x10
      return chunk
    }
    await again.partition.startAlone()
    expect(again.events).toContainEqual(expect.objectContaining({ kind: 'snapshot-ignored', index: newest?.index }))
    expect(await again.partition.submit(get('late'))).toEqual({ id: 'late', n: 1 })
    expect(await again.partition.submit(get('between'))).toEqual({ id: 'between', n: 1 })
    await again.partition.close()
  }
})

test('[JR7] a snapshot that cannot be read back as it was is not named', async () => {
  const { bench, partition, journal } = await filled()
  journal.spoil = (chunk) => chunk.fill(1, chunk.length - 2)
  await expect(partition.snapshot()).rejects.toMatchObject({ code: 'SNAPSHOT_CORRUPT' })
  expect(await bench.stream.kinds()).not.toContain('SNAPSHOT')
})

test('[JR7] a reign that ends before its snapshot is whole leaves none', async () => {
  let left = 0
  for (let moment = 0; moment < 12; moment++) {
    const { bench, partition } = await filled()
    // More than one slice.
    for (let n = 0; n < 400; n++) await partition.submit(write(`${'long'.repeat(300)}${n}`, n))
    const before = (await bench.fold()).hash()
    void partition.snapshot().catch(() => undefined)
    await turns(moment)
    partition.drop()
    await turns()
    const kept = await bench.stream.snapshots.listSnapshots()
    for (const { hash } of kept) expect(hash).toBe(before)
    left += kept.length
  }
  // In some of these moments the snapshot had been whole.
  expect(left).toBeGreaterThan(0)
  expect(left).toBeLessThan(12)
})

test('[JR7] the journal is trimmed below the older of the two newest named snapshots', async () => {
  const { bench, partition } = await filled()
  await partition.snapshot()
  expect(await bench.stream.tail()).toMatchObject({ first: 1 })
  await partition.submit(write('x', 1))
  await partition.snapshot()
  const [newest, older] = await bench.stream.snapshots.listSnapshots()
  const records = await bench.stream.records()
  expect(records[0]?.index).toBe(older!.index + 1)
  await partition.submit(write('x', 2))
  await partition.snapshot()
  const kept = await bench.stream.snapshots.listSnapshots()
  expect(kept[1]).toEqual(newest)
  expect(kept).toHaveLength(2)
  await partition.close()
  expect(await (await restarted(bench)).partition.submit(get('x'))).toEqual({ id: 'x', n: 2 })
})

test('[JR7] [A5] a follower that took the same walk compares its hash with the one that is named', async () => {
  const bench = new PartitionBench({ shared: true, limits: exact })
  const first = await bench.primary(1)
  const second = await bench.follower(2)
  for (let n = 0; n < 20; n++) await first.partition.submit(write(`i${n}`, n))
  const { machine } = second.partition.replica!
  await turns()
  await first.partition.snapshot()
  await turns()
  expect(second.partition.role.kind).toBe('following')
  expect(second.partition.replica!.hash()).toBe(first.partition.replica!.hash())
  machine.restoreCounters(machine.change + 1, machine.time)
  await first.partition.snapshot()
  await turns()
  expect(second.partition.role).toMatchObject({ kind: 'failed', error: { code: 'SNAPSHOT_CORRUPT' } })
})
