import { expect, test } from 'vitest'
import { LookPace } from './look-pace.ts'

const after = (pace: LookPace, looks: number, count: number, isRunning: boolean): number =>
  Array.from({ length: looks }, () => pace.next(count, isRunning)).at(-1)!

test('[UN5] looks become more seldom while nothing runs, and frequent again with the first run', () => {
  const pace = new LookPace(10, 5_000)
  expect(after(pace, 10, 4, false)).toBe(10)
  expect(after(pace, 30, 4, false)).toBe(80)
  expect(after(pace, 1, 6, false)).toBe(10)
  expect(after(pace, 100, 7, true)).toBe(10)
})

test('[PA9] whatever is slow, a stuck run is looked at four times within its limit', () => {
  expect(after(new LookPace(1_000, 100), 100, 0, false)).toBe(25)
  expect(after(new LookPace(20, 100), 100, 0, false)).toBe(25)
})
