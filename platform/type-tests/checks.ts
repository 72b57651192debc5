// What must infer, and what must not compile. Each `@ts-expect-error` names the diagnostic; `type-tests.test.ts` takes the
// comments away and compares what the compilers then say.
import { embedded, entry, handler, projection, service, source, task, unit, upgrade, worker } from 'plenum'
import type { Client, EntryOutcome, Key, Loaded, New, Of, Outcome, Refusals, WatchEvent, Where, Written } from 'plenum'
import { z } from 'zod'
import { simulate } from 'plenum/testing'
import { connect } from './doors.ts'
import bank, { Account, Order } from './reference.ts'

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
declare function same<A, B>(equal: Same<A, B>): void
declare const client: Client<typeof bank>

// inference
type OrderValue = {
  readonly id: string
  readonly account: string
  readonly symbol: string
  readonly side: 'buy' | 'sell'
  readonly quantity: number
  readonly price: number
  readonly status: 'new' | 'paid' | 'late'
  readonly placedAt: number
}
same<Of<typeof Order>, OrderValue>(true)
same<Key<typeof Order>, { readonly id: string; readonly account: string }>(true)
same<Key<typeof Account>, { readonly id: string }>(true)
same<New<typeof Order>['id'], string | undefined>(true)
same<
  Parameters<typeof client.handlers.place>[0],
  { account: string; symbol: string; side: 'buy' | 'sell'; quantity: number; price: number }
>(true)
same<Awaited<ReturnType<typeof client.handlers.place>>, OrderValue>(true)
same<Awaited<ReturnType<typeof client.services.quote>>, number | undefined>(true)
same<Awaited<ReturnType<typeof client.handlers.place.attempt>> extends Outcome<infer R, Refusals> ? R : 0, OrderValue>(
  true,
)

export async function inference(): Promise<void> {
  await client.space.take('order', { status: 'new' }, { wait: '30s' })
  const written = await client.space.patch('order', { id: 'x', account: 'a' }, { status: 'late' })
  await client.space.patch('order', { id: 'x', account: 'a' }, { status: 'paid' }, { ifStamp: written.stamp })
  // @ts-expect-error TS2322 a version is not a stamp
  await client.space.patch('order', { id: 'x', account: 'a' }, { status: 'paid' }, { ifStamp: written.version })
  // @ts-expect-error TS2322 a duration has a unit
  await client.space.take('order', { status: 'new' }, { wait: '30' })
  const all = await client.space.readAll('order', { symbol: 'ACME' }, { select: ['id', 'price'] })
  same<typeof all, readonly { readonly id: string; readonly price: number }[]>(true)
  const one = await client.space.read('account', {
    'limit.daily': { gte: 5 },
    or: [{ owner: { startsWith: 'a' } }, { not: { id: 'x' } }],
  })
  same<NonNullable<typeof one>['limit'], { readonly daily: number }>(true)
  const events = client.space.watch(Order, { status: { in: ['new', 'late'] } })
  same<typeof events, AsyncIterable<WatchEvent<OrderValue>>>(true)
  const outcome = await client.handlers.place.attempt({ account: 'a', symbol: 's', side: 'buy', quantity: 1, price: 1 })
  if (outcome.ok) same<typeof outcome.value, OrderValue>(true)
  else if (outcome.refusal.reason === 'INSUFFICIENT_FUNDS') same<typeof outcome.refusal.data, { missing: number }>(true)
  const run = await client.tasks.deposits({ from: 1 }).total()
  if (run.complete) same<typeof run.value, number>(true)
  else same<typeof run.failed, readonly number[]>(true)
  for await (const { part } of client.tasks.deposits({ from: 1 })) same<typeof part, number>(true)
  same<ReturnType<typeof client.sources.accounts.load>, Promise<Loaded>>(true)
}

export async function writing(): Promise<void> {
  const replaced = await client.space.update(
    Account,
    { id: 'x', owner: 'o', balance: 1, limit: { daily: 1 } },
    { returning: 'previous' },
  )
  same<typeof replaced, Written<Of<typeof Account>>>(true)
  const made = await client.space.insertAll('account', [{ id: 'x', owner: 'o', balance: 1, limit: { daily: 1 } }])
  same<typeof made, readonly EntryOutcome<Of<typeof Account>>[]>(true)
  const found = await client.space.readByIds(Order, [{ id: 'x', account: 'a' }], { timeout: '2s' })
  same<typeof found, readonly EntryOutcome<OrderValue | undefined>[]>(true)
  await client.space.write(
    Account,
    { id: 'x', owner: 'o', balance: 1, limit: { daily: 1 } },
    { lease: '1h', key: 'click-1' },
  )
  // @ts-expect-error TS2741/TS2345 an update names the entry, also where a write may leave the id out
  await client.space.update(Order, {
    account: 'a',
    symbol: 's',
    side: 'buy',
    quantity: 1,
    price: 1,
    status: 'new',
    placedAt: 1,
  })
  // @ts-expect-error TS2741 the route is part of each key
  await client.space.removeAll(Order, [{ id: 'x' }])
  // @ts-expect-error TS2820 no such field to change
  await client.space.change(Account, { id: 'x' }, { unset: ['limit.dayly'] })
  // @ts-expect-error TS2322 a patch keeps the types of fields
  await client.space.patch(Account, { id: 'x' }, { balance: '1' })
}

// entries whose value is a union: fields of all members can be asked for, keys are the common ones
export const Command = entry(
  'command',
  z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('limit'), id: z.string(), symbol: z.string(), price: z.int() }),
    z.object({ kind: z.literal('cancel'), id: z.string(), symbol: z.string(), target: z.string() }),
  ]),
  { id: 'id', route: 'symbol', keys: 'sharded' },
)
const command: New<typeof Command> = { kind: 'cancel', symbol: 'ACME', target: '1' }
const asked: Where<Of<typeof Command>> = { kind: 'limit', price: { between: [1, 2] } }
void [command, asked]
// recursive and open-ended schemas
const Tree = z.object({
  id: z.string(),
  name: z.string(),
  get children() {
    return z.array(Tree)
  },
})
export const Node = entry('node', Tree, { id: 'id' })
export const Loose = entry(
  'loose',
  z.object({
    id: z.string(),
    any: z.json(),
    counts: z.record(z.string(), z.int()),
    tags: z.array(z.string()).optional(),
    brand: z.string().brand<'B'>(),
  }),
  { id: 'id', indexes: [['counts.x']] },
)
const loose: Where<Of<typeof Loose>> = { tags: { contains: 'a' }, 'counts.x': { gt: 1 } }
void loose

unit(
  'inner',
  { entries: [Account, Order] },
  {
    handlers: {
      ok: handler({ input: z.object({ id: z.string() }), route: 'id' }, ({ id }, { partition }) => {
        const account = partition.get(Account, { id })
        same<typeof account, Of<typeof Account> | undefined>(true) // at once, not a promise
        // @ts-expect-error TS2345 Command is not among the unit's entries
        partition.get(Command, { id, symbol: 's' })
        // @ts-expect-error TS2540 stored values are readonly
        if (account) account.balance = 1
        // @ts-expect-error TS2561 no such field
        partition.readAll(Account, { owned: 'x' })
        // @ts-expect-error TS2353 no such operator
        partition.readAll(Account, { balance: { gtt: 1 } })
        // @ts-expect-error TS2353 `like` is for text
        partition.readAll(Account, { balance: { like: 'x' } })
        // @ts-expect-error TS2322 wrong operand
        partition.readAll(Order, { side: 'bought' })
        // @ts-expect-error TS2353 nested objects are asked for by a dotted path
        partition.readAll(Account, { limit: { daily: 1 } })
        // @ts-expect-error TS2322 no such field to select
        partition.readAll(Account, {}, { select: ['nothing'] })
        // @ts-expect-error TS2339 a handler is a transaction and starts none
        void partition.transaction
        // @ts-expect-error TS2353 nothing waits inside a partition
        partition.readAll(Account, {}, { wait: '1s' })
        // @ts-expect-error TS2741/TS2345 the route is part of the key
        partition.get(Order, { id })
        // @ts-expect-error TS2353 only numbers can be added to
        partition.change(Account, { id }, { add: { owner: 1 } })
        // @ts-expect-error TS2345 quantity is missing
        partition.insert(Order, { account: 'a', symbol: 's', side: 'buy', price: 1, status: 'new', placedAt: 1 })
      }),
      // @ts-expect-error TS2741 a handler is synchronous
      async1: handler({ input: z.object({ id: z.string() }), route: 'id' }, async ({ id }) => id),
      // @ts-expect-error TS2345 a handler is synchronous
      async2: handler({ input: z.object({ id: z.string() }), route: 'id' }, async ({ id }) => {
        if (id) return 1
        return 2
      }),
      // @ts-expect-error TS2322 a handler is synchronous
      async3: handler({ input: z.object({ id: z.string() }), route: 'id' }, ({ id }) => (id ? Promise.resolve(1) : 2)),
      // @ts-expect-error TS2322 no such route
      route: handler({ input: z.object({ id: z.string() }), route: 'ids' }, ({ id }) => id),
      refusing: handler(
        { input: z.object({ id: z.string() }), route: 'id', refusals: { NO: z.object({ why: z.string() }) } },
        (_, { refuse }) => {
          // @ts-expect-error TS2345 not declared
          throw refuse('YES', { why: 'x' })
        },
      ),
    },
    workers: {
      // @ts-expect-error TS2322 not an entry of this unit
      other: worker({ entry: Command, where: {} }, async () => {}),
      ok: worker({ entry: Order, where: { status: 'new' } }, async (order, { tx }) => {
        same<typeof order, OrderValue>(true)
        // @ts-expect-error TS2345 not an entry of this unit
        await tx.remove(Command, { id: 'x', symbol: 's' })
      }),
    },
    services: {
      ok: service({ input: z.object({ id: z.string() }) }, async ({ id }, { partition, space }) => {
        same<ReturnType<typeof partition.count>, number>(true)
        same<ReturnType<typeof space.count>, Promise<number>>(true)
        return id
      }),
    },
    tasks: {
      ok: task(
        { input: z.object({}) },
        () => ({ n: 1 }),
        (a, b) => ({ n: a.n + b.n }),
      ),
    },
    projections: {
      ok: projection({
        of: [Account, Order],
        create: () => ({ n: 0 }),
        save: (s) => s,
        load: (s: { n: number }) => s,
        apply: (state, change) => {
          same<typeof state, { n: number }>(true)
          if (change.type === 'order' && change.kind === 'added') same<typeof change.entry, OrderValue>(true)
        },
      }),
    },
    sources: {
      ok: source(Account, {
        load: async function* ({ slots, partitions }) {
          same<typeof slots, readonly { readonly from: number; readonly to: number }[]>(true)
          yield [{ id: String(partitions), owner: 'o', balance: 1, limit: { daily: 1 } }]
        },
      }),
      // @ts-expect-error TS2345 not an entry of this unit
      other: source(Command, { load: async function* () {} }),
      rows: source(Account, {
        // @ts-expect-error TS2322 a row lacks fields
        load: async function* () {
          yield [{ id: 'x' }]
        },
      }),
    },
    // @ts-expect-error TS2561 a section that does not exist
    handlrs: {},
  },
)

const Earlier = z.object({ id: z.string() })
// @ts-expect-error TS2322 the id is a field
entry('bad', Earlier, { id: 'idd' })
// @ts-expect-error TS2561 no such option
entry('bad', Earlier, { id: 'id', rout: 'id' })
// @ts-expect-error TS2379 only plain data can be stored
entry('bad', z.object({ id: z.string(), at: z.date() }), { id: 'id' })
// @ts-expect-error TS2379 only plain data can be stored
entry('bad', z.object({ id: z.string(), seen: z.map(z.string(), z.string()) }), { id: 'id' })
// @ts-expect-error TS2741 a step is synchronous
upgrade(Earlier, async ({ id }) => ({ id }))
// @ts-expect-error TS2322 no such field of the older schema
upgrade(Earlier, ({ id }) => ({ id }), { drops: ['idd'] })
// @ts-expect-error TS2345 what a unit uses from outside has to be given
void embedded({ unit: bank })
// @ts-expect-error TS2345 what a unit uses from outside has to be given
void simulate(bank, { seed: 1 }, async () => {})
// @ts-expect-error TS2322 no such unit
void connect<typeof bank>({ url: 'ws://x', unit: 'bnak' })
// @ts-expect-error TS2345 no such entry type
void client.space.read('oder', {})
