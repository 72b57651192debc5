import { expect, test } from 'vitest'
import { mergeBooks, presentValue, totalBooks, valueBooks, type BookPart } from './npv.ts'
import { madeTrades } from './made-trades.ts'

const rates = [2, 3, 4, 5, 6, 7, 8]

test('the NPV of trade 1 at 2 to 8 percent is the known one', () => {
  const factors = rates.map((rate) => presentValue(rate, [-100, 20, 40, 60, 80, 100]).toFixed(8))
  expect(factors).toEqual([
    '179.07464952',
    '169.36965393',
    '160.12984523',
    '151.32786873',
    '142.93824946',
    '134.93724544',
    '127.30271372',
  ])
})

test("the NPV agrees with a spreadsheet's", () => {
  // LibreOffice: =NPV(10%; 25000; 25000; 25000; 25000; 25000) - 100000
  const value = presentValue(10, [-100_000, 25_000, 25_000, 25_000, 25_000, 25_000])
  expect(value).toBeCloseTo(-5230.330764788814, 9)
})

test('the NPV is the sum of the discounted flows', () => {
  const flows = [-1000, 300, 0, 420.5, 700]
  for (const rate of [0, 0.5, 7.25, 100]) {
    const direct = flows.reduce((sum, flow, year) => sum + flow / (1 + rate / 100) ** year, 0)
    expect(presentValue(rate, flows)).toBeCloseTo(direct, 9)
  }
  expect(presentValue(5, [])).toBe(0)
})

test('the books hold the known sums of ids', () => {
  const { books } = totalBooks(valueBooks(5, madeTrades(10_000)))
  expect(books.map(({ book, trades, ids }) => [book, trades, ids])).toEqual([
    [0, 2500, 12_495_000],
    [1, 2500, 12_497_500],
    [2, 2500, 12_500_000],
    [3, 2500, 12_502_500],
  ])
})

test('a book is worth its ids times the NPV of trade 1', () => {
  for (const rate of rates) {
    const { books, npv } = totalBooks(valueBooks(rate, madeTrades(10_000)))
    const unit = presentValue(rate, [-100, 20, 40, 60, 80, 100])
    // Each of 2,500 trades is rounded on its own, so the two agree to about 2,500 units of the last place, not all bits.
    for (const book of books) expect(Math.abs(book.npv / (book.ids * unit) - 1)).toBeLessThan(1e-14)
    expect(Math.abs(npv / (49_995_000 * unit) - 1)).toBeLessThan(1e-14)
  }
})

test('the totals are the same bits for 1, 2, 4 and 8 shares in any order', () => {
  const trades = madeTrades(10_000)
  for (const rate of rates) {
    const whole = totalBooks(valueBooks(rate, trades))
    for (const shares of [2, 4, 8]) {
      const parts = Array.from({ length: shares }, (_, share) =>
        // Multiplying by an odd number spreads the ids differently from `id mod shares`, which would follow the books.
        valueBooks(
          rate,
          trades.filter((trade) => ((trade.id * 40_503) >> 5) % shares === share),
        ),
      )
      const forward = parts.reduce(mergeBooks)
      const backward = parts.toReversed().reduce(mergeBooks)
      expect(totalBooks(forward)).toEqual(whole)
      expect(totalBooks(backward)).toEqual(whole)
    }
  }
})

test('merging with nothing changes nothing, and books that only one side has are kept', () => {
  const one: readonly BookPart[] = valueBooks(4, [{ id: 7, book: 3, flows: [10, 20] }])
  const other: readonly BookPart[] = valueBooks(4, [{ id: 8, book: 1, flows: [5] }])
  expect(mergeBooks(one, [])).toEqual(one)
  expect(mergeBooks([], one)).toEqual(one)
  expect(mergeBooks(one, other).map((part) => part.book)).toEqual([1, 3])
})
