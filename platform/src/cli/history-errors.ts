// HISTORY_NOT_KEPT: why a point of the past cannot be opened, and which ones can.
import { PlenumError } from '../kernel/index.ts'
import type { Head } from '../journal/index.ts'
import { timeText } from './point.ts'

/** The error for an index that a partition does not keep. */
export function notThere(
  { partition, index }: { readonly partition: number; readonly index: number },
  { found }: { readonly found: { readonly start: Head; readonly end: Head } },
): PlenumError {
  const [oldest, newest] = [Math.max(1, found.start.index), found.end.index]
  const why = index > newest ? 'has no record' : 'no longer keeps the state'
  return new PlenumError(
    'HISTORY_NOT_KEPT',
    `Partition ${partition} ${why} at index ${index}. It can be opened from index ${oldest} to ${newest}, which is of ` +
      `${timeText(found.end.time)}.${oldest > 1 ? ` ${cutWhy}` : ''}`,
    { details: { partition, index, oldest, newest } },
  )
}

/** The error for a record of one partition at which another one has no state that is kept. */
export function othersNotThere(
  point: { readonly partition: number; readonly index: number },
  { found: { partition }, oldest }: { readonly found: { readonly partition: number }; readonly oldest: number },
  keptFrom: number | undefined,
): PlenumError {
  const range = keptFrom === undefined ? 'Name a later point.' : `All can be opened from ${timeText(keptFrom)} on.`
  return new PlenumError(
    'HISTORY_NOT_KEPT',
    `When partition ${point.partition} stood at index ${point.index}, partition ${partition} was before index ${oldest}, ` +
      `its oldest state that is kept. ${range} Partition ${point.partition} alone can be looked at with plenum inspect.`,
    { details: { partition: point.partition, index: point.index, other: partition, oldest } },
  )
}

/** What a folder keeps of the past. */
interface Kept {
  readonly keptFrom: number | undefined
  readonly newest: number
  readonly readers: readonly { readonly oldest: number }[]
}

/** The error for a time of which the folder does not tell. */
export function timeNotThere(time: number, { keptFrom: oldest, newest, readers }: Kept): PlenumError {
  const before = readers.some((reader) => reader.oldest > 1) ? cutWhy : 'Nothing was written before.'
  const range =
    oldest === undefined
      ? 'It holds no record.'
      : `All partitions can be opened from ${timeText(oldest)} on, and the last record is of ${timeText(newest)}.`
  const why = oldest === undefined ? '' : time < oldest ? ` ${before}` : ' What came later is not in it.'
  return new PlenumError(
    'HISTORY_NOT_KEPT',
    `The folder does not tell the state at ${timeText(time)}. ${range}${why}`,
    { details: { time, oldest, newest: Number.isFinite(newest) ? newest : undefined } },
  )
}

const cutWhy = 'What is older was cut, once two snapshots of a later state were there.'

/** The error where an application that runs has cut what was about to be read. */
export function cutMeanwhile(partition: number, index: number): PlenumError {
  return new PlenumError('HISTORY_NOT_KEPT', 'The application has cut its journal meanwhile. Ask once more.', {
    details: { partition, index, reason: 'meanwhile' },
  })
}
