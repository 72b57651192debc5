import type { Row } from '../harness/suite.ts'
import { atLeast, atMost, type Target } from '../harness/targets.ts'
import type { JobEnd } from '../subjects/job-bench.ts'

export const plenumName = 'plenum'
export const bullmqName = 'bullmq'
/** Worked on at the same time where it is judged: the number that BullMQ is fastest with. */
export const judgedConcurrency = 50

/** All entries are there before, or others are added meanwhile. */
export type WorkLoad = 'backlog' | 'steady'

/** What a row of rates says that it did. */
export function rateWork(load: WorkLoad, end: JobEnd): string {
  return `${load === 'backlog' ? 'a backlog' : 'added meanwhile'}, ${end} when done`
}

/** Rates of a backlog whose entries are removed, and the usual time of one. */
export function workerTargets(rows: readonly Row[]): readonly Target[] {
  return [
    atLeast('a backlog, memory, 50 at the same time', rate(rows, plenumName, 'memory'), 150_000, '1/s'),
    atLeast(
      'against BullMQ, a backlog, disk, 50 at the same time',
      rate(rows, plenumName, 'disk') / rate(rows, bullmqName, 'disk'),
      10,
      'ratio',
    ),
    ...(['memory', 'disk'] as const).map((ack) =>
      atMost(`p50 from added to done, ${ack}`, find(rows, plenumName, ack, 'ms').value, 1.5, 'ms'),
    ),
  ]
}

function rate(rows: readonly Row[], subject: string, ack: Row['ack']): number {
  return find(rows, subject, ack, '1/s', rateWork('backlog', 'removed')).value
}

function find(rows: readonly Row[], subject: string, ack: Row['ack'], measure: Row['measure'], work?: string): Row {
  const row = rows.find(
    (one) =>
      one.subject === subject &&
      one.ack === ack &&
      one.measure === measure &&
      one.inFlight === judgedConcurrency &&
      (work ?? one.work) === one.work,
  )
  if (row === undefined) throw new Error(`No row of ${subject} at ${ack} in ${measure}.`)
  return row
}
