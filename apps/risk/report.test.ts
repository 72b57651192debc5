import { describe, expect, test } from 'vitest'
import { figuresOf, position, rates, type Figures } from './figures.ts'
import { madeTrade, madeTrades } from './made-trades.ts'
import { dayMoves, readMarket } from './market.ts'
import { presentValue, valueBooks } from './npv.ts'
import { jsonReport, textReport, type RunFacts } from './report.ts'
import { dayProfits } from './value-at-risk.ts'

const run: RunFacts = {
  partitions: 8,
  journal: '.plenum/risk/journal',
  database: 'PostgreSQL at books.example:5432/trades',
  use: { here: 8, ever: 8, filled: 10_000, openMs: 900 },
  openMs: 12.34,
  loadMs: 1034.5,
  profitsMs: 2.25,
  rates: rates.map((ratePercent) => ({ ratePercent, firstMs: 9.876, warmMs: 1.234, warmRuns: 15 })),
}

async function figures(): Promise<Figures> {
  const { closes, origin } = await readMarket()
  const trades = madeTrades(10_000)
  return figuresOf({
    rates: rates.map((ratePercent) => ({
      ratePercent,
      parts: valueBooks(ratePercent, trades),
      tradeOne: presentValue(ratePercent, madeTrade(1).flows),
    })),
    profits: dayProfits(position, dayMoves(closes)),
    origin,
  })
}

describe('the report', async () => {
  const whole = await figures()

  test('is the one of this file', async () => {
    await expect(textReport({ figures: whole }, { colour: false })).toMatchFileSnapshot('report.expected.txt')
  })

  test('fits 80 columns of ASCII, with the part about the run as well', () => {
    const lines = textReport({ figures: whole, run }, { colour: false }).split('\n')
    for (const line of lines) expect(line).toMatch(/^[ -~]{0,80}$/)
    expect(lines.filter((line) => line.endsWith(' '))).toEqual([])
  })

  test('without times is the beginning of the report with times', () => {
    const short = textReport({ figures: whole }, { colour: false })
    expect(textReport({ figures: whole, run }, { colour: false }).startsWith(short)).toBe(true)
  })

  test('as JSON holds the same data, numbers unrounded', () => {
    expect(JSON.parse(jsonReport({ figures: whole, run }))).toEqual({ figures: whole, run })
    expect(JSON.parse(jsonReport({ figures: whole }))).toEqual({ figures: whole })
  })

  test('says where nothing had to be loaded', () => {
    const text = textReport({ figures: whole, run: { ...run, use: 'unopened' } }, { colour: false })
    expect(text).toContain('Statements that loaded trades: 0; the journal had them')
  })
})
