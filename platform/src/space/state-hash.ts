import { ByteWriter } from '../codec/index.ts'
import { xxh32 } from '../kernel/index.ts'
import type { Row } from './row.ts'
import type { Table } from './table.ts'

/**
 * Hash of a state that does not depend on the order of its rows: two sums of seeded XXH32, 64 bits together. It finds
 * mistakes, not attackers.
 */
export class StateHash {
  #low = 0
  #high = 0

  addCounters(change: number, time: number): void {
    const writer = new ByteWriter(32)
    writer.varint(change)
    writer.float64(time)
    this.addRow(writer.bytes, 0, writer.at)
  }

  addRow(bytes: Uint8Array, from: number, to: number): void {
    const row = bytes.subarray(from, to)
    this.#low = (this.#low + xxh32(row, row.length, 0)) >>> 0
    this.#high = (this.#high + xxh32(row, row.length, 0x506c656e)) >>> 0
  }

  /** 16 hexadecimal digits. */
  toString(): string {
    return this.#high.toString(16).padStart(8, '0') + this.#low.toString(16).padStart(8, '0')
  }
}

/** What a row has beside what all have: bits of the byte after its birth. */
export const rowHas = { lease: 1, shape: 2 } as const

/** Appends one row as it is journaled: table, version, stamp, birth, lease, shape, fields. */
export function writeRow(writer: ByteWriter, table: Table, row: Row): void {
  writer.varint(table.number)
  writer.varint(row.version)
  writer.varint(row.stamp)
  writer.varint(row.born)
  writer.byte((row.lease === undefined ? 0 : rowHas.lease) | (row.shape === 0 ? 0 : rowHas.shape))
  if (row.lease !== undefined) {
    writer.varint(row.lease.leaseMs)
    writer.float64(row.lease.expiresAt)
  }
  if (row.shape !== 0) writer.varint(row.shape)
  table.writeFields(writer, row.stored ?? row.value)
}
