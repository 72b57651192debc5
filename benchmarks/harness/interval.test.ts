import { expect, test } from 'vitest'
import { medianInterval } from './interval.ts'

test('the interval of a median has the places that tables of the sign test give', () => {
  const upTo = (count: number): number[] => Array.from({ length: count }, (_, at) => at + 1)
  expect(medianInterval(upTo(20))).toEqual({ from: 6, to: 15 })
  expect(medianInterval(upTo(10))).toEqual({ from: 2, to: 9 })
  expect(medianInterval(upTo(6))).toEqual({ from: 1, to: 6 })
  expect(medianInterval([3])).toEqual({ from: 3, to: 3 })
  expect(medianInterval(upTo(20).toReversed())).toEqual({ from: 6, to: 15 })
})
