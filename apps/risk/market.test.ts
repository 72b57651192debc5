import { expect, test } from 'vitest'
import { dayMoves, parseCloses, readMarket } from './market.ts'

test('the data set holds the closes of the S&P 500 from January 2000 to April 2020', async () => {
  const { closes, origin } = await readMarket()
  expect(closes).toHaveLength(5105)
  expect(closes[0]).toEqual({ date: '2000-01-03', close: 1455.219971 })
  // A day that the index is known for: the first close after Lehman Brothers' end.
  expect(closes.find(({ date }) => date === '2008-09-15')?.close).toBeCloseTo(1192.7, 2)
  expect(closes.at(-1)).toEqual({ date: '2020-04-17', close: 2874.560059 })
  expect(origin.file).toMatch(/^npm vega-datasets \d+\.\d+\.\d+, data\/sp500-2000\.csv$/)
  expect(origin.licence).toBe('BSD-3-Clause')
})

test('columns are found by name', () => {
  expect(parseCloses('open,close,date\r\n1,2.5,2001-01-02\r\n3,4,2001-01-03\r\n')).toEqual([
    { date: '2001-01-02', close: 2.5 },
    { date: '2001-01-03', close: 4 },
  ])
})

test.each([
  ['a missing column', 'date,price\n2001-01-02,5', /no columns/],
  ['a missing close', 'date,close\n2001-01-02,', /line 2 /],
  ['a close of nothing', 'date,close\n2001-01-02,0', /line 2 /],
  ['text for a close', 'date,close\n2001-01-02,5\n2001-01-03,n\\/a', /line 3 /],
  ['a day twice', 'date,close\n2001-01-02,5\n2001-01-02,6', /line 3 .* after 2001-01-02/],
  ['another form of date', 'date,close\n02.01.2001,5', /line 2 /],
])('%s is refused', (_, text, message) => {
  expect(() => parseCloses(text)).toThrow(message)
})

test('a move joins a day with the day before', () => {
  expect(
    dayMoves([
      { date: '2001-01-02', close: 100 },
      { date: '2001-01-03', close: 103 },
      { date: '2001-01-05', close: 99 },
    ]),
  ).toEqual([
    { date: '2001-01-03', previous: 100, close: 103 },
    { date: '2001-01-05', previous: 103, close: 99 },
  ])
})
