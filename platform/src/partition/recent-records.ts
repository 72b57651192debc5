import type { Position } from '../journal/index.ts'

/** One record as it was found, kept to be appended again. */
export interface RecentRecord {
  readonly position: Position
  readonly bytes: Uint8Array
}

/**
 * The last records that were found, bounded by count (JR5); void ones too, because what follows them can only stand
 * where it stood. Kept only where the journal can regress.
 */
export class RecentRecords {
  readonly #max: number
  #records: RecentRecord[] = []

  constructor(max: number) {
    this.#max = max
  }

  add(record: RecentRecord): void {
    this.#records.push(record)
    if (this.#records.length > this.#max * 2) this.#records = this.#records.slice(-this.#max)
  }

  /** Whether every record from `position` on is here. */
  reaches(position: Position): boolean {
    const first = this.#records[0]
    return first !== undefined && first.position <= position
  }

  /** The records from `position` on, in order. */
  from(position: Position): readonly RecentRecord[] {
    return this.#records.filter((record) => record.position >= position)
  }

  /** The record at exactly `position`. */
  at(position: Position): RecentRecord | undefined {
    return this.#records.find((record) => record.position === position)
  }

  last(): RecentRecord | undefined {
    return this.#records.at(-1)
  }
}
