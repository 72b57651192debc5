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
  port,
  unit,
  worker,
  type Client,
  type EmbeddedEvent,
  type EmbeddedOptions,
} from './index.ts'

const Job = entry('job', z.object({ id: z.string(), lane: z.string(), state: z.enum(['new', 'done']), n: z.int() }), {
  id: 'id',
  route: 'lane',
  indexes: [['state']],
})
const Letter = entry('letter', z.object({ id: z.string(), box: z.string(), line: z.string(), sent: z.boolean() }), {
  id: 'id',
  route: 'box',
  fifo: 'line',
})
const Sum = entry('sum', z.object({ id: z.string(), total: z.int() }), { id: 'id' })

/** What the worker does outside, as the test decides. */
interface Outside {
  run(
    job: { readonly id: string; readonly n: number },
    context: { key: string; attempt: number; signal: AbortSignal },
  ): unknown
  deliver(letter: { readonly id: string; readonly line: string }): unknown
}

const shop = unit(
  'shop',
  { entries: [Job, Letter, Sum], uses: { outside: port<Outside>() } },
  {
    handlers: {
      add: handler({ input: z.object({ id: z.string(), by: z.int() }), route: 'id' }, ({ id, by }, { partition }) => {
        partition.change(Sum, { id }, { add: { total: by } })
      }),
    },
    workers: {
      work: worker(
        { entry: Job, where: { state: 'new' }, concurrency: 4, timeout: '2s', retry: { attempts: 3, backoff: '1ms' } },
        async (job, { tx, uses, key, attempt, signal }) => {
          const done = await uses.outside.run(job, { key, attempt, signal })
          if (done === 'nothing') return
          if (done === 'sum') await tx.change(Sum, { id: 'all' }, { add: { total: job.n } })
          await tx.patch(Job, job, { state: 'done' })
        },
      ),
      deliver: worker(
        { entry: Letter, where: { sent: false }, concurrency: 8, retry: { attempts: 2, backoff: '1ms' } },
        async (letter, { tx, uses }) => {
          await uses.outside.deliver(letter)
          await tx.patch(Letter, letter, { sent: true })
        },
      ),
    },
  },
)

const open: AsyncDisposable[] = []
const folders: string[] = []
const nothing: Outside = { run: () => undefined, deliver: () => undefined }

afterEach(async () => {
  for (const client of open.splice(0)) await client[Symbol.asyncDispose]()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

async function start(
  outside: Partial<Outside> = {},
  options: Partial<EmbeddedOptions<typeof shop>> = {},
): Promise<Client<typeof shop>> {
  const client = await embedded({
    unit: shop,
    journal: 'memory',
    uses: { outside: { ...nothing, ...outside } },
    ...options,
  })
  open.push(client)
  return client
}

/** Waits until something is so; the test's own time-out ends it. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 2))
}

const job = (id: string, n = 1) => ({ id, lane: `lane ${n % 5}`, state: 'new' as const, n })
const failure = (code: string, details: object = {}) =>
  expect.objectContaining({ code, details: expect.objectContaining(details) })

test('[UN3] a worker is given each matching entry once, those that were there and those that come', async () => {
  const seen: string[] = []
  const client = await start({ run: ({ id }) => void seen.push(id) }, { workers: true })
  await client.space.insertAll(
    Job,
    Array.from({ length: 50 }, (_, n) => job(`a${n}`, n)),
  )
  await client.space.insert(Job, { ...job('done before'), state: 'done' })
  await client.space.insertAll(
    Job,
    Array.from({ length: 50 }, (_, n) => job(`b${n}`, n)),
  )
  await until(async () => (await client.space.count(Job, { state: 'new' })) === 0)
  expect(seen.toSorted()).toEqual([...Array(50).keys()].flatMap((n) => [`a${n}`, `b${n}`]).toSorted())
})

test('[UN3] what a worker changes by tx counts with the end of its claim: over partitions, all or nothing', async () => {
  const client = await start({
    run: ({ n }, { attempt }) => {
      if (n === 7 && attempt === 1) throw new Error('the first time')
      return 'sum'
    },
  })
  await client.space.insert(Sum, { id: 'all', total: 0 })
  await client.space.insertAll(
    Job,
    Array.from({ length: 20 }, (_, n) => job(`j${n}`, n)),
  )
  await until(async () => (await client.space.count(Job, { state: 'new' })) === 0)
  expect(await client.space.get(Sum, { id: 'all' })).toEqual({ id: 'all', total: 190 })
})

test('[UN3] never more than `concurrency` at the same time; it may be raised, lowered and drained while it runs', async () => {
  let running = 0
  let most = 0
  const gates: (() => void)[] = []
  const run = async (): Promise<void> => {
    most = Math.max(most, (running += 1))
    await new Promise<void>((resolve) => gates.push(resolve))
    running -= 1
  }
  const client = await start({ run })
  const { work } = client.workers
  await client.space.insertAll(
    Job,
    Array.from({ length: 40 }, (_, n) => job(`j${n}`, n)),
  )
  await until(() => running === 4)
  expect(work.running).toBe(4)
  work.concurrency = 9
  await until(() => running === 9)
  work.concurrency = 2
  const letGo = async (count: number): Promise<void> => {
    for (const gate of gates.splice(0, count)) gate()
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await letGo(7)
  expect(running).toBe(2)
  await letGo(1)
  expect(running).toBe(2)
  const drained = work.drain()
  await letGo(2)
  await drained
  expect([running, work.running, work.concurrency, most]).toEqual([0, 0, 0, 9])
  expect(await client.space.count(Job, { state: 'new' })).toBe(30)
  work.concurrency = 40
  await until(() => running === 30)
  await letGo(30)
  await until(async () => (await client.space.count(Job, { state: 'new' })) === 0)
  expect(() => (work.concurrency = -1)).toThrow(failure('VALUE_INVALID', { field: 'concurrency' }))
  expect(() => (work.concurrency = 10_001)).toThrow(failure('VALUE_INVALID', { limit: 'workerConcurrencyMax' }))
})

test('[UN3] after the last attempt an entry is a dead letter, with its errors; sent back, it is worked on again', async () => {
  const events: EmbeddedEvent['event'][] = []
  let isWell = false
  const attempts: number[] = []
  const run: Outside['run'] = (_, { attempt }) => {
    attempts.push(attempt)
    if (!isWell) throw new Error(`attempt ${attempt} went wrong`)
  }
  const client = await start({ run }, { onEvent: ({ partition, event }) => void (partition ?? events.push(event)) })
  const { work } = client.workers
  await client.space.insert(Job, job('poison'))
  await until(async () => (await work.deadLetters()).length === 1)
  expect(await work.deadLetters()).toEqual([
    {
      worker: 'work',
      entry: expect.any(String),
      type: 'job',
      key: { id: 'poison', lane: 'lane 1' },
      value: job('poison'),
      attempts: 3,
      errors: [1, 2, 3].map((n) => ({ at: expect.any(Number), message: `Error: attempt ${n} went wrong` })),
    },
  ])
  expect(events.map(({ kind }) => kind)).toEqual(['fault', 'fault', 'fault', 'dead-letter'])
  expect(await client.space.get(Job, { id: 'poison', lane: 'lane 1' })).toEqual(job('poison'))
  isWell = true
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(attempts).toEqual([1, 2, 3])
  expect(await work.sendBack([{ entry: 'another' }])).toBe(0)
  expect(await work.sendBack(await work.deadLetters())).toBe(1)
  await until(async () => (await client.space.count(Job, { state: 'done' })) === 1)
  expect(attempts).toEqual([1, 2, 3, 1])
  expect(await work.deadLetters()).toEqual([])
  expect(await work.sendBack()).toBe(0)
})

test('[UN3] an entry that was changed is new work: with all its attempts, and no dead letter any more', async () => {
  const attempts: string[] = []
  const run: Outside['run'] = ({ n }, { attempt }) => {
    attempts.push(`${n}: ${attempt}`)
    if (n < 3) throw new Error('too small')
  }
  const client = await start({ run })
  await client.space.insert(Job, job('small', 1))
  const { work } = client.workers
  await until(async () => (await work.deadLetters()).length === 1)
  await client.space.patch(Job, { id: 'small', lane: 'lane 1' }, { n: 3 })
  await until(async () => (await client.space.count(Job, { state: 'done' })) === 1)
  expect(attempts).toEqual(['1: 1', '1: 2', '1: 3', '3: 1'])
  expect(await work.deadLetters()).toEqual([])
})

test('[UN3] a worker that leaves its entry as it is does nothing: CLAIM_NOT_RELEASED, and a dead letter in the end', async () => {
  const client = await start({ run: () => 'nothing' })
  await client.space.insert(Job, job('left'))
  await until(async () => (await client.workers.work.deadLetters()).length === 1)
  const [letter] = await client.workers.work.deadLetters()
  expect(letter?.errors.at(-1)?.message).toMatch(/^CLAIM_NOT_RELEASED: Worker 'work' has returned/)
})

test('[UN3] a function that does not return is ended by its time-out, and what it does later counts for nothing', async () => {
  const events: EmbeddedEvent['event'][] = []
  const late: (() => void)[] = []
  const signals: AbortSignal[] = []
  const slow = unit(
    'slow',
    { entries: [Job] },
    {
      workers: {
        hang: worker(
          { entry: Job, where: { state: 'new' }, timeout: '20ms', retry: { attempts: 2, backoff: '1ms' } },
          async (one, { tx, signal }) => {
            signals.push(signal)
            await new Promise<void>((resolve) => late.push(resolve))
            await tx.patch(Job, one, { state: 'done' })
          },
        ),
      },
    },
  )
  const client = await embedded({
    unit: slow,
    journal: 'memory',
    onEvent: ({ partition, event }) => void (partition ?? events.push(event)),
  })
  open.push(client)
  await client.space.insert(Job, job('slow'))
  await until(async () => (await client.workers.hang.deadLetters()).length === 1)
  expect(signals.map(({ aborted, reason }) => [aborted, reason.code])).toEqual([
    [true, 'TIMEOUT'],
    [true, 'TIMEOUT'],
  ])
  expect(events).toMatchObject([
    { kind: 'fault', part: 'worker hang', error: { code: 'TIMEOUT', details: { timeoutMs: 20 } } },
    { kind: 'fault' },
    { kind: 'dead-letter', part: 'worker hang', attempts: 2 },
  ])
  for (const resolve of late) resolve()
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(await client.space.get(Job, { id: 'slow', lane: 'lane 1' })).toMatchObject({ state: 'new' })
})

test('[UN3] an entry that somebody changes while it is worked on is worked on again, as it is then', async () => {
  const seen: number[] = []
  const meanwhile: (() => Promise<unknown>)[] = []
  const run: Outside['run'] = async ({ n }) => {
    seen.push(n)
    for (const change of meanwhile.splice(0)) await change()
  }
  const client = await start({ run })
  meanwhile.push(() => client.space.patch(Job, { id: 'moving', lane: 'lane 1' }, { n: 2 }))
  await client.space.insert(Job, job('moving'))
  await until(async () => (await client.space.count(Job, { state: 'done' })) === 1)
  expect(seen).toEqual([1, 2])
})

test('[UN3] [A9] what cannot be done now is no failed attempt: it is tried again, and every tenth time is told of', async () => {
  const events: EmbeddedEvent['event'][] = []
  const attempts: number[] = []
  const run: Outside['run'] = (_, { attempt }) => {
    attempts.push(attempt)
    if (attempts.length <= 12) throw new PlenumError('OVERLOADED', 'Not now.')
  }
  const client = await start({ run }, { onEvent: ({ partition, event }) => void (partition ?? events.push(event)) })
  await client.space.insert(Job, job('unlucky'))
  await until(async () => (await client.space.count(Job, { state: 'done' })) === 1)
  expect(attempts).toEqual(Array(13).fill(1))
  expect(events).toMatchObject([{ kind: 'fault', part: 'worker work', error: { code: 'OVERLOADED' } }])
})

test('[UN9] a key is the same for each attempt at an entry as it is, after a restart too, and for nothing else', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'plenum-workers-'))
  folders.push(folder)
  const keys: string[] = []
  const run: Outside['run'] = ({ id }, { key, attempt }) => {
    keys.push(`${id} ${key}`)
    if (attempt === 1 && keys.length < 3) throw new Error('again')
    return new Promise(() => {})
  }
  const options = { journal: { folder }, limits: { drainMsMax: 1 } }
  const first = await start({ run }, options)
  await first.space.insert(Job, { id: 'a/b ~é', lane: 'x', state: 'new', n: 1 })
  await until(() => keys.length === 2)
  await first[Symbol.asyncDispose]()
  const second = await start({ run }, options)
  await until(() => keys.length === 3)
  expect(keys[0]).toMatch(/^a\/b ~é shop\/work\/job\/x\/a%2Fb%20%7E%C3%A9\/\d+$/)
  expect(new Set(keys).size).toBe(1)
  await second.space.patch(Job, { id: 'a/b ~é', lane: 'x' }, { n: 2 })
  await second[Symbol.asyncDispose]()
  await start({ run }, options)
  await until(() => keys.length === 4)
  expect(keys[3]).not.toBe(keys[0])
})

test('[SP9] [UN3] entries of a FIFO group are worked on one at a time, as they were written; groups beside each other', async () => {
  const running = new Map<string, number>()
  const order = new Map<string, number[]>()
  let most = 0
  let broken = 0
  const deliver: Outside['deliver'] = async ({ id, line }) => {
    const before = running.get(line) ?? 0
    if (before > 0) broken += 1
    running.set(line, before + 1)
    most = Math.max(
      most,
      [...running.values()].reduce((sum, one) => sum + one, 0),
    )
    const number = Number(id.split(' ')[1])
    await new Promise((resolve) => setTimeout(resolve, number % 3))
    running.set(line, before)
    // The second of each line fails once: those behind it wait.
    if (number === 1 && order.get(line)?.length === 1) {
      order.get(line)?.push(-1)
      throw new Error('not now')
    }
    order.set(line, [...(order.get(line) ?? []), number])
  }
  const client = await start({ deliver })
  const letters = Array.from({ length: 60 }, (_, n) => {
    return { id: `${n % 6} ${Math.floor(n / 6)}`, box: `box ${n % 2}`, line: `line ${n % 6}`, sent: false }
  })
  await client.space.insertAll(Letter, letters)
  await until(async () => (await client.space.count(Letter, { sent: false })) === 0)
  expect(broken).toBe(0)
  expect(most).toBeGreaterThan(1)
  expect([...order.values()]).toEqual(Array.from({ length: 6 }, () => [0, -1, 1, 2, 3, 4, 5, 6, 7, 8, 9]))
})

test('[SP9] [UN3] a dead letter does not hold back its group', async () => {
  const delivered: string[] = []
  const deliver: Outside['deliver'] = ({ id }) => {
    if (id === 'bad') throw new Error('no')
    delivered.push(id)
  }
  const client = await start({ deliver })
  for (const id of ['first', 'bad', 'last']) await client.space.insert(Letter, { id, box: 'b', line: 'l', sent: false })
  await until(() => delivered.length === 2)
  expect(delivered).toEqual(['first', 'last'])
  expect((await client.workers.deliver.deadLetters()).map(({ key }) => key['id'])).toEqual(['bad'])
})

test('[UN3] attempts and dead letters outlive a restart', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'plenum-workers-'))
  folders.push(folder)
  const attempts: number[] = []
  const run: Outside['run'] = (_, { attempt }) => {
    attempts.push(attempt)
    throw new Error('no')
  }
  const first = await start({ run }, { journal: { folder } })
  await first.space.insert(Job, job('poison'))
  await until(async () => (await first.workers.work.deadLetters()).length === 1)
  await first[Symbol.asyncDispose]()
  const second = await start({ run }, { journal: { folder } })
  await second.space.insert(Job, job('other', 2))
  await until(async () => (await second.workers.work.deadLetters()).length === 2)
  expect(attempts).toEqual([1, 2, 3, 1, 2, 3])
})

test('[UN3] closing waits for what is worked on, and claims nothing more', async () => {
  const started: string[] = []
  let finish: (() => void) | undefined
  const run: Outside['run'] = ({ id }) => {
    started.push(id)
    return new Promise<void>((resolve) => (finish = resolve))
  }
  const folder = mkdtempSync(join(tmpdir(), 'plenum-workers-'))
  folders.push(folder)
  const first = await start({ run }, { journal: { folder } })
  first.workers.work.concurrency = 1
  await first.space.insertAll(Job, [job('a'), job('b')])
  await until(() => started.length === 1)
  const closed = first[Symbol.asyncDispose]()
  await new Promise((resolve) => setTimeout(resolve, 20))
  finish?.()
  await closed
  const second = await start({}, { journal: { folder }, workers: false })
  expect(await second.space.count(Job, { state: 'done' })).toBe(1)
  expect(started).toHaveLength(1)
  expect(() => second.workers.work.concurrency).toThrow(failure('NOT_HOSTED', { worker: 'work' }))
  expect(await second.workers.work.deadLetters()).toEqual([])
})

test('[UN3] more entries with failed attempts than the limit: the worker goes on, and nothing is lost', async () => {
  const events: EmbeddedEvent['event'][] = []
  const run: Outside['run'] = ({ n }) => {
    if (n < 6) throw new Error('no')
  }
  const options = {
    limits: { failuresMax: 2 },
    partitions: 1,
    onEvent: (one: EmbeddedEvent) => void events.push(one.event),
  }
  const client = await start({ run }, options)
  await client.space.insertAll(
    Job,
    Array.from({ length: 8 }, (_, n) => job(`j${n}`, n)),
  )
  const isFull = (event: EmbeddedEvent['event']): boolean =>
    event.kind === 'fault' && event.error instanceof PlenumError && event.error.details['limit'] === 'failuresMax'
  await until(async () => (await client.space.count(Job, { state: 'done' })) === 2 && events.some(isFull))
  await until(async () => (await client.workers.work.deadLetters()).length === 2)
  expect(await client.space.count(Job, { state: 'new' })).toBe(6)
  // Entries that are gone make room.
  await client.space.clear(Job, { n: { lt: 5 } })
  await until(async () => (await client.workers.work.deadLetters()).some(({ value }) => value['n'] === 5))
})

test('[UN3] a declaration that cannot be is refused with its field', () => {
  const declare = (options: object) => () =>
    unit('bad', { entries: [Job] }, { workers: { bad: worker({ entry: Job, where: {}, ...options }, async () => {}) } })
  expect(declare({ concurrency: 0 })).toThrow(failure('UNIT_INVALID', { field: 'concurrency' }))
  expect(declare({ retry: { attempts: 1.5, backoff: '1s' } })).toThrow(
    failure('UNIT_INVALID', { field: 'retry.attempts' }),
  )
  expect(declare({ timeout: 'soon' })).toThrow(failure('DURATION_INVALID'))
})

test('[UN3] a worker whose query cannot be, or whose entries nobody can claim, does not start', async () => {
  const starts = (type: typeof Job, where: object) =>
    embedded({
      unit: unit('bad', { entries: [type] }, { workers: { bad: worker({ entry: type, where }, async () => {}) } }),
    })
  await expect(starts(Job, { nothing: 1 })).rejects.toEqual(failure('QUERY_INVALID'))
  const schema = z.object({ id: z.string(), lane: z.string(), state: z.enum(['new', 'done']), n: z.int() })
  const brief = entry('brief', schema, { id: 'id', durable: false })
  const common = entry('common', schema, { id: 'id', placement: 'everywhere' })
  await expect(starts(brief as never, {})).rejects.toEqual(failure('UNIT_INVALID', { name: 'bad' }))
  await expect(starts(common as never, {})).rejects.toEqual(failure('UNIT_INVALID', { name: 'bad' }))
})
