import type { Segment } from './segments.ts'

/** What an ack of the file engine means: written, or written and synced. */
export type FileLevel = 'os' | 'disk'

/** Where a log ends. */
export interface LogEnd {
  readonly segment: Segment
  /** Where in the segment the next group goes. */
  readonly offset: number
  /** The next group's number. */
  readonly sequence: number
  /** All groups up to this one are known to be synced. */
  readonly synced: number
  /** The highest number for which the log itself says so. */
  readonly stated: number
  /** The last group that holds records; 0 if there is none. */
  readonly lastRecords: number
  /** The next position of each journal. */
  readonly positions: readonly number[]
}
