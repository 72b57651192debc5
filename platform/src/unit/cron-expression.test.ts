import { Cron } from 'croner'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PlenumError } from '../kernel/index.ts'
import { checkedCron } from './cron-expression.ts'

function failure(cron: string): PlenumError {
  try {
    checkedCron(cron)
  } catch (error) {
    if (error instanceof PlenumError) return error
    throw error
  }
  throw new Error(`${cron} was not refused`)
}

test.for([
  ['', undefined, 'it is empty'],
  ['* * * *', undefined, 'it has 4 fields'],
  ['* * * * * * *', undefined, 'it has 7 fields'],
  ['daily', undefined, 'it has 1 field.'],
  ['@reboot', undefined, 'no such word exists'],
  ['2030-01-23T00:00:00', undefined, 'it has 1 field.'],
  ['60 * * * *', 'minute', "its minute is '60', where '60' is not from 0 to 59"],
  ['60 * * * * *', 'second', "its second is '60'"],
  ['0 24 * * *', 'hour', "its hour is '24'"],
  ['0 0 0 * *', 'day-of-month', 'is not from 1 to 31'],
  ['0 0 * 13 *', 'month', 'is not from 1 to 12 or JAN to DEC'],
  ['0 0 * JANUARY *', 'month', "where 'JANUARY' is not"],
  ['0 0 * * 8', 'day-of-week', 'is not from 0 to 7 or SUN to SAT'],
  ['MON * * * *', 'minute', "where 'MON' is not from 0 to 59."],
  ['0 17-8 * * *', 'hour', "where the range '17-8' runs backwards"],
  ['0 0 * * FRI-MON', 'day-of-week', "where the range 'FRI-MON' runs backwards"],
  ['*/0 * * * *', 'minute', "where the step of '*/0' is not from 1 to 59"],
  ['0 */x * * *', 'hour', "where the step of '*/X' is not from 1 to 23"],
  ['5/15 * * * *', 'minute', 'write a range, such as 5-59/15'],
  ['*,5 * * * *', 'minute', 'where * stands in a list'],
  ['1,,2 * * * *', 'minute', "where '' is no number"],
  ['1- * * * *', 'minute', "where '1-' is no number"],
  ['0 0 L * *', 'day-of-month', "where 'L' is not"],
  ['0 0 * * MON#1', 'day-of-week', "where 'MON#1' is no number"],
  ['0 0 1 * +MON', 'day-of-week', "where '+MON' is no number"],
  ['0 0 ? * *', 'day-of-month', "where '?' is no number"],
] as const)(
  '[UN8] the cron expression %j is refused with the field that is wrong, why, and an example',
  ([cron, part, fault]) => {
    const { code, details, message } = failure(cron)
    expect(code).toBe('UNIT_INVALID')
    expect(details).toEqual({ field: 'cron', value: cron, ...(part === undefined ? {} : { part }) })
    expect(`${message}`).toContain(fault)
    expect(message).toContain("such as '30 2 * * MON-FRI'")
  },
)

test('[UN8] words are written out, and names may be small', () => {
  expect(checkedCron('@hourly')).toEqual({ text: '0 * * * *', interval: true })
  expect(checkedCron(' @Yearly ')).toEqual({ text: '0 0 1 1 *', interval: false })
  expect(checkedCron('0  2 * jan mon-sun')).toEqual({ text: '0 2 * JAN MON-SUN', interval: false })
})

test.for([
  ['*/5 * * * *', true],
  ['0 */2 * * *', true],
  ['0 8-17/3 * * *', true],
  ['0 0 * * * *', true],
  ['*/5 8-17 * * *', false],
  ['* * 2 * * *', false],
  ['0 2,14 */2 * *', false],
] as const)('[UN8] %j is an interval: %j, which the hour field alone decides', ([cron, interval]) => {
  expect(checkedCron(cron).interval).toBe(interval)
})

test('what passes the check is never refused by the library', () => {
  const item = fc.stringMatching(
    /^(\*|[0-9]{1,2}|[A-Z]{3}|[0-9]{1,2}-[0-9]{1,2}|(MON|FEB|FRI)-(SUN|DEC|SAT))(\/[0-9]{1,2})?$/,
  )
  const field = fc.array(item, { minLength: 1, maxLength: 2 }).map((items) => items.join(','))
  const good = fc.constantFrom('*', '1', '1-5', '*/7', '1-7/7', '3,5')
  const name = fc.constantFrom('SUN', 'MON', 'SAT', 'SUN-SUN', 'SUN-SAT', 'MON-SUN/7', '0-7', '7-7', 'SUN,7', '6-SUN')
  const part = fc.oneof({ weight: 1, arbitrary: field }, { weight: 6, arbitrary: good })
  let passed = 0
  fc.assert(
    fc.property(fc.array(part, { minLength: 4, maxLength: 5 }), fc.oneof(part, name), (parts, last) => {
      const cron = [...parts, last].join(' ')
      let text: string
      try {
        text = checkedCron(cron).text
      } catch {
        return
      }
      passed += 1
      expect(() => new Cron(text, { utcOffset: 0, mode: '5-or-6-parts' })).not.toThrow()
    }),
    { numRuns: 2_000 },
  )
  expect(passed).toBeGreaterThan(500)
})
