// The due times of a schedule (UN8). A cron expression speaks of what a clock on the wall shows; this file owns how
// that becomes instants where the clock of the zone is put forward or back. The calendar (which days a month has, on
// which of them the expression matches) is croner's, asked about a clock that is never changed. It does not own timers
// or which due times are run: the grid asks for them. It reads no clock, and neither the zone nor the language of the
// process changes an answer.
//
// Between two changes of its clock a zone is ahead of UTC by a fixed offset: a stretch. What it shows runs on by one
// second each second there.
// I1 Each stretch covers the times that the clock shows in it; times of the day also what the change before it
//    skipped, due at its first instant, and not what was shown before. So a time of the day is due once.
// I2 Due times are whole seconds, and `next` and `last` agree: they see one list, from two sides.

import { Cron } from 'croner'
import { PlenumError } from '../kernel/index.ts'
import { checkedCron, type CronExpression } from './cron-expression.ts'
import { ZoneOffsets } from './zone-offsets.ts'

/** No zone has put its clock back by more since 1970: an older change cannot have shown what is shown now. */
const putBackMsMax = 86_400_000

/**
 * The due times of a cron expression in a time zone, milliseconds since 1970.
 *
 * If both day fields are restricted (are not `*`), a day matches by either of them.
 *
 * Where the clock is changed, the hour field decides what the expression means:
 * - Hours that are named (`30 2 * * *`, `30 2,14 * * *`, `0 8-17 * * *`) are times of the day, each due once a day. What
 *   falls into an hour that is skipped is due at the first instant after it, once for all of them together. What falls
 *   into an hour that comes twice is due the first time.
 * - Hours that are a wildcard or a step (`30 * * * *`, `0 0-23/2 * * *`) are an interval, which goes on as real time
 *   does: due in both passes of an hour that comes twice, and not in a skipped hour, which takes no real time. A step
 *   of several hours keeps to the clock and can lose one due time to the skipped hour; who needs each of them names the
 *   hours (`0 0,2,4 * * *`).
 */
export class DueTimes {
  readonly #cron: Cron
  readonly #interval: boolean
  readonly #zone: ZoneOffsets

  constructor({ text, interval }: CronExpression, zone: ZoneOffsets) {
    this.#cron = new Cron(text, { utcOffset: 0, mode: '5-or-6-parts' })
    this.#interval = interval
    this.#zone = zone
  }

  /** The first due time after `after`, or undefined if there is none before the year 3000, such as for 30 February. */
  next(after: number): number | undefined {
    let offset = this.#zone.at(after)
    let begin = after
    let shown = after + 1 + offset
    const changed = this.#zone.lastChange(after - putBackMsMax, after)
    if (changed !== undefined) shown = Math.max(shown, this.#firstShown(changed))
    for (;;) {
      const match = this.#cron.nextRun(dateOf(shown - 1))?.getTime()
      if (match === undefined) return undefined
      const due = Math.max(begin, match - offset)
      const change = this.#zone.firstChange(begin, due)
      if (change === undefined) return due
      begin = change
      offset = this.#zone.at(change)
      shown = this.#firstShown(change)
    }
  }

  /** The newest due time in (after, until], or undefined if there is none: what was missed since `after`. */
  last(after: number, until: number): number | undefined {
    for (let end = until; end > after;) {
      const offset = this.#zone.at(end)
      const match = this.#cron.previousRuns(1, dateOf(end + offset + 1))[0]?.getTime()
      if (match === undefined) return undefined
      const due = match - offset
      const begin = this.#zone.lastChange(Math.max(due, after) - putBackMsMax, end)
      if (begin === undefined) return due > after ? due : undefined
      if (match >= this.#firstShown(begin)) {
        const first = Math.max(begin, due)
        return first > after ? first : undefined
      }
      end = begin - 1
    }
    return undefined
  }

  /** The earliest time shown that the stretch beginning with `change` covers, as if shown by a clock in UTC (I1). */
  #firstShown(change: number): number {
    return change + this.#zone.at(this.#interval ? change : change - 1)
  }
}

/** The due times of `cron` in `zone`, a name of the IANA list. UNIT_INVALID names the field that is wrong, and why. */
export function checkedDueTimes(cron: string, zone: string): DueTimes {
  return new DueTimes(checkedCron(cron), checkedZone(zone))
}

function checkedZone(zone: string): ZoneOffsets {
  try {
    // Without a name Intl would take the zone of the process.
    return new ZoneOffsets(String(zone))
  } catch (cause) {
    throw new PlenumError(
      'UNIT_INVALID',
      `zone is ${JSON.stringify(zone)}: no such time zone is known. ` +
        "A zone is a name of the IANA list, such as 'Europe/Zurich', 'America/New_York' or 'UTC'.",
      { details: { field: 'zone', value: zone }, cause },
    )
  }
}

function dateOf(time: number): Date {
  // oxlint-disable-next-line no-restricted-globals -- The library takes a Date; this one holds a given time and reads no clock.
  return new Date(time)
}
