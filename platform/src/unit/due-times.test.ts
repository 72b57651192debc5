import { execFileSync } from 'node:child_process'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { isPlenumError } from '../kernel/index.ts'
import { checkedDueTimes, type DueTimes } from './due-times.ts'

const at = (text: string): number => Date.parse(text)
const utc = (time: number): string => new Date(time).toISOString().replace(':00.000Z', 'Z')

/** All due times in (after, until], by `next`. */
function forward(dueTimes: DueTimes, after: number, until: number): readonly number[] {
  const found: number[] = []
  for (let due = dueTimes.next(after); due !== undefined && due <= until; due = dueTimes.next(due)) found.push(due)
  return found
}

/** The same, by `last` from the end. */
function backward(dueTimes: DueTimes, after: number, until: number): readonly number[] {
  const found: number[] = []
  for (let due = dueTimes.last(after, until); due !== undefined; due = dueTimes.last(after, due - 1)) found.push(due)
  return found.toReversed()
}

/** The due times of 22 hours from midnight in UTC, as hours and minutes in UTC: in Europe the next day begins then. */
function dueOn(day: string, cron: string, zone: string): string {
  const [after, until] = [at(`${day}T00:00:00Z`) - 1, at(`${day}T22:00:00Z`) - 1]
  const dueTimes = checkedDueTimes(cron, zone)
  const found = forward(dueTimes, after, until)
  expect(backward(dueTimes, after, until)).toEqual(found)
  return found.map((due) => utc(due).slice(11, -1)).join(' ')
}

test('[UN8] whoever asks in the second pass of an hour is not told again what was due in the first', () => {
  const dueTimes = checkedDueTimes('45 2 * * *', 'Europe/Zurich')
  const [first, second] = [at('2026-10-25T00:45:00Z'), at('2026-10-25T01:30:00Z')]
  expect(dueTimes.next(second)).toBe(at('2026-10-26T01:45:00Z'))
  expect(dueTimes.last(0, second)).toBe(first)
  expect(dueTimes.last(first, second)).toBeUndefined()
})

const halfHours = Array.from({ length: 22 }, (_, hour) => String(hour).padStart(2, '0'))
  .map((hour) => `${hour}:00 ${hour}:30`)
  .join(' ')

describe('Europe/Zurich in spring: at 01:00 UTC the clock goes from 2:00 to 3:00', () => {
  test.for([
    ['30 2 * * *', '01:00'],
    ['15,30 2 * * *', '01:00'],
    ['*/15 2 * * *', '01:00'],
    ['30 1,2,3 * * *', '00:30 01:00 01:30'],
    ['0 2,3 * * *', '01:00'],
    ['0 0 3 * * *', '01:00'],
    // An interval: half an hour after half an hour, and nothing for the hour that was not.
    ['*/30 * * * *', halfHours],
    ['30 0-4/1 * * *', '00:30 01:30 02:30'],
    ['0 0-6/2 * * *', '02:00 04:00'],
    ['0 0,2,4,6 * * *', '01:00 02:00 04:00'],
  ] as const)('[UN8] %s is due at %s UTC', ([cron, due]) => {
    expect(dueOn('2026-03-29', cron, 'Europe/Zurich')).toBe(due)
  })
})

describe('Europe/Zurich in autumn: at 01:00 UTC the clock goes from 3:00 back to 2:00', () => {
  test.for([
    ['30 2 * * *', '00:30'],
    ['*/30 2 * * *', '00:00 00:30'],
    ['30 1,2,3 * * *', '00:30 02:30'],
    ['0 2,3 * * *', '00:00 02:00'],
    ['0 0-23/2 * * *', '00:00 01:00 03:00 05:00 07:00 09:00 11:00 13:00 15:00 17:00 19:00 21:00'],
    ['30 2-3/1 * * *', '00:30 01:30 02:30'],
    ['*/30 * * * *', halfHours],
  ] as const)('[UN8] %s is due at %s UTC', ([cron, due]) => {
    expect(dueOn('2026-10-25', cron, 'Europe/Zurich')).toBe(due)
  })
})

describe('other zones', () => {
  test.for([
    // At 07:00 UTC the clock goes from 2:00 to 3:00, at 06:00 UTC from 2:00 back to 1:00.
    ['America/New_York', '2026-03-08', '30 2 * * *', '07:00'],
    ['America/New_York', '2026-11-01', '30 1 * * *', '05:30'],
    ['America/New_York', '2026-11-01', '30 0-2/1 * * *', '04:30 05:30 06:30 07:30'],
    ['America/New_York', '2026-07-01', '@daily', '04:00'],
    // No clock is changed.
    ['Asia/Kolkata', '2026-03-29', '30 2 * * *', '21:00'],
    ['Asia/Kolkata', '2026-10-25', '30 2 * * *', '21:00'],
    // Half an hour: at 15:30 UTC of the day before from 2:00 to 2:30, at 15:00 UTC from 2:00 back to 1:30.
    ['Australia/Lord_Howe', '2026-10-03', '15 2 * * *', '15:30'],
    ['Australia/Lord_Howe', '2026-10-03', '45 2 * * *', '15:45'],
    ['Australia/Lord_Howe', '2026-10-03', '15 1-3/1 * * *', '14:45 16:15'],
    ['Australia/Lord_Howe', '2026-04-04', '45 1 * * *', '14:45'],
    ['Australia/Lord_Howe', '2026-04-04', '45 1-2/1 * * *', '14:45 15:15 16:15'],
    // The skipped hour is the last one of a day, so the first instant after it is the next day's.
    ['America/Scoresbysund', '2026-03-29', '30 23 28 3 *', '01:00'],
    // A whole day was skipped, from the end of 29 December to the beginning of the 31st.
    ['Pacific/Apia', '2011-12-30', '0 12 30 12 *', '10:00'],
  ] as const)('[UN8] %s on %s: %s is due at %s UTC', ([zone, day, cron, due]) => {
    expect(dueOn(day, cron, zone)).toBe(due)
  })
})

describe('the calendar', () => {
  test.for([
    ['0 0 13 * FRI', '2026-01-31', '2026-02-06'],
    ['0 0 13 * FRI', '2026-02-08', '2026-02-13'],
    ['0 0 13 * *', '2026-02-13', '2026-03-13'],
    ['0 0 */10 2 MON', '2026-02-01', '2026-02-02'],
    ['0 0 * * FRI-SUN/2', '2026-02-06', '2026-02-08'],
    ['0 0 31 * *', '2026-01-31', '2026-03-31'],
    ['0 0 29 2 *', '2026-01-01', '2028-02-29'],
    ['@weekly', '2026-01-01', '2026-01-04'],
    ['@monthly', '2026-01-01', '2026-02-01'],
    ['@yearly', '2026-01-01', '2027-01-01'],
  ] as const)('[UN8] %s is due after %s on %s', ([cron, after, due]) => {
    expect(checkedDueTimes(cron, 'UTC').next(at(after))).toBe(at(due))
  })

  test('[UN8] what is never due has neither a next nor a last due time', () => {
    const never = checkedDueTimes('0 0 30 2 *', 'Europe/Zurich')
    expect(never.next(0)).toBeUndefined()
    expect(never.last(0, at('2026-01-01'))).toBeUndefined()
  })

  test('[UN8] the newest missed due time of years is the last one, and none older than asked for is told', () => {
    const leapDays = checkedDueTimes('0 0 29 2 *', 'Europe/Zurich')
    expect(leapDays.last(0, at('2027-06-01'))).toBe(at('2024-02-28T23:00:00Z'))
    expect(leapDays.last(at('2024-02-28T23:00:00Z'), at('2027-06-01'))).toBeUndefined()
    expect(leapDays.last(at('2024-02-28T22:59:59.999Z'), at('2024-02-28T23:00:00Z'))).toBe(at('2024-02-28T23:00:00Z'))
    expect(leapDays.last(at('2027-06-01'), at('2020-01-01'))).toBeUndefined()
    expect(checkedDueTimes('* * * * *', 'UTC').last(0, at('2026-01-01T00:00:59.999Z'))).toBe(at('2026-01-01'))
  })
})

test.for(['', 'Europe/Zurick', 'local', ' UTC'])('[UN8] the zone %j is refused with an example', (zone) => {
  try {
    checkedDueTimes('@daily', zone)
  } catch (error) {
    if (!isPlenumError(error, 'UNIT_INVALID')) throw error
    expect(error.message).toMatch(/^zone is ".*": no such time zone is known.*'Europe\/Zurich'/)
    expect(error.details).toEqual({ field: 'zone', value: zone })
    return
  }
  throw new Error('nothing was thrown')
})

describe('nothing of the process changes an answer', () => {
  afterEach(() => void vi.useRealTimers())

  const crons = ['30 2 * * *', '*/20 2 * * *', '30 * * * *', '0 0 1 * MON']
  const zones = ['Europe/Zurich', 'America/New_York', 'Pacific/Auckland', 'UTC']
  const [after, until] = [at('2026-03-01T00:00:00Z'), at('2026-05-01T00:00:00Z')]
  const answers = (): readonly string[] =>
    crons.flatMap((cron) =>
      zones.map((zone) => {
        const dueTimes = checkedDueTimes(cron, zone)
        return JSON.stringify([forward(dueTimes, after, until), backward(dueTimes, after, until)])
      }),
    )

  test.for([
    ['Pacific/Auckland', 'ar_EG.UTF-8'],
    ['America/New_York', 'th_TH.UTF-8'],
  ] as const)('[UN8] neither its zone %s nor its language %s', ([TZ, LC_ALL]) => {
    const script = `
      import { checkedDueTimes } from ${JSON.stringify(new URL('due-times.ts', import.meta.url).href)}
      const [crons, zones, after, until] = ${JSON.stringify([crons, zones, after, until])}
      ${forward.toString()}
      ${backward.toString()}
      const answers = crons.flatMap((cron) => zones.map((zone) => {
        const dueTimes = checkedDueTimes(cron, zone)
        return JSON.stringify([forward(dueTimes, after, until), backward(dueTimes, after, until)])
      }))
      const { timeZone, locale } = Intl.DateTimeFormat().resolvedOptions()
      console.log(JSON.stringify({ timeZone, locale, answers }))`
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      env: { ...process.env, TZ, LC_ALL },
      encoding: 'utf8',
    })
    expect(JSON.parse(output)).toEqual({
      timeZone: TZ,
      locale: LC_ALL.slice(0, 5).replace('_', '-'),
      answers: answers(),
    })
  })

  test('[UN8] nor its clock', () => {
    const now = answers()
    vi.useFakeTimers({ now: at('2047-07-01T00:00:00Z') })
    expect(answers()).toEqual(now)
  })
})
