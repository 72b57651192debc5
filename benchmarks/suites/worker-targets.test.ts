import { expect, test } from 'vitest'
import type { Row } from '../harness/suite.ts'
import { judgedConcurrency, rateWork, workerTargets } from './worker-targets.ts'

const row = (
  subject: string,
  ack: Row['ack'],
  measure: Row['measure'],
  value: number,
  inFlight = judgedConcurrency,
): Row => ({
  subject,
  work: measure === '1/s' ? rateWork('backlog', 'removed') : 'p50',
  ack,
  inFlight,
  value,
  measure,
  samples: [value],
})

/** Bound by bound, what was measured: all of it just enough. */
const enough: readonly Row[] = [
  row('plenum', 'memory', '1/s', 150_000),
  row('plenum', 'disk', '1/s', 50_000),
  row('bullmq', 'disk', '1/s', 5_000),
  row('plenum', 'memory', 'ms', 1.5),
  row('plenum', 'disk', 'ms', 1.5),
  // What is not judged.
  row('plenum', 'disk', '1/s', 1, 10),
  { ...row('bullmq', 'disk', '1/s', 90_000), work: rateWork('steady', 'removed') },
]

const missed = (rows: readonly Row[]): readonly string[] =>
  workerTargets(rows)
    .filter(({ met }) => !met)
    .map(({ text }) => text)

test('each target is judged by the backlog of 50 at the same time, and by the usual time of one', () => {
  expect(missed(enough)).toEqual([])
  const short = enough.map((one) => ({
    ...one,
    value: one.subject === 'plenum' && one.measure === '1/s' ? one.value - 1 : one.value + 0.1,
  }))
  expect(missed(short)).toEqual([
    'a backlog, memory, 50 at the same time',
    'against BullMQ, a backlog, disk, 50 at the same time',
    'p50 from added to done, memory',
    'p50 from added to done, disk',
  ])
})

test('a target whose rows are not there is an error, not a target that is met', () => {
  expect(() => workerTargets(enough.filter(({ subject }) => subject !== 'bullmq'))).toThrow('No row of bullmq')
})
