import { drawHistogram } from './chart.ts'
import type { Figures } from './figures.ts'
import { figure, textTable } from './text-table.ts'
import type { DatabaseUse } from './trade-database.ts'

/** The time that one rate took, in milliseconds: the first run, and the median of `warmRuns` later ones. */
export interface RateTime {
  readonly ratePercent: number
  readonly firstMs: number
  readonly warmMs: number
  readonly warmRuns: number
}

/** What is true of this run only: it differs from run to run, and is left out where reports are compared. */
export interface RunFacts {
  readonly partitions: number
  /** The folder of the journal. */
  readonly journal: string
  readonly database: string
  /** What the run did to the database, or `unopened` if all trades were in the journal already. */
  readonly use: DatabaseUse | 'unopened'
  readonly openMs: number
  readonly loadMs: number
  readonly rates: readonly RateTime[]
  readonly profitsMs: number
}

/** A report as data: `run` is absent where times were not asked for. */
export interface Report {
  readonly figures: Figures
  readonly run?: RunFacts
}

/** The report as JSON text with a line end; the same data as the text. */
export function jsonReport(report: Report): string {
  return `${JSON.stringify(report, undefined, 2)}\n`
}

/** The report as text of at most 80 columns, ASCII; colour only if asked for. */
export function textReport(report: Report, options: { readonly colour: boolean }): string {
  const lines = [
    'Plenum risk report',
    '==================',
    '',
    ...netPresentValueSection(report.figures.netPresentValue),
    '',
    ...valueAtRiskSection(report.figures.valueAtRisk, options.colour),
    ...(report.run === undefined ? [] : ['', ...runSection(report.run)]),
  ]
  return `${lines.join('\n')}\n`
}

function netPresentValueSection({ rates }: Figures['netPresentValue']): readonly string[] {
  const books = rates[0]?.books ?? []
  const trades = books.reduce((sum, book) => sum + book.trades, 0)
  const right = (heading: string) => ({ heading, align: 'right' }) as const
  return [
    'Net present value per book',
    '--------------------------',
    `Data: ${figure(trades, 0)} made trades, id 0 upwards, PostgreSQL table plenum_risk.trade;`,
    'cash flows id x (-100, 20, 40, 60, 80, 100) USD at years 0 to 5, book id mod 4.',
    'Flat yearly rate, yearly compounding, whole years. Positive = asset.',
    '',
    ...textTable(
      [right('book'), right('trades'), right('sum of ids')],
      books.map(({ book, trades: count, ids }) => [String(book), figure(count, 0), figure(ids, 0)]),
    ),
    '',
    ...textTable(
      [right('rate\n%'), ...books.map(({ book }) => right(`book ${book}\nUSD`))],
      rates.map((rate) => [String(rate.ratePercent), ...rate.books.map(({ npv }) => figure(npv, 2))]),
    ),
    '',
    ...textTable(
      [right('rate\n%'), right('trade 1\nUSD'), right('all books\nUSD')],
      rates.map(({ ratePercent, tradeOne, firm }) => [String(ratePercent), figure(tradeOne, 8), figure(firm, 2)]),
    ),
  ]
}

function valueAtRiskSection(risk: Figures['valueAtRisk'], colour: boolean): readonly string[] {
  const confidence = figure(100 - risk.tailPercent, 0)
  return [
    'One-day value at risk and expected shortfall, historical simulation',
    '-------------------------------------------------------------------',
    `Portfolio: USD ${figure(risk.position, 0)} held in the S&P 500 index.`,
    `Data: ${risk.origin.data};`,
    `${risk.origin.file} (licence ${risk.origin.licence}).`,
    `Returns: simple, close / previous close - 1, without dividends; ${figure(risk.days, 0)} days,`,
    `${risk.first} to ${risk.last}, equal weights. Loss = -profit; positive = loss.`,
    `Value at risk: loss number ${risk.rank} from the largest, ceil(days x ${risk.tailPercent} %), as observed.`,
    `Expected shortfall: mean of the worst ${risk.tailPercent} % of days, the last by its fraction.`,
    '',
    ...textTable(
      [
        { heading: '', align: 'left' },
        { heading: 'USD', align: 'right' },
        { heading: 'day', align: 'left' },
      ],
      [
        [`value at risk ${confidence} %`, figure(risk.valueAtRisk, 2), risk.valueAtRiskDate],
        [`expected shortfall ${confidence} %`, figure(risk.expectedShortfall, 2), ''],
        ['largest loss', figure(-risk.worst.profit, 2), risk.worst.date],
        ['largest profit', figure(risk.best.profit, 2), risk.best.date],
      ],
    ),
    '',
    'Profit and loss, USD thousand, and number of days:',
    '',
    ...drawHistogram(risk.bins, {
      width: 80,
      colour,
      mark: { at: -risk.valueAtRisk, label: `VaR ${confidence} %: ${figure(-risk.valueAtRisk / 1000, 1)}` },
      edge: (value) => figure(value / 1000, 0),
    }),
  ]
}

function runSection(run: RunFacts): readonly string[] {
  const right = (heading: string) => ({ heading, align: 'right' }) as const
  const warmRuns = run.rates[0]?.warmRuns ?? 0
  return [
    'This run',
    '--------',
    `Embedded, ${run.partitions} ${run.partitions === 1 ? 'partition' : 'partitions'}, journal in ${run.journal}`,
    `Trades from ${run.database}`,
    run.use === 'unopened'
      ? 'Statements that loaded trades: 0; the journal had them, the database was not opened'
      : `Statements that loaded trades, counted by it: ${run.use.here} in this run, ${run.use.ever} ever`,
    '',
    ...textTable(
      [{ heading: 'step', align: 'left' }, right('ms')],
      [
        ['open and recover', figure(run.openMs, 1)],
        ['load what the journal lacked', figure(run.loadMs, 1)],
        ...(run.use === 'unopened'
          ? []
          : [[`- of which to open${run.use.filled > 0 ? ' and fill' : ''} the database`, figure(run.use.openMs, 1)]]),
        ['profit and loss of all days', figure(run.profitsMs, 1)],
      ],
    ),
    '',
    ...textTable(
      [right('rate\n%'), right('NPV, first\nms'), right(`median of ${warmRuns} more\nms`)],
      run.rates.map((time) => [String(time.ratePercent), figure(time.firstMs, 2), figure(time.warmMs, 2)]),
    ),
  ]
}
