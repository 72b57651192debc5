import { embedded, PlenumError, type Client } from 'plenum'
import { figuresOf, position, rates, type Answers } from './figures.ts'
import { madeTrade } from './made-trades.ts'
import { presentValue, type BookPart } from './npv.ts'
import { figure } from './text-table.ts'
import type { RateTime, Report } from './report.ts'
import type { TradeDatabase } from './trade-database.ts'
import risk, { type MarketData } from './unit.ts'

/** What a run needs: where the journal lives, how many partitions, where data comes from. */
export interface RunOptions {
  readonly journalFolder: string
  readonly partitions: number
  readonly trades: TradeDatabase
  readonly market: MarketData
  /** How often each rate is valued again after its first time; the report gives the median. */
  readonly warmRuns: number
  readonly signal: AbortSignal
  readonly progress: (step: string) => void
}

type Risk = Client<typeof risk>

/** Opens the space, loads what is missing, values and measures, closes the space. The journal is whole whatever happens. */
export async function runRisk(options: RunOptions): Promise<Report> {
  const { trades, market, partitions, signal, progress } = options
  progress('opening the journal')
  const [client, openMs] = await timed(() =>
    embedded({
      unit: risk,
      folder: options.journalFolder,
      partitions,
      uses: { trades, market },
      onProgress: ({ step, share }) => progress(`${step} the journal: ${figure(share * 100, 0)} %`),
    }),
  )
  await using _closing = client
  progress('loading what the journal does not have')
  const [, loadMs] = await timed(() => loadMissing(client, signal, progress))
  progress('valuing')
  const { answers, times } = await valueRates(client, options.warmRuns, signal)
  const [profits, profitsMs] = await timed(async () =>
    complete(await client.tasks.profits({ position }, { signal }).total()),
  )
  const origin = await client.space.get('dataset', { name: 'index' })
  if (origin === undefined) throw new PlenumError('SOURCE_FAILED', 'The market data were loaded without their origin.')
  const use = (await trades.use()) ?? 'unopened'
  return {
    figures: figuresOf({
      rates: answers,
      profits,
      origin: { file: origin.file, data: origin.data, licence: origin.licence },
    }),
    run: {
      partitions,
      journal: options.journalFolder,
      database: trades.place.database,
      use,
      openMs,
      loadMs,
      rates: times,
      profitsMs,
    },
  }
}

/** Loads each source into the partitions that lack it; those that hold it ask for nothing. */
async function loadMissing(client: Risk, signal: AbortSignal, progress: (step: string) => void): Promise<void> {
  for (const name of ['trades', 'days', 'datasets'] as const) {
    let told = 0
    const onProgress = (rows: number, done: number): void => {
      if (done > told) progress(`${name}: ${done} of ${client.partitions} partitions hold theirs, ${rows} loaded now`)
      told = done
    }
    await client.sources[name].load({ signal, onProgress })
  }
}

/** Values all books at each rate once, and then again and again for the warm times. */
async function valueRates(
  client: Risk,
  warmRuns: number,
  signal: AbortSignal,
): Promise<{ readonly answers: Answers['rates']; readonly times: readonly RateTime[] }> {
  const value = (ratePercent: number): Promise<readonly [readonly BookPart[], number]> =>
    timed(async () => complete(await client.tasks.books({ ratePercent }, { signal }).total()))
  const first = []
  for (const ratePercent of rates) {
    const [parts, firstMs] = await value(ratePercent)
    first.push({ ratePercent, parts, firstMs })
  }
  const warm = new Map<number, number[]>(rates.map((ratePercent) => [ratePercent, []]))
  for (let round = 0; round < warmRuns; round++) {
    for (const ratePercent of rates) warm.get(ratePercent)?.push((await value(ratePercent))[1])
  }
  return {
    answers: first.map(({ ratePercent, parts }) => ({
      ratePercent,
      parts,
      tradeOne: presentValue(ratePercent, madeTrade(1).flows),
    })),
    times: first.map(({ ratePercent, firstMs }) => ({
      ratePercent,
      firstMs,
      warmMs: median(warm.get(ratePercent) ?? []),
      warmRuns,
    })),
  }
}

type Total<R> =
  | { readonly complete: true; readonly value: R }
  | { readonly complete: false; readonly failed: readonly number[] }

/** The value of a complete total; TASK_FAILED for a partial one, which must never pass for the whole. */
function complete<R>(total: Total<R>): R {
  if (total.complete) return total.value
  throw new PlenumError(
    'TASK_FAILED',
    `Partitions ${total.failed.join(', ')} did not answer, so no figure is shown. Run again.`,
    {
      details: { failed: total.failed },
    },
  )
}

async function timed<R>(work: () => Promise<R>): Promise<readonly [R, number]> {
  const start = performance.now()
  const result = await work()
  return [result, performance.now() - start]
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return ((sorted[Math.ceil(middle) - 1] ?? Number.NaN) + (sorted[Math.floor(middle)] ?? Number.NaN)) / 2
}
