import type { Disk } from '../../runtime/index.ts'
import { segmentHeaderBytes } from './layout.ts'
import type { Scan } from './scan.ts'
import { fillWithZeros, type Segment } from './segments.ts'

const chunkBytes = 1 << 20

/**
 * Makes the end of a log what it seems to be before anything is served (FE2): cuts the torn tail, writes every group
 * that is not known to be synced again, as a page that a failed sync left behind may read well and yet never reach the
 * disk, and syncs. Returns the bytes that were written again.
 */
export async function repairTail(disk: Disk, folder: string, scan: Scan): Promise<number> {
  const { torn, unsynced, end, ready } = scan
  if (torn !== undefined) {
    await fillWithZeros(torn.segment.file, torn.at, torn.at + torn.bytes)
    // The newest first, each durably: a crash in between must not leave a gap.
    for (const segment of torn.later.toReversed()) {
      await segment.file.close()
      await disk.remove(segment.path)
      await disk.syncFolder(folder)
    }
  }
  let rewritten = 0
  if (unsynced !== undefined) {
    const from = scan.used.findIndex(({ segment }) => segment === unsynced.segment)
    for (const { segment } of scan.used.slice(from)) {
      const begin = segment === unsynced.segment ? unsynced.at : 0
      const stop = segment === end.segment ? end.offset : segment.size
      await rewrite(segment, begin, stop)
      rewritten += stop - begin
      if (segment !== end.segment) await segment.file.sync()
    }
  }
  await end.segment.file.sync()
  // A segment that was made and not used yet may have a header that no sync confirmed.
  if (ready !== undefined) {
    await rewrite(ready, 0, segmentHeaderBytes)
    await ready.file.sync()
  }
  // So may the names of files: a kill may have come between the making of one and the sync of the folder.
  await disk.syncFolder(folder)
  return rewritten
}

async function rewrite(segment: Segment, from: number, to: number): Promise<void> {
  for (let at = from; at < to; at += chunkBytes) {
    await segment.file.write([await segment.file.read(at, Math.min(chunkBytes, to - at))], at)
  }
}
