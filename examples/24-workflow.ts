// A workflow is a function whose steps are each done once, also where the process ends in between: pay, reserve, wait for
// the parcel, ship. What an order has done is undone, last step first, where it cannot go on.
import { embedded, entry, isPlenumError, port, unit, workflow } from 'plenum'
import { z } from 'zod'

interface Bank {
  charge(card: string, amount: number, key: string): Promise<string>
  refund(receipt: string, key: string): Promise<void>
}

const Item = entry('item', z.object({ name: z.string(), left: z.int() }), { id: 'name' })
const Order = z.object({ card: z.string(), item: z.string(), price: z.int() })
const uses = { bank: port<Bank>() }

const fulfil = workflow(
  'fulfil',
  {
    input: Order,
    uses,
    messages: { packed: z.object({ weight: z.int() }) },
    retry: { attempts: 3, backoff: '10ms' },
  },
  async (order, { step, sleep, receive }) => {
    const receipt = await step('pay', ({ uses: { bank }, key }) => bank.charge(order.card, order.price, key), {
      undo: (paid, { uses: { bank }, key }) => bank.refund(paid, key),
    })
    // The reservation and the note that it was made are one commit.
    await step(
      'reserve',
      async ({ tx, refuse }) => {
        const item = await tx.get(Item, { name: order.item })
        if (item === undefined || item.left === 0) throw refuse('SOLD_OUT', { item: order.item })
        await tx.patch(Item, item, { left: item.left - 1 })
      },
      { undo: (_, { tx }) => tx.change(Item, { name: order.item }, { add: { left: 1 } }) },
    )
    const packed = await receive('packed', { timeout: '300ms' })
    if (packed === undefined) throw new Error('nobody packs it')
    await sleep('10ms')
    return { receipt, weight: packed.weight }
  },
)
const shop = unit(
  'shop',
  { entries: [Item, ...fulfil.entries], uses },
  {
    handlers: fulfil.handlers,
    workers: fulfil.workers,
  },
)

let tries = 0
const bank: Bank = {
  async charge(card, amount) {
    if (tries++ === 0) throw new Error('the bank does not answer')
    console.log(`bank: ${amount} from ${card}`)
    return `receipt of ${card}`
  },
  async refund(receipt) {
    console.log(`bank: ${receipt} is void`)
  },
}

await using client = await embedded({ unit: shop, journal: 'memory', uses: { bank } })
const orders = fulfil.on(client)
await client.space.insert(Item, { name: 'lamp', left: 1 })

await orders.start('1', { card: 'visa', item: 'lamp', price: 30 })
await orders.send('1', 'packed', { weight: 2 })
console.log('order 1:', await orders.result('1'))

await client.space.insert(Item, { name: 'desk', left: 1 })
for (const [id, item] of [
  ['2', 'lamp'],
  ['3', 'desk'],
] as const) {
  await orders.start(id, { card: `gold ${id}`, item, price: 50 })
  await orders.result(id).catch((error: unknown) => {
    if (isPlenumError(error)) console.log(`order ${id}: ${error.message}`)
  })
}
console.log('desks left:', (await client.space.get(Item, { name: 'desk' }))?.left)
for (const { name, state } of await client.space.readAll(
  fulfil.steps,
  { instance: '3' },
  { orderBy: { number: 'asc' } },
))
  console.log(`order 3: ${name} ${state}`)

// Prints:
// bank: 30 from visa
// order 1: { receipt: 'receipt of visa', weight: 2 }
// bank: 50 from gold 2
// bank: receipt of gold 2 is void
// order 2: Instance '2' of workflow 'fulfil' has failed in step 'reserve': The step refused: SOLD_OUT.
// bank: 50 from gold 3
// bank: receipt of gold 3 is void
// order 3: Instance '3' of workflow 'fulfil' has failed: nobody packs it
// desks left: 1
// order 3: pay undone
// order 3: reserve undone
// order 3: packed done
