import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { drawHistogram, histogram, type ChartOptions } from './chart.ts'

const options: ChartOptions = {
  width: 40,
  colour: false,
  mark: { at: -15, label: 'VaR' },
  edge: (value) => value.toFixed(0),
}

test('bins are aligned to zero, half open, and without gaps', () => {
  expect(histogram([-20, -10.5, -0.1, 0, 9.9, 30], 10)).toEqual([
    { from: -20, to: -10, count: 2 },
    { from: -10, to: 0, count: 1 },
    { from: 0, to: 10, count: 2 },
    { from: 10, to: 20, count: 0 },
    { from: 20, to: 30, count: 0 },
    { from: 30, to: 40, count: 1 },
  ])
  expect(histogram([], 10)).toEqual([])
  expect(() => histogram([1], 0)).toThrow(RangeError)
})

test('bars are proportional, empty bins have none, and the mark stands in its bin', () => {
  const values = [-20, -12, ...Array.from({ length: 60 }, () => 5), 25]
  expect(drawHistogram(histogram(values, 10), options)).toEqual([
    '-20 to -10 | # 2',
    '-----------+-- VaR ---------------------',
    '-10 to   0 |',
    '  0 to  10 | ######################## 60',
    ' 10 to  20 |',
    ' 20 to  30 | # 1',
  ])
})

test('every line fits the width and is plain unless colour is asked for', () => {
  const values = Array.from({ length: 2000 }, (_, index) => ((index * 7919) % 2003) - 1000)
  const lines = drawHistogram(histogram(values, 100), { ...options, width: 80 })
  for (const line of lines) expect(line).toMatch(/^[ -~]{1,80}$/)
  const coloured = drawHistogram(histogram(values, 100), { ...options, width: 80, colour: true })
  expect(coloured.join('')).toContain('\u001B[31m')
  // Colour adds escape sequences and nothing else.
  expect(coloured.map(stripVTControlCharacters)).toEqual(lines)
})
