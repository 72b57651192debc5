// The bytes of the log: segment files that hold groups, groups that hold records. Little-endian.
//
// A segment file begins with a header of 64 bytes, written and synced before the segment is used:
//   0 magic u32   4 format u8   5 zero ×3   8 number u64   16 grid 16 bytes   32 journals u32   36 zero ×24   60 checksum u32
// Groups follow without gaps; zeros follow the last one. A group is what one write hands to the disk:
//   0 magic u32   4 format u8   5 kind u8   6 zero u16   8 body length u32   12 entries u32
//  16 sequence u64   24 synced u64   32 body checksum u32   36 header checksum u32
// START opens a segment and holds the next position of each journal, u64 each; RECORDS holds entries of
// { journal u32, length u32, bytes }; MARK holds nothing: it only says `synced`.
//
// `sequence` counts groups over all segments, from 1, so that a missing group or segment shows. `synced` says: all groups
// up to this sequence were synced when this one was written. That sentence decides between a torn tail and corruption.
// The checksum of a group's header begins from the grid's id and the segment's number: bytes of another segment, or of
// an earlier life of a block, never pass for a group of this one.
import { crc32 } from 'node:zlib'

export const segmentHeaderBytes = 64
export const groupHeaderBytes = 40
export const entryHeaderBytes = 8
export const logFormat = 1
export const segmentMagic = 0x53_4e_4c_50 // "PLNS" in the file.
export const groupMagic = 0x47_4e_4c_50 // "PLNG" in the file.

/** What a group is for; its place in the list is its number in the file. */
export const groupKinds = ['none', 'START', 'RECORDS', 'MARK'] as const
export type GroupKind = Exclude<(typeof groupKinds)[number], 'none'>

export interface SegmentHeader {
  readonly number: number
  /** 16 bytes that name the grid. */
  readonly grid: Uint8Array
  readonly journals: number
}

export interface GroupHeader {
  readonly kind: GroupKind
  readonly bodyLength: number
  readonly entries: number
  readonly sequence: number
  readonly synced: number
  readonly bodyChecksum: number
}

/** What a header turned out to be. `other format`: sound, but of a version of Plenum that this one does not know. */
export type Read<T> =
  | { readonly kind: 'sound'; readonly header: T }
  | { readonly kind: 'empty' }
  | { readonly kind: 'broken' }
  | { readonly kind: 'other format'; readonly format: number }

/** The 64 bytes at the start of a segment file. */
export function writeSegmentHeader(header: SegmentHeader): Uint8Array {
  const bytes = Buffer.alloc(segmentHeaderBytes)
  bytes.writeUInt32LE(segmentMagic, 0)
  bytes[4] = logFormat
  writeUint53(bytes, header.number, 8)
  bytes.set(header.grid, 16)
  bytes.writeUInt32LE(header.journals, 32)
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 60)), 60)
  return bytes
}

/** Reads the first 64 bytes of a segment file. */
export function readSegmentHeader(bytes: Uint8Array): Read<SegmentHeader> {
  if (bytes.length < segmentHeaderBytes) return { kind: 'empty' }
  const head = asBuffer(bytes.subarray(0, segmentHeaderBytes))
  if (isZero(head)) return { kind: 'empty' }
  if (head.readUInt32LE(0) !== segmentMagic) return { kind: 'broken' }
  if (head.readUInt32LE(60) !== crc32(head.subarray(0, 60))) return { kind: 'broken' }
  const format = head.readUInt8(4)
  if (format !== logFormat) return { kind: 'other format', format }
  return {
    kind: 'sound',
    header: { number: readUint53(head, 8), grid: head.subarray(16, 32), journals: head.readUInt32LE(32) },
  }
}

/** Where the checksums of a segment's group headers begin. */
export function groupSeed(grid: Uint8Array, segment: number): number {
  const number = Buffer.alloc(8)
  writeUint53(number, segment, 0)
  return crc32(number, crc32(grid))
}

/** Writes a group's header into the first 40 bytes of `group`, whose body stands behind them. */
export function sealGroup(
  group: Buffer,
  kind: GroupKind,
  fields: { readonly entries: number; readonly sequence: number; readonly synced: number },
  seed: number,
): void {
  const body = group.subarray(groupHeaderBytes)
  group.writeUInt32LE(groupMagic, 0)
  group[4] = logFormat
  group[5] = groupKinds.indexOf(kind)
  group.writeUInt16LE(0, 6)
  group.writeUInt32LE(body.length, 8)
  group.writeUInt32LE(fields.entries, 12)
  writeUint53(group, fields.sequence, 16)
  writeUint53(group, fields.synced, 24)
  group.writeUInt32LE(crc32(body), 32)
  group.writeUInt32LE(crc32(group.subarray(0, 36), seed), 36)
}

/** Reads a group's header at `at`; `bytes` must hold 40 bytes from there. */
export function readGroupHeader(bytes: Buffer, at: number, seed: number): Read<GroupHeader> {
  const head = bytes.subarray(at, at + groupHeaderBytes)
  if (head.readUInt32LE(0) !== groupMagic) return { kind: isZero(head) ? 'empty' : 'broken' }
  if (head.readUInt32LE(36) !== crc32(head.subarray(0, 36), seed)) return { kind: 'broken' }
  const format = head.readUInt8(4)
  if (format !== logFormat) return { kind: 'other format', format }
  const kind = groupKinds[head.readUInt8(5)]
  if (kind === undefined || kind === 'none') return { kind: 'broken' }
  return {
    kind: 'sound',
    header: {
      kind,
      bodyLength: head.readUInt32LE(8),
      entries: head.readUInt32LE(12),
      sequence: readUint53(head, 16),
      synced: readUint53(head, 24),
      bodyChecksum: head.readUInt32LE(32),
    },
  }
}

/** True if `body` is what the group's header was written for. */
export function isSoundBody(header: GroupHeader, body: Uint8Array): boolean {
  return crc32(body) === header.bodyChecksum
}

/** The body of a START group. */
export function writePositions(positions: readonly number[]): Buffer {
  const bytes = Buffer.alloc(8 * positions.length)
  for (const [journal, position] of positions.entries()) writeUint53(bytes, position, 8 * journal)
  return bytes
}

/** The next position of each journal at the start of a segment. */
export function readPositions(body: Buffer): number[] {
  return Array.from({ length: Math.floor(body.length / 8) }, (_, journal) => readUint53(body, 8 * journal))
}

/** A view of the same bytes with Node's readers and writers. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

const zeros = Buffer.alloc(1 << 16)

/** True if every byte is zero. */
export function isZero(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += zeros.length) {
    const part = bytes.subarray(at, at + zeros.length)
    if (zeros.compare(part, 0, part.length, 0, part.length) !== 0) return false
  }
  return true
}

function writeUint53(bytes: Buffer, value: number, at: number): void {
  bytes.writeUInt32LE(value % 2 ** 32, at)
  bytes.writeUInt32LE(Math.floor(value / 2 ** 32), at + 4)
}

function readUint53(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at + 4) * 2 ** 32 + bytes.readUInt32LE(at)
}
