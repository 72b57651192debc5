import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkedDueTimes } from './due-times.ts'

// The naive twin of due-times.ts: it walks instant by instant, asks Intl what the clock shows, and has its own small
// reading of cron expressions. It shares nothing with the real one but the rule.

const [secondMs, minuteMs, dayMs] = [1_000, 60_000, 86_400_000]

/** What the clock of a zone shows at each instant of a stretch, as the milliseconds of a clock in UTC that shows it. */
interface Shown {
  readonly zone: string
  readonly begin: number
  readonly stepMs: number
  readonly walls: Float64Array
}

function shownBy(zone: string, begin: number, end: number, stepMs: number): Shown {
  const format = new Intl.DateTimeFormat('en-GB', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' })
  const walls = Float64Array.from({ length: (end - begin) / stepMs }, (_, index) => {
    const [day = 0, month = 0, year = 0, hour = 0, minute = 0, second = 0] = format
      .format(begin + index * stepMs)
      .split(/[^0-9]+/)
      .map(Number)
    return Date.UTC(year, month - 1, day, hour, minute, second)
  })
  return { zone, begin, stepMs, walls }
}

const weekdays = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT']

/** The values of a field: `*`, or a list of values, ranges and steps. */
function valuesOf(field: string, min: number, max: number): ReadonlySet<number> {
  const values = new Set<number>()
  for (const item of field.split(',')) {
    const [range = '', step = '1'] = item.split('/')
    const [first = '', last = first] = range === '*' ? [String(min), String(max)] : range.split('-')
    const number = (text: string): number => (weekdays.includes(text) ? weekdays.indexOf(text) : Number(text))
    for (let value = number(first); value <= number(last); value += Number(step)) values.add(value)
  }
  return values
}

function matcher(cron: string): (wall: number) => boolean {
  const fields = cron.split(' ')
  const [second = '', minute = '', hour = '', day = '', month = '', weekday = ''] =
    fields.length === 6 ? fields : ['0', ...fields]
  const [seconds, minutes, hours] = [valuesOf(second, 0, 59), valuesOf(minute, 0, 59), valuesOf(hour, 0, 23)]
  const [days, months, ofWeek] = [valuesOf(day, 1, 31), valuesOf(month, 1, 12), valuesOf(weekday, 0, 7)]
  return (wall) => {
    const date = new Date(wall)
    const onDay = days.has(date.getUTCDate())
    const onWeekday = ofWeek.has(date.getUTCDay()) || (date.getUTCDay() === 0 && ofWeek.has(7))
    return (
      seconds.has(date.getUTCSeconds()) &&
      minutes.has(date.getUTCMinutes()) &&
      hours.has(date.getUTCHours()) &&
      months.has(date.getUTCMonth() + 1) &&
      (day === '*' || weekday === '*' ? onDay && onWeekday : onDay || onWeekday)
    )
  }
}

/**
 * The due times of a stretch. A time of the day is due when the clock first shows it or has gone past it; an
 * interval whenever the clock shows it.
 */
function naive(cron: string, { begin, stepMs, walls }: Shown): readonly number[] {
  const matches = matcher(cron)
  const interval = /[*/]/.test(cron.split(' ').at(-4) ?? '')
  const due: number[] = []
  let newest = (walls[0] ?? 0) - stepMs
  for (const [index, wall] of walls.entries()) {
    let isDue = interval && matches(wall)
    for (let passed = newest + stepMs; !interval && passed <= wall && !isDue; passed += stepMs) isDue = matches(passed)
    if (isDue) due.push(begin + index * stepMs)
    newest = Math.max(newest, wall)
  }
  return due
}

/** Some weeks around changes of all kinds; each begins and ends outside of an hour that comes twice. */
const stretches: readonly (readonly [zone: string, begin: string, days: number])[] = [
  ['Europe/Zurich', '2026-03-15', 30],
  ['Europe/Zurich', '2026-10-10', 30],
  ['America/New_York', '2026-03-01', 14],
  ['America/New_York', '2026-10-25', 14],
  ['Asia/Kolkata', '2026-03-22', 14],
  ['Australia/Lord_Howe', '2026-03-28', 14],
  ['Australia/Lord_Howe', '2026-09-26', 14],
  // The hour at the end of a day is skipped and comes twice; that at its beginning; one day has no hour at all.
  ['America/Scoresbysund', '2026-03-20', 14],
  ['America/Scoresbysund', '2026-10-18', 14],
  ['America/Santiago', '2026-03-28', 14],
  ['America/Santiago', '2026-08-28', 14],
  ['Pacific/Apia', '2011-12-22', 14],
  // Two hours at once, and two changes within two weeks.
  ['Antarctica/Troll', '2026-03-20', 14],
  ['Antarctica/Troll', '2026-10-18', 14],
  ['America/Recife', '2000-09-28', 24],
]

const numberIn = (min: number, max: number): fc.Arbitrary<string> => fc.integer({ min, max }).map(String)
const rangeIn = (min: number, max: number): fc.Arbitrary<string> =>
  fc
    .tuple(fc.integer({ min, max }), fc.integer({ min, max }))
    .map(([one, other]) => `${Math.min(one, other)}-${Math.max(one, other)}`)
const fieldIn = (min: number, max: number): fc.Arbitrary<string> => {
  const step = fc.integer({ min: 1, max: Math.min(max, 30) })
  const item = fc.oneof(
    { weight: 4, arbitrary: numberIn(min, max) },
    rangeIn(min, max),
    fc.tuple(rangeIn(min, max), step).map(([range, by]) => `${range}/${by}`),
    step.map((by) => `*/${by}`),
  )
  return fc.array(item, { minLength: 1, maxLength: 3 }).map((items) => items.join(','))
}
const orAny = (weight: number, field: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.oneof({ weight, arbitrary: fc.constant('*') }, { weight: 2, arbitrary: field })

/** Hours are mostly small, since clocks are changed at night. */
const hour = fc.oneof(orAny(1, fieldIn(0, 23)), fieldIn(0, 4), fieldIn(0, 4), fieldIn(22, 23))
const weekday = fc.oneof(fieldIn(0, 7), fc.constantFrom('SUN', 'MON-FRI', 'SAT,SUN', '5-7', 'MON,WED-FRI'))
const daysAndMonths = [orAny(4, fieldIn(1, 31)), orAny(4, fieldIn(1, 12)), orAny(4, weekday)] as const
const cronOfMinutes = fc.tuple(orAny(1, fieldIn(0, 59)), hour, ...daysAndMonths).map((fields) => fields.join(' '))
const cronOfSeconds = fc
  .tuple(orAny(1, fieldIn(0, 59)), orAny(1, fieldIn(0, 59)), hour, ...daysAndMonths)
  .map((fields) => fields.join(' '))

/** Holds the real one to the twin: forwards, backwards, and from instants between due times. */
function expectSame(cron: string, shown: Shown, probes: readonly number[]): void {
  const due = naive(cron, shown)
  const dueTimes = checkedDueTimes(cron, shown.zone)
  const [after, until] = [shown.begin - 1, shown.begin + shown.walls.length * shown.stepMs - 1]
  // Where everything is due often, the first, the last and the probes between them are enough.
  const few = 100
  let cursor = after
  for (const expected of due.slice(0, few)) {
    const next = dueTimes.next(cursor)
    if (next !== expected) expect({ cron, zone: shown.zone, cursor, next }).toEqual({ next: expected })
    cursor = expected
  }
  if (due.length <= few) expect(dueTimes.next(cursor) ?? Infinity).toBeGreaterThan(until)
  cursor = until
  for (const expected of due.slice(-few).toReversed()) {
    const last = dueTimes.last(after, cursor)
    if (last !== expected) expect({ cron, zone: shown.zone, cursor, last }).toEqual({ last: expected })
    cursor = expected - 1
  }
  if (due.length <= few) expect(dueTimes.last(after, cursor)).toBeUndefined()
  const times = [...probes.map((probe) => after + probe * (until - after)), ...nearChange(shown, probes)].filter(
    (time) => time >= after && time <= until,
  )
  for (const [index, time] of times.entries()) {
    const next = due.find((each) => each > time)
    if (next !== undefined) expect(dueTimes.next(time)).toBe(next)
    for (const [from, to] of [
      [after, time],
      [time, until],
      [time, times[index - 1] ?? until],
    ] as const) {
      expect(dueTimes.last(from, to)).toBe(due.findLast((each) => each > from && each <= to))
    }
  }
}

/** Times within some hours of a change of the clock, where hardly one of all times would be. */
function nearChange({ begin, stepMs, walls }: Shown, probes: readonly number[]): readonly number[] {
  const change = walls.findIndex((wall, index) => index > 0 && wall - (walls[index - 1] ?? 0) !== stepMs)
  return change < 0 ? [] : probes.map((probe) => begin + change * stepMs + Math.round((probe - 0.5) * (dayMs / 6)))
}

const probes = fc.array(fc.double({ min: 0, max: 1, noNaN: true, noDefaultInfinity: true }), {
  minLength: 10,
  maxLength: 10,
})

test.for(stretches)(
  '[UN8] %s from %s, %i days: the due times are those of a walk minute by minute',
  ([zone, begin, days]) => {
    const start = Date.parse(begin)
    const shown = shownBy(zone, start, start + days * dayMs, minuteMs)
    fc.assert(
      fc.property(cronOfMinutes, probes, (cron, at) => expectSame(cron, shown, at)),
      { numRuns: 25 },
    )
  },
)

test.for([
  ['Europe/Zurich', '2026-03-29T00:00:00Z'],
  ['Europe/Zurich', '2026-10-24T23:00:00Z'],
  ['Australia/Lord_Howe', '2026-04-04T14:00:00Z'],
] as const)('[UN8] %s from %s: with seconds they are those of a walk second by second', ([zone, begin]) => {
  const start = Date.parse(begin)
  const shown = shownBy(zone, start, start + dayMs / 6, secondMs)
  fc.assert(
    fc.property(cronOfSeconds, probes, (cron, at) => expectSame(cron, shown, at)),
    { numRuns: 25 },
  )
})
