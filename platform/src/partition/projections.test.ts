import { expect, test, vi } from 'vitest'
import { turns } from './contract/manual-runtime.ts'
import { DataLogic, itemLayout, PartitionBench, write, type Member } from './contract/partition-bench.ts'
import type { Layout } from '../space/index.ts'
import type { ProjectionRule } from './index.ts'

/** Sums the numbers of items, beginning with `from` the first time and with nothing afterwards. */
function sumFrom(from: number): ProjectionRule {
  let begins = 0
  return {
    name: 'sum',
    of: ['item'],
    create: () => ({ sum: begins++ === 0 ? from : 0 }),
    apply: (state, change) => {
      ;(state as { sum: number }).sum += Number(change.entry['n'])
    },
    save: (state) => ({ ...(state as { sum: number }) }),
    load: (saved) => ({ ...(saved as { sum: number }) }),
  }
}

test('[UN6] [A9] a follower whose projection differs says PROJECTION_DIVERGED by an event, and takes over the snapshot of the primary', async () => {
  const bench = new PartitionBench({ shared: true, limits: { batchBytes: 1, snapshotSliceMs: 1 } })
  const logicWith = (rule: ProjectionRule): DataLogic =>
    new DataLogic('unit-1', bench.limits, [itemLayout], [], undefined, [rule])
  const primary = await bench.primary(1, logicWith(sumFrom(0)))
  const follower = await bench.follower(2, logicWith(sumFrom(1_000)))
  for (let n = 1; n <= 5; n++) void primary.partition.submit(write(`i${n}`, n))
  await turns()
  const sumOf = (partition: typeof primary.partition): unknown => partition.replica?.projections.stateOf('sum')
  expect(sumOf(primary.partition)).toEqual({ sum: 15 })
  expect(sumOf(follower.partition)).toEqual({ sum: 1_015 })

  void primary.partition.snapshot()
  await turns()
  expect(follower.events).toContainEqual(expect.objectContaining({ kind: 'projection-diverged', projection: 'sum' }))
  // Between two tries it waits a moment.
  await bench.runtime.advance(200)
  await turns()
  expect(follower.partition.role.kind).toBe('following')
  void primary.partition.submit(write('i6', 6))
  await turns()
  expect(sumOf(follower.partition)).toEqual({ sum: 21 })
})

const sumLogic = (bench: PartitionBench, unit: string, ...rules: readonly ProjectionRule[]): DataLogic =>
  new DataLogic(unit, bench.limits, [itemLayout], [], undefined, rules)

const sumOf = ({ partition }: Member): unknown => partition.replica?.projections.stateOf('sum')

const divergedOf = ({ events }: Member): unknown[] => events.filter(({ kind }) => kind === 'projection-diverged')

/** Fills a partition with so many items of a kilobyte. */
async function fill({ partition }: Member, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const value = { id: `i${n}`, n, text: 'x'.repeat(1_000) }
    void partition.submit({ command: { kind: 'write', type: 'item', value, options: {} } })
  }
  await turns(20)
}

test('[JR7] [UN6] a follower compares a large state little by little while it follows, and finds what differs at its end', async () => {
  const bench = new PartitionBench({ shared: true, limits: { batchBytes: 1 << 16, snapshotSliceMs: 1 } })
  const layouts = [{ ...itemLayout, open: true }]
  const logicWith = (rule: ProjectionRule): DataLogic =>
    new DataLogic('unit-1', bench.limits, layouts, [], undefined, [rule])
  const primary = await bench.primary(1, logicWith(sumFrom(0)))
  const follower = await bench.follower(2, logicWith(sumFrom(1_000)))
  await fill(primary, 2_000)
  void primary.partition.snapshot()
  await turns(60)
  expect((await bench.stream.kinds()).at(-1)).toBe('SNAPSHOT')
  expect(divergedOf(follower)).toEqual([])
  // What changes meanwhile is none of what is compared.
  for (let n = 0; n < 8; n++) {
    void primary.partition.submit(write(`i${n}`, n))
    await turns()
  }
  expect(divergedOf(follower)).toMatchObject([{ projection: 'sum' }])
})

test('[UN6] a projection that fails on a follower alone differs there, and is taken over from the primary', async () => {
  const bench = new PartitionBench({ shared: true, limits: { batchBytes: 1 } })
  let isWell = false
  const moody: ProjectionRule = {
    ...sumFrom(0),
    apply: (state, change) => {
      if (change.entry['n'] === 3 && !isWell) throw new Error('no memory')
      sumFrom(0).apply(state, change, { emit: () => {}, send: () => {}, keep: () => {} })
    },
  }
  const primary = await bench.primary(1, sumLogic(bench, 'unit-1', sumFrom(0)))
  const follower = await bench.follower(2, sumLogic(bench, 'unit-1', moody))
  for (let n = 1; n <= 5; n++) void primary.partition.submit(write(`i${n}`, n))
  await turns()
  expect(() => sumOf(follower)).toThrow(/no memory/)
  isWell = true
  void primary.partition.snapshot()
  await turns()
  expect(divergedOf(follower)).toMatchObject([{ projection: 'sum' }])
  await bench.runtime.advance(200)
  await turns()
  expect(sumOf(follower)).toEqual({ sum: 15 })
})

test('[UN6] a member that began with a snapshot from before there was the projection holds the same as the others', async () => {
  const bench = new PartitionBench({ shared: true, limits: { batchBytes: 1 } })
  const before = await bench.primary(1, sumLogic(bench, 'unit-1'))
  await before.partition.submit(write('i1', 1))
  const follower = await bench.follower(2, sumLogic(bench, 'unit-2', sumFrom(0)))
  void before.partition.snapshot()
  await turns(20)
  const late = await bench.follower(3, sumLogic(bench, 'unit-2', sumFrom(0)))
  await before.partition.close()
  await bench.runtime.advance(20_000)
  const primary = [follower, late].find(({ partition }) => partition.role.kind === 'primary')!
  const other = primary === late ? follower : late
  await primary.partition.submit(write('i2', 2))
  void primary.partition.snapshot()
  await turns(20)
  await primary.partition.submit(write('i3', 3))
  await turns()
  expect(sumOf(other)).toEqual({ sum: 6 })
  expect([...divergedOf(follower), ...divergedOf(late)]).toEqual([])
  expect(primary.events.some(({ kind }) => kind === 'snapshot')).toBe(true)
})

test('[UN6] a token from beyond the end of a journal is of a later copy of it: what it had seen is gone', async () => {
  const bench = new PartitionBench({ shared: false })
  const { partition } = await bench.primary(1, sumLogic(bench, 'unit-1', sumFrom(0)))
  await partition.submit(write('i1', 1))
  const ask = (since: unknown): Promise<unknown> =>
    partition.submit({
      command: { kind: 'outputs', projection: 'sum', since: since as never, wait: { id: 'w', ms: 0 } },
    })
  const now = (await ask(undefined)) as { readonly place: { readonly index: number } }
  expect(await ask(now.place)).toMatchObject({ kind: 'outputs' })
  expect(await ask({ ...now.place, index: 1_000 })).toEqual({ kind: 'gone', place: now.place })
})

test('[JR7] a snapshot that could not be taken leaves nothing behind that changes are noted for', async () => {
  const bench = new PartitionBench({ shared: false, limits: { batchBytes: 1 } })
  let isWell = true
  const moody: ProjectionRule = {
    ...sumFrom(0),
    apply: () => {
      if (!isWell) throw new Error('no memory')
    },
  }
  const { partition } = await bench.primary(1, sumLogic(bench, 'unit-1', moody))
  await partition.submit(write('i1', 1))
  isWell = false
  const ended = vi.spyOn(partition.replica!.machine, 'endWalk')
  bench.stream.plan('held', 'held')
  void partition.submit(write('i2', 2))
  const taken = partition.snapshot().catch((error: unknown) => error)
  await turns()
  bench.stream.release()
  await turns()
  bench.stream.release()
  expect(await taken).toMatchObject({ code: 'PROJECTION_FAILED' })
  expect(ended).toHaveBeenCalled()
})

const wider: Layout = { ...itemLayout, fields: ['id', 'n', 'text'] }
const widest: Layout = { ...wider, fields: [...wider.fields, 'more'] }

/** A partition whose state takes several records to compare, a snapshot of it just named, and one who follows. */
async function comparing(
  code: (bench: PartitionBench) => { readonly primary: DataLogic; readonly follower: DataLogic },
) {
  const bench = new PartitionBench({ shared: true, limits: { batchBytes: 1 << 16, snapshotSliceMs: 1 } })
  const logic = code(bench)
  const primary = await bench.primary(1, logic.primary)
  const follower = await bench.follower(3, logic.follower)
  await fill(primary, 3_000)
  void primary.partition.snapshot()
  await turns(100)
  expect((await bench.stream.kinds()).at(-1)).toBe('SNAPSHOT')
  expect(follower.events.filter(({ kind }) => kind === 'projection-diverged')).toEqual([])
  return { bench, primary, follower }
}

const logicOf = (bench: PartitionBench, unit: string, layout: Layout, ...rules: readonly ProjectionRule[]): DataLogic =>
  new DataLogic(unit, bench.limits, [layout], [], undefined, rules)

test('[JR7] [PA10] what is compared was put under the layouts of before, also where an upgrade comes meanwhile', async () => {
  const { bench, primary, follower } = await comparing((on) => ({
    primary: logicOf(on, 'unit-1', wider),
    follower: logicOf(on, 'unit-1', wider),
  }))
  await primary.partition.close()
  const next = await bench.follower(2, logicOf(bench, 'unit-2', widest))
  await bench.runtime.advance(20_000)
  await turns(50)
  expect(next.partition.role.kind).toBe('primary')
  for (let n = 0; n < 20; n++) {
    void next.partition.submit(write(`j${n}`, n))
    await turns()
  }
  expect(follower.partition.role.kind).toBe('following')
})

test('[UN6] [JR7] code of another unit than the primary had is not compared with it, though an upgrade comes meanwhile', async () => {
  const { bench, primary, follower } = await comparing((on) => ({
    primary: logicOf(on, 'unit-1', wider, sumFrom(0)),
    follower: logicOf(on, 'unit-2', wider, sumFrom(7)),
  }))
  await primary.partition.close()
  const next = await bench.follower(2, logicOf(bench, 'unit-2', wider, sumFrom(7)))
  await bench.runtime.advance(20_000)
  await turns(50)
  const reigns = [next, follower].find(({ partition }) => partition.role.kind === 'primary')!
  for (let n = 0; n < 20; n++) {
    void reigns.partition.submit(write(`j${n}`, n))
    await turns()
  }
  expect([next, follower].flatMap(divergedOf)).toEqual([])
})

test('[UN6] a follower that differs does not take over with what it has, whether that was found by then or not', async () => {
  for (const records of [0, 20]) {
    const { bench, primary, follower } = await comparing((on) => ({
      primary: logicOf(on, 'unit-1', wider, sumFrom(0)),
      follower: logicOf(on, 'unit-1', wider, sumFrom(1_000_000)),
    }))
    for (let n = 0; n < records; n++) {
      void primary.partition.submit(write(`j${n}`, 0))
      await turns()
    }
    const right = sumOf(primary)
    if (records > 0) {
      await bench.runtime.advance(200)
      await turns(50)
      expect(sumOf(follower)).toEqual(right)
    }
    await primary.partition.close()
    await bench.runtime.advance(20_000)
    await turns(50)
    expect(divergedOf(follower)).toMatchObject([{ projection: 'sum' }])
    expect(follower.partition.role.kind).toBe('primary')
    expect(sumOf(follower)).toEqual(right)
  }
})
