// The clock of one time zone, seen from UTC. It owns the offsets and the instants at which they change, and knows
// nothing of schedules. The zone's data is that of Node (ICU), so members of one grid should run the same Node.

import { assert } from '../kernel/index.ts'

/**
 * How far apart changes are looked for. A change and the one back would hide each other in one
 * step; none of ICU's zones has two within a week between 1970 and 2090.
 */
const stepMs = 3 * 86_400_000
const shape = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/

/** How far the clock of a time zone is ahead of UTC, and when that changes. All times are milliseconds since 1970. */
export class ZoneOffsets {
  readonly #format: Intl.DateTimeFormat

  /** Throws a RangeError if `zone` is not the name of a time zone. */
  constructor(zone: string) {
    this.#format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' })
  }

  /** What is added to `time` to get what the clock of the zone shows, in milliseconds. */
  at(time: number): number {
    const match = shape.exec(this.#format.format(time))
    assert(match !== null, 'Intl writes an offset as GMT+hh:mm or GMT+hh:mm:ss')
    const [, sign, hours = 0, minutes = 0, seconds = 0] = match
    const size = (Number(hours) * 60 + Number(minutes)) * 60_000 + Number(seconds) * 1_000
    return sign === '-' ? -size : size
  }

  /** The first instant in (after, until] that has another offset than the millisecond before it. */
  firstChange(after: number, until: number): number | undefined {
    const offset = this.at(after)
    for (let low = after; low < until;) {
      const high = Math.min(low + stepMs, until)
      if (this.at(high) !== offset) return this.#changeBetween(low, high)
      low = high
    }
    return undefined
  }

  /** The last instant in (after, until] that has another offset than the millisecond before it. */
  lastChange(after: number, until: number): number | undefined {
    const offset = this.at(until)
    for (let high = until; high > after;) {
      const low = Math.max(high - stepMs, after)
      if (this.at(low) !== offset) return this.#changeBetween(low, high)
      high = low
    }
    return undefined
  }

  /** The change in (low, high], where the two ends have different offsets; found by halving. */
  #changeBetween(low: number, high: number): number {
    const offset = this.at(low)
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2)
      if (this.at(middle) === offset) low = middle
      else high = middle
    }
    return high
  }
}
