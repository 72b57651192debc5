import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { z } from 'zod'

/** One day of the index: `date` as YYYY-MM-DD, `close` in index points, dividends not included. */
export interface Close {
  readonly date: string
  readonly close: number
}

/** One day as it would hit today's portfolio: the close before it and its own, in index points. */
export interface DayMove {
  readonly date: string
  readonly previous: number
  readonly close: number
}

/** Where the closes come from, in words for the report. */
export interface MarketOrigin {
  readonly file: string
  readonly data: string
  readonly licence: string
}

/** The closes of the data set, oldest first, and their origin. */
export interface Market {
  readonly closes: readonly Close[]
  readonly origin: MarketOrigin
}

const Package = z.object({ name: z.string(), version: z.string(), license: z.string() })
const path = 'data/sp500-2000.csv'

/**
 * Reads the daily closes of the S&P 500 index, 3 January 2000 to 17 April 2020, from the installed npm package
 * `vega-datasets`, without network. The package names Yahoo Finance as its source. Fails if the file is not as expected.
 */
export async function readMarket(): Promise<Market> {
  // The package exports its entry file only; its root lies one folder above that.
  const root = new URL('../', pathToFileURL(createRequire(import.meta.url).resolve('vega-datasets')))
  const about = Package.parse(JSON.parse(await readFile(new URL('package.json', root), 'utf8')))
  return {
    closes: parseCloses(await readFile(new URL(path, root), 'utf8')),
    origin: {
      file: `npm ${about.name} ${about.version}, ${path}`,
      data: 'S&P 500 index, daily closes, from Yahoo Finance',
      licence: about.license,
    },
  }
}

/**
 * The closes in a comma-separated text with a `date` and a `close` column, in ascending order of date.
 * Throws an Error that names the line if a value is missing, not positive or out of order.
 */
export function parseCloses(text: string): readonly Close[] {
  const [header = '', ...lines] = text.trimEnd().split(/\r?\n/)
  const columns = header.split(',')
  const dateColumn = columns.indexOf('date')
  const closeColumn = columns.indexOf('close')
  if (dateColumn < 0 || closeColumn < 0) throw new Error(`no columns "date" and "close" in the header "${header}"`)
  const closes: Close[] = []
  for (const [index, line] of lines.entries()) {
    const cells = line.split(',')
    const date = cells[dateColumn] ?? ''
    const close = Number(cells[closeColumn])
    const before = closes.at(-1)?.date ?? ''
    if (!/^\d{4}-\d\d-\d\d$/.test(date) || date <= before || !(close > 0) || close === Number.POSITIVE_INFINITY) {
      throw new Error(`line ${index + 2} is not a close on a day after ${before || 'the start'}: "${line}"`)
    }
    closes.push({ date, close })
  }
  return closes
}

/** Each day with the day before it: n closes make n − 1 moves. */
export function dayMoves(closes: readonly Close[]): readonly DayMove[] {
  return closes
    .slice(1)
    .map(({ date, close }, index) => ({ date, previous: closes[index]?.close ?? Number.NaN, close }))
}
