import { PlenumError } from '../../kernel/index.ts'
import type { Found, Position } from '../journal.ts'

/** Records in one answer of a leader. */
export const pageRecordsMax = 64

/** One answer of a leader to a reader: the ends as it knows them, and some records. */
export interface StreamPage {
  readonly first: Position
  readonly next: Position
  readonly fill: number
  readonly records: readonly Found[]
}

/** The error for a reader that asks for records that were cut off. */
export function trimmed(position: Position, first: Position): PlenumError {
  return new PlenumError(
    'JOURNAL_CORRUPT',
    `The record at position ${position} is no longer kept; the oldest one is at position ${first}. Begin from a newer snapshot.`,
    { details: { position, first, reason: 'trimmed' } },
  )
}
