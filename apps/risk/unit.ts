import { entry, port, slotOf, source, task, unit } from 'plenum'
import { z } from 'zod'
import { dayMoves, type Market } from './market.ts'
import { mergeBooks, valueBooks } from './npv.ts'
import type { SlotRange, TradeDatabase } from './trade-database.ts'
import { dayProfits } from './value-at-risk.ts'

/** A deal: `flows` in US dollars at years 0, 1, 2 and so on; positive = received. */
export const Trade = entry(
  'trade',
  z.object({ id: z.int().nonnegative(), book: z.int().nonnegative(), flows: z.array(z.number()) }),
  { id: 'id' },
)

/** One day of the index with the close before it, in index points: a scenario for today's portfolio. */
export const DayMove = entry(
  'dayMove',
  z.object({ date: z.iso.date(), previous: z.number().positive(), close: z.number().positive() }),
  { id: 'date' },
)

/** Where market data came from, kept beside them, so that a later run reports what was loaded, not what is installed. */
export const Dataset = entry(
  'dataset',
  z.object({ name: z.literal('index'), file: z.string(), data: z.string(), licence: z.string() }),
  { id: 'name' },
)

/** Where the unit gets market data from. */
export interface MarketData {
  read(): Promise<Market>
}

/** Entries a source hands over at once; a batch is one commit of its partition. */
const batchSize = 500

function* batches<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += batchSize) yield items.slice(start, start + batchSize)
}

function within(slots: readonly SlotRange[], route: string): boolean {
  const slot = slotOf(route)
  return slots.some(({ from, to }) => from <= slot && slot <= to)
}

/** The risk application: trades and market days beside the tasks that value them. */
export default unit(
  'risk',
  { entries: [Trade, DayMove, Dataset], uses: { trades: port<TradeDatabase>(), market: port<MarketData>() } },
  {
    tasks: {
      books: task(
        { input: z.object({ ratePercent: z.number().gt(-100) }) },
        ({ ratePercent }, { partition }) => valueBooks(ratePercent, partition.readAll(Trade, {})),
        mergeBooks,
      ),
      // Profit-and-loss vectors are merged, never values at risk: those do not add up.
      profits: task(
        { input: z.object({ position: z.number() }) },
        ({ position }, { partition }) => dayProfits(position, partition.readAll(DayMove, {})),
        (left, right) => [...left, ...right],
      ),
    },
    sources: {
      trades: source(Trade, {
        load: async function* ({ slots, uses }) {
          yield* batches(await uses.trades.load(slots))
        },
      }),
      days: source(DayMove, {
        load: async function* ({ slots, uses }) {
          const moves = dayMoves((await uses.market.read()).closes)
          yield* batches(moves.filter(({ date }) => within(slots, date)))
        },
      }),
      datasets: source(Dataset, {
        load: async function* ({ slots, uses }) {
          if (within(slots, 'index')) yield [{ name: 'index' as const, ...(await uses.market.read()).origin }]
        },
      }),
    },
  },
)
