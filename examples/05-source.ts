// A source brings what an outside store has. Each partition asks for its own share, once; that is journaled.
import { embedded, entry, port, slotOf, source, unit } from 'plenum'
import { z } from 'zod'

const Product = entry('product', z.object({ sku: z.string(), cents: z.int() }), { id: 'sku' })

/** What the unit needs from outside. In life a database; whoever runs the unit provides it. */
interface Catalogue {
  products(isAsked: (sku: string) => boolean): readonly { readonly sku: string; readonly cents: number }[]
}

const shop = unit(
  'shop',
  { entries: [Product], uses: { catalogue: port<Catalogue>() } },
  {
    sources: {
      catalogue: source(Product, {
        async *load({ slots, uses }) {
          const isMine = (sku: string) => slots.some(({ from, to }) => from <= slotOf(sku) && slotOf(sku) <= to)
          const mine = uses.catalogue.products(isMine)
          // Any number of batches; each is one commit of its partition.
          for (let at = 0; at < mine.length; at += 100) yield mine.slice(at, at + 100)
        },
      }),
    },
  },
)

const counted = { queries: 0 }
const catalogue: Catalogue = {
  products(isAsked) {
    counted.queries += 1
    return Array.from({ length: 1_000 }, (_, n) => ({ sku: `sku-${n}`, cents: 100 + n })).filter(({ sku }) =>
      isAsked(sku),
    )
  },
}

await using client = await embedded({ unit: shop, journal: 'memory', partitions: 4, uses: { catalogue } })
console.log(await client.sources.catalogue.load())
console.log(await client.sources.catalogue.load())
console.log(`${counted.queries} queries, ${await client.space.count(Product, {})} products`)

// Prints:
// { partitions: 4, loaded: 4, skipped: 0, rows: 1000 }
// { partitions: 4, loaded: 0, skipped: 4, rows: 0 }
// 4 queries, 1000 products
