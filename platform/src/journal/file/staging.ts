import type { Appended } from '../journal.ts'
import { asBuffer, entryHeaderBytes, groupHeaderBytes } from './layout.ts'

/** A record that waits to be written, and whom to tell. */
export interface Waiting {
  readonly journal: number
  readonly position: number
  /** Offset of its entry in the group, and the entry's length. */
  readonly at: number
  readonly length: number
  readonly resolve: (result: Appended) => void
}

const firstBytes = 1 << 18
const keptBytesMax = 1 << 22

/**
 * Gathers records into one group. Records are copied: one buffer costs one write and one checksum, where a list of a
 * thousand small buffers costs a thousand of each, and a copy runs at memory speed.
 */
export class Staging {
  #buffer = asBuffer(new Uint8Array(firstBytes))
  #length = groupHeaderBytes
  #waiting: Waiting[] = []

  /** Bytes of the group so far, header included. */
  get length(): number {
    return this.#length
  }

  get waiting(): readonly Waiting[] {
    return this.#waiting
  }

  /** Takes a record in and returns the bytes that its entry takes. */
  add(journal: number, position: number, record: Uint8Array, resolve: (result: Appended) => void): number {
    const at = this.#length
    const length = entryHeaderBytes + record.length
    if (at + length > this.#buffer.length) this.#grow(at + length)
    this.#buffer.writeUInt32LE(journal, at)
    this.#buffer.writeUInt32LE(record.length, at + 4)
    this.#buffer.set(record, at + entryHeaderBytes)
    this.#length = at + length
    this.#waiting.push({ journal, position, at, length, resolve })
    return length
  }

  /** The record of a waiting entry, as a view. */
  record(entry: Waiting): Uint8Array {
    return this.#buffer.subarray(entry.at + entryHeaderBytes, entry.at + entry.length)
  }

  /** The group: 40 bytes to be sealed, and the body. A view that holds until `reset`. */
  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length)
  }

  /** Empties it; a buffer that one huge record made is not kept. */
  reset(): void {
    this.#length = groupHeaderBytes
    this.#waiting = []
    if (this.#buffer.length > keptBytesMax) this.#buffer = asBuffer(new Uint8Array(firstBytes))
  }

  #grow(needed: number): void {
    let size = this.#buffer.length
    while (size < needed) size *= 2
    const larger = asBuffer(new Uint8Array(size))
    larger.set(this.#buffer.subarray(0, this.#length))
    this.#buffer = larger
  }
}
