// A snapshot file: a header of 16 bytes, the chunks, each behind its length and CRC-32, and a trailer of 96 bytes. The
// trailer is written and synced last: a file without a sound one is no snapshot. Little-endian.
//   header   0 magic u32   4 format u8   5 zero ×11
//   chunk    0 length u32   4 checksum u32   8 bytes
//   trailer  0 magic u32   4 format u8   5 hash length u8   6 zero u16   8 index f64   16 bytes of all chunks f64
//           24 hash, 68 bytes of ASCII padded with zeros   92 checksum u32
import { crc32 } from 'node:zlib'
import type { SnapshotName } from '../journal.ts'
import { asBuffer } from './layout.ts'

export const snapshotHeaderBytes = 16
export const snapshotTrailerBytes = 96
export const chunkHeaderBytes = 8
export const snapshotFormat = 1
export const hashLengthMax = 68
const headerMagic = 0x58_4e_4c_50 // "PLNX" in the file.
const trailerMagic = 0x59_4e_4c_50 // "PLNY" in the file.
const hashAt = 24
const checksumAt = 92

export function writeSnapshotHeader(): Uint8Array {
  const bytes = Buffer.alloc(snapshotHeaderBytes)
  bytes.writeUInt32LE(headerMagic, 0)
  bytes[4] = snapshotFormat
  return bytes
}

/** The format of a snapshot file; undefined if these are not the first bytes of one. */
export function readSnapshotHeader(bytes: Uint8Array): number | undefined {
  if (bytes.length < snapshotHeaderBytes || asBuffer(bytes).readUInt32LE(0) !== headerMagic) return undefined
  return bytes[4]
}

export function writeChunkHeader(chunk: Uint8Array): Uint8Array {
  const bytes = Buffer.alloc(chunkHeaderBytes)
  bytes.writeUInt32LE(chunk.length, 0)
  bytes.writeUInt32LE(crc32(chunk), 4)
  return bytes
}

export function writeTrailer(name: SnapshotName, chunkBytes: number): Uint8Array {
  const bytes = Buffer.alloc(snapshotTrailerBytes)
  bytes.writeUInt32LE(trailerMagic, 0)
  bytes[4] = snapshotFormat
  bytes[5] = name.hash.length
  bytes.writeDoubleLE(name.index, 8)
  bytes.writeDoubleLE(chunkBytes, 16)
  bytes.write(name.hash, hashAt, 'latin1')
  bytes.writeUInt32LE(crc32(bytes.subarray(0, checksumAt)), checksumAt)
  return bytes
}

/** The name in a trailer and the bytes of all chunks; undefined if the bytes are no sound trailer. */
export function readTrailer(bytes: Uint8Array): { readonly name: SnapshotName; readonly bytes: number } | undefined {
  if (bytes.length !== snapshotTrailerBytes) return undefined
  const trailer = asBuffer(bytes)
  if (trailer.readUInt32LE(0) !== trailerMagic) return undefined
  if (trailer.readUInt32LE(checksumAt) !== crc32(trailer.subarray(0, checksumAt))) return undefined
  const hash = trailer.toString('latin1', hashAt, hashAt + trailer.readUInt8(5))
  return { name: { index: trailer.readDoubleLE(8), hash }, bytes: trailer.readDoubleLE(16) }
}
