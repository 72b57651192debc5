import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { z } from 'zod'
import {
  embedded,
  entry,
  handler,
  type PlenumError,
  port,
  source,
  stampOf,
  task,
  unit,
  type EmbeddedEvent,
  type EmbeddedOptions,
} from './index.ts'
import { slotOf } from './codec/index.ts'

const Account = entry(
  'account',
  z.object({ id: z.string(), owner: z.string(), balance: z.int(), note: z.string().nullable().optional() }),
  { id: 'id' },
)
const Order = entry('order', z.object({ id: z.string(), account: z.string(), price: z.int() }), {
  id: 'id',
  route: 'account',
  keys: 'uuid7',
})
const Presence = entry('presence', z.object({ id: z.string() }), { id: 'id', lease: '40ms' })

interface Rows {
  rows(
    slots: readonly { readonly from: number; readonly to: number }[],
  ): AsyncIterable<readonly { id: string; owner: string; balance: number }[]>
}

const OfAccount = z.object({ account: z.string() })
const bank = unit(
  'bank',
  { entries: [Account, Order, Presence], uses: { store: port<Rows>() } },
  {
    handlers: {
      deposit: handler(
        {
          input: OfAccount.extend({ amount: z.int() }),
          route: 'account',
          refusals: { UNKNOWN_ACCOUNT: z.object({ account: z.string() }) },
        },
        ({ account, amount }, { partition, refuse }) => {
          const found = partition.get(Account, { id: account })
          if (found === undefined) throw refuse('UNKNOWN_ACCOUNT', { account })
          partition.change(Account, { id: account }, { add: { balance: amount } })
          return partition.get(Account, { id: account })?.balance
        },
      ),
      placeTwo: handler(
        { input: OfAccount.extend({ fail: z.boolean() }), route: 'account' },
        ({ account, fail }, { partition }) => {
          const first = partition.insert(Order, { account, price: 1 })
          const second = partition.insert(Order, { account, price: 2 })
          if (fail) throw new Error('after two inserts')
          return [first.id, second.id]
        },
      ),
      touch: handler({ input: OfAccount.extend({ other: z.string() }), route: 'account' }, ({ other }, { partition }) =>
        partition.get(Account, { id: other }),
      ),
      query: handler({ input: OfAccount, route: 'account' }, (_, { partition }) =>
        partition.readAll(Order, { price: { gt: 0 } }),
      ),
      mutate: handler({ input: OfAccount, route: 'account' }, ({ account }, { partition }) => {
        const found: { owner: string } | undefined = partition.get(Account, { id: account })
        if (found) found.owner = 'changed'
      }),
      unplain: handler({ input: OfAccount, route: 'account' }, () => new Map()),
      promise: handler({ input: OfAccount, route: 'account' }, (): unknown => Promise.resolve(1)),
      clock: handler({ input: OfAccount, route: 'account' }, () => Date.now()),
      leak: handler({ input: OfAccount, route: 'account' }, ({ account }, { partition }) => {
        leaked = () => partition.get(Account, { id: account })
      }),
      message: handler({ input: OfAccount, route: 'account' }, (_, { send }) => send(nothing, { x: '1' })),
    },
    tasks: {
      total: task(
        { input: z.object({ failOn: z.int().optional() }) },
        ({ failOn }, { partition, index }) => {
          if (index === failOn) throw new Error('task fault')
          return partition.readAll(Account, {}).reduce((sum, { balance }) => sum + balance, 0)
        },
        (left, right) => left + right,
      ),
    },
    sources: { accounts: source(Account, { load: ({ uses, slots }) => uses.store.rows(slots) }) },
  },
)
const nothing = handler({ input: z.object({ x: z.string() }), route: 'x' }, () => 1)
let leaked: (() => unknown) | undefined

const noRows: Rows = { rows: async function* () {} }
const open: AsyncDisposable[] = []

async function start(options: Partial<EmbeddedOptions<typeof bank>> = {}) {
  const client = await embedded({ unit: bank, journal: 'memory', uses: { store: noRows }, ...options })
  open.push(client)
  return client
}

const failure = (code: string, details: object = {}) =>
  expect.objectContaining({ code, details: expect.objectContaining(details) })

afterEach(async () => {
  for (const client of open.splice(0)) await client[Symbol.asyncDispose]()
})

test('[SP1] write upserts, insert and update mind what is there, patch keeps what it does not name', async () => {
  const { space } = await start()
  const ann = { id: 'ann', owner: 'Ann', balance: 1, note: 'x' }
  expect(await space.write(Account, ann)).toMatchObject({ id: 'ann', version: 1 })
  await expect(space.insert(Account, ann)).rejects.toEqual(failure('ENTRY_EXISTS', { type: 'account' }))
  expect(await space.write('account', { ...ann, balance: 2 }, { returning: 'previous' })).toMatchObject({
    version: 2,
    previous: ann,
  })
  await expect(space.update(Account, { ...ann, id: 'bob' })).rejects.toEqual(failure('ENTRY_MISSING'))
  await expect(space.patch(Account, { id: 'bob' }, { balance: 1 })).rejects.toEqual(failure('ENTRY_MISSING'))
  expect(await space.patch(Account, { id: 'ann' }, { note: null })).toMatchObject({ version: 3 })
  expect(await space.get(Account, { id: 'ann' })).toEqual({ id: 'ann', owner: 'Ann', balance: 2, note: null })
  expect(await space.insert(Order, { account: 'ann', price: 1 })).toMatchObject({
    id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
  })
  expect(await space.remove(Account, { id: 'ann' })).toBe(true)
  expect(await space.remove(Account, { id: 'ann' })).toBe(false)
})

test('[SP2] [ID2] a change with a stamp that is not the present one fails and does nothing', async () => {
  const { space } = await start()
  const first = await space.insert(Account, { id: 'a', owner: 'o', balance: 1 })
  const { stamp } = await space.patch(Account, { id: 'a' }, { balance: 2 }, { ifStamp: stampOf(first) })
  await expect(space.patch(Account, { id: 'a' }, { balance: 3 }, { ifStamp: stampOf(first) })).rejects.toEqual(
    failure('STAMP_CONFLICT', { current: stamp }),
  )
  await space.remove(Account, { id: 'a' })
  const again = await space.insert(Account, { id: 'a', owner: 'o', balance: 1 })
  expect(stampOf(again)).not.toBe(stampOf(first))
  await expect(space.remove(Account, { id: 'a' }, { ifStamp: stamp })).rejects.toEqual(failure('STAMP_CONFLICT'))
  expect(await space.get(Account, { id: 'a' })).toEqual(again)
})

test('[ID1] a key is id and route; a query by id alone asks every partition; a route cannot change', async () => {
  const { space } = await start()
  await space.write(Order, { id: '1', account: 'ann', price: 5 })
  await space.write(Order, { id: '1', account: 'bob', price: 6 })
  expect(await space.get(Order, { id: '1', account: 'bob' })).toMatchObject({ price: 6 })
  await expect(space.get(Order, { id: '1' } as never)).rejects.toEqual(failure('KEY_INCOMPLETE', { field: 'account' }))
  expect(await space.readAll(Order, { id: '1' }, { orderBy: { price: 'asc' } })).toMatchObject([
    { price: 5 },
    { price: 6 },
  ])
  await expect(space.patch(Order, { id: '1', account: 'ann' }, { account: 'bob' })).rejects.toEqual(
    failure('ROUTE_IMMUTABLE', { field: 'account' }),
  )
  await expect(space.get('nothing' as never, {} as never)).rejects.toEqual(failure('ENTRY_TYPE_UNKNOWN'))
})

test('[SP8] [TI2] an entry past its lease is not returned; one without a lease stays', async () => {
  const { space } = await start()
  await space.write(Presence, { id: 'long' }, { lease: '1h' })
  await space.write(Presence, { id: 'short' })
  await space.write(Account, { id: 'stays', owner: 'o', balance: 1 })
  expect(await space.get(Presence, { id: 'long' })).toEqual({ id: 'long' })
  while ((await space.count(Presence, {})) > 1) await new Promise((resolve) => setTimeout(resolve, 5))
  expect(await space.get(Presence, { id: 'short' })).toBeUndefined()
  expect(await space.get(Presence, { id: 'long' })).toEqual({ id: 'long' })
  expect(await space.count(Account, {})).toBe(1)
})

test('[SP10] a batch reports for each entry, in order, and one that fails leaves the others alone', async () => {
  const { space } = await start()
  await space.write(Account, { id: 'b', owner: 'o', balance: 0 })
  const outcomes = await space.insertAll(
    Account,
    ['a', 'b', 'c'].map((id) => ({ id, owner: 'o', balance: 1 })),
  )
  expect(outcomes).toMatchObject([
    { ok: true, value: { id: 'a' } },
    { ok: false, error: { code: 'ENTRY_EXISTS' } },
    { ok: true, value: { id: 'c' } },
  ])
  expect(await space.readByIds(Account, [{ id: 'c' }, { id: 'x' }])).toMatchObject([
    { ok: true, value: { id: 'c' } },
    { ok: true },
  ])
  expect(await space.removeAll(Account, [{ id: 'a' }, { id: 'x' }])).toEqual([
    { ok: true, value: true },
    { ok: true, value: false },
  ])
  const small = await start({ limits: { batchEntriesMax: 2 } })
  await expect(small.space.readByIds(Account, [{ id: '1' }, { id: '2' }, { id: '3' }])).rejects.toEqual(
    failure('LIMIT_EXCEEDED', { limit: 'batchEntriesMax', value: 2 }),
  )
})

test('[SP12] a call with a key runs once, whatever it answered', async () => {
  const { space, handlers } = await start()
  await space.write(Account, { id: 'a', owner: 'o', balance: 1 })
  expect(await handlers.deposit({ account: 'a', amount: 5 }, { key: 'click' })).toBe(6)
  expect(await handlers.deposit({ account: 'a', amount: 5 }, { key: 'click' })).toBe(6)
  expect(await space.get(Account, { id: 'a' })).toMatchObject({ balance: 6 })
  await expect(handlers.deposit({ account: 'b', amount: 5 }, { key: 'no' })).rejects.toEqual(failure('REFUSED'))
  await space.write(Account, { id: 'b', owner: 'o', balance: 1 })
  await expect(handlers.deposit({ account: 'b', amount: 5 }, { key: 'no' })).rejects.toEqual(
    failure('REFUSED', { reason: 'UNKNOWN_ACCOUNT' }),
  )
})

test('[SP11] [SP13] a timeout or an aborted signal ends a call; a change that may have happened says so', async () => {
  const { space } = await start()
  await expect(space.get(Account, { id: 'a' }, { timeout: 'soon' as never })).rejects.toEqual(
    failure('DURATION_INVALID'),
  )
  await expect(space.get(Account, { id: 'a' }, { signal: AbortSignal.abort() })).rejects.toEqual(failure('ABORTED'))
  await expect(
    space.write(Account, { id: 'a', owner: 'o', balance: 1 }, { signal: AbortSignal.abort() }),
  ).rejects.toEqual(failure('ABORTED'))
  expect(await space.get(Account, { id: 'a' })).toBeUndefined()
  const caller = new AbortController()
  const written = space.write(Account, { id: 'a', owner: 'o', balance: 1 }, { signal: caller.signal })
  caller.abort()
  await expect(written).rejects.toEqual(failure('UNKNOWN_OUTCOME', { cause: 'ABORTED' }))
  expect(await space.get(Account, { id: 'a' }, { timeout: '5s' })).toMatchObject({ balance: 1 })
})

test('[UN2] [A6] a handler is one transaction: what it threw after its changes never happened', async () => {
  const faults: EmbeddedEvent[] = []
  const { space, handlers } = await start({ onEvent: (event) => event.event.kind === 'fault' && faults.push(event) })
  await expect(handlers.placeTwo({ account: 'a', fail: true })).rejects.toEqual(
    failure('HANDLER_FAILED', { part: 'handler placeTwo' }),
  )
  expect(await space.count(Order, {})).toBe(0)
  expect(faults).toHaveLength(1)
  expect(await handlers.placeTwo({ account: 'a', fail: false })).toHaveLength(2)
  expect(await space.count(Order, { account: 'a' })).toBe(2)
  await expect(handlers.promise({ account: 'a' })).rejects.toEqual(failure('HANDLER_ASYNC'))
  await expect(handlers.unplain({ account: 'a' })).rejects.toEqual(failure('VALUE_NOT_PLAIN'))
  await expect(
    (handlers as unknown as { deposit(input: object): Promise<unknown> }).deposit({ account: 'a' }),
  ).rejects.toEqual(failure('VALUE_INVALID', { field: 'amount' }))
})

test.each([1, 2, 4])('[UN2a] with %i partitions, a handler touches its own route only', async (partitions) => {
  const { handlers } = await start({ partitions })
  await expect(handlers.touch({ account: 'a', other: 'b' })).rejects.toEqual(
    failure('OUTSIDE_ROUTE', { type: 'account', route: 'a' }),
  )
  await expect(handlers.query({ account: 'a' })).rejects.toEqual(failure('OUTSIDE_ROUTE', { type: 'order' }))
  await expect(handlers.touch({ account: 'a', other: 'a' })).resolves.toBeUndefined()
})

test('[UN2b] refusals arrive typed and are no faults; other throws show nothing in production', async () => {
  const faults: EmbeddedEvent[] = []
  const { handlers } = await start({
    development: false,
    onEvent: (event) => event.event.kind === 'fault' && faults.push(event),
  })
  const outcome = await handlers.deposit.attempt({ account: 'none', amount: 1 })
  expect(outcome).toEqual({ ok: false, refusal: { reason: 'UNKNOWN_ACCOUNT', data: { account: 'none' } } })
  expect(faults).toEqual([])
  const error: unknown = await handlers.placeTwo({ account: 'a', fail: true }).catch((thrown: unknown) => thrown)
  expect(error).toEqual(failure('HANDLER_FAILED'))
  expect(String((error as PlenumError).message)).not.toContain('after two inserts')
  expect((error as PlenumError).cause).toBeUndefined()
  await expect(handlers.placeTwo.attempt({ account: 'a', fail: true })).rejects.toEqual(failure('HANDLER_FAILED'))
})

test('[ID4] [A2] what was read is frozen, also nested; a handler cannot change ground state through it', async () => {
  const { space, handlers } = await start()
  await space.write(Account, { id: 'a', owner: 'o', balance: 1 })
  await expect(handlers.mutate({ account: 'a' })).rejects.toEqual(failure('HANDLER_FAILED'))
  const read = await space.get(Account, { id: 'a' })
  expect(Object.isFrozen(read)).toBe(true)
  expect(read).toMatchObject({ owner: 'o' })
  const given = { id: 'b', owner: 'o', balance: 1 }
  await space.write(Account, given)
  given.balance = 99
  expect(await space.get(Account, { id: 'b' })).toMatchObject({ balance: 1 })
})

test('[UN1] [UN13] what a handler may use is in its context, while it runs; the outside world is impure', async () => {
  const { handlers } = await start()
  await expect(handlers.clock({ account: 'a' })).rejects.toEqual(failure('HANDLER_IMPURE', { instead: 'context.now' }))
  await handlers.leak({ account: 'a' })
  expect(leaked).toThrow(failure('HANDLER_FAILED'))
  await expect(handlers.message({ account: 'a' })).rejects.toEqual(failure('HANDLER_UNKNOWN', { kind: 'handler' }))
})

test('[UN5] parts arrive one by one; a total says whether it is complete', async () => {
  const { space, tasks } = await start({ partitions: 4 })
  for (let i = 0; i < 20; i++) await space.write(Account, { id: `a${i}`, owner: 'o', balance: 1 })
  expect(await tasks.total({}).total()).toEqual({ complete: true, value: 20 })
  expect(await tasks.total({ failOn: 2 }).total()).toMatchObject({
    complete: false,
    failed: [2],
    error: { code: 'TASK_FAILED' },
  })
  const parts: number[] = []
  for await (const { partition, part } of tasks.total({})) parts[partition] = part
  expect(parts.reduce((sum, part) => sum + part, 0)).toBe(20)
  const left = async (): Promise<number> => {
    for await (const { partition } of tasks.total({})) return partition
    return -1
  }
  expect(await left()).toBeGreaterThanOrEqual(0)
  const failing = async (): Promise<void> => {
    for await (const _ of tasks.total({ failOn: 0 }));
  }
  await expect(failing()).rejects.toEqual(failure('TASK_FAILED'))
  await expect(tasks.total({ failOn: 'x' as never }).total()).rejects.toEqual(failure('VALUE_INVALID'))
})

test('[UN7] a source is asked once for each partition, again only where it was cut short', async () => {
  const all = Array.from({ length: 40 }, (_, i) => ({ id: `a${i}`, owner: 'o', balance: i }))
  let queries = 0
  let failAt = Infinity
  const store: Rows = {
    async *rows(slots) {
      queries += 1
      if (queries >= failAt) throw new Error('the store is down')
      yield all.filter(({ id }) => slots.some(({ from, to }) => from <= slotOf(id) && slotOf(id) <= to))
    },
  }
  const { space, sources } = await start({ uses: { store }, partitions: 4 })
  failAt = 3
  await expect(sources.accounts.load()).rejects.toEqual(failure('SOURCE_FAILED', { source: 'accounts' }))
  failAt = Infinity
  const before = queries
  const { loaded, skipped } = await sources.accounts.load()
  expect(loaded).toBe(queries - before)
  expect(loaded + skipped).toBe(4)
  expect(loaded).toBeGreaterThan(0)
  expect(await sources.accounts.load()).toMatchObject({ loaded: 0, skipped: 4 })
  expect(queries - before).toBe(loaded)
  expect(await space.count(Account, {})).toBe(40)
  const wrong = await start({
    uses: {
      store: {
        rows: async function* () {
          yield all
        },
      },
    },
    partitions: 2,
  })
  await expect(wrong.sources.accounts.load()).rejects.toEqual(failure('SOURCE_FAILED'))
})

test('[PA8] [A1] what was acked is there after a start from the folder, hash and all; other folders are refused', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'plenum-embedded-'))
  try {
    const progress: string[] = []
    const first = await start({ journal: { folder }, partitions: 2 })
    await first.space.write(Account, { id: 'a', owner: 'o', balance: 7 })
    await expect(start({ journal: { folder } })).rejects.toEqual(failure('FOLDER_IN_USE'))
    await open.pop()?.[Symbol.asyncDispose]()
    await expect(start({ journal: { folder }, partitions: 3 })).rejects.toEqual(
      failure('FOLDER_OF_ANOTHER_GRID', { found: 2 }),
    )
    const again = await start({ journal: { folder }, onProgress: ({ step }) => progress.push(step) })
    expect(again.partitions).toBe(2)
    expect(await again.space.get(Account, { id: 'a' })).toMatchObject({ balance: 7 })
    expect(progress).toContain('recovering')
    await open.pop()?.[Symbol.asyncDispose]()
    await expect(again.space.get(Account, { id: 'a' })).rejects.toEqual(failure('CLOSED'))
    const moved = entry('account', z.object({ id: z.string(), owner: z.string(), balance: z.int() }), {
      id: 'id',
      route: 'owner',
    })
    await expect(embedded({ unit: unit('bank', { entries: [moved] }, {}), folder })).rejects.toEqual(
      failure('UNIT_MISMATCH', { part: 'route' }),
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('[PA10] a later unit may add fields; what the earlier one wrote is read as it was', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'plenum-embedded-'))
  try {
    const Old = entry('thing', z.object({ id: z.string(), a: z.int() }), { id: 'id' })
    const New = entry('thing', z.object({ id: z.string(), b: z.int().optional(), a: z.int() }), { id: 'id' })
    const old = await embedded({ unit: unit('u', { entries: [Old] }, {}), folder, partitions: 1 })
    await old.space.write(Old, { id: 'x', a: 1 })
    await old[Symbol.asyncDispose]()
    const later = await embedded({ unit: unit('u', { entries: [New] }, {}), folder })
    await later.space.write(New, { id: 'y', a: 2, b: 3 })
    await later[Symbol.asyncDispose]()
    const last = await embedded({ unit: unit('u', { entries: [New] }, {}), folder })
    expect(await last.space.readAll(New, {}, { orderBy: { id: 'asc' } })).toEqual([
      { id: 'x', a: 1 },
      { id: 'y', a: 2, b: 3 },
    ])
    await last[Symbol.asyncDispose]()
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('[JR6] [A8] an ack level that the journal cannot give, and parts that do not run yet, are refused at the start', async () => {
  await expect(start({ ack: 'disk' })).rejects.toEqual(failure('ACK_LEVEL_UNAVAILABLE'))
  await expect(start({ journal: { folder: 'x' }, ack: 'memory' })).rejects.toEqual(failure('ACK_LEVEL_UNAVAILABLE'))
  const Numbered = entry('numbered', z.object({ id: z.string() }), { id: 'id', keys: 'sequence' })
  const numbering = unit('n', { entries: [Numbered] }, {})
  await expect(embedded({ unit: numbering, journal: 'memory' })).rejects.toEqual(
    failure('NOT_AVAILABLE_YET', { option: 'keys' }),
  )
  const { space } = await start({ limits: { valueBytesMax: 200, readEntriesMax: 2 } })
  await expect(space.write(Account, { id: 'a', owner: 'x'.repeat(300), balance: 1 })).rejects.toEqual(
    failure('VALUE_TOO_LARGE', { limit: 200 }),
  )
  for (const id of ['1', '2', '3']) await space.write(Account, { id, owner: 'o', balance: 1 })
  await expect(space.readAll(Account, {})).rejects.toEqual(failure('LIMIT_EXCEEDED', { limit: 'readEntriesMax' }))
  expect(await space.readAll(Account, {}, { limit: 2, orderBy: { id: 'desc' }, select: ['id'] })).toEqual([
    { id: '3' },
    { id: '2' },
  ])
  await expect(space.readAll(Account, { ownr: 'x' } as never)).rejects.toEqual(
    failure('QUERY_INVALID', { path: 'query.ownr' }),
  )
  await expect(space.readAll(Account, { balance: { gtt: 1 } } as never)).rejects.toEqual(
    failure('QUERY_INVALID', { path: 'query.balance.gtt' }),
  )
})

test('[UN5] [A9] a handler that holds up its partition is an event once it is over, and its call succeeds', async () => {
  const now = performance.now.bind(performance)
  const slow = unit(
    'slow',
    { entries: [Account] },
    {
      handlers: {
        work: handler({ input: OfAccount, route: 'account' }, () => {
          const end = now() + 60
          while (now() < end);
          return 'done'
        }),
      },
    },
  )
  const events: EmbeddedEvent['event'][] = []
  const onEvent = ({ event }: EmbeddedEvent): void => void events.push(event)
  await using client = await embedded({ unit: slow, journal: 'memory', limits: { slowStretchMs: 15 }, onEvent })
  // The thread that watches may start later than the first call.
  while (!events.some(({ kind }) => kind === 'slow')) {
    expect(await client.handlers.work({ account: 'a' })).toBe('done')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  expect(events).toContainEqual({ kind: 'slow', part: 'handler work', ms: expect.any(Number) })
})
