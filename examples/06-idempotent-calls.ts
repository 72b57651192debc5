// A key of the caller's own makes a repetition the same call: it gets the first answer and does nothing again.
import { embedded, entry, handler, unit } from 'plenum'
import { z } from 'zod'

const Wallet = entry('wallet', z.object({ owner: z.string(), cents: z.int() }), { id: 'owner' })

const wallets = unit(
  'wallets',
  { entries: [Wallet] },
  {
    handlers: {
      charge: handler(
        {
          input: z.object({ owner: z.string(), cents: z.int().positive() }),
          route: 'owner',
          refusals: { TOO_LITTLE: z.object({ cents: z.int() }) },
        },
        ({ owner, cents }, { partition, refuse, newId }) => {
          const wallet = partition.get(Wallet, { owner })
          if (wallet === undefined || wallet.cents < cents) throw refuse('TOO_LITTLE', { cents: wallet?.cents ?? 0 })
          partition.change(Wallet, { owner }, { add: { cents: -cents } })
          return { receipt: newId(), left: wallet.cents - cents }
        },
      ),
    },
  },
)

await using client = await embedded({ unit: wallets, journal: 'memory' })
const { charge } = client.handlers
await client.space.write(Wallet, { owner: 'ann', cents: 500 })

const first = await charge({ owner: 'ann', cents: 300 }, { key: 'order-1' })
// The answer was lost on its way, or the caller was started anew: it asks again.
const again = await charge({ owner: 'ann', cents: 300 }, { key: 'order-1' })
console.log(`left ${first.left}, same receipt: ${first.receipt === again.receipt}`)

// A refusal is an answer too: it stays the answer of its key, also when there is money again.
const refused = await charge.attempt({ owner: 'ann', cents: 300 }, { key: 'order-2' })
await client.space.patch(Wallet, { owner: 'ann' }, { cents: 1_000 })
const refusedAgain = await charge.attempt({ owner: 'ann', cents: 300 }, { key: 'order-2' })
console.log(refused.ok, refusedAgain.ok, (await charge({ owner: 'ann', cents: 300 }, { key: 'order-3' })).left)

// Prints:
// left 200, same receipt: true
// false false 700
