// Where a log is written: the current segment, the place in it, and the numbers that come next.
//
// Owns the end of the log and what a failed write may have left there. Does not own when and how something is written,
// who waits for it, or whether the log may be written at all. Called by GroupWriter only.
//
// I1 A group is sealed for the place where the head stands, and the head moves only when the group is written.
// I2 What a failed write left is covered by the next write, or by zeros before another segment is begun.
import type { Position } from '../journal.ts'
import { sealFlight, type Flight } from './flight.ts'
import { groupHeaderBytes, segmentHeaderBytes } from './layout.ts'
import type { LogEnd } from './log-end.ts'
import { isBatch, reserveBytes } from './reserve.ts'
import type { Segment } from './segments.ts'
import type { Staging } from './staging.ts'

export class WriteHead {
  /** The next position of each journal, as far as records are acked. */
  readonly acked: Position[]
  #segment: Segment
  #offset: number
  #sequence: number
  #startDue: boolean
  #garbageBytes = 0

  constructor(end: LogEnd) {
    this.#segment = end.segment
    this.#offset = end.offset
    this.#sequence = end.sequence
    this.#startDue = end.offset === segmentHeaderBytes
    this.acked = [...end.positions]
  }

  get segment(): Segment {
    return this.#segment
  }

  /** Bytes of the current segment that are in use. */
  get offset(): number {
    return this.#offset
  }

  /** The number of the last group that was written. */
  get lastSequence(): number {
    return this.#sequence - 1
  }

  /** Bytes that a failed write may have left behind the offset. */
  get garbageBytes(): number {
    return this.#garbageBytes
  }

  /** Bytes of the START that the next write begins with. */
  get startBytes(): number {
    return this.#startDue ? this.startBytesMax : 0
  }

  /** Bytes of the START of a segment. */
  get startBytesMax(): number {
    return groupHeaderBytes + 8 * this.acked.length
  }

  /** Whether a group of this length has a place in the current segment. */
  fits(length: number): boolean {
    return this.#offset + this.startBytes + length <= this.#segment.size
  }

  /**
   * Whether a record has a place in the current segment behind `taken` bytes that wait. Batches leave a reserve for the
   * records that hand a journal over and cut it (JR8).
   */
  hasRoom(record: Uint8Array, taken: number): boolean {
    const reserve = isBatch(record) ? reserveBytes(this.#segment.size) : 0
    const left = this.#segment.size - this.#offset - this.startBytes - taken - reserve
    // A group that waits behind the one in flight has a header of its own.
    return left >= record.length + 3 * groupHeaderBytes
  }

  /** Decides, record by record, what goes into the rest of the last segment: no batches, and what has room. */
  whatFits(): (record: Uint8Array) => boolean {
    let taken = 0
    return (record) => {
      if (isBatch(record) || !this.hasRoom(record, taken)) return false
      taken += record.length + groupHeaderBytes
      return true
    }
  }

  /** Seals what was staged as the group that goes here, or a mark if nothing was. `synced` is what it may claim. */
  seal(staging: Staging | undefined, synced: number): Flight {
    const end = { sequence: this.#sequence, synced, seed: this.#segment.seed, garbageBytes: this.#garbageBytes }
    return sealFlight(staging, this.#startDue ? this.acked : undefined, end)
  }

  /** The flight is written: what comes next goes behind it. */
  passed(flight: Flight): void {
    this.#offset += flight.length
    this.#sequence += flight.groups
    this.#startDue = false
    this.#garbageBytes = 0
  }

  /** The flight's write failed, and may have left something. */
  spoilt(flight: Flight): void {
    this.#garbageBytes = Math.max(this.#garbageBytes, flight.length)
  }

  /** Covers what failed writes left with zeros, not yet synced. Throws the disk's errors. */
  cover(): Promise<void> {
    return this.#segment.file.write([new Uint8Array(this.#garbageBytes)], this.#offset)
  }

  /** What failed writes left is covered for good. */
  covered(): void {
    this.#garbageBytes = 0
  }

  /** Goes on at the begin of another segment. */
  moveTo(segment: Segment): void {
    this.#segment = segment
    this.#offset = segmentHeaderBytes
    this.#garbageBytes = 0
    this.#startDue = true
  }
}
