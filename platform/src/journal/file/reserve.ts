import { recordKinds } from '../record.ts'

const kindAt = 5
const batch = recordKinds.indexOf('BATCH')
/** Bytes of the largest reserve. */
export const reserveBytesMax = 64 << 10

/** True for a record of the kind that a full journal refuses first (JR8). */
export function isBatch(record: Uint8Array): boolean {
  return record[kindAt] === batch
}

/** Bytes at the end of the last segment that batches leave free, so that a full journal can change hands and be cut. */
export function reserveBytes(segmentBytes: number): number {
  return Math.min(reserveBytesMax, segmentBytes >>> 3)
}
