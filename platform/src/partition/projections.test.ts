import { expect, test } from 'vitest'
import { turns } from './contract/manual-runtime.ts'
import { DataLogic, itemLayout, PartitionBench, write } from './contract/partition-bench.ts'
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
