import type { Measure } from './suite.ts'

/** A figure that was promised, beside the one that was measured. */
export interface Target {
  readonly text: string
  readonly bound: number
  readonly measured: number
  readonly measure: Measure
  readonly met: boolean
}

/** A floor: met if `measured` reaches `bound`. */
export function atLeast(text: string, measured: number, bound: number, measure: Measure): Target {
  return { text, bound, measured, measure, met: measured >= bound }
}

/** A ceiling: met if `measured` stays at or below `bound`. */
export function atMost(text: string, measured: number, bound: number, measure: Measure): Target {
  return { text, bound, measured, measure, met: measured <= bound }
}
