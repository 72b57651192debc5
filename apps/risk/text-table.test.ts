import { expect, test } from 'vitest'
import { figure, textTable } from './text-table.ts'

test('cells line up under headings that end on one line', () => {
  const columns = [
    { heading: 'name', align: 'left' },
    { heading: 'value\nUSD', align: 'right' },
  ] as const
  expect(
    textTable(columns, [
      ['a', '1,000.00'],
      ['long one', '5.00'],
    ]),
  ).toEqual([
    '             value',
    'name           USD',
    '--------  --------',
    'a         1,000.00',
    'long one      5.00',
  ])
})

test.each([
  [0, 0, '0'],
  [1234.5, 2, '1,234.50'],
  [-1234567.891, 2, '-1,234,567.89'],
  [999, 0, '999'],
  [1000, 0, '1,000'],
  [0.125, 8, '0.12500000'],
  [-0.001, 2, '0.00'],
])('the figure %d with %d decimals is %s', (value, decimals, text) => {
  expect(figure(value, decimals)).toBe(text)
})
