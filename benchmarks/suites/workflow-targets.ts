import type { Row } from '../harness/suite.ts'
import { atLeast, type Target } from '../harness/targets.ts'

export const plenumName = 'plenum'
export const restateName = 'restate'
/** Steps of the workflows that are measured. */
export const stepCounts: readonly number[] = [1, 3, 9]
/** Instances at the same time where it is judged. */
export const judgedInFlight = 500

/** What a row says that it did. */
export function chainWork(steps: number): string {
  return `instances of ${steps} ${steps === 1 ? 'step' : 'steps'}`
}

/** Instances against Restate, for each number of steps. */
export function workflowTargets(rows: readonly Row[]): readonly Target[] {
  return stepCounts.map((steps) =>
    atLeast(
      `against Restate, ${chainWork(steps)}, disk, ${judgedInFlight} at the same time`,
      find(rows, plenumName, steps) / find(rows, restateName, steps),
      20,
      'ratio',
    ),
  )
}

function find(rows: readonly Row[], subject: string, steps: number): number {
  const row = rows.find(
    (one) =>
      one.subject === subject && one.ack === 'disk' && one.inFlight === judgedInFlight && one.work === chainWork(steps),
  )
  if (row === undefined) throw new Error(`No row of ${subject} with ${steps} steps.`)
  return row.value
}
