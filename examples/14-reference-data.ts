// Reference data is everywhere: every handler reads it beside its own entries, and it changes at all partitions at once.
import { embedded, entry, handler, unit } from 'plenum'
import { z } from 'zod'

const Rate = entry('rate', z.object({ currency: z.string(), perEuro: z.number() }), {
  id: 'currency',
  placement: 'everywhere',
})
const Invoice = entry('invoice', z.object({ id: z.string(), customer: z.string(), euros: z.number() }), {
  id: 'id',
  route: 'customer',
})

const billing = unit(
  'billing',
  { entries: [Rate, Invoice] },
  {
    handlers: {
      bill: handler(
        {
          input: z.object({ customer: z.string(), id: z.string(), amount: z.number(), currency: z.string() }),
          route: 'customer',
          refusals: { NO_RATE: z.object({ currency: z.string() }) },
        },
        ({ customer, id, amount, currency }, { partition, refuse }) => {
          const rate = partition.get(Rate, { currency })
          if (rate === undefined) throw refuse('NO_RATE', { currency })
          partition.insert(Invoice, { customer, id, euros: amount / rate.perEuro })
          return amount / rate.perEuro
        },
      ),
    },
  },
)

await using client = await embedded({ unit: billing, journal: 'memory', partitions: 4 })
const { space, handlers } = client

// All rates change together: nobody bills by one of yesterday and one of today.
await space.writeAll(
  Rate,
  [
    { currency: 'CHF', perEuro: 0.9 },
    { currency: 'USD', perEuro: 1.25 },
  ],
  { atomic: true },
)
console.log(await handlers.bill({ customer: 'ann', id: 'i1', amount: 90, currency: 'CHF' }))
console.log(await handlers.bill({ customer: 'bob', id: 'i2', amount: 50, currency: 'USD' }))
await space.patch(Rate, { currency: 'USD' }, { perEuro: 1 })
console.log(await handlers.bill({ customer: 'cid', id: 'i3', amount: 50, currency: 'USD' }))
const refused = await handlers.bill.attempt({ customer: 'ann', id: 'i4', amount: 1, currency: 'ZZZ' })
console.log(refused.ok ? refused.value : refused.refusal.reason)

// Prints:
// 100
// 40
// 50
// NO_RATE
