import { expect, test } from 'vitest'
import { FillMarks } from './fill-marks.ts'

/** The fills at which a snapshot is taken, of those that are met in turn. */
function taken(fills: readonly number[]): readonly number[] {
  const marks = new FillMarks()
  return fills.filter((fill) => {
    const reached = marks.isReached(fill)
    if (reached) marks.pass(fill)
    return reached
  })
}

test('[JR8] at one half and at each further tenth, once, and twice at the limit', () => {
  const fills = Array.from({ length: 101 }, (_, percent) => percent / 100)
  expect(taken(fills)).toEqual([0.5, 0.6, 0.7, 0.8, 0.9, 0.91])
})

test('[JR8] a jump over several marks takes one snapshot, and at the limit two', () => {
  expect(taken([0.1, 0.75, 0.76, 0.79])).toEqual([0.75])
  expect(taken([0.1, 1, 1, 1, 1])).toEqual([1, 1])
})

test('[JR8] where room was made, the marks above count anew', () => {
  expect(taken([0.5, 0.6, 0.2, 0.49, 0.5, 0.55, 0.6])).toEqual([0.5, 0.6, 0.5, 0.6])
  expect(taken([0.95, 0.95, 0.95, 0.7, 0.8, 0.95, 0.95, 0.95])).toEqual([0.95, 0.95, 0.8, 0.95, 0.95])
})
