import type { Disk, File } from '../../runtime/index.ts'
import { groupSeed, segmentHeaderBytes, writeSegmentHeader } from './layout.ts'

/** An open segment file. */
export interface Segment {
  readonly number: number
  readonly path: string
  readonly file: File
  /** Bytes of the file; the room for groups is this less the header. */
  readonly size: number
  /** Where the checksums of its group headers begin. */
  readonly seed: number
}

const namePattern = /^(\d{8,})\.log$/
const fillBytes = 1 << 20
const unsyncedBytesMax = 4 << 20
const zeros = new Uint8Array(fillBytes)

/** What all segments of one log share. */
export interface SegmentPlace {
  readonly disk: Disk
  /** The folder of the segment files. */
  readonly folder: string
  /** 16 bytes that name the grid. */
  readonly grid: Uint8Array
  readonly journals: number
}

/** The path of a segment file. */
export function segmentPath(folder: string, number: number): string {
  return `${folder}/${String(number).padStart(8, '0')}.log`
}

/** The numbers of the segment files in a folder, ascending. */
export async function listSegments(disk: Disk, folder: string): Promise<number[]> {
  const numbers: number[] = []
  for (const name of await disk.list(folder)) {
    const digits = namePattern.exec(name)?.[1]
    if (digits !== undefined) numbers.push(Number(digits))
  }
  return numbers.toSorted((a, b) => a - b)
}

/**
 * Makes a segment of `size` bytes, filled with zeros so that later writes change no metadata and find no full disk.
 * The header comes last and everything is synced: a file without one was never used. Removes the file if it fails.
 */
export async function createSegment(place: SegmentPlace, number: number, size: number): Promise<Segment> {
  const path = segmentPath(place.folder, number)
  const file = await place.disk.open(path)
  try {
    await fillWithZeros(file, segmentHeaderBytes, size)
    await file.sync()
    await file.write([writeSegmentHeader({ number, grid: place.grid, journals: place.journals })], 0)
    await file.sync()
    await place.disk.syncFolder(place.folder)
  } catch (error) {
    await file.close()
    await place.disk.remove(path)
    throw error
  }
  return { number, path, file, size, seed: groupSeed(place.grid, number) }
}

/** Writes zeros from `from` to `to`, and syncs now and then: one large sync would hold up those of the log. */
export async function fillWithZeros(file: File, from: number, to: number): Promise<void> {
  let unsynced = 0
  for (let at = from; at < to; at += fillBytes) {
    const part = zeros.subarray(0, Math.min(fillBytes, to - at))
    await file.write([part], at)
    unsynced += part.length
    if (unsynced < unsyncedBytesMax) continue
    await file.sync()
    unsynced = 0
  }
}
