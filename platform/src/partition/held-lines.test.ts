import { expect, test } from 'vitest'
import { defaultLimits } from '../kernel/index.ts'
import { Metrics } from '../metrics/index.ts'
import type { Machine } from '../space/index.ts'
import { DataLogic, PartitionBench, write } from './contract/partition-bench.ts'
import { turns } from './contract/manual-runtime.ts'
import { HeldLines, type TellLine } from './held-lines.ts'
import type { Execution } from './logic.ts'

/** Logs one line for each command that it executes. */
class LoggingLogic extends DataLogic {
  readonly told: string[] = []
  #number = 0

  override bind(machine: Machine): Execution {
    const takeLines = (): readonly TellLine[] => {
      const number = (this.#number += 1)
      return [(epoch, index) => this.told.push(`line ${number} of ${epoch}/${index}`)]
    }
    return Object.assign(super.bind(machine), { takeLines })
  }
}

test('[DG5] a line is told when the record of its call is acked, in order, and once', async () => {
  const bench = new PartitionBench({ shared: false })
  const logic = new LoggingLogic('unit-1', bench.limits)
  const { partition } = await bench.primary(1, logic)
  bench.stream.fate = 'held'
  const answers = [partition.submit(write('a', 1)), partition.submit(write('b', 1))]
  await turns()
  answers.push(partition.submit(write('c', 1)))
  await turns()
  expect(logic.told).toEqual([])
  bench.stream.release(1)
  await turns()
  expect(logic.told).toEqual(['line 1 of 1/3', 'line 2 of 1/3'])
  bench.stream.release()
  await Promise.all(answers)
  expect(logic.told).toEqual(['line 1 of 1/3', 'line 2 of 1/3', 'line 3 of 1/4'])
})

test('[DG5] what a reign has not acked is told by nobody: its records may never have been', async () => {
  const bench = new PartitionBench({ shared: true })
  const logic = new LoggingLogic('unit-1', bench.limits)
  const first = await bench.primary(1, logic)
  const following = new LoggingLogic('unit-1', bench.limits)
  const second = await bench.follower(2, following)
  await first.partition.submit(write('a', 1))
  bench.stream.fate = 'dropped later'
  const lost = first.partition.submit(write('b', 1))
  const outcome = lost.catch((error: { readonly code: string }) => error.code)
  await turns()
  bench.stream.fate = 'acked'
  await bench.runtime.advance(10_000)
  expect(second.partition.role.kind).toBe('primary')
  bench.stream.release()
  await bench.runtime.advance(10_000)
  expect(await outcome).toBe('UNKNOWN_OUTCOME')
  expect(logic.told).toHaveLength(1)
  // What a backup follows, and recovers, is no call.
  expect(following.told).toEqual([])
  await second.partition.submit(write('c', 1))
  expect(following.told).toHaveLength(1)
})

test('[DG5] [A8] lines that have no room until their acks are left out and counted', () => {
  const dropped = new Metrics(defaultLimits).counter('linesDropped')
  let acked = 4
  const lines = new HeldLines({ epoch: () => 1, acked: () => acked, linesMax: 2, dropped })
  const told: number[] = []
  const line = (number: number): readonly TellLine[] => [() => void told.push(number)]
  lines.add(4, line(1))
  for (const number of [2, 3, 4, 5]) lines.add(number + 5, line(number))
  expect([told, dropped.value]).toEqual([[1], 2])
  acked = 7
  lines.onAcked(7)
  expect(told).toEqual([1, 2])
  lines.add(9, line(6))
  lines.onAcked(20)
  expect(told).toEqual([1, 2, 3, 6])
})
