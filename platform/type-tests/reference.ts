// One unit, its client and its test, as a user would write them. Three files in real life, marked below. It is compiled
// and never run: what a part of it does is the business of other tests, that all of it infers is the business of this one.
import {
  anyone,
  entry,
  handler,
  port,
  projection,
  schedule,
  service,
  source,
  task,
  unit,
  worker,
  type Token,
} from 'plenum'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { simulate } from 'plenum/testing'
import { alert, connect } from './doors.ts'

// ---- bank.ts: the unit
export const Account = entry(
  'account',
  z.object({ id: z.string(), owner: z.string(), balance: z.int(), limit: z.object({ daily: z.int() }) }),
  { id: 'id', visible: (caller) => ({ owner: caller.subject }) },
)

export const Order = entry(
  'order',
  z.object({
    id: z.uuid(),
    account: z.string(),
    symbol: z.string(),
    side: z.enum(['buy', 'sell']),
    quantity: z.int(),
    price: z.int(),
    status: z.enum(['new', 'paid', 'late']),
    placedAt: z.int(),
  }),
  {
    id: 'id',
    route: 'account',
    keys: 'uuid7',
    indexes: [
      ['status', 'placedAt'],
      ['symbol', 'price'],
    ],
    fifo: 'account',
    visible: (caller) => ({ account: caller.subject }),
  },
)

const Money = z.object({ account: z.string(), amount: z.int().positive() })
const PlaceOrder = z.object({
  account: z.string(),
  symbol: z.string(),
  side: z.enum(['buy', 'sell']),
  quantity: z.int(),
  price: z.int(),
})

export interface Payments {
  charge(account: string, amount: number, key: string): Promise<{ receipt: string }>
}

/** Where accounts were kept before. */
export interface Ledger {
  accounts(
    slots: readonly { from: number; to: number }[],
  ): AsyncIterable<{ id: string; owner: string; balance: number }[]>
}

const deposit = handler({ input: Money, route: 'account' }, ({ account, amount }, { partition }) =>
  partition.change(Account, { id: account }, { add: { balance: amount } }),
)

const bank = unit(
  'bank',
  { entries: [Account, Order], uses: { payments: port<Payments>(), ledger: port<Ledger>() } },
  {
    handlers: {
      deposit,
      place: handler(
        {
          input: PlaceOrder,
          route: 'account',
          allow: (caller, order) => caller.subject === order.account,
          refusals: { INSUFFICIENT_FUNDS: z.object({ missing: z.int() }), UNKNOWN_ACCOUNT: z.object({}) },
        },
        (order, { partition, refuse, now }) => {
          const account = partition.get(Account, { id: order.account })
          if (!account) throw refuse('UNKNOWN_ACCOUNT', {})
          const cost = order.quantity * order.price
          if (account.balance < cost) throw refuse('INSUFFICIENT_FUNDS', { missing: cost - account.balance })
          partition.change(Account, { id: account.id }, { add: { balance: -cost } })
          return partition.insert(Order, { ...order, status: 'new', placedAt: now })
        },
      ),
      transfer: handler(
        { input: Money.extend({ to: z.string() }), route: 'account' },
        ({ account, to, amount }, { partition, send }) => {
          partition.change(Account, { id: account }, { add: { balance: -amount } })
          send(deposit, { account: to, amount })
        },
      ),
    },
    workers: {
      pay: worker(
        { entry: Order, where: { status: 'new' }, concurrency: 8, retry: { attempts: 5, backoff: '100ms' } },
        async (order, { tx, uses, key }) => {
          await uses.payments.charge(order.account, order.quantity * order.price, key)
          await tx.patch(Order, order, { status: 'paid' })
        },
      ),
    },
    services: {
      quote: service({ input: z.object({ symbol: z.string() }), allow: anyone }, async ({ symbol }, { space }) => {
        const [best] = await space.readAll(
          Order,
          { symbol, side: 'sell' },
          { select: ['price'], orderBy: { price: 'asc' }, limit: 1 },
        )
        return best?.price
      }),
    },
    tasks: {
      deposits: task(
        { input: z.object({ from: z.int() }) },
        ({ from }, { partition }) =>
          partition
            .readAll(Account, { balance: { gte: from }, 'limit.daily': { gt: 0 } })
            .reduce((sum, account) => sum + account.balance, 0),
        (a, b) => a + b,
      ),
    },
    projections: {
      volume: projection({
        of: [Order],
        create: () => new Map<string, number>(),
        apply: (volume, change) => {
          if (change.kind === 'added')
            volume.set(change.entry.symbol, (volume.get(change.entry.symbol) ?? 0) + change.entry.quantity)
        },
        save: (volume) => [...volume],
        load: (saved: [string, number][]) => new Map(saved),
      }),
    },
    sources: {
      accounts: source(Account, {
        load: async function* ({ slots, uses }) {
          for await (const rows of uses.ledger.accounts(slots))
            yield rows.map((row) => ({ ...row, limit: { daily: 1000 } }))
        },
      }),
    },
    schedules: {
      sweep: schedule({ cron: '0 17 * * *', zone: 'Europe/Zurich' }, async ({ at }, { space }) => {
        for (const late of await space.readAll(Order, { status: 'new', placedAt: { lt: at - 86_400_000 } }))
          await space.patch(Order, late, { status: 'late' })
      }),
    },
  },
)
export default bank

// ---- page.ts: a browser that imports the unit's type only
export async function page(
  show: (orders: ReadonlyMap<string, { status: string }>) => void,
  since?: Token,
): Promise<void> {
  const client = await connect<typeof bank>({ url: 'wss://bank.example', unit: 'bank', token: async () => 'signed-in' })
  const outcome = await client.handlers.place.attempt(
    { account: 'ann', symbol: 'ACME', side: 'buy', quantity: 10, price: 99 },
    { key: 'click-1', timeout: '2s' },
  )
  if (!outcome.ok && outcome.refusal.reason === 'INSUFFICIENT_FUNDS')
    alert(`You are ${outcome.refusal.data.missing} short`)
  const orders = new Map<string, { status: string }>()
  for await (const event of client.space.watch(
    'order',
    { account: 'ann', status: { ne: 'paid' } },
    { initial: true, since },
  )) {
    if (event.kind === 'reset') orders.clear()
    else if (event.kind === 'changes')
      for (const change of event.changes)
        if (change.kind === 'removed') orders.delete(change.entry.id)
        else orders.set(change.entry.id, change.entry)
    show(orders)
  }
}

// ---- bank.test.ts: the same unit, three members, every fault, one seed
test('no transfer makes or loses money', () =>
  simulate(
    bank,
    {
      seed: 7,
      members: 3,
      partitions: 4,
      faults: 'all',
      uses: { payments: { charge: async () => ({ receipt: 'r' }) }, ledger: { accounts: async function* () {} } },
    },
    async ({ client, kill, settle }) => {
      await client.space.transaction(async (tx) => {
        for (const id of ['ann', 'bob'])
          await tx.insert('account', { id, owner: id, balance: 1000, limit: { daily: 100 } })
      })
      const transfers = Array.from({ length: 50 }, (_, i) =>
        client.handlers.transfer({ account: i % 2 ? 'ann' : 'bob', to: i % 2 ? 'bob' : 'ann', amount: i + 1 }),
      )
      kill(1)
      await Promise.allSettled(transfers)
      await settle()
      const run = await client.tasks.deposits({ from: -1_000_000 }).total()
      expect(run).toEqual({ complete: true, value: 2000 })
    },
  ))
