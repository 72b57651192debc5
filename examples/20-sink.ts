// A sink writes changes behind to an outside store: in batches, in order, and again until the store has them.
// The store counts each change once, because it keeps how far it has come together with what it made of it.
import { embedded, entry, port, sink, unit, type SinkBatch } from 'plenum'
import { z } from 'zod'

const Book = entry('book', z.object({ id: z.string(), stock: z.int() }), { id: 'id' })

interface Warehouse {
  write(batch: SinkBatch<typeof Book>): Promise<void>
}

const shop = unit(
  'shop',
  { entries: [Book], uses: { warehouse: port<Warehouse>() } },
  { sinks: { stock: sink({ of: [Book], write: (batch, { uses }) => uses.warehouse.write(batch) }) } },
)

const stock = new Map<string, number>()
const positions = new Map<string, { readonly index: number; readonly offset: number }>()
let isThere = false
const warehouse: Warehouse = {
  async write({ journal, changes }) {
    if (!isThere) throw new Error('the warehouse is closed')
    for (const { index, offset, change } of changes) {
      const last = positions.get(journal) ?? { index: 0, offset: -1 }
      if (index < last.index || (index === last.index && offset <= last.offset)) continue
      positions.set(journal, { index, offset })
      if (change.kind === 'removed') stock.delete(change.entry.id)
      else stock.set(change.entry.id, change.entry.stock)
    }
  },
}

const pending = async (): Promise<number> =>
  (await client.sinks.stock.status()).reduce((sum, partition) => sum + partition.pending, 0)

await using client = await embedded({ unit: shop, journal: 'memory', uses: { warehouse } })
await client.space.write(Book, { id: 'Momo', stock: 3 })
await client.space.write(Book, { id: 'Emil', stock: 5 })
await client.space.change(Book, { id: 'Momo' }, { add: { stock: -1 } })
await client.space.remove(Book, { id: 'Emil' })
console.log('pending:', await pending(), 'in the warehouse:', stock.size)

isThere = true
while ((await pending()) > 0) await new Promise((resolve) => setTimeout(resolve, 10))
console.log('pending:', await pending(), 'in the warehouse:', stock)

// Prints:
// pending: 4 in the warehouse: 0
// pending: 0 in the warehouse: Map(1) { 'Momo' => 2 }
