import { asBuffer, groupHeaderBytes, groupMagic, isZero, readGroupHeader, segmentHeaderBytes } from './layout.ts'
import type { Segment } from './segments.ts'

const chunkBytes = 1 << 20
const magic = Buffer.alloc(4)
magic.writeUInt32LE(groupMagic)

/** What lies behind a place at which the log cannot be read on. */
export interface Beyond {
  /** True if a sound group says that the group with the asked number was synced. */
  readonly synced: boolean
  /** Sound groups found. */
  readonly groups: number
  /** Bytes from the place to the last one in its segment that is not zero. */
  readonly garbageBytes: number
}

/** Looks through the rest of a segment, and through all of the later ones, for sound groups (FE1). */
export async function lookBeyond(
  segment: Segment,
  at: number,
  later: readonly Segment[],
  sequence: number,
): Promise<Beyond> {
  let groups = 0
  let synced = false
  const here = await search(segment, at)
  for (const found of [here, ...(await searchAll(later))]) {
    groups += found.groups
    synced ||= found.syncedMax >= sequence
  }
  return { synced, groups, garbageBytes: here.dirtyEnd - at }
}

/** True if nothing but zeros stands behind the header of a segment. */
export async function isUnused(segment: Segment): Promise<boolean> {
  return (await dirtyEnd(segment, segmentHeaderBytes)) === segmentHeaderBytes
}

/** The end of the last byte from `at` on that is not zero; `at` if all are. */
export async function dirtyEnd(segment: Segment, at: number): Promise<number> {
  let end = at
  for (let from = at; from < segment.size; from += chunkBytes) {
    const bytes = asBuffer(await segment.file.read(from, Math.min(chunkBytes, segment.size - from)))
    if (!isZero(bytes)) end = from + bytes.findLastIndex((byte) => byte !== 0) + 1
  }
  return end
}

interface Search {
  readonly groups: number
  readonly syncedMax: number
  readonly dirtyEnd: number
}

async function searchAll(segments: readonly Segment[]): Promise<Search[]> {
  const found: Search[] = []
  for (const segment of segments) found.push(await search(segment, segmentHeaderBytes))
  return found
}

/** Counts the sound group headers from `at` on, wherever they begin. */
async function search(segment: Segment, at: number): Promise<Search> {
  let groups = 0
  let syncedMax = 0
  for (let from = at; from < segment.size; from += chunkBytes) {
    // The overlap finds a header that straddles two chunks.
    const length = Math.min(chunkBytes + groupHeaderBytes - 1, segment.size - from)
    const bytes = asBuffer(await segment.file.read(from, length))
    for (let hit = bytes.indexOf(magic); hit !== -1; hit = bytes.indexOf(magic, hit + 1)) {
      if (hit + groupHeaderBytes > bytes.length) break
      const read = readGroupHeader(bytes, hit, segment.seed)
      if (read.kind !== 'sound') continue
      groups += 1
      syncedMax = Math.max(syncedMax, read.header.synced)
    }
  }
  return { groups, syncedMax, dirtyEnd: await dirtyEnd(segment, at) }
}
