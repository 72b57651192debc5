import { PlenumError } from '../kernel/index.ts'
import { fillMax } from './fill-marks.ts'

/** The answer of a member that does not reign, or no longer. */
export function notPrimary(): PlenumError {
  return new PlenumError(
    'NOT_PRIMARY',
    'This member is not the primary of the partition. Nothing happened; ask another member.',
  )
}

/** The answer to what was executed in a reign that ended before the ack. */
export function reignLost(reason: string): PlenumError {
  return new PlenumError(
    'UNKNOWN_OUTCOME',
    'The primary lost the partition before this was acked. Ask again with the same key, or look.',
    { details: { reason } },
  )
}

/** The answer where a queue of the partition is full; `limit` is its name. */
export function overloaded(limit: string, value: number): PlenumError {
  return new PlenumError(
    'OVERLOADED',
    `${value} requests wait at this partition, which is the limit ${limit}. Nothing happened; try again later.`,
    { details: { limit, value } },
  )
}

/** The answer to changes where the journal has no room for them (JR8). */
export function journalFull(): PlenumError {
  return new PlenumError(
    'JOURNAL_FULL',
    `The journal is more than ${fillMax * 100} % full and accepts no changes; nothing happened. Reads go on. Snapshots make room ` +
      'by themselves where they can, so try again in a moment; if that does not help, free space on the disk, or start with a larger bytesMax.',
    { details: { fillMax } },
  )
}

/** What ends a partition whose journal threw something that is no error of the platform. */
export function journalFailed(error: unknown): PlenumError {
  const why = error instanceof Error ? error.message : String(error)
  return new PlenumError('JOURNAL_FAILED', `The journal cannot be used any more: ${why}. Restart the process.`, {
    cause: error,
  })
}

/** The answer to a request that was in execution too often when its primary failed (PA9). */
export function poisonRequest(attempt: number): PlenumError {
  return new PlenumError(
    'POISON_REQUEST',
    `This request was in execution ${attempt} times when its primary failed, and is not run again. Look for what it does to the process that runs it.`,
    { details: { attempt } },
  )
}

/** The answer to a transaction that cannot commit as it is: it may be run again (TX1). */
export function transactionConflict(why: string): PlenumError {
  return new PlenumError('TRANSACTION_CONFLICT', `The transaction cannot commit, because ${why}. Nothing happened.`, {
    details: { why },
  })
}

/** The error for a token that belongs to another journal. */
export function otherJournal(): PlenumError {
  return new PlenumError(
    'QUERY_INVALID',
    'The token of this watch belongs to another journal: another folder, or another grid. Begin the watch anew, without it.',
    { details: { path: 'since' } },
  )
}

/** A follower's projection differs from the primary's, which the snapshot that was just named has. */
export function projectionDiverged(): PlenumError {
  return new PlenumError(
    'PROJECTION_DIVERGED',
    "A projection of this member came to another state than on the primary. It begins anew with the primary's snapshot.",
  )
}
