// Effects as bytes: what a BATCH record's body holds, one after the other. Effects are absolute; each put and each
// removal takes the next change number, which is therefore not written; a lease takes none.
//
//   1 put       table, version, fields                       2 put with a lease   ..., leaseMs, expiresAt, fields
//   3 remove    table, reason, id and route fields           4 snapshot begins    (the state after this record)
//   5 lease     table, leaseMs, expiresAt, id and route      6 lease without end  table, id and route fields
//   7 commit    (ends what one command changed)
//   8 call      bytes of the effects of its command before it, length, what was called (TT3; no part of the state)
import { PlenumError } from '../kernel/index.ts'
import { ByteReader, readValue, writeValue, type ByteWriter } from '../codec/index.ts'
import type { StoredValue } from './layout.ts'
import type { RowLease } from './row.ts'
import type { KeyFields, Table } from './table.ts'

const PUT = 1
const PUT_LEASED = 2
const REMOVE = 3
const SNAPSHOT_BEGINS = 4
const LEASE = 5
const LEASE_ENDLESS = 6
const COMMIT = 7
const CALL = 8

/** Why an entry is gone. */
export const removalReasons = ['removed', 'taken', 'expired'] as const
export type RemovalReason = (typeof removalReasons)[number]

export type Effect =
  | {
      readonly kind: 'put'
      readonly table: number
      readonly version: number
      readonly lease: RowLease | undefined
      readonly value: Record<string, unknown>
    }
  | { readonly kind: 'remove'; readonly table: number; readonly reason: RemovalReason; readonly key: KeyFields }
  | { readonly kind: 'lease'; readonly table: number; readonly lease: RowLease | undefined; readonly key: KeyFields }
  | { readonly kind: 'snapshot-begins' }

/** An effect that names its entry type instead of a table, so that it can be kept as a value and made later. */
export type NamedEffect =
  | {
      readonly kind: 'put'
      readonly type: string
      readonly lease?: RowLease | undefined
      readonly value: StoredValue
      /** The type's shape when it was tried (UN10); the first, if left out. */
      readonly shape?: number
    }
  | { readonly kind: 'remove'; readonly type: string; readonly reason: RemovalReason; readonly key: KeyFields }
  | { readonly kind: 'lease'; readonly type: string; readonly lease?: RowLease | undefined; readonly key: KeyFields }

/** Stands after the effects of a command. */
export interface CommitMark {
  readonly kind: 'commit'
}

/** Stands behind the effects of a call that is recorded (TT3). Nobody's state depends on it. */
export interface CallMark {
  readonly kind: 'call'
  /** Where the effects of its command begin, as a byte offset. */
  readonly from: number
  /** What was called, as `encodeCall` wrote it. */
  readonly call: Uint8Array
}

/** What a record holds, one after the other. */
export type Journaled = Effect | CommitMark | CallMark

export function writePut(
  writer: ByteWriter,
  table: Table,
  version: number,
  lease: RowLease | undefined,
  value: StoredValue,
): void {
  writer.byte(lease === undefined ? PUT : PUT_LEASED)
  writer.varint(table.number)
  writer.varint(version)
  if (lease !== undefined) {
    writer.varint(lease.leaseMs)
    writer.float64(lease.expiresAt)
  }
  table.writeFields(writer, value)
}

export function writeRemove(writer: ByteWriter, table: Table, reason: RemovalReason, key: KeyFields): void {
  writer.byte(REMOVE)
  writer.varint(table.number)
  writer.byte(removalReasons.indexOf(reason))
  writeKey(writer, table, key)
}

export function writeLease(writer: ByteWriter, table: Table, lease: RowLease | undefined, key: KeyFields): void {
  writer.byte(lease === undefined ? LEASE_ENDLESS : LEASE)
  writer.varint(table.number)
  if (lease !== undefined) {
    writer.varint(lease.leaseMs)
    writer.float64(lease.expiresAt)
  }
  writeKey(writer, table, key)
}

function writeKey(writer: ByteWriter, { layout }: Table, key: KeyFields): void {
  for (const field of layout.id) writeValue(writer, key[field])
  for (const field of layout.route) if (!layout.id.includes(field)) writeValue(writer, key[field])
}

function readKey(reader: ByteReader, { layout }: Table): KeyFields {
  const key: Record<string, unknown> = {}
  for (const field of layout.id) key[field] = readValue(reader)
  for (const field of layout.route) if (!layout.id.includes(field)) key[field] = readValue(reader)
  return key
}

/** Ends the effects of a command, so that whoever watches is told of them together (WA1). */
export function writeCommit(writer: ByteWriter): void {
  writer.byte(COMMIT)
}

export function writeSnapshotBegins(writer: ByteWriter): void {
  writer.byte(SNAPSHOT_BEGINS)
}

/** Notes the call whose effects stand before it, from `start` on. */
export function writeCall(writer: ByteWriter, start: number, call: Uint8Array): void {
  const before = writer.at - start
  writer.byte(CALL)
  writer.varint(before)
  writer.varint(call.length)
  writer.raw(call)
}

/** Writes an effect as it was read, of the same entry type in another table. */
export function writeEffect(
  writer: ByteWriter,
  table: Table,
  effect: Exclude<Effect, { kind: 'snapshot-begins' }>,
): void {
  if (effect.kind === 'put') writePut(writer, table, effect.version, effect.lease, effect.value)
  else if (effect.kind === 'lease') writeLease(writer, table, effect.lease, effect.key)
  else writeRemove(writer, table, effect.reason, effect.key)
}

/** All effects in some bytes, without the marks of commits and calls. */
export function readEffects(bytes: Uint8Array, table: (number: number) => Table): readonly Effect[] {
  const reader = new ByteReader(bytes)
  const effects: Effect[] = []
  while (!reader.done) {
    const effect = readEffect(reader, table)
    if (effect.kind !== 'commit' && effect.kind !== 'call') effects.push(effect)
  }
  return effects
}

/** Reads the next effect; `tables` by their number. */
export function readEffect(reader: ByteReader, tables: (number: number) => Table): Journaled {
  const start = reader.at
  const code = reader.byte()
  if (code === SNAPSHOT_BEGINS) return { kind: 'snapshot-begins' }
  if (code === COMMIT) return { kind: 'commit' }
  if (code === CALL) return { kind: 'call', from: start - reader.varint(), call: reader.raw(reader.varint()) }
  if (code < PUT || code > CALL) throw unknownEffect(code)
  const number = reader.varint()
  const table = tables(number)
  if (code === PUT || code === PUT_LEASED) {
    const version = reader.varint()
    const lease = code === PUT ? undefined : { leaseMs: reader.varint(), expiresAt: reader.float64() }
    return { kind: 'put', table: number, version, lease, value: table.readFields(reader) }
  }
  if (code === LEASE || code === LEASE_ENDLESS) {
    const lease = code === LEASE_ENDLESS ? undefined : { leaseMs: reader.varint(), expiresAt: reader.float64() }
    return { kind: 'lease', table: number, lease, key: readKey(reader, table) }
  }
  const reason = removalReasons[reader.byte()]
  if (reason === undefined) throw new PlenumError('JOURNAL_CORRUPT', 'A removal has an unknown reason.')
  return { kind: 'remove', table: number, reason, key: readKey(reader, table) }
}

/** The record is sound, by its checksum: what wrote it knows more than this version. */
function unknownEffect(code: number): PlenumError {
  return new PlenumError(
    'FORMAT_UNKNOWN',
    `A record holds an effect of the kind ${code}; this version of Plenum knows those from ${PUT} to ${CALL}. Use the version that wrote it.`,
    { details: { found: code, known: CALL } },
  )
}
