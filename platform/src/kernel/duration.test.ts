import { expect, test } from 'vitest'
import { durationMs } from './duration.ts'

test.each([
  ['250ms', 250],
  ['2s', 2_000],
  ['1.5s', 1_500],
  ['5m', 300_000],
  ['1h', 3_600_000],
  ['7d', 604_800_000],
  ['0ms', 0],
])('[SP11] %s is %i milliseconds', (duration, ms) => {
  expect(durationMs(duration, 'timeout')).toBe(ms)
})

test.each(['', '5', 'ms', '5 s', '-1s', '1e3ms', '5S', '5sec', '1.s', 'Infinitys'])(
  '[SP11] %j is DURATION_INVALID and names its field',
  (duration) => {
    expect(() => durationMs(duration, 'timeout')).toThrow(
      expect.objectContaining({ code: 'DURATION_INVALID', details: { field: 'timeout', value: duration } }),
    )
  },
)
