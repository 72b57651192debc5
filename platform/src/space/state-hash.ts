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

/** Appends one row: table, version, stamp, birth, lease, fields. */
export function writeRow(writer: ByteWriter, table: Table, row: Row): void {
  writer.varint(table.number)
  writer.varint(row.version)
  writer.varint(row.stamp)
  writer.varint(row.born)
  writer.byte(row.lease === undefined ? 0 : 1)
  if (row.lease !== undefined) {
    writer.varint(row.lease.leaseMs)
    writer.float64(row.lease.expiresAt)
  }
  table.writeFields(writer, row.value)
}
