import { histogram, type Bin } from './chart.ts'
import type { MarketOrigin } from './market.ts'
import { totalBooks, type BookPart, type BookTotal } from './npv.ts'
import { historicalRisk, type DayProfit, type HistoricalRisk } from './value-at-risk.ts'

/** The rates of the run, flat, in percent a year. */
export const rates = [2, 3, 4, 5, 6, 7, 8] as const
/** US dollars held in the index at the last close. */
export const position = 10_000_000
/** The tail of the value at risk in percent of the days: confidence 99 %. */
export const tailPercent = 1
/** Width of the chart's bars, in US dollars: one percent of the position. */
export const binWidth = 100_000

/** All books at one rate, in US dollars. */
export interface RateFigures {
  readonly ratePercent: number
  /** The NPV of trade 1 alone; a book is worth about this times the sum of its ids. */
  readonly tradeOne: number
  readonly books: readonly BookTotal[]
  readonly firm: number
}

/** Every figure of the report that does not depend on when, where or over how many partitions it was computed. */
export interface Figures {
  readonly netPresentValue: { readonly origin: string; readonly rates: readonly RateFigures[] }
  readonly valueAtRisk: HistoricalRisk & {
    readonly origin: MarketOrigin
    readonly position: number
    readonly bins: readonly Bin[]
  }
}

/** What the space answered: merged parts for each rate, the NPV of trade 1, and the profit-and-loss vector. */
export interface Answers {
  readonly rates: readonly {
    readonly ratePercent: number
    readonly parts: readonly BookPart[]
    readonly tradeOne: number
  }[]
  readonly profits: readonly DayProfit[]
  readonly origin: MarketOrigin
}

/** The figures of the report from the answers of the space. */
export function figuresOf(answers: Answers): Figures {
  const profits = answers.profits.map(({ profit }) => profit)
  return {
    netPresentValue: {
      origin:
        'made trades, id 0 upwards: cash flows id x (-100, 20, 40, 60, 80, 100) USD at years 0 to 5, book id mod 4',
      rates: answers.rates.map(({ ratePercent, parts, tradeOne }) => {
        const { books, npv } = totalBooks(parts)
        return { ratePercent, tradeOne, books, firm: npv }
      }),
    },
    valueAtRisk: {
      origin: answers.origin,
      position,
      ...historicalRisk(answers.profits, tailPercent),
      bins: histogram(profits, binWidth),
    },
  }
}
