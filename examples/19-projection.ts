// A projection is state of any shape, folded from changes of entries: here the prices at which each book is offered.
// Tasks read it beside the data, what it puts out is followed from outside, and what it sends becomes entries.
import { embedded, entry, handler, projection, task, unit } from 'plenum'
import { z } from 'zod'

const Offer = entry('offer', z.object({ id: z.string(), book: z.string(), price: z.int() }), {
  id: 'id',
  route: 'book',
})
const Lowest = entry('lowest', z.object({ book: z.string(), price: z.int() }), { id: 'book' })

const record = handler(
  { input: z.object({ book: z.string(), price: z.int() }), route: 'book' },
  (lowest, { partition }) => void partition.write(Lowest, lowest),
)

/** The prices of all offers, by book. */
const prices = projection({
  of: [Offer],
  create: () => new Map<string, number[]>(),
  apply(books, change, { emit, send }) {
    const { book, price } = change.entry
    const offered = books.get(book) ?? []
    const before = Math.min(...offered)
    if (change.kind === 'changed') offered.splice(offered.indexOf(change.previous.price), 1)
    if (change.kind === 'removed') offered.splice(offered.indexOf(price), 1)
    else offered.push(price)
    books.set(book, offered)
    if (Math.min(...offered) >= before) return
    emit('lowest', { book, price })
    send(record, { book, price })
  },
  save: (books) => [...books],
  load: (saved: [string, number[]][]) => new Map(saved),
})

const shop = unit(
  'shop',
  { entries: [Offer, Lowest] },
  {
    handlers: { record },
    projections: { prices },
    tasks: {
      offered: task(
        { input: z.object({ book: z.string() }) },
        ({ book }, { state }) => [...(state(prices).get(book) ?? [])],
        (left, right) => [...left, ...right],
      ),
    },
  },
)

await using client = await embedded({ unit: shop, journal: 'memory' })
const following = (async () => {
  for await (const event of client.projections.prices.outputs()) {
    if (event.kind !== 'outputs') continue
    for (const output of event.outputs) console.log(output.topic, output.event)
    if (event.outputs.some(({ event }) => (event as { price: number }).price === 7)) return
  }
})()

await client.space.insert(Offer, { id: 'a', book: 'Momo', price: 12 })
await client.space.insert(Offer, { id: 'b', book: 'Momo', price: 15 })
await client.space.patch(Offer, { id: 'b', book: 'Momo' }, { price: 9 })
await client.space.remove(Offer, { id: 'a', book: 'Momo' })
await client.space.insert(Offer, { id: 'c', book: 'Momo', price: 7 })
await following

console.log('offered:', (await client.tasks.offered({ book: 'Momo' }).total()).value)
console.log('lowest:', await client.space.read(Lowest, { price: 7 }, { wait: '10s' }))

// Prints:
// lowest { book: 'Momo', price: 12 }
// lowest { book: 'Momo', price: 9 }
// lowest { book: 'Momo', price: 7 }
// offered: [ 9, 7 ]
// lowest: { book: 'Momo', price: 7 }
