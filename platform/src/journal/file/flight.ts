import { asBuffer, groupHeaderBytes, sealGroup, writePositions } from './layout.ts'
import type { Staging } from './staging.ts'

/** What one write hands to the disk. */
export interface Flight {
  readonly buffers: readonly Uint8Array[]
  /** Groups in it: one, or two at the start of a segment. */
  readonly groups: number
  /** Bytes of the groups. */
  readonly length: number
  /** What the groups say was synced. */
  readonly synced: number
}

/**
 * Seals what was staged as the next group, or a mark if nothing was. `start` holds the next positions of all journals
 * if the group is the first of its segment. Zeros follow over `garbageBytes` that a failed write may have left.
 */
export function sealFlight(
  staging: Staging | undefined,
  start: readonly number[] | undefined,
  end: { readonly sequence: number; readonly synced: number; readonly seed: number; readonly garbageBytes: number },
): Flight {
  const { synced, seed } = end
  const buffers: Uint8Array[] = []
  if (start !== undefined) buffers.push(sealStart(start, end.sequence, synced, seed))
  const sequence = end.sequence + buffers.length
  const group = staging?.bytes() ?? asBuffer(new Uint8Array(groupHeaderBytes))
  const entries = staging?.waiting.length ?? 0
  sealGroup(group, staging === undefined ? 'MARK' : 'RECORDS', { entries, sequence, synced }, seed)
  buffers.push(group)
  const groups = buffers.length
  const length = buffers.reduce((sum, buffer) => sum + buffer.length, 0)
  if (end.garbageBytes > length) buffers.push(new Uint8Array(end.garbageBytes - length))
  return { buffers, groups, length, synced }
}

/** The START group of a segment. */
export function sealStart(start: readonly number[], sequence: number, synced: number, seed: number): Buffer {
  const positions = writePositions(start)
  const group = asBuffer(new Uint8Array(groupHeaderBytes + positions.length))
  group.set(positions, groupHeaderBytes)
  sealGroup(group, 'START', { entries: start.length, sequence, synced }, seed)
  return group
}
