// Kills a member at every point of a workflow at which that makes a difference: around each append to a journal, and as each
// of its calls to the world outside begins and ends. Wherever it is, the order ends right.
import { expect, test } from 'vitest'
import { z } from 'zod'
import { isPlenumError } from '../kernel/index.ts'
import { entry } from '../space/index.ts'
import { port, unit } from '../unit/index.ts'
import { workflow } from '../workflow/index.ts'
import { simulate, type SimulatedWorld, type SimulationReport } from './simulate.ts'

interface Bank {
  charge(card: string, amount: number, key: string): Promise<string>
  refund(receipt: string, key: string): Promise<void>
}

const Item = entry('item', z.object({ name: z.string(), left: z.int() }), { id: 'name' })
const Parcel = entry('parcel', z.object({ order: z.string(), weight: z.int() }), { id: 'order' })
const uses = { bank: port<Bank>() }

const fulfil = workflow(
  'fulfil',
  {
    input: z.object({ card: z.string(), item: z.string() }),
    uses,
    messages: { packed: z.object({ weight: z.int() }) },
    retry: { attempts: 3, backoff: '100ms' },
  },
  async (order, { id, step, sleep, receive }) => {
    const receipt = await step('pay', ({ uses: { bank }, key }) => bank.charge(order.card, 30, key), {
      undo: (paid, { uses: { bank }, key }) => bank.refund(paid, key),
    })
    await step(
      'reserve',
      async ({ tx, refuse }) => {
        const item = await tx.get(Item, { name: order.item })
        if (item === undefined || item.left === 0) throw refuse('SOLD_OUT')
        await tx.patch(Item, item, { left: item.left - 1 })
      },
      { undo: (_, { tx }) => tx.change(Item, { name: order.item }, { add: { left: 1 } }) },
    )
    const packed = await receive('packed')
    await sleep('50ms')
    await step('ship', ({ tx }) => tx.insert(Parcel, { order: id, weight: packed.weight }))
    return receipt
  },
)
const shop = unit(
  'shop',
  { entries: [Item, Parcel, ...fulfil.entries], uses },
  {
    handlers: fulfil.handlers,
    workers: fulfil.workers,
  },
)

/** A bank that does everything once for its key, and hears of each call before and after it. */
class Books implements Bank {
  readonly charged = new Map<string, string>()
  readonly refunded = new Map<string, string>()
  onPoint: () => void = () => {}

  async charge(card: string, amount: number, key: string): Promise<string> {
    this.#note(this.charged, key, `${card} ${amount}`)
    return `receipt of ${card}`
  }

  async refund(receipt: string, key: string): Promise<void> {
    this.#note(this.refunded, key, receipt)
  }

  #note(book: Map<string, string>, key: string, what: string): void {
    this.onPoint()
    if ((book.get(key) ?? what) !== what) throw new Error(`${key} is ${book.get(key)} and ${what}`)
    book.set(key, what)
    this.onPoint()
  }
}

type Variant = 'ships' | 'sold out' | 'cancelled'
type World = SimulatedWorld<typeof shop>

/** One order from its start to its end; what it left behind is checked. */
async function order(variant: Variant, { client, sleep }: World, books: Books): Promise<void> {
  const { space } = client
  const orders = fulfil.on(client)
  const item = 'lamp'
  await space.write(Item, { name: item, left: variant === 'sold out' ? 0 : 1 })
  await orders.start('1', { card: 'visa', item })
  if (variant === 'ships') await orders.send('1', 'packed', { weight: 2 }, { key: 'packed' })
  if (variant === 'cancelled') {
    while ((await orders.get('1'))?.status !== 'waiting') await sleep('20ms')
    await orders.cancel('1')
  }
  const ended = await orders.result('1').then(
    (receipt) => receipt,
    async () => (await orders.get('1'))?.status,
  )
  const expected = { ships: 'receipt of visa', 'sold out': 'failed', cancelled: 'cancelled' }
  expect(ended).toBe(expected[variant])
  const states = (await space.readAll(fulfil.steps, {}, { orderBy: { number: 'asc' } })).map(
    ({ name, state }) => `${name} ${state}`,
  )
  const taken = {
    ships: ['pay done', 'reserve done', 'packed done', 'sleep done', 'ship done'],
    'sold out': ['pay undone', 'reserve failed'],
    cancelled: ['pay undone', 'reserve undone', 'packed open'],
  }
  expect(states).toEqual(taken[variant])
  expect((await space.get(Item, { name: item }))?.left).toBe(variant === 'cancelled' ? 1 : 0)
  expect(await space.count(Parcel, {})).toBe(variant === 'ships' ? 1 : 0)
  const key = 'shop/fulfil/1/0/pay'
  expect([...books.charged]).toEqual([[key, 'visa 30']])
  expect([...books.refunded]).toEqual(variant === 'ships' ? [] : [[`${key}/undo`, 'receipt of visa']])
}

function run(variant: Variant, killAt: number, killCall: number): Promise<SimulationReport & { calls: number }> {
  const books = new Books()
  let calls = 0
  const options = { seed: 22, members: 2, partitions: 2, faults: 'none', uses: { bank: books }, killAt } as const
  const playing = simulate(shop, options, async (world) => {
    books.onPoint = () => {
      calls += 1
      // Whichever member it is that runs the step.
      if (calls === killCall) for (const member of [0, 1]) world.kill(member)
    }
    await order(variant, world, books)
  })
  return playing.then((report) => ({ ...report, calls }))
}

test.each(['ships', 'sold out', 'cancelled'] as const)(
  '[WF8] an order that is %s ends right, wherever a member is killed',
  { timeout: 300_000 },
  async (variant) => {
    const { killPoints, calls } = await run(variant, 0, 0)
    expect(killPoints).toBeGreaterThan(20)
    expect(calls).toBeGreaterThanOrEqual(variant === 'ships' ? 2 : 4)
    for (let killAt = 1; killAt <= killPoints; killAt++) {
      const { faults } = await run(variant, killAt, 0).catch((error: unknown) => {
        throw new Error(`Killed at point ${killAt} of ${killPoints}.`, { cause: error })
      })
      expect(faults['kill']).toBe(1)
    }
    for (let killCall = 1; killCall <= calls; killCall++) {
      const { faults } = await run(variant, 0, killCall).catch((error: unknown) => {
        throw new Error(`Killed in call ${killCall} of ${calls}.`, { cause: error })
      })
      expect(faults['kill']).toBe(2)
    }
  },
)

/** Calls until the answer is certain: each of them may be repeated. */
async function certainly<T>(world: World, call: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await call()
    } catch (error) {
      if (!isPlenumError(error) || error.code === 'WORKFLOW_FAILED') throw error
      await world.sleep('100ms')
    }
  }
}

test('[WF8] orders end right under all faults of a seed, each card charged once or given its money back', async () => {
  let kills = 0
  for (const seed of [1, 2, 3]) {
    const books = new Books()
    const ids = ['a', 'b', 'c', 'd', 'e', 'f']
    const options = { seed, members: 3, partitions: 3, faults: 'all', uses: { bank: books } } as const
    const report = await simulate(shop, options, async (world) => {
      const { client, settle } = world
      await certainly(world, () => client.space.write(Item, { name: 'lamp', left: 3 }))
      const orders = fulfil.on(client)
      const ends = ids.map(async (id, at) => {
        await certainly(world, () => orders.start(id, { card: `card ${id}`, item: 'lamp' }))
        if (at === 0) await certainly(world, () => orders.cancel(id))
        await certainly(world, () => orders.send(id, 'packed', { weight: at }, { key: `packed ${id}` }))
        return certainly(world, () => orders.result(id)).then(
          () => true,
          () => false,
        )
      })
      const isShipped = await Promise.all(ends)
      await settle()
      const { space } = client
      const shipped = isShipped.filter((one) => one).length
      // One that was cancelled may have held a lamp while the others found none.
      expect(shipped + ((await space.get(Item, { name: 'lamp' }))?.left ?? 0)).toBe(3)
      expect((await space.readAll(Parcel, {})).map((parcel) => parcel.order).toSorted()).toEqual(
        ids.filter((_, at) => isShipped[at]),
      )
      expect(books.charged.size - books.refunded.size).toBe(shipped)
      expect(await space.count(fulfil.steps, { state: 'done', name: 'pay' })).toBe(shipped)
    })
    kills += report.faults['kill'] ?? 0
  }
  expect(kills).toBeGreaterThan(0)
})
