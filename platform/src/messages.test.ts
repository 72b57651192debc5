import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { z } from 'zod'
import {
  embedded,
  entry,
  handler,
  PlenumError,
  unit,
  type Client,
  type EmbeddedEvent,
  type EmbeddedOptions,
} from './index.ts'

const Account = entry('account', z.object({ id: z.string(), balance: z.int(), isOpen: z.boolean() }), { id: 'id' })
const Line = entry('line', z.object({ id: z.string(), from: z.string(), number: z.int() }), {
  id: 'id',
  keys: 'uuid7',
  route: 'from',
})
const Log = entry('log', z.object({ id: z.string(), lines: z.array(z.string()) }), { id: 'id' })

const Money = z.object({ account: z.string(), amount: z.int().positive() })
const deposit = handler(
  { input: Money, route: 'account', refusals: { CLOSED: z.object({}) } },
  ({ account, amount }, { partition, refuse, caller }) => {
    const found = partition.get(Account, { id: account })
    if (found === undefined) throw new Error(`there is no account ${account}`)
    if (!found.isOpen) throw refuse('CLOSED', {})
    if (caller.kind !== 'unit' || caller.subject !== 'bank') throw new Error('only the bank itself deposits')
    partition.change(Account, { id: account }, { add: { balance: amount } })
  },
)
const note = handler(
  { input: z.object({ log: z.string(), line: z.string() }), route: 'log' },
  (input, { partition }) => {
    const before = partition.get(Log, { id: input.log })?.lines ?? []
    partition.write(Log, { id: input.log, lines: [...before, input.line] })
  },
)
const relay = handler(
  { input: z.object({ by: z.string(), log: z.string(), line: z.string() }), route: 'by' },
  ({ log, line }, { send }) => {
    send(note, { log, line })
  },
)
const elsewhere = handler({ input: z.object({ x: z.string() }), route: 'x' }, () => 1)
let leaked: (() => void) | undefined

const bank = unit(
  'bank',
  { entries: [Account, Line, Log] },
  {
    handlers: {
      deposit,
      note,
      transfer: handler(
        { input: Money.extend({ to: z.string(), fail: z.boolean().default(false) }), route: 'account' },
        ({ account, to, amount, fail }, { partition, send }) => {
          send(deposit, { account: to, amount })
          partition.change(Account, { id: account }, { add: { balance: -amount } })
          if (fail) throw new Error('after sending')
        },
      ),
      notes: handler(
        { input: z.object({ from: z.string(), logs: z.array(z.string()), count: z.int() }), route: 'from' },
        ({ from, logs, count }, { send }) => {
          for (let at = 0; at < count; at++) for (const log of logs) send(note, { log, line: `${from} ${at}` })
        },
      ),
      relay,
      relays: handler(
        { input: z.object({ from: z.string(), count: z.int() }), route: 'from' },
        ({ from, count }, { send }) => {
          for (let at = 0; at < count; at++) send(relay, { by: `${from} ${at}`, log: from, line: `${at}` })
        },
      ),
      later: handler(
        { input: z.object({ from: z.string(), log: z.string(), after: z.string(), line: z.string() }), route: 'from' },
        ({ log, after, line }, { send }) => send(note, { log, line }, { after: after as '1s' }),
      ),
      wrong: handler(
        { input: z.object({ id: z.string(), what: z.string() }), route: 'id' },
        ({ id, what }, context) => {
          context.partition.insert(Account, { id, balance: 0, isOpen: true })
          if (what === 'input') context.send(deposit, { account: 'a', amount: -1 })
          if (what === 'handler') context.send(elsewhere, { x: '' })
          if (what === 'after') context.send(note, { log: 'a', line: 'b' }, { after: 'soon' as '1s' })
          if (what === 'leak') leaked = () => context.send(note, { log: 'a', line: 'leaked' })
        },
      ),
    },
  },
)

const open: AsyncDisposable[] = []
const folders: string[] = []

afterEach(async () => {
  for (const client of open.splice(0)) await client[Symbol.asyncDispose]()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

async function start(options: Partial<EmbeddedOptions<typeof bank>> = {}): Promise<Client<typeof bank>> {
  const client = await embedded({ unit: bank, journal: 'memory', ...options })
  open.push(client)
  return client
}

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 2))
}

const isQuiet = (client: Client<typeof bank>) => async (): Promise<boolean> => (await client.messages.pending()) === 0
const failure = (code: string, details: object = {}) =>
  expect.objectContaining({ code, details: expect.objectContaining(details) })
const accounts = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'plenum-messages-'))
  folders.push(path)
  return path
}

test('[UN12] a message is part of its commit, and delivered once, to any partition', async () => {
  const client = await start()
  await client.space.insertAll(
    Account,
    accounts.map((id) => ({ id, balance: 100, isOpen: true })),
  )
  const transfers = Array.from({ length: 400 }, (_, at) => ({
    account: accounts[at % 8]!,
    to: accounts[(at * 3 + 1) % 8]!,
    amount: 1 + (at % 7),
    fail: at % 5 === 0,
  }))
  const outcomes = await Promise.allSettled(transfers.map((one) => client.handlers.transfer(one)))
  expect(outcomes.filter(({ status }) => status === 'rejected')).toHaveLength(80)
  await until(isQuiet(client))
  const expected = new Map(accounts.map((id) => [id, 100]))
  for (const { account, to, amount, fail } of transfers) {
    if (fail) continue
    expected.set(account, expected.get(account)! - amount)
    expected.set(to, expected.get(to)! + amount)
  }
  const all = await client.space.readAll(Account, {})
  expect(new Map(all.map(({ id, balance }) => [id, balance]))).toEqual(expected)
})

test('[UN12] messages of one sender to one route are delivered in the order in which they were sent', async () => {
  const client = await start()
  const logs = ['x', 'y', 'z']
  const notes = ['p', 'q', 'r'].map((from) => client.handlers.notes({ from, logs, count: 40 }))
  await Promise.all(notes)
  await until(isQuiet(client))
  for (const log of logs) {
    const lines = (await client.space.get(Log, { id: log }))?.lines ?? []
    expect(lines).toHaveLength(120)
    for (const from of ['p', 'q', 'r']) {
      const own = lines.filter((line) => line.startsWith(from))
      expect(own).toEqual(Array.from({ length: 40 }, (_, at) => `${from} ${at}`))
    }
  }
})

test('[UN12] what is sent later is delivered later, after a restart too, and holds back nothing', async () => {
  const path = folder()
  const first = await start({ journal: { folder: path } })
  await first.handlers.later({ from: 'p', log: 'l', after: '300ms', line: 'later' })
  await first.handlers.later({ from: 'p', log: 'l', after: '1h', line: 'never' })
  await first.handlers.notes({ from: 'p', logs: ['l'], count: 1 })
  await until(async () => (await first.space.get(Log, { id: 'l' })) !== undefined)
  expect(await first.space.get(Log, { id: 'l' })).toEqual({ id: 'l', lines: ['p 0'] })
  expect(await first.messages.pending()).toBe(2)
  await first[Symbol.asyncDispose]()
  const second = await start({ journal: { folder: path } })
  await until(async () => (await second.messages.pending()) === 1)
  expect(await second.space.get(Log, { id: 'l' })).toEqual({ id: 'l', lines: ['p 0', 'later'] })
})

test('[UN12] what fails is tried again; what keeps failing is a dead letter, which can be sent back', async () => {
  const events: EmbeddedEvent['event'][] = []
  const client = await start({ limits: { messageAttemptsMax: 2 }, onEvent: ({ event }) => void events.push(event) })
  await client.space.insert(Account, { id: 'a', balance: 10, isOpen: true })
  await client.handlers.transfer({ account: 'a', to: 'missing', amount: 3 })
  await until(isQuiet(client))
  const [letter, more] = await client.messages.deadLetters()
  expect(more).toBeUndefined()
  expect(letter).toEqual({
    id: expect.any(String),
    handler: 'deposit',
    input: { account: 'missing', amount: 3 },
    errors: [1, 2].map(() => ({
      at: expect.any(Number),
      message: 'HANDLER_FAILED: The handler deposit threw: there is no account missing. Nothing happened.',
    })),
  })
  expect(events).toContainEqual(expect.objectContaining({ kind: 'dead-message', handler: 'deposit' }))
  await client.space.insert(Account, { id: 'missing', balance: 0, isOpen: true })
  expect(await client.messages.sendBack([{ id: 'another' }])).toBe(0)
  expect(await client.messages.sendBack([letter!])).toBe(1)
  await until(isQuiet(client))
  expect(await client.space.get(Account, { id: 'missing' })).toMatchObject({ balance: 3 })
  expect(await client.messages.deadLetters()).toEqual([])
})

test('[UN12] [UN2b] a refusal is not asked for again: the message is a dead letter at once, others pass', async () => {
  const path = folder()
  const first = await start({ journal: { folder: path } })
  await first.space.insert(Account, { id: 'a', balance: 10, isOpen: true })
  await first.space.insert(Account, { id: 'closed', balance: 0, isOpen: false })
  await first.handlers.transfer({ account: 'a', to: 'closed', amount: 1 })
  await first.handlers.transfer({ account: 'a', to: 'closed', amount: 2 })
  await until(isQuiet(first))
  expect(await first.messages.deadLetters()).toMatchObject([
    { input: { amount: 1 }, errors: [{ message: expect.stringMatching(/^REFUSED/) }] },
    { input: { amount: 2 }, errors: [{ message: expect.stringMatching(/^REFUSED/) }] },
  ])
  await first[Symbol.asyncDispose]()
  const second = await start({ journal: { folder: path } })
  expect(await second.messages.deadLetters({ limit: 1 })).toHaveLength(1)
  await second.space.patch(Account, { id: 'closed' }, { isOpen: true })
  expect(await second.messages.sendBack()).toBe(2)
  await until(isQuiet(second))
  expect(await second.space.get(Account, { id: 'closed' })).toMatchObject({ balance: 3 })
})

test.each([
  ['input', 'VALUE_INVALID', {}],
  ['handler', 'HANDLER_UNKNOWN', { kind: 'handler' }],
  ['after', 'DURATION_INVALID', {}],
])('[UN12] a message with a wrong %s is not sent, and its call did nothing', async (what, code, details) => {
  const client = await start()
  await expect(client.handlers.wrong({ id: 'w', what })).rejects.toEqual(failure(code, details))
  expect(await client.space.get(Account, { id: 'w' })).toBeUndefined()
  expect(await client.messages.pending()).toBe(0)
})

test('[UN12] [UN1] a message that is sent after its handler has returned is not sent', async () => {
  const client = await start()
  await client.handlers.wrong({ id: 'w', what: 'leak' })
  expect(leaked).toThrow(failure('HANDLER_FAILED'))
  await client.space.insert(Account, { id: 'x', balance: 0, isOpen: true })
  expect(await client.messages.pending()).toBe(0)
  expect(await client.space.get(Log, { id: 'a' })).toBeUndefined()
})

test('[UN12] [A8] a partition holds so many messages that are not delivered, and then refuses the call', async () => {
  const client = await start({ limits: { messagesMax: 3 }, partitions: 1 })
  const later = (line: string) => client.handlers.later({ from: 'p', log: 'l', after: '1h', line })
  for (const line of ['1', '2', '3']) await later(line)
  await expect(later('4')).rejects.toEqual(failure('LIMIT_EXCEEDED', { limit: 'messagesMax', value: 3 }))
  expect(await client.messages.pending()).toBe(3)
  await expect(client.messages.deadLetters({ limit: 0 })).rejects.toEqual(failure('VALUE_INVALID', { field: 'limit' }))
})

test('[UN12] [A8] messages that send further do not wait for each other where they have filled their partition', async () => {
  const { handlers, messages, space } = await start({ limits: { messagesMax: 3 }, partitions: 1 })
  await handlers.relays({ from: 'a', count: 3 })
  await until(async () => (await messages.pending()) === 0)
  expect((await space.get(Log, { id: 'a' }))?.lines.toSorted()).toEqual(['0', '1', '2'])
})

test('[UN12] dead letters can be thrown away, and make room; others are left alone', async () => {
  const client = await start({ limits: { messagesMax: 2 }, partitions: 1 })
  for (const id of ['a', 'closed']) await client.space.insert(Account, { id, balance: 9, isOpen: id === 'a' })
  for (const amount of [1, 2]) await client.handlers.transfer({ account: 'a', to: 'closed', amount })
  await until(isQuiet(client))
  const letters = await client.messages.deadLetters()
  await expect(client.handlers.transfer({ account: 'a', to: 'closed', amount: 3 })).rejects.toEqual(
    failure('LIMIT_EXCEEDED', { limit: 'messagesMax' }),
  )
  expect(await client.messages.discard([letters[0]!, { id: 'another' }])).toBe(1)
  expect(await client.messages.deadLetters()).toEqual([letters[1]])
})

test('[UN12] dead letters can be sent back and thrown away, however many they are', async () => {
  const limits = { commandEffectsMax: 1_100, sessionRequestsMax: 512 }
  const client = await start({ limits, partitions: 1 })
  for (const id of ['a', 'closed']) await client.space.insert(Account, { id, balance: 9, isOpen: id === 'a' })
  const transfer = { account: 'a', to: 'closed', amount: 1 }
  await Promise.all(Array.from({ length: 1_200 }, () => client.handlers.transfer(transfer)))
  await until(isQuiet(client))
  expect(await client.messages.sendBack()).toBe(1_200)
  await until(isQuiet(client))
  expect(await client.messages.discard(await client.messages.deadLetters({ limit: 2_000 }))).toBe(1_200)
})

test('[UN12] what a handler throws is its answer, also an error that could be repeated', async () => {
  const busy = handler({ input: z.object({ id: z.string() }), route: 'id' }, (): void => {
    throw new PlenumError('OVERLOADED', 'not now')
  })
  const send = handler({ input: z.object({ id: z.string() }), route: 'id' }, ({ id }, context) => {
    context.send(busy, { id })
  })
  const one = unit('one', { entries: [Account] }, { handlers: { busy, send } })
  const client = await embedded({ unit: one, journal: 'memory', limits: { messageAttemptsMax: 1 } })
  open.push(client)
  await client.handlers.send({ id: 'a' })
  await until(async () => (await client.messages.deadLetters()).length === 1)
})

test('[UN12] [UN2a] a message to a handler that has another route by then is not done where it arrives', async () => {
  const path = folder()
  const input = z.object({ a: z.string(), b: z.string() })
  const version = (route: 'a' | 'b') => {
    const put = handler({ input, route }, (_, { partition }) => {
      partition.write(Account, { id: _[route], balance: 0, isOpen: true })
    })
    // Long enough that the first application has closed, however slow its disk is.
    const go = handler({ input, route: 'a' }, (both, { send }) => send(put, both, { after: '1s' }))
    return unit('moving', { entries: [Account] }, { handlers: { put, go } })
  }
  const options = { journal: { folder: path }, limits: { messageAttemptsMax: 1 } }
  const first = await embedded({ unit: version('a'), ...options })
  for (const a of accounts) await first.handlers.go({ a, b: `${a}${a}` })
  await first[Symbol.asyncDispose]()
  const second = await embedded({ unit: version('b'), ...options })
  open.push(second)
  await until(async () => (await second.messages.deadLetters()).length === accounts.length)
  expect((await second.messages.deadLetters())[0]?.errors[0]?.message).toMatch(/^OUTSIDE_ROUTE/)
  expect(await second.space.count(Account, {})).toBe(0)
})
