import { PlenumError } from '../../kernel/index.ts'
import { sameBytes } from '../record.ts'
import { dirtyEnd } from './evidence.ts'
import { groupSeed, logFormat, readSegmentHeader, segmentHeaderBytes } from './layout.ts'
import { corruptLog, unknownFormat } from './log-errors.ts'
import { listSegments, segmentPath, type Segment, type SegmentPlace } from './segments.ts'

/** The segment files of a log. */
export interface OpenedSegments {
  /** Those before the first damage, oldest first, open. */
  readonly segments: readonly Segment[]
  /** A last file without a header, which was never used. */
  readonly unfinished: string | undefined
  /** JOURNAL_CORRUPT for a gap, a damaged header, or no segment at all. */
  readonly damage: PlenumError | undefined
}

/**
 * Opens the segment files of a log, oldest first, and checks their headers. FOLDER_OF_ANOTHER_GRID for a file of another
 * log; FORMAT_UNKNOWN.
 */
export async function openSegments(place: SegmentPlace): Promise<OpenedSegments> {
  const numbers = await listSegments(place.disk, place.folder)
  const segments: Segment[] = []
  const damaged = (number: number, reason: string): OpenedSegments => {
    const file = segmentPath(place.folder, number)
    const damage = corruptLog({ file, offset: 0, reason, soundBefore: [], groupsBeyond: 0 })
    return { segments, unfinished: undefined, damage }
  }
  try {
    for (const [at, number] of numbers.entries()) {
      const expected = (numbers[0] ?? number) + at
      if (number !== expected) return damaged(expected, 'the segment file is missing')
      const segment = await openSegment(place, number)
      segments.push(segment)
      const found = await checkHeader(place, segment)
      if (found === 'sound') continue
      segments.pop()
      await segment.file.close()
      if (found !== 'none') return damaged(number, found)
      if (at === 0 || at !== numbers.length - 1) return damaged(number, "the segment's header is missing")
      return { segments, unfinished: segment.path, damage: undefined }
    }
  } catch (error) {
    for (const segment of segments) await segment.file.close()
    throw error
  }
  if (segments.length === 0) return damaged(1, 'the folder belongs to a grid, but its log is gone')
  return { segments, unfinished: undefined, damage: undefined }
}

async function openSegment(place: SegmentPlace, number: number): Promise<Segment> {
  const path = segmentPath(place.folder, number)
  const file = await place.disk.open(path)
  return { number, path, file, size: await file.size(), seed: groupSeed(place.grid, number) }
}

/** `none` for a file of zeros, whose making was interrupted; otherwise what is wrong with the header. */
async function checkHeader(place: SegmentPlace, segment: Segment): Promise<string> {
  const read = readSegmentHeader(await segment.file.read(0, segmentHeaderBytes))
  switch (read.kind) {
    case 'sound':
      if (!sameBytes(read.header.grid, place.grid)) {
        throw new PlenumError(
          'FOLDER_OF_ANOTHER_GRID',
          `The segment file ${segment.path} belongs to another grid than its folder. Put the files back where they were.`,
          { details: { file: segment.path } },
        )
      }
      if (read.header.number === segment.number && read.header.journals === place.journals) return 'sound'
      return `the header is that of segment ${read.header.number}`
    case 'other format':
      throw unknownFormat(segment.path, read.format, logFormat)
    case 'empty':
    case 'broken': {
      // A header is written last and synced before the first group, so one is missing only where no group is.
      const used = await dirtyEnd(segment, Math.min(segmentHeaderBytes, segment.size))
      return used <= segmentHeaderBytes ? 'none' : "the segment's header is broken"
    }
  }
}
