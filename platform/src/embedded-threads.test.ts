import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import { embedded, isPlenumError, stampOf, type Client, type EmbeddedEvent, type EmbeddedOptions } from './index.ts'
import threaded, { Account, Job, Thing, uses } from './threads/contract/thread-unit.ts'

type Bank = Client<typeof threaded>
type Given = Partial<EmbeddedOptions<typeof threaded>>
const module = new URL('threads/contract/thread-unit.ts', import.meta.url)

function bank(options: Given = {}): Promise<Bank> {
  return embedded({ unit: threaded, uses, journal: 'memory', threads: 2, module, ...options })
}

/** The client, and what it was told, in threads. */
async function told(
  options: Given = {},
): Promise<{ readonly client: Bank; readonly events: EmbeddedEvent['event'][] }> {
  const events: EmbeddedEvent['event'][] = []
  const client = await bank({ ...options, onEvent: ({ event }) => events.push(event) })
  return { client, events }
}

/** What a call gives: the value with all that is to be known of it, or the error. */
async function outcome(call: Promise<unknown>): Promise<unknown> {
  try {
    const value = await call
    return { value, facts: facts(value) }
  } catch (error) {
    if (!isPlenumError(error)) return { unknown: String(error) }
    const { code, message, retry, details, cause } = error
    return { code, message, retry, details, cause: cause instanceof Error ? cause.message : cause }
  }
}

/** Of each object in a value: whether it is frozen, its stamp, its class, and its fields in order. */
function facts(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  const own = {
    frozen: Object.isFrozen(value) || value instanceof Uint8Array,
    stamp: stampOf(value),
    of: value.constructor.name,
    names: Object.keys(value),
  }
  const within = Object.entries(value).map(([name, item]) => (name === 'stamp' ? typeof item : facts(item)))
  return value instanceof Uint8Array ? own : { ...own, within }
}

/**
 * Without what may differ: change numbers of a partition count what is kept for sessions too, which one thread does
 * without; and threads freeze more than has to be.
 */
function bare(seen: readonly unknown[]): unknown {
  const text = JSON.stringify(seen, (name, item: unknown) => {
    if (['stamp', 'current', 'expected'].includes(name)) return typeof item
    if (name === 'frozen') return undefined
    if (typeof item === 'bigint') return `${item}n`
    return typeof item === 'string' ? item.replaceAll(/stamp( is)? \d+/g, 'stamp') : item
  })
  return JSON.parse(text)
}

const unplain = (value: unknown): never => value as never

/** One thing after the other, alike wherever the partitions are. */
async function script({ space, handlers, services, tasks, messages, partitions }: Bank): Promise<readonly unknown[]> {
  const seen: unknown[] = []
  const see = async (call: Promise<unknown>): Promise<void> => void seen.push(await outcome(call))
  await see(handlers.deposit({ id: 'ann', amount: 5 }))
  await see(handlers.deposit({ id: 'ann', amount: 7 }, { key: 'once' }))
  await see(handlers.deposit({ id: 'ann', amount: 7 }, { key: 'once' }))
  await see(handlers.deposit.attempt({ id: 'ann', amount: -1 }))
  await see(handlers.deposit(unplain({ id: 'ann' })))
  await see(handlers.fail({ id: 'ann' }))
  await see(handlers.date({ id: 'ann' }))
  await see(space.insert(Account, { id: 'ann', balance: 1 }))
  const raw = new Uint8Array([0, 1, 255])
  await see(space.insert(Thing, { id: 'x', big: 2n ** 62n, raw: raw.subarray(1), tags: ['a', 'ü', ''] }))
  await see(space.write(Thing, { id: 'y', big: -1n, raw, note: 'n', tags: [] }, { returning: 'previous' }))
  await see(space.get(Thing, { id: 'x' }))
  await see(space.get(Thing, { id: 'nobody' }))
  await see(space.readAll(Thing, {}, { orderBy: { id: 'desc' } }))
  await see(space.read(Account, { balance: { gt: 1 } }))
  await see(space.aggregate(Account, {}, { sum: ['balance'] }))
  await see(space.readAll(unplain('nothing'), {}))
  await see(space.insert(Thing, unplain({ id: 'z', big: 1, raw, tags: [] })))
  const ann = await space.get(Account, { id: 'ann' })
  await see(space.patch(Account, { id: 'ann' }, { balance: 40 }, { ifStamp: stampOf(ann!)! }))
  await see(space.patch(Account, { id: 'ann' }, { balance: 41 }, { ifStamp: stampOf(ann!)! }))
  await see(
    space.writeAll(Account, [
      { id: 'bob', balance: 1 },
      { id: 'cem', balance: 2 },
    ]),
  )
  await see(
    space.insertAll(Account, [
      { id: 'bob', balance: 1 },
      { id: 'dan', balance: 2 },
    ]),
  )
  await see(services.look({ id: 'ann' }))
  await see(tasks.sum({}).total())
  await see(
    space.transaction(async (tx) => {
      for (const id of ['ann', 'bob', 'cem']) await tx.change(Account, { id }, { add: { balance: 10 } })
      return tx.readAll(Account, { id: { in: ['ann', 'bob'] } }, { orderBy: { id: 'asc' } })
    }),
  )
  await see(space.take(Thing, { id: 'x' }))
  await see(space.take(Thing, { id: 'x' }, { wait: '1ms' }))
  await see(space.read(Thing, { id: 'x' }, { wait: '5s', signal: AbortSignal.abort() }))
  await handlers.pass({ id: 'ann', to: 'bob', amount: 3 })
  await expect.poll(async () => (await space.get(Account, { id: 'bob' }))?.balance, { timeout: 20_000 }).toBe(14)
  await space.insert(Job, { id: 'j', done: false })
  await expect.poll(async () => (await space.get(Job, { id: 'j' }))?.done, { timeout: 20_000 }).toBe(true)
  await see(messages.deadLetters())
  await see(space.clear(Account, {}))
  seen.push(partitions)
  return seen
}

describe('the same in threads as in one', () => {
  test('[TH1] values, stamps, frozenness and errors of one script are equal', { timeout: 120_000 }, async () => {
    await using here = await embedded({ unit: threaded, uses, journal: 'memory' })
    await using there = await bank()
    const [expected, found] = [await script(here), await script(there)]
    expect(bare(found)).toEqual(bare(expected))
    expect(found.length).toBeGreaterThanOrEqual(30)
    const account = await there.handlers.deposit({ id: 'eve', amount: 1 })
    expect([Object.isFrozen(account), Object.keys(account)]).toEqual([true, ['balance', 'before', 'nothing']])
    const [first] = await there.space.readAll(Account, {})
    expect([Object.isFrozen(first), typeof stampOf(first!)]).toEqual([true, 'number'])
  })

  test('[TH1] what a caller gave may change in its hands once it was given', async () => {
    await using client = await bank()
    const account = { id: '', balance: 0 }
    const written = Array.from({ length: 50 }, (_, n) => {
      account.id = `a${n}`
      account.balance = n
      return client.space.insert(Account, account)
    })
    account.id = 'changed'
    await Promise.all(written)
    const found = await client.space.readAll(Account, {}, { orderBy: { balance: 'asc' } })
    expect(found).toEqual(Array.from({ length: 50 }, (_, n) => ({ id: `a${n}`, balance: n })))
  })

  test('[TH1] deadlines and signals hold while a partition is busy', async () => {
    await using client = await bank({ limits: { handlerMsMax: 700 } })
    await client.handlers.deposit({ id: 'a', amount: 0 })
    const busy = client.handlers.loop({ id: 'a' }).catch((error: unknown) => error)
    await new Promise((resolve) => setTimeout(resolve, 50))
    const options = { timeout: '50ms' } as const
    await expect(client.space.get(Account, { id: 'a' }, options)).rejects.toMatchObject({ code: 'TIMEOUT' })
    await expect(client.handlers.deposit({ id: 'a', amount: 1 }, options)).rejects.toMatchObject({
      code: 'UNKNOWN_OUTCOME',
    })
    const given = new AbortController()
    const aborted = client.space.get(Account, { id: 'a' }, { signal: given.signal })
    given.abort()
    await expect(aborted).rejects.toMatchObject({ code: 'ABORTED' })
    expect(await busy).toMatchObject({ code: 'HANDLER_STUCK' })
  })

  test('[TH1] watches tell what handlers in threads change', async () => {
    await using client = await bank()
    const abort = new AbortController()
    const seen: string[] = []
    const watching = (async () => {
      for await (const event of client.space.watch(Account, {}, { signal: abort.signal })) {
        if (event.kind !== 'changes') continue
        for (const change of event.changes)
          seen.push(`${change.kind} ${change.entry.id} ${stampOf(change.entry) !== undefined}`)
        if (seen.length >= 4) abort.abort()
      }
    })().catch(() => undefined)
    await new Promise((resolve) => setTimeout(resolve, 50))
    for (const id of ['a', 'b', 'c', 'd']) await client.handlers.deposit({ id, amount: 1 })
    await watching
    expect(seen.toSorted()).toEqual(['a', 'b', 'c', 'd'].map((id) => `added ${id} true`))
  })
})

describe('what cannot begin', () => {
  test.each([
    [{ threads: 0 }, 'USAGE', 'threads is a whole number'],
    [{ threads: 2, module: undefined }, 'USAGE', 'give its address'],
    [{ threads: 2, module: './bank.ts' }, 'USAGE', 'give its address'],
    [{ journal: { folder: 'x', bytesMax: 16 << 20 } }, 'NOT_AVAILABLE_YET', 'bytesMax'],
    [{ threads: undefined }, 'USAGE', 'give `threads` too'],
    [{ module: new URL('no-such-file.ts', import.meta.url) }, 'UNIT_NOT_LOADED', 'does not load'],
    [{ module: new URL('kernel/errors.ts', import.meta.url) }, 'UNIT_NOT_LOADED', 'no unit as its default export'],
    [
      { module: new URL('threads/contract/other-unit.ts', import.meta.url) },
      'UNIT_MISMATCH',
      'declares something else',
    ],
    [{ module: new URL('threads/contract/no-uses-unit.ts', import.meta.url) }, 'USAGE', 'Export it from the file'],
  ])('[TH4] %j is %s', async (given, code, what) => {
    await expect(bank(given as Given)).rejects.toMatchObject({ code, message: expect.stringContaining(what) })
  })
})

/** Deposits of one each over many accounts, one after the other in several lines, until told to stop; how many were acked. */
function load({ handlers }: Bank, lines: number): () => Promise<number> {
  let acked = 0
  let isOver = false
  const all = Array.from({ length: lines }, async (_, line) => {
    for (let n = 0; !isOver; n++) {
      await handlers.deposit({ id: `a${(line + n) % 16}`, amount: 1 })
      acked += 1
    }
  })
  return async () => {
    isOver = true
    await Promise.all(all)
    return acked
  }
}

describe('a thread that ends', () => {
  test('[TH3] while a function holds up its thread, the others serve', async () => {
    await using client = await bank({ limits: { handlerMsMax: 60_000 } })
    const folder = mkdtempSync(join(tmpdir(), 'plenum-threads-'))
    const file = join(folder, 'go')
    try {
      await client.handlers.deposit({ id: 'a', amount: 1 })
      const held = client.handlers.waitFor({ id: 'a', file })
      // Of sixteen routes some are in the partitions of the other thread.
      const routes = Array.from({ length: 16 }, (_, n) => `r${n}`)
      const free = await Promise.any(routes.map((id) => client.handlers.deposit({ id, amount: 0 }).then(() => id)))
      for (let n = 0; n < 20; n++) await client.handlers.deposit({ id: free, amount: 1 })
      writeFileSync(file, '')
      await held
      expect(await client.space.get(Account, { id: free })).toMatchObject({ balance: 20 })
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test('[TH3, PA9] a handler that does not return: its thread is ended and named, and its call has not happened', async () => {
    const { client, events } = await told({ limits: { handlerMsMax: 500 } })
    await using _ = client
    await client.handlers.deposit({ id: 'a', amount: 1 })
    const stuck = outcome(client.handlers.loop({ id: 'a' }))
    const waiting = Array.from({ length: 16 }, (__, n) => client.handlers.deposit({ id: `r${n}`, amount: 1 }))
    expect(await stuck).toMatchObject({ code: 'HANDLER_STUCK', details: { part: 'handler loop', limitMs: 500 } })
    expect(await Promise.all(waiting)).toHaveLength(16)
    const ended = events.filter(({ kind }) => kind === 'thread-ended')
    expect(ended).toMatchObject([{ reason: 'stuck', part: 'handler loop' }])
    expect(await client.handlers.deposit({ id: 'a', amount: 1 })).toMatchObject({ balance: 2 })
    expect(await client.tasks.sum({}).total()).toEqual({ complete: true, value: 18 })
  })

  test('[TH3] what nobody watches and does not return, such as a service, ends its thread as well', async () => {
    const { client, events } = await told({ limits: { handlerMsMax: 300 } })
    await using _ = client
    await client.handlers.deposit({ id: 'a', amount: 1 })
    const options = { timeout: '100ms' } as const
    await expect(client.services.hang({ id: 'a' }, options)).rejects.toMatchObject({ code: 'TIMEOUT' })
    expect(await client.handlers.deposit({ id: 'a', amount: 1 })).toMatchObject({ balance: 2 })
    expect(events.find(({ kind }) => kind === 'thread-ended')).toMatchObject({ reason: 'stuck', part: undefined })
  })

  test('[TH3, SP12] a thread that ends by itself under load: no call fails, and each happens once', async () => {
    const { client, events } = await told()
    await using _ = client
    const stop = load(client, 8)
    for (let round = 0; round < 3; round++) {
      await client.handlers.deposit({ id: 'a0', amount: 0 })
      void client.services.crash({ id: `a${round}` }).catch(() => undefined)
      const before = events.filter(({ kind }) => kind === 'thread-started').length
      await expect
        .poll(() => events.filter(({ kind }) => kind === 'thread-started').length, { timeout: 20_000 })
        .toBeGreaterThan(before)
    }
    const acked = await stop()
    expect(acked).toBeGreaterThan(0)
    expect(await client.tasks.sum({}).total()).toEqual({ complete: true, value: acked })
    expect(events.find(({ kind }) => kind === 'thread-ended')).toMatchObject({
      reason: 'crashed',
      message: expect.stringContaining('nobody catches this'),
    })
  })

  test('[TH3, PA9] a call that ends its thread each time is not run for ever', { timeout: 120_000 }, async () => {
    const { client, events } = await told({ partitions: 1, threads: 1 })
    await using _ = client
    await client.handlers.deposit({ id: 'a', amount: 1 })
    expect(await outcome(client.handlers.exit({ id: 'a' }))).toMatchObject({
      code: 'UNKNOWN_OUTCOME',
      details: { cause: 'POISON_REQUEST' },
    })
    expect(events.filter(({ kind }) => kind === 'thread-ended')).toHaveLength(3)
    expect(await client.tasks.exit({}).total()).toMatchObject({ complete: false })
    expect(await client.handlers.deposit({ id: 'a', amount: 1 })).toMatchObject({ balance: 2 })
  })

  test('[TH4] a thread that cannot be started again is THREAD_FAILED, and its journal is closed in order', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'plenum-threads-'))
    const [file, gone] = [join(folder, 'unit.ts'), join(folder, 'gone')]
    const inside = new URL('threads/contract/thread-unit.ts', import.meta.url).href
    writeFileSync(
      file,
      `import { existsSync } from 'node:fs'
if (existsSync(${JSON.stringify(gone)})) throw new Error('not any more')
export { default, uses } from ${JSON.stringify(inside)}
`,
    )
    try {
      const { client, events } = await told({ threads: 1, module: pathToFileURL(file) })
      await client.handlers.deposit({ id: 'a', amount: 1 })
      writeFileSync(gone, '')
      const error = await outcome(client.handlers.exit({ id: 'a' }))
      expect(error).toMatchObject({ code: 'UNKNOWN_OUTCOME', details: { cause: 'THREAD_FAILED' } })
      await expect(client.handlers.deposit({ id: 'a', amount: 1 })).rejects.toMatchObject({
        code: 'THREAD_FAILED',
        message: expect.stringContaining('not any more'),
      })
      expect(events.filter(({ kind }) => kind === 'thread-failed')).toMatchObject([{ thread: 0 }])
      await client[Symbol.asyncDispose]()
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  test('[TH3] a journal in memory outlives its threads, whatever was written', async () => {
    const { client, events } = await told({ partitions: 1, threads: 1, limits: { snapshotEveryBytes: 4 << 20 } })
    await using _ = client
    const note = 'x'.repeat(200_000)
    for (let n = 0; n < 150; n++)
      await client.space.write(Thing, { id: `t${n % 8}`, big: BigInt(n), raw: new Uint8Array(), note, tags: [] })
    await client.handlers.exit({ id: 'a' }).catch(() => undefined)
    expect(events.some(({ kind }) => kind === 'snapshot')).toBe(true)
    expect((await client.space.readAll(Thing, {})).map(({ big }) => Number(big)).toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 8 }, (__, n) => 142 + n),
    )
  })
})
