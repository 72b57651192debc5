import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import {
  embedded,
  entry,
  handler,
  projection,
  unit,
  type Client,
  type EmbeddedEvent,
  type OutputEvent,
  type PartitionOutput,
} from './index.ts'
import { simulate } from './testing/simulate.ts'
import { exchange, exchangeWith, Order } from './unit/contract/volume-unit.ts'
import { resources } from './unit/contract/resources.ts'

const { open, newFolder } = resources()

type Exchange = Client<typeof exchange>

async function volumesOf(client: Exchange): Promise<unknown> {
  return (await client.tasks.volumes({}).total()).value
}

/** The naive twin: what the orders that are there add up to. */
async function naiveVolumes(client: Exchange): Promise<unknown> {
  const totals: Record<string, number> = {}
  for (const { symbol, quantity } of await client.space.readAll(Order, {}))
    totals[symbol] = (totals[symbol] ?? 0) + quantity
  return Object.fromEntries(Object.entries(totals).filter(([, total]) => total !== 0))
}

async function hashesOf(client: Exchange): Promise<readonly unknown[]> {
  return (await client.projections.volume.status()).map(({ index, hash, error }) => ({ index, hash, error }))
}

async function place(client: Exchange, from: number, count: number): Promise<void> {
  const orders = Array.from({ length: count }, (_, n) => ({ id: `o${from + n}`, symbol: `S${n % 3}`, quantity: n + 1 }))
  await Promise.all(orders.map((order) => client.handlers.place(order)))
}

const step = fc.oneof(
  fc.record({ kind: fc.constant('place' as const), id: fc.integer({ min: 0, max: 9 }), quantity: fc.nat(50) }),
  fc.record({ kind: fc.constant('remove' as const), id: fc.nat(9) }),
  fc.record({ kind: fc.constant('take' as const), id: fc.nat(9) }),
  fc.record({ kind: fc.constant('fail' as const), id: fc.nat(9) }),
  fc.record({
    kind: fc.constant('transaction' as const),
    ids: fc.tuple(fc.nat(9), fc.nat(9)),
    quantity: fc.nat(50),
    fails: fc.boolean(),
  }),
)

test('[UN6] whatever is changed, taken back or refused, a projection folds what was committed', async () => {
  const client = await embedded({ unit: exchange, journal: 'memory' })
  open.push(client)
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 30 }), async (steps) => {
      for (const one of steps) {
        if (one.kind === 'place')
          await client.handlers.place({ id: `o${one.id}`, symbol: `S${one.id % 3}`, quantity: one.quantity })
        else if (one.kind === 'remove') await client.space.remove(Order, { id: `o${one.id}` })
        else if (one.kind === 'take') await client.space.take(Order, { symbol: `S${one.id % 3}` })
        else if (one.kind === 'fail') await client.handlers.fail({ id: `o${one.id}` }).catch(() => undefined)
        else {
          const transaction = client.space.transaction(async (tx) => {
            for (const id of one.ids) await tx.write(Order, { id: `o${id}`, symbol: 'T', quantity: one.quantity })
            if (one.fails) throw new Error('taken back')
          })
          await transaction.catch(() => undefined)
        }
      }
      expect(await volumesOf(client)).toEqual(await naiveVolumes(client))
    }),
    { numRuns: 40 },
  )
})

test('[UN6] [A5] the state is the same live, from zero, from snapshot and tail, and in another time zone and locale', async () => {
  const folder = newFolder()
  let snapshots = 0
  const onEvent = ({ event }: EmbeddedEvent): void => void (event.kind === 'snapshot' && snapshots++)
  const client = await embedded({ unit: exchange, folder, onEvent, limits: { snapshotEveryBytes: 20_000 } })
  for (let round = 0; snapshots < 4; round++) await place(client, round * 50, 100)
  await place(client, 0, 30)
  const live = await hashesOf(client)
  const volumes = await volumesOf(client)
  expect(volumes).toEqual(await naiveVolumes(client))
  await client[Symbol.asyncDispose]()

  // CLOSE and OPEN are records too: the hash is what must be the same.
  const onlyHashes = live.map((one) => (one as { hash: string }).hash)
  const source = `
    import { embedded } from '${import.meta.dirname}/index.ts'
    import { exchange } from '${import.meta.dirname}/unit/contract/volume-unit.ts'
    const client = await embedded({ unit: exchange, folder: ${JSON.stringify(folder)} })
    console.log(JSON.stringify((await client.projections.volume.status()).map(({ hash }) => hash)))
    await client[Symbol.asyncDispose]()`
  const env = { ...process.env, TZ: 'Pacific/Kiritimati', LANG: 'tr_TR.UTF-8', LC_ALL: 'tr_TR.UTF-8' }
  const run = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', source], { env })
  expect(JSON.parse(run.stdout)).toEqual(onlyHashes)

  const again = await embedded({ unit: exchange, folder })
  open.push(again)
  expect(await volumesOf(again)).toEqual(volumes)
})

test('[UN6] a projection that is new to a journal begins with the entries that are there', async () => {
  const folder = newFolder()
  const bare = unit('exchange', { entries: [Order] }, {})
  const before = await embedded({ unit: bare, folder })
  await before.space.writeAll(
    Order,
    Array.from({ length: 40 }, (_, n) => ({ id: `o${n}`, symbol: `S${n % 3}`, quantity: n })),
  )
  await before.space.remove(Order, { id: 'o3' })
  await before[Symbol.asyncDispose]()
  const client = await embedded({ unit: exchange, folder })
  open.push(client)
  expect(await volumesOf(client)).toEqual(await naiveVolumes(client))
  await place(client, 20, 40)
  expect(await volumesOf(client)).toEqual(await naiveVolumes(client))
})

/** Reads outputs until there are so many. */
async function readOutputs(client: Exchange, count: number, since?: string) {
  const outputs: PartitionOutput[] = []
  const events: OutputEvent['kind'][] = []
  let token: string | undefined
  for await (const event of client.projections.volume.outputs({ since })) {
    events.push(event.kind)
    if (event.kind !== 'reset') token = event.token
    if (event.kind === 'outputs') outputs.push(...event.outputs)
    if (outputs.length >= count) break
  }
  return { outputs, events, token: token! }
}

const numberOf = ({ partition, index, offset }: PartitionOutput): string => `${partition}/${index}/${offset}`

test('[UN6] outputs have numbers that stay the same, and a reader goes on from its token after a restart', async () => {
  const folder = newFolder()
  const client = await embedded({ unit: exchange, folder })
  const reading = readOutputs(client, 30)
  await new Promise((resolve) => setTimeout(resolve, 50))
  await place(client, 0, 30)
  const first = await reading
  expect(first.events[0]).toBe('ready')
  expect(first.outputs.map(({ topic }) => topic).toSorted()).toEqual(
    Array.from({ length: 30 }, (_, n) => `S${n % 3}`).toSorted(),
  )
  expect(new Set(first.outputs.map(numberOf)).size).toBe(30)
  await place(client, 0, 10)
  const missed = await readOutputs(client, 10, first.token)
  await client[Symbol.asyncDispose]()

  const again = await embedded({ unit: exchange, folder })
  open.push(again)
  const late = await readOutputs(again, 10, first.token)
  const byNumber = (outputs: readonly PartitionOutput[]) =>
    outputs.toSorted((a, b) => (numberOf(a) < numberOf(b) ? -1 : 1))
  expect(byNumber(late.outputs)).toEqual(byNumber(missed.outputs))
  const before = new Set(first.outputs.map(numberOf))
  expect(late.outputs.filter((output) => before.has(numberOf(output)))).toEqual([])
})

test('[UN6] [A8] a reader whose outputs are gone is told, and goes on from now; a token of something else is refused', async () => {
  const client = await embedded({ unit: exchange, journal: 'memory', partitions: 1, limits: { outputsMax: 10 } })
  open.push(client)
  const reading = readOutputs(client, 1)
  await new Promise((resolve) => setTimeout(resolve, 20))
  await place(client, 0, 1)
  const { token } = await reading
  await place(client, 0, 60)
  const events: OutputEvent[] = []
  for await (const event of client.projections.volume.outputs({ since: token })) {
    events.push(event)
    if (event.kind === 'ready') await client.handlers.place({ id: 'o1', symbol: 'NEW', quantity: 1 })
    if (event.kind === 'outputs') break
  }
  expect(events.map(({ kind }) => kind)).toEqual(['reset', 'ready', 'outputs'])
  expect(events[2]).toMatchObject({ outputs: [{ partition: 0, topic: 'NEW', event: { total: 1 } }] })
  const wrong = client.projections.volume.outputs({ since: 'no token' })[Symbol.asyncIterator]().next()
  await expect(wrong).rejects.toMatchObject({ code: 'QUERY_INVALID' })
})

/** A volume that throws at one symbol, until it is mended. */
function brittle(isMended: () => boolean) {
  return projection({
    of: [Order],
    create: () => new Map<string, number>(),
    apply(state, change): void {
      if (change.entry.symbol === 'POISON' && !isMended()) throw new Error('cannot fold this')
      state.set(change.entry.symbol, (state.get(change.entry.symbol) ?? 0) + change.entry.quantity)
    },
    save: (state) => [...state],
    load: (saved: [string, number][]) => new Map(saved),
  })
}

test('[UN6] a projection that throws has failed, its journal is kept, and mended code goes on from before', async () => {
  const folder = newFolder()
  let isMended = false
  const brittleExchange = exchangeWith(brittle(() => isMended))
  const events: EmbeddedEvent['event'][] = []
  const onEvent = ({ event }: EmbeddedEvent): void => void events.push(event)
  const options = { unit: brittleExchange, folder, partitions: 1, onEvent, limits: { snapshotEveryBytes: 2_000 } }
  const client = await embedded(options)
  await client.handlers.place({ id: 'a', symbol: 'A', quantity: 1 })
  await client.handlers.place({ id: 'b', symbol: 'POISON', quantity: 2 })
  for (let n = 0; n < 50; n++) await client.handlers.place({ id: `c${n}`, symbol: 'C', quantity: 1 })
  await expect(client.tasks.volumes({}).total()).rejects.toMatchObject({ code: 'PROJECTION_FAILED' })
  const [status] = await client.projections.volume.status()
  expect(status).toMatchObject({ hash: undefined, error: 'cannot fold this' })
  await client[Symbol.asyncDispose]()
  expect(events).toContainEqual(expect.objectContaining({ kind: 'projection-failed', projection: 'volume' }))
  expect(events.filter(({ kind }) => kind === 'snapshot')).toEqual([])
  expect(events).toContainEqual(expect.objectContaining({ kind: 'snapshot-failed' }))

  isMended = true
  const mended = await embedded(options)
  open.push(mended)
  expect((await mended.tasks.volumes({}).total()).value).toEqual({ A: 1, POISON: 2, C: 50 })
})

let saves = 0
const strangeParts: readonly (readonly [what: string, parts: object, code: string])[] = [
  ['the clock', { apply: () => void Date.now() }, 'HANDLER_IMPURE'],
  ['a promise', { apply: async () => {} }, 'HANDLER_ASYNC'],
  ['what is not plain', { save: (state: unknown) => ({ state: new Map([[1, state]]) }) }, 'VALUE_NOT_PLAIN'],
  ['another state once it was loaded', { save: () => ++saves }, 'PROJECTION_FAILED'],
]

test.for(strangeParts)('[UN6] [UN13] a projection with %s has failed, and says why', async ([, parts, code]) => {
  const usual = { create: () => 'state', apply: () => {}, save: (state: unknown) => state, load: () => 'state' }
  const strange = projection({ of: [Order], ...usual, ...parts })
  const events: EmbeddedEvent['event'][] = []
  const strangeUnit = unit('strange', { entries: [Order] }, { projections: { strange } })
  const onEvent = ({ event }: EmbeddedEvent): void => void events.push(event)
  const limits = { snapshotEveryBytes: 1_000 }
  await using client = await embedded({ unit: strangeUnit, journal: 'memory', partitions: 1, onEvent, limits })
  for (let n = 0; n < 30; n++) await client.space.write(Order, { id: String(n), symbol: 'A', quantity: n })
  await expect.poll(() => events.find(({ kind }) => kind === 'projection-failed')).toMatchObject({ error: { code } })
})

test('[UN6] [PA3] a task sees what was committed before it began, acked or not', async () => {
  const client = await embedded({ unit: exchange, folder: newFolder() })
  open.push(client)
  for (let n = 1; n <= 20; n++) {
    const placing = client.handlers.place({ id: `o${n}`, symbol: 'A', quantity: 1 })
    expect(await volumesOf(client)).toEqual({ A: n })
    await placing
  }
})

test('[UN6] a task waits for what was committed before it, not for all that is committed meanwhile', async () => {
  const client = await embedded({ unit: exchange, folder: newFolder(), partitions: 1 })
  open.push(client)
  let isOver = false
  let written = 0
  const writtenMax = 5_000
  const write = async (_: undefined, n: number): Promise<void> => {
    while (!isOver && written < writtenMax) {
      await client.handlers.place({ id: `o${n}-${written++}`, symbol: 'A', quantity: 1 })
      // Some come while the records of others are on their way, so that those are never all acked.
      if (n > 3) await sleep(1)
    }
  }
  const writers = Array.from({ length: 8 }, write)
  await sleep(50)
  for (let round = 0; round < 5; round++) {
    const before = written - writers.length
    const { A = 0 } = (await volumesOf(client)) as { readonly A?: number }
    expect(A).toBeGreaterThanOrEqual(before)
  }
  // One that waits for a moment without writes has it only now.
  expect(written).toBeLessThan(writtenMax)
  isOver = true
  await Promise.all(writers)
})

const Total = entry('total', z.object({ symbol: z.string(), quantity: z.int(), heard: z.int() }), { id: 'symbol' })

const hear = handler(
  { input: z.object({ symbol: z.string(), quantity: z.int() }), route: 'symbol' },
  ({ symbol, quantity }, { partition }) => {
    const before = partition.get(Total, { symbol })
    partition.write(Total, {
      symbol,
      quantity: (before?.quantity ?? 0) + quantity,
      heard: (before?.heard ?? 0) + 1,
    })
  },
)

const adding = projection({
  of: [Order],
  create: () => null,
  apply(_, change, { send }) {
    if (change.kind === 'added') send(hear, { symbol: change.entry.symbol, quantity: change.entry.quantity })
  },
  save: (state) => state,
  load: (saved: null) => saved,
})
const summing = unit('summing', { entries: [Order, Total] }, { handlers: { hear }, projections: { adding } })

test('[UN6] [UN12] what a projection sends is done once, over restarts and snapshots too', async () => {
  const folder = newFolder()
  const options = { unit: summing, folder, limits: { snapshotEveryBytes: 10_000, messagesMax: 100 } }
  let expected = 0
  for (let round = 0; round < 3; round++) {
    const client = await embedded(options)
    const orders = Array.from({ length: 300 }, (_, n) => ({ id: `${round} ${n}`, symbol: `S${n % 7}`, quantity: n }))
    await Promise.all(orders.map((order) => client.space.insert(Order, order)))
    expected += orders.length
    if (round < 2) {
      // Closed while messages are on their way.
      await client[Symbol.asyncDispose]()
      continue
    }
    open.push(client)
    const heard = async () => (await client.space.readAll(Total, {})).reduce((sum, total) => sum + total.heard, 0)
    await expect.poll(heard, { timeout: 20_000 }).toBe(expected)
    const quantity = (await client.space.readAll(Total, {})).reduce((sum, total) => sum + total.quantity, 0)
    expect(quantity).toBe(3 * ((300 * 299) / 2))
    expect(await client.messages.pending()).toBe(0)
  }
})

test('[UN6] [UN12] [A8] sends become messages as there is room, in a command and among the messages; what waits is told', async () => {
  let isOpen = false
  const hearing = handler(
    { input: z.object({ symbol: z.string(), quantity: z.int() }), route: 'symbol' },
    ({ symbol, quantity }, { partition }) => {
      if (!isOpen) throw new Error('closed')
      const heard = (partition.get(Total, { symbol })?.heard ?? 0) + 1
      partition.write(Total, { symbol, quantity, heard })
    },
  )
  const sending = projection({
    of: [Order],
    create: () => null,
    apply: (_, change, { send }) => send(hearing, { symbol: 'all', quantity: change.entry.quantity }),
    save: (state) => state,
    load: (saved: null) => saved,
  })
  const sender = unit('sender', { entries: [Order, Total] }, { handlers: { hearing }, projections: { sending } })
  const events: EmbeddedEvent['event'][] = []
  const limits = { messagesMax: 10, messageAttemptsMax: 1, sessionRequestsMax: 4, commandEffectsMax: 9 }
  const onEvent = ({ event }: EmbeddedEvent): void => void events.push(event)
  const client = await embedded({ unit: sender, journal: 'memory', partitions: 1, limits, onEvent })
  open.push(client)
  for (let n = 0; n < 30; n++) await client.space.write(Order, { id: `o${n}`, symbol: 'A', quantity: n })
  const waits = (): unknown => events.find(({ kind }) => kind === 'sends-waiting')
  await expect.poll(waits).toMatchObject({ projection: 'sending', attempts: 1, error: { code: 'LIMIT_EXCEEDED' } })
  await expect.poll(async () => (await client.messages.deadLetters()).length).toBe(20)
  isOpen = true
  const sendBackSome = async (): Promise<number> => {
    await client.messages.sendBack((await client.messages.deadLetters()).slice(0, 3))
    return (await client.space.get(Total, { symbol: 'all' }))?.heard ?? 0
  }
  await expect.poll(sendBackSome, { timeout: 20_000 }).toBe(30)
})

test('[UN6] [A8] a send that no message can hold fails its projection, by name and with its limit', async () => {
  const long = projection({
    of: [Order],
    create: () => null,
    apply: (_, change, { send }) => send(hear, { symbol: change.entry.symbol, quantity: 1 }),
    save: (state) => state,
    load: (saved: null) => saved,
  })
  const sender = unit('sender', { entries: [Order, Total] }, { handlers: { hear }, projections: { long } })
  const events: EmbeddedEvent['event'][] = []
  const onEvent = ({ event }: EmbeddedEvent): void => void events.push(event)
  const limits = { valueBytesMax: 2_000 }
  const client = await embedded({ unit: sender, journal: 'memory', partitions: 1, limits, onEvent })
  open.push(client)
  await client.space.write(Order, { id: 'o1', symbol: 'x'.repeat(800), quantity: 1 })
  await expect.poll(async () => client.space.count(Total, {})).toBe(1)
  // As a route it is in a message twice.
  await client.space.write(Order, { id: 'o2', symbol: 'x'.repeat(900), quantity: 1 })
  await expect
    .poll(() => events.find(({ kind }) => kind === 'projection-failed'))
    .toMatchObject({ projection: 'long', error: { code: 'VALUE_TOO_LARGE' } })
})

test('[UN6] half a fold says nothing: what it has sent and put out is not heard, and mended code says it', async () => {
  const folder = newFolder()
  let isMended = false
  const telling = projection({
    of: [Order],
    create: () => null,
    apply(_, change, { send, emit }) {
      send(hear, { symbol: isMended ? 'mended' : 'half', quantity: change.entry.quantity })
      emit('told', change.entry.id)
      if (!isMended) throw new Error('a bug')
    },
    save: (state) => state,
    load: (saved: null) => saved,
  })
  const teller = unit('teller', { entries: [Order, Total] }, { handlers: { hear }, projections: { telling } })
  const heard = async (client: Client<typeof teller>) =>
    (await client.space.readAll(Total, {}, { orderBy: { symbol: 'asc' } })).map((total) => [total.symbol, total.heard])
  const before = await embedded({ unit: teller, folder, partitions: 1 })
  await before.space.write(Order, { id: 'o1', symbol: 'A', quantity: 1 })
  await expect.poll(async () => (await before.projections.telling.status())[0]?.error).toBe('a bug')
  await before[Symbol.asyncDispose]()
  isMended = true
  const after = await embedded({ unit: teller, folder, partitions: 1 })
  open.push(after)
  await after.space.write(Order, { id: 'o2', symbol: 'A', quantity: 1 })
  await expect.poll(() => heard(after)).toEqual([['mended', 2]])
})

test('[UN6] a projection that is not deterministic is found in the simulator, and named', async () => {
  let folds = 0
  const moody = projection({
    of: [Order],
    create: () => ({ folds: 0 }),
    apply(state) {
      state.folds = folds++
    },
    save: ({ folds }) => ({ folds }),
    load: (saved: { folds: number }) => ({ folds: saved.folds }),
  })
  const moodyUnit = unit('moody', { entries: [Order] }, { projections: { moody } })
  const run = simulate(moodyUnit, { seed: 1, members: 3, partitions: 1 }, async ({ client }) => {
    for (let n = 0; n < 40; n++) await client.space.write(Order, { id: String(n), symbol: 'A', quantity: n })
  })
  await expect(run).rejects.toMatchObject({ code: 'CHECK_FAILED', message: expect.stringContaining('moody') as string })
})

test('[UN6] a projection of what is not journaled, or without its functions, is refused', async () => {
  const Mouse = entry('mouse', z.object({ id: z.string() }), { id: 'id', durable: false })
  const of = (type: typeof Order | typeof Mouse) =>
    projection({ of: [type], create: () => 0, apply: () => {}, save: (state) => state, load: (saved: number) => saved })
  const mice = unit('mice', { entries: [Mouse] }, { projections: { all: of(Mouse) } })
  await expect(embedded({ unit: mice, journal: 'memory' })).rejects.toMatchObject({ code: 'UNIT_INVALID' })
  expect(() => projection({ of: [Order] } as never)).toThrow(/needs a function `create`/)
  expect(() => projection({ create: () => 0, apply() {}, save() {}, load: () => 0, of: [] })).toThrow(/needs `of`/)
})
