import { PlenumError } from '../../kernel/index.ts'

/** Where the log is damaged, and what stands before it. */
export interface Damage {
  readonly file: string
  /** Byte offset in the file of the first group that cannot be read. */
  readonly offset: number
  readonly reason: string
  /** The position after the last sound record of each journal, by its number. */
  readonly soundBefore: readonly number[]
  /** Sound groups found behind the damage. */
  readonly groupsBeyond: number
}

/** JOURNAL_CORRUPT with place, loss and what to do. The damage is one of the log, so it concerns all its journals. */
export function corruptLog(damage: Damage): PlenumError {
  const lost = damage.soundBefore.map((position, journal) => `partition ${journal} from position ${position}`)
  return new PlenumError(
    'JOURNAL_CORRUPT',
    `The journal is damaged in ${damage.file} at byte ${damage.offset}: ${damage.reason}. This was synced before, so it is ` +
      `no torn write. Everything before that byte is sound; what may be lost: ${lost.join(', ')}. Nothing was changed. ` +
      'Restore the folder from a backup, or read what is sound with `plenum inspect`.',
    { details: { ...damage } },
  )
}

/** FORMAT_UNKNOWN for a file that another version of Plenum wrote. */
export function unknownFormat(file: string, found: number, known: number): PlenumError {
  return new PlenumError(
    'FORMAT_UNKNOWN',
    `${file} has format ${found}; this version of Plenum reads format ${known}. Use the version that wrote it.`,
    { details: { file, found, known } },
  )
}
