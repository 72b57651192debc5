import fc from 'fast-check'
import { expect, test } from 'vitest'
import { dayMoves, readMarket } from './market.ts'
import { dayProfits, historicalRisk, type DayProfit } from './value-at-risk.ts'

const days = (profits: readonly number[]): readonly DayProfit[] =>
  profits.map((profit, index) => ({ date: `day ${String(index).padStart(4, '0')}`, profit }))

test('the figures of the index agree with an independent computation', async () => {
  const { closes } = await readMarket()
  const risk = historicalRisk(dayProfits(10_000_000, dayMoves(closes)), 1)
  // numpy 2: percentile(profits, 1, method='inverted_cdf') and the weighted mean of the tail, over the same file.
  expect(risk.valueAtRisk).toBeCloseTo(345_111.996_538_612_93, 6)
  expect(risk.expectedShortfall).toBeCloseTo(517_952.844_578_507_07, 6)
  expect(risk).toMatchObject({ days: 5104, first: '2000-01-04', last: '2020-04-17', rank: 52 })
  expect(risk.valueAtRiskDate).toBe('2008-10-24')
  expect(risk.worst.date).toBe('2020-03-16')
  expect(risk.worst.profit).toBeCloseTo(-1_198_405.524_869_564_7, 6)
  expect(risk.best.date).toBe('2008-10-13')
})

test('a profit is the position times the simple return', () => {
  expect(dayProfits(1000, [{ date: 'x', previous: 200, close: 190 }])[0]?.profit).toBeCloseTo(-50, 9)
  expect(dayProfits(-1000, [{ date: 'x', previous: 200, close: 190 }])[0]?.profit).toBeCloseTo(50, 9)
})

test('by hand: of 100 days the worst is the value at risk and the expected shortfall', () => {
  const risk = historicalRisk(days(Array.from({ length: 100 }, (_, index) => 50 - index)), 1)
  expect(risk).toMatchObject({
    rank: 1,
    valueAtRisk: 49,
    expectedShortfall: 49,
    worst: { profit: -49 },
    best: { profit: 50 },
  })
})

test('by hand: of 250 days the third worst is the value at risk, and half of it enters the shortfall', () => {
  const profits = [-100, -60, -40, ...Array.from({ length: 247 }, () => 1)]
  const risk = historicalRisk(days(profits.toReversed()), 1)
  expect(risk).toMatchObject({ rank: 3, valueAtRisk: 40 })
  expect(risk.expectedShortfall).toBeCloseTo((100 + 60 + 40 / 2) / 2.5, 12)
})

test('a portfolio that never lost has a negative value at risk', () => {
  expect(historicalRisk(days([5, 6, 7]), 1)).toMatchObject({ valueAtRisk: -5, expectedShortfall: -5 })
})

test('the value at risk is the quantile by its definition, whatever the order of the days', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 1, maxLength: 300 }),
      fc.integer({ min: 1, max: 99 }),
      (profits, tail) => {
        const risk = historicalRisk(days(profits), tail)
        // The naive twin tries every observed profit and counts the days at or below it.
        const share = (x: number): number => profits.filter((profit) => profit <= x).length * 100
        const quantile = Math.min(...profits.filter((x) => share(x) >= tail * profits.length))
        expect(risk.valueAtRisk).toBe(-quantile)
        expect(risk.expectedShortfall).toBeGreaterThanOrEqual(risk.valueAtRisk - 1e-9)
        const shuffled = historicalRisk(days(profits).toReversed(), tail)
        expect(shuffled).toEqual(risk)
      },
    ),
  )
})

test('the expected shortfall is coherent: two portfolios together never need more than apart', () => {
  const pair = fc.tuple(fc.integer({ min: -99, max: 99 }), fc.integer({ min: -99, max: 99 }))
  fc.assert(
    fc.property(fc.array(pair, { minLength: 1, maxLength: 150 }), fc.integer({ min: 1, max: 30 }), (pairs, tail) => {
      const shortfall = (profits: readonly number[]): number => historicalRisk(days(profits), tail).expectedShortfall
      const together = shortfall(pairs.map(([a, b]) => a + b))
      expect(together).toBeLessThanOrEqual(shortfall(pairs.map(([a]) => a)) + shortfall(pairs.map(([, b]) => b)) + 1e-9)
    }),
  )
})

test('no days and an impossible tail are refused', () => {
  expect(() => historicalRisk([], 1)).toThrow(RangeError)
  expect(() => historicalRisk(days([1]), 0)).toThrow(RangeError)
  expect(() => historicalRisk(days([1]), 100)).toThrow(RangeError)
})
