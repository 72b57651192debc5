import { durationMs } from '../kernel/index.ts'
import { usage } from './arguments.ts'

/** A point of a journal's history, as `--at` names it: a record of one partition, or a time of all of them. */
export type Point =
  | { readonly kind: 'index'; readonly index: number }
  /** Milliseconds since 1970. */
  | { readonly kind: 'time'; readonly time: number }

/** A whole number below this counts records; from here on it is milliseconds since 1970, of March 1973 and later. */
const timeMin = 1e11

const isoTime = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/
const ago = /^\d+(\.\d+)?(ms|s|m|h|d)$/

/** The point that an option names; `now` is milliseconds since 1970. USAGE says what can be named. */
export function pointOf(command: string, given: string, now: number): Point {
  if (/^\d+$/.test(given)) {
    const number = Number(given)
    if (Number.isSafeInteger(number) && number > 0)
      return number < timeMin ? { kind: 'index', index: number } : { kind: 'time', time: number }
  } else if (ago.test(given)) {
    return { kind: 'time', time: now - durationMs(given, '--at') }
  } else if (isoTime.test(given)) {
    const time = Date.parse(given)
    if (Number.isFinite(time)) return { kind: 'time', time }
  }
  throw usage(
    command,
    `--at is the index of a record from 1 on, a time such as 2026-11-30T14:05:00Z, milliseconds since 1970, or how long ago, such as 5m; not '${given}'`,
    '--at',
  )
}

/** A point as it was given, in words; `partition` is whose records it counts. */
export function pointText(given: string, partition: string | number | undefined): string {
  if (!/^\d+$/.test(given) || Number(given) >= timeMin) return given
  return partition === undefined ? `record ${given}` : `record ${given} of partition ${partition}`
}

/** A time as people and programs read it. */
export function timeText(time: number): string {
  return new Date(time).toISOString()
}
