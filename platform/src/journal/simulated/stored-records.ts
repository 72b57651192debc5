import { assert } from '../../kernel/index.ts'
import type { Found, Position } from '../journal.ts'
import { parseRecord, recordHeaderBytes, sealRecord } from '../record.ts'

/** What the stream's replicas agree on: records at consecutive positions, from `first` up to `next`. */
export class StoredRecords {
  #records: Uint8Array[] = []
  #first: Position = 1
  #bytes = 0

  /** The lowest position still kept. */
  get first(): Position {
    return this.#first
  }

  /** The position that the next record takes. */
  get next(): Position {
    return this.#first + this.#records.length
  }

  /** Bytes of the records kept. */
  get bytes(): number {
    return this.#bytes
  }

  /** Puts a record at the end and returns its position. */
  append(record: Uint8Array): Position {
    this.#records.push(record)
    this.#bytes += record.length
    return this.next - 1
  }

  /** The record at a position that is kept. */
  at(position: Position): Uint8Array {
    const record = this.#records[position - this.#first]
    assert(record !== undefined, 'the stream keeps the record that is read')
    return record
  }

  /** Up to `countMax` records from `from` and below `end`. */
  page(from: Position, end: Position, countMax: number): readonly Found[] {
    const found: Found[] = []
    for (let position = from; position < end && found.length < countMax; position++) {
      found.push({ position, bytes: this.at(position) })
    }
    return found
  }

  /** Forgets what lies below `before`; the next position stays. */
  trim(before: Position): void {
    const count = Math.min(Math.max(before - this.#first, 0), this.#records.length)
    for (const record of this.#records.splice(0, count)) this.#bytes -= record.length
    this.#first += count
  }

  /** Loses up to `count` of the newest records; returns how many were lost. */
  lose(count: number): number {
    const kept = Math.max(this.#records.length - count, 0)
    const lost = this.#records.splice(kept)
    for (const record of lost) this.#bytes -= record.length
    return lost.length
  }

  /** Puts another sound record, as if of another writer, in the place of the newest. False if there is none. */
  replaceNewest(): boolean {
    const newest = this.#records.at(-1)
    if (newest === undefined) return false
    const parsed = parseRecord(newest)
    assert(parsed.kind === 'record', 'members publish sound records')
    const nonce = parsed.record.nonce.map((byte) => byte ^ 255)
    const bytes = newest.slice()
    sealRecord({ ...parsed.record, nonce }, bytes, bytes.length - recordHeaderBytes)
    this.#records[this.#records.length - 1] = bytes
    return true
  }
}
