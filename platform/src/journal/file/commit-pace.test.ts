import { expect, test } from 'vitest'
import { CommitPace } from './commit-pace.ts'
import { FaultyDisk } from './contract/faulty-disk.ts'
import { LogBench } from './contract/log-bench.ts'
import { NodeDisk } from '../../runtime/node/index.ts'

test('[FE5] small commits stay on the loop while the disk is fast, leave it after one slow one, and come back', () => {
  const pace = new CommitPace(0.5, 1_000, 0.1)
  expect(pace.isQuick(1_000)).toBe(true)
  expect(pace.isQuick(1_001)).toBe(false)
  pace.tookNow(0.2)
  expect(pace.isQuick(10)).toBe(true)
  pace.tookNow(8)
  expect(pace.isQuick(10)).toBe(false)
  // Through the pool one fast commit proves little, a slow one nothing: the loop may have been busy.
  for (const ms of [0.2, 3, 0.2, 3, 0.2]) pace.took(ms)
  expect(pace.isQuick(10)).toBe(false)
  pace.took(0.2)
  expect(pace.isQuick(10)).toBe(true)
})

test('[FE5] a slow disk never holds up the loop: its commits go through the pool', async () => {
  const disk = new FaultyDisk(new NodeDisk())
  let now = 0
  await using bench = await LogBench.make({ disk, clock: { monotonic: () => now, wall: () => now } })
  // Every sync takes 4 ms of the log's clock.
  disk.plan = ({ kind }) => {
    if (kind === 'sync') now += 4
    return undefined
  }
  const log = await bench.open()
  await bench.append(log, 20)
  expect(disk.syncsOnLoop).toBe(2)
  await log.close()
  disk.plan = () => undefined
  const fast = await bench.open()
  await bench.append(fast, 20)
  expect(disk.syncsOnLoop).toBe(2 + 2 + 20)
})
