// FIFO groups: entries of one account are taken in the order in which they were written, whatever changed them since.
import { embedded, entry, unit } from 'plenum'
import { z } from 'zod'

const Payment = entry('payment', z.object({ id: z.string(), account: z.string(), step: z.string() }), {
  id: 'id',
  route: 'account',
  keys: 'uuid7',
  fifo: 'account',
  indexes: [['account']],
})
const bank = unit('bank', { entries: [Payment] }, {})

await using client = await embedded({ unit: bank, journal: 'memory' })
const { space } = client

const first = await space.insert(Payment, { account: 'ann', step: 'reserve' })
await space.insert(Payment, { account: 'bob', step: 'reserve' })
await space.insert(Payment, { account: 'ann', step: 'settle' })
// A change does not move an entry to the end.
await space.patch(Payment, first, { step: 'reserve again' })

for (const account of ['ann', 'ann', 'bob']) {
  console.log(`${account}: ${(await space.take(Payment, { account }))?.step}`)
}

// Prints:
// ann: reserve again
// ann: settle
// bob: reserve
