// Queries by example: indexes make them fast, `explain` says how one was answered, pages and aggregates keep answers small.
import { embedded, entry, unit } from 'plenum'
import { z } from 'zod'

const Order = entry(
  'order',
  z.object({ id: z.int(), symbol: z.string(), price: z.int(), quantity: z.int(), status: z.enum(['open', 'done']) }),
  { id: 'id', route: 'symbol', indexes: [['symbol', 'price'], ['status']] },
)
const book = unit('book', { entries: [Order] }, {})

await using client = await embedded({ unit: book, journal: 'memory', partitions: 4 })
const { space } = client

await space.insertAll(
  Order,
  Array.from({ length: 1_000 }, (_, id) => ({
    id,
    symbol: ['ACME', 'BETA'][id % 2]!,
    price: 100 + (id % 50),
    quantity: 1 + (id % 7),
    status: id % 10 === 0 ? ('open' as const) : ('done' as const),
  })),
)

const cheap = { symbol: 'ACME', price: { gte: 100, lt: 104 } }
const how = await space.explain(Order, cheap)
console.log(`${how.matches} matches by index (${how.partitions[0]?.by}), ${how.visited} entries looked at`)

const page = await space.readPage(Order, { status: 'open' }, { orderBy: { price: 'desc' }, limit: 2 })
const next = await space.readPage(
  Order,
  { status: 'open' },
  { orderBy: { price: 'desc' }, limit: 2, cursor: page.cursor },
)
console.log(`the dearest: ${[...page.entries, ...next.entries].map(({ price }) => price).join(', ')}`)

const totals = await space.aggregate(
  Order,
  { status: 'done' },
  { groupBy: ['symbol'], sum: ['quantity'], avg: ['price'] },
)
for (const { group, count, sum, avg } of totals) {
  console.log(`${group.symbol}: ${count} done, ${sum.quantity} pieces at ${avg.price?.toFixed(1)}`)
}

// Prints:
// 40 matches by index (symbol, price), 40 entries looked at
// the dearest: 140, 140, 140, 140
// ACME: 400 done, 1600 pieces at 125.0
// BETA: 500 done, 2000 pieces at 125.0
