import type { Position } from '../journal/index.ts'

/** One accepted record, kept to be appended again. */
export interface RecentRecord {
  readonly position: Position
  readonly index: number
  readonly bytes: Uint8Array
}

/** The last accepted records, bounded by count (JR5). Kept only where the journal can regress. */
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

  /** Whether every accepted record from `position` on is here. */
  reaches(position: Position): boolean {
    const first = this.#records[0]
    return first !== undefined && first.position <= position
  }

  /** The accepted records from `position` on, in order. */
  from(position: Position): readonly RecentRecord[] {
    return this.#records.filter((record) => record.position >= position)
  }

  /** The accepted record at exactly `position`. */
  at(position: Position): RecentRecord | undefined {
    return this.#records.find((record) => record.position === position)
  }

  last(): RecentRecord | undefined {
    return this.#records.at(-1)
  }
}
