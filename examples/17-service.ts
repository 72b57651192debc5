// A service is a call that may wait: beside the data of its route, or of every partition, whose answers are reduced to one.
// This one asks a shop outside what the books on somebody's shelf are worth.
import { embedded, entry, isPlenumError, port, service, unit } from 'plenum'
import { z } from 'zod'

interface Shop {
  price(title: string, signal: AbortSignal): Promise<number>
}

const Book = entry('book', z.object({ owner: z.string(), title: z.string() }), { id: 'title', route: 'owner' })
const shelves = unit(
  'shelves',
  { entries: [Book], uses: { shop: port<Shop>() } },
  {
    services: {
      worth: service(
        { input: z.object({ owner: z.string() }), route: 'owner', timeout: '100ms' },
        async ({ owner }, { partition, uses, signal }) => {
          let worth = 0
          for (const { title } of partition.readAll(Book, { owner })) worth += await uses.shop.price(title, signal)
          return worth
        },
      ),
      count: service(
        { input: z.object({ title: z.string() }) },
        async ({ title }, { partition }) => partition.count(Book, { title }),
        (left, right) => left + right,
      ),
    },
  },
)

const prices = new Map([
  ['Momo', 12],
  ['Emil', 9],
])
const shop: Shop = {
  async price(title, signal) {
    const price = prices.get(title)
    if (price !== undefined) return price
    if (title === 'Robinson') throw new Error(`nobody sells '${title}'`)
    // The shop looks for it until nobody waits any more.
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  },
}

await using client = await embedded({ unit: shelves, journal: 'memory', uses: { shop } })
const { space, services } = client
await space.writeAll(Book, [
  { owner: 'ann', title: 'Momo' },
  { owner: 'ann', title: 'Emil' },
  { owner: 'bob', title: 'Emil' },
  { owner: 'cem', title: 'Robinson' },
  { owner: 'dan', title: 'Utopia' },
])

console.log('ann:', await services.worth({ owner: 'ann' }))
console.log('Emil:', await services.count({ title: 'Emil' }))
for (const owner of ['cem', 'dan']) {
  try {
    await services.worth({ owner })
  } catch (error) {
    if (isPlenumError(error)) console.log(`${owner}: ${error.code}: ${error.message}`)
  }
}

// Prints:
// ann: 21
// Emil: 2
// cem: SERVICE_FAILED: The service worth threw: nobody sells 'Robinson'.
// dan: TIMEOUT: The service worth did not return within 100 ms.
