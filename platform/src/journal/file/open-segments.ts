import { PlenumError } from '../../kernel/index.ts'
import { sameBytes } from '../record.ts'
import { dirtyEnd } from './evidence.ts'
import { groupSeed, logFormat, readSegmentHeader, segmentHeaderBytes } from './layout.ts'
import { corruptLog, unknownFormat } from './log-errors.ts'
import { listSegments, segmentPath, type Segment, type SegmentPlace } from './segments.ts'

/**
 * Opens the segment files of a log, oldest first, and checks their headers. A last file without a header was never
 * used: it is closed and named in `unfinished`. JOURNAL_CORRUPT for a gap, a damaged header, or no segment at all;
 * FOLDER_OF_ANOTHER_GRID for a file of another log; FORMAT_UNKNOWN.
 */
export async function openSegments(
  place: SegmentPlace,
): Promise<{ readonly segments: readonly Segment[]; readonly unfinished: string | undefined }> {
  const numbers = await listSegments(place.disk, place.folder)
  const segments: Segment[] = []
  try {
    for (const [at, number] of numbers.entries()) {
      const expected = (numbers[0] ?? number) + at
      if (number !== expected) throw damaged(place, expected, 'the segment file is missing')
      const segment = await openSegment(place, number)
      if (await hasHeader(place, segment)) {
        segments.push(segment)
        continue
      }
      await segment.file.close()
      if (at === 0 || at !== numbers.length - 1) throw damaged(place, number, "the segment's header is missing")
      return { segments, unfinished: segment.path }
    }
  } catch (error) {
    for (const segment of segments) await segment.file.close()
    throw error
  }
  if (segments.length === 0) throw damaged(place, 1, 'the folder belongs to a grid, but its log is gone')
  return { segments, unfinished: undefined }
}

async function openSegment(place: SegmentPlace, number: number): Promise<Segment> {
  const path = segmentPath(place.folder, number)
  const file = await place.disk.open(path)
  return { number, path, file, size: await file.size(), seed: groupSeed(place.grid, number) }
}

/** False for a file of zeros, whose making was interrupted. */
async function hasHeader(place: SegmentPlace, segment: Segment): Promise<boolean> {
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
      if (read.header.number !== segment.number || read.header.journals !== place.journals) {
        throw damaged(place, segment.number, `the header is that of segment ${read.header.number}`)
      }
      return true
    case 'other format':
      throw unknownFormat(segment.path, read.format, logFormat)
    case 'empty':
    case 'broken':
      // A header is written last and synced before the first group, so one is missing only where no group is.
      if ((await dirtyEnd(segment, Math.min(segmentHeaderBytes, segment.size))) <= segmentHeaderBytes) return false
      throw damaged(place, segment.number, "the segment's header is broken")
  }
}

function damaged(place: SegmentPlace, number: number, reason: string): PlenumError {
  return corruptLog({ file: segmentPath(place.folder, number), offset: 0, reason, soundBefore: [], groupsBeyond: 0 })
}
