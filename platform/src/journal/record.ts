// One record of a journal: a fixed header of 104 bytes, little-endian, and a body (JR1).
//
//   0 magic u32   4 format u8   5 kind u8   6 zero u16   8 length u32 (body)   12 checksum u32 (CRC-32 of all but itself)
//  16 journal 16 bytes   32 epoch u64   40 index u64   48 position u64   56 acked u64   64 time f64 (ms)
//  72 previousHash 16 bytes   88 member u32   92 incarnation u32   96 nonce 8 bytes
import { crc32 } from 'node:zlib'
import { assert, PlenumError } from '../kernel/index.ts'
import type { Position } from './journal.ts'

export const recordHeaderBytes = 104
export const recordFormat = 1
export const recordMagic = 0x524e4c50 // "PLNR" in little-endian order.
const hashBytes = 16

/** Kinds of record. UPGRADE declares the unit and its entry types; the body of BATCH holds effects. */
export const recordKinds = ['OPEN', 'BATCH', 'HEARTBEAT', 'SNAPSHOT', 'UPGRADE', 'CLOSE'] as const
export type RecordKind = (typeof recordKinds)[number]

/** Who wrote a record: a member, its incarnation (one for each start), and a nonce of this reign, 8 bytes. */
export interface Writer {
  readonly member: number
  readonly incarnation: number
  readonly nonce: Uint8Array
}

/** A parsed record. `bytes` is the whole record, `body` a view into it. */
export interface JournalRecord extends Writer {
  readonly kind: RecordKind
  readonly journal: Uint8Array
  readonly epoch: number
  /** Counts accepted records, from 1. */
  readonly index: number
  /** Where the writer aimed. */
  readonly position: Position
  /** The highest index that the writer knew to be acked when it sent. */
  readonly acked: number
  /** Partition time, milliseconds. */
  readonly time: number
  readonly previousHash: Uint8Array
  readonly body: Uint8Array
  readonly bytes: Uint8Array
}

/** What a writer decides about a record. */
export type RecordFields = Omit<JournalRecord, 'body' | 'bytes'>

/**
 * Writes the header before the body, in place: `buffer` holds the body from offset 104 on and the record is returned
 * as a view of it, so that the effects of a batch are never copied.
 */
export function sealRecord(fields: RecordFields, buffer: Uint8Array, bodyLength: number): Uint8Array {
  const length = recordHeaderBytes + bodyLength
  assert(buffer.length >= length, 'a record fits in its buffer')
  const bytes = buffer.subarray(0, length)
  const view = new DataView(bytes.buffer, bytes.byteOffset, length)
  view.setUint32(0, recordMagic, true)
  bytes[4] = recordFormat
  bytes[5] = recordKinds.indexOf(fields.kind)
  view.setUint16(6, 0, true)
  view.setUint32(8, bodyLength, true)
  bytes.set(fields.journal, 16)
  setUint53(view, 32, fields.epoch)
  setUint53(view, 40, fields.index)
  setUint53(view, 48, fields.position)
  setUint53(view, 56, fields.acked)
  view.setFloat64(64, fields.time, true)
  bytes.set(fields.previousHash, 72)
  view.setUint32(88, fields.member, true)
  view.setUint32(92, fields.incarnation, true)
  bytes.set(fields.nonce, 96)
  view.setUint32(12, checksum(bytes), true)
  return bytes
}

/** What reading the start of some bytes as a record found. `short`: they end before the record does. */
export type Parsed =
  | { readonly kind: 'record'; readonly record: JournalRecord }
  | { readonly kind: 'short' }
  | { readonly kind: 'broken'; readonly reason: string }

/** Reads the record at the start of `bytes`; FORMAT_UNKNOWN where a sound record has a format of the future. */
export function parseRecord(bytes: Uint8Array): Parsed {
  if (bytes.length < recordHeaderBytes) return { kind: 'short' }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  if (view.getUint32(0, true) !== recordMagic) return { kind: 'broken', reason: 'it does not begin as a record does' }
  const bodyLength = view.getUint32(8, true)
  const length = recordHeaderBytes + bodyLength
  if (bytes.length < length) return { kind: 'short' }
  const whole = bytes.subarray(0, length)
  if (view.getUint32(12, true) !== checksum(whole)) return { kind: 'broken', reason: 'its checksum is wrong' }
  if (bytes[4] !== recordFormat) {
    throw new PlenumError(
      'FORMAT_UNKNOWN',
      `A record has format ${bytes[4]}; this version of Plenum reads format ${recordFormat}. Use the version that wrote it.`,
      { details: { found: bytes[4], known: recordFormat } },
    )
  }
  const kind = recordKinds[bytes[5]!]
  if (kind === undefined) return { kind: 'broken', reason: `its kind is ${bytes[5]}` }
  return {
    kind: 'record',
    record: {
      kind,
      journal: whole.subarray(16, 32),
      epoch: getUint53(view, 32),
      index: getUint53(view, 40),
      position: getUint53(view, 48),
      acked: getUint53(view, 56),
      time: view.getFloat64(64, true),
      previousHash: whole.subarray(72, 72 + hashBytes),
      member: view.getUint32(88, true),
      incarnation: view.getUint32(92, true),
      nonce: whole.subarray(96, recordHeaderBytes),
      body: whole.subarray(recordHeaderBytes),
      bytes: whole,
    },
  }
}

/** True if two byte strings are equal. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

function checksum(record: Uint8Array): number {
  return crc32(record.subarray(16), crc32(record.subarray(0, 12)))
}

function setUint53(view: DataView, at: number, value: number): void {
  view.setUint32(at, value % 2 ** 32, true)
  view.setUint32(at + 4, Math.floor(value / 2 ** 32), true)
}

function getUint53(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true)
}
