// A worker does what takes time, or happens outside: this one has orders paid. What fails is tried again, and what fails
// each time is a dead letter until somebody sends it back.
import { embedded, entry, port, unit, worker } from 'plenum'
import { z } from 'zod'

interface Bank {
  /** Takes the money once for each key, however often it is asked. */
  charge(card: string, key: string): Promise<void>
}

const Order = entry('order', z.object({ id: z.string(), card: z.string(), state: z.enum(['new', 'paid']) }), {
  id: 'id',
  indexes: [['state']],
})
const Receipt = entry('receipt', z.object({ id: z.string(), order: z.string() }), { id: 'id', keys: 'uuid7' })
const shop = unit(
  'shop',
  { entries: [Order, Receipt], uses: { bank: port<Bank>() } },
  {
    workers: {
      pay: worker(
        { entry: Order, where: { state: 'new' }, retry: { attempts: 3, backoff: '10ms' } },
        async (order, { tx, uses, key, attempt }) => {
          console.log(`order ${order.id}, attempt ${attempt}`)
          await uses.bank.charge(order.card, key)
          // Both count together with the end of the claim, or neither does.
          await tx.patch(Order, order, { state: 'paid' })
          await tx.insert(Receipt, { order: order.id })
        },
      ),
    },
  },
)

const cards = new Set(['visa'])
let isDown = true
const bank: Bank = {
  async charge(card) {
    if (isDown) {
      isDown = false
      throw new Error('the bank does not answer')
    }
    if (!cards.has(card)) throw new Error(`there is no card '${card}'`)
  },
}

const died = Promise.withResolvers<void>()
await using client = await embedded({
  unit: shop,
  journal: 'memory',
  uses: { bank },
  onEvent: ({ event }) => void (event.kind === 'dead-letter' && died.resolve()),
})
const { space, workers } = client

await space.insert(Order, { id: '1', card: 'visa', state: 'new' })
await space.read(Order, { id: '1', state: 'paid' }, { wait: '10s' })

await space.insert(Order, { id: '2', card: 'gold', state: 'new' })
await died.promise
for (const { key, attempts, errors } of await workers.pay.deadLetters()) {
  console.log(`dead: order ${JSON.stringify(key)} after ${attempts} attempts: ${errors.at(-1)?.message}`)
}

cards.add('gold')
const back = await workers.pay.sendBack()
await space.read(Order, { id: '2', state: 'paid' }, { wait: '10s' })
console.log(`sent back: ${back}, receipts: ${await space.count(Receipt, {})}`)

// Prints:
// order 1, attempt 1
// order 1, attempt 2
// order 2, attempt 1
// order 2, attempt 2
// order 2, attempt 3
// dead: order {"id":"2"} after 3 attempts: Error: there is no card 'gold'
// order 2, attempt 1
// sent back: 1, receipts: 2
