import type { Position } from '../journal/index.ts'

/** One record as it was found, kept to be appended again. */
export interface RecentRecord {
  readonly position: Position
  readonly bytes: Uint8Array
}

/** Milliseconds after which a leader that was deposed certainly knows it: the longest election, and then some. */
const oldLeaderMsMax = 15_000

/**
 * The last records that were found, bounded by count (JR5); void ones too, because what follows them can only stand
 * where it stood. Kept only where the journal can regress.
 */
export class RecentRecords {
  /** Monotonic time at which the journal was first seen to end before all that is kept here. */
  #shortSince: number | undefined
  readonly #max: number
  #records: RecentRecord[] = []

  constructor(max: number) {
    this.#max = max
  }

  /**
   * Whether the journal has ended before all that is kept here for so long that no old leader can be the reason, who
   * answers with the tail that it had. Any record that is found meanwhile begins the wait anew.
   */
  isGone(now: number): boolean {
    this.#shortSince ??= now
    return now - this.#shortSince > oldLeaderMsMax
  }

  add(record: RecentRecord): void {
    this.#shortSince = undefined
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
