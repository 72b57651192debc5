import type { DayMove } from './market.ts'

/** What the portfolio would have gained (positive) or lost (negative) on one day, in US dollars. */
export interface DayProfit {
  readonly date: string
  readonly profit: number
}

/** One-day historical value at risk and expected shortfall; losses in US dollars, positive = loss. */
export interface HistoricalRisk {
  /** Number of days that entered, all with the same weight. */
  readonly days: number
  readonly first: string
  readonly last: string
  /** The tail in percent of the days: 1 for a confidence of 99 %. */
  readonly tailPercent: number
  /** Which loss the value at risk is, counted from the largest. */
  readonly rank: number
  readonly valueAtRisk: number
  /** The day whose loss is the value at risk. */
  readonly valueAtRiskDate: string
  readonly expectedShortfall: number
  readonly worst: DayProfit
  readonly best: DayProfit
}

/**
 * Profit and loss of a position held through each day, in the position's unit, positive = gain. The return is simple,
 * close / previous − 1, because a position's profit is linear in it (a log return would overstate losses' size by up
 * to 0.8 percentage points on the worst day of this data). Price returns: dividends and interest are left out.
 */
export function dayProfits(position: number, moves: Iterable<DayMove>): readonly DayProfit[] {
  return Array.from(moves, ({ date, previous, close }) => ({ date, profit: position * (close / previous - 1) }))
}

/**
 * Historical simulation over the profit-and-loss vector of the whole portfolio. Value at risk is not additive, so
 * partial results are merged as vectors and this runs once, on all of them; the order of `profits` does not matter.
 *
 * - Sign: a loss is minus the profit, so value at risk and expected shortfall are positive when money is lost.
 * - Quantile: with n days and tail t, the value at risk is the ceil(n·t)-th largest loss, an observed one, without
 *   interpolation; the smallest profit x such that at least a share t of the days has a profit <= x.
 * - Expected shortfall: the mean of the worst share t of the days. Where n·t is not whole, the day at the value at
 *   risk counts with the fraction that is left (Acerbi and Tasche, 2002), so that it is coherent.
 *
 * `tailPercent` is in percent so that n·t is exact for whole percents. Throws a RangeError for no days or a tail
 * outside (0, 100).
 */
export function historicalRisk(profits: readonly DayProfit[], tailPercent: number): HistoricalRisk {
  if (!(tailPercent > 0 && tailPercent < 100))
    throw new RangeError(`a tail of ${tailPercent} % is not between 0 and 100`)
  const byProfit = profits.toSorted((a, b) => a.profit - b.profit || compareText(a.date, b.date))
  const weight = (profits.length * tailPercent) / 100
  const rank = Math.ceil(weight)
  const worst = byProfit[0]
  const best = byProfit.at(-1)
  const threshold = byProfit[rank - 1]
  if (worst === undefined || best === undefined || threshold === undefined)
    throw new RangeError('no days to learn from')
  let tail = 0
  for (const { profit } of byProfit.slice(0, rank - 1)) tail -= profit
  tail -= threshold.profit * (weight - (rank - 1))
  const dates = profits.map(({ date }) => date).toSorted(compareText)
  return {
    days: profits.length,
    first: dates[0] ?? '',
    last: dates.at(-1) ?? '',
    tailPercent,
    rank,
    valueAtRisk: -threshold.profit,
    valueAtRiskDate: threshold.date,
    expectedShortfall: tail / weight,
    worst,
    best,
  }
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
