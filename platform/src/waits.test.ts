// Reads and takes that wait for a match, as a user calls them.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { embedded, entry, handler, unit, type Client } from './index.ts'

const Task = entry('task', z.object({ id: z.string(), queue: z.string(), n: z.int() }), {
  id: 'id',
  route: 'queue',
  keys: 'uuid7',
  indexes: [['queue', 'n']],
})

const Job = entry('job', z.object({ id: z.string(), queue: z.string(), n: z.int() }), {
  id: 'id',
  route: 'queue',
  keys: 'uuid7',
  indexes: [['n']],
  fifo: 'queue',
})

const work = unit(
  'work',
  { entries: [Task, Job] },
  {
    handlers: {
      /** Adds several tasks in one commit, and takes one back. */
      add: handler(
        { input: z.object({ queue: z.string(), count: z.int() }), route: 'queue' },
        ({ queue, count }, { partition }) => {
          for (let n = 0; n < count; n++) partition.insert(Task, { queue, n })
          partition.insert(Task, { queue, n: 99 })
          partition.take(Task, { queue, n: 99 })
        },
      ),
      /** Adds a job for each number, in one commit. */
      post: handler(
        { input: z.object({ queue: z.string(), numbers: z.array(z.int()) }), route: 'queue' },
        ({ queue, numbers }, { partition }) => {
          for (const n of numbers) partition.insert(Job, { queue, n })
        },
      ),
    },
  },
)

const running: Client<typeof work>[] = []
async function start(limits = {}): Promise<Client<typeof work>> {
  const client = await embedded({ unit: work, journal: 'memory', partitions: 3, limits })
  running.push(client)
  return client
}
afterEach(async () => {
  for (const client of running.splice(0)) await client[Symbol.asyncDispose]()
})

const soon = (ms = 10): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

describe('waiting on one partition', () => {
  test('[SP5] waiters are served in arrival order, each with an entry of its own', async () => {
    const { space, handlers } = await start()
    const order: number[] = []
    const taken = Array.from({ length: 4 }, async (_, at) => {
      const entry = await space.take(Task, { queue: 'a' }, { wait: '5s' })
      order.push(at)
      return entry?.id
    })
    await soon()
    await handlers.add({ queue: 'b', count: 2 })
    await soon()
    expect(order).toEqual([])
    await handlers.add({ queue: 'a', count: 3 })
    await soon()
    expect(order).toEqual([0, 1, 2])
    await space.insert(Task, { queue: 'a', n: 7 })
    const ids = await Promise.all(taken)
    expect(new Set(ids).size).toBe(4)
    expect(ids).not.toContain(undefined)
    expect(await space.count(Task, { queue: 'a' })).toBe(0)
  })

  test('[SP5] a reader that waits is told of a match, which stays; a taker that comes later takes it', async () => {
    const { space } = await start()
    const read = space.read(Task, { queue: 'a', n: { gt: 4 } }, { wait: '5s' })
    const got = space.get(Task, { id: 'known', queue: 'a' }, { wait: '5s' })
    const taken = space.take(Task, { queue: 'a' }, { wait: '5s' })
    await soon()
    await space.insert(Task, { id: 'known', queue: 'a', n: 5 })
    expect((await read)?.id).toBe('known')
    expect((await got)?.n).toBe(5)
    expect((await taken)?.id).toBe('known')
  })

  test('[SP5] at its deadline a wait ends with nothing, and what comes later is for others', async () => {
    const { space } = await start()
    expect(await space.take(Task, { queue: 'a' }, { wait: '20ms' })).toBeUndefined()
    await space.insert(Task, { queue: 'a', n: 1 })
    await soon()
    expect(await space.count(Task, { queue: 'a' })).toBe(1)
    expect((await space.take(Task, { queue: 'a' }, { wait: '20ms' }))?.n).toBe(1)
  })

  test('[SP5] a wait that is given up takes nothing; a grant that was faster is not lost', async () => {
    const { space } = await start()
    const controller = new AbortController()
    const given = space.take(Task, { queue: 'a' }, { wait: '5s', signal: controller.signal })
    await soon()
    controller.abort()
    await expect(given).rejects.toMatchObject({ code: 'ABORTED' })
    await expect(space.take(Task, { queue: 'a' }, { wait: '5s', signal: controller.signal })).rejects.toMatchObject({
      code: 'ABORTED',
    })
    await space.insert(Task, { queue: 'a', n: 1 })
    expect(await space.count(Task, { queue: 'a' })).toBe(1)
    await expect(space.take(Task, { queue: 'b' }, { wait: '5s', timeout: '20ms' })).rejects.toMatchObject({
      code: 'TIMEOUT',
    })

    const racing = new AbortController()
    const raced = space.take(Task, { queue: 'c' }, { wait: '5s', signal: racing.signal })
    await soon()
    const written = space.insert(Task, { queue: 'c', n: 3 })
    racing.abort()
    const outcome = await raced.then(
      (entry) => entry?.n,
      () => 'aborted',
    )
    await written
    expect([outcome, await space.count(Task, { queue: 'c' })]).toEqual(outcome === 3 ? [3, 0] : ['aborted', 1])
  })

  test('[SP5] [A8] too many waiters are OVERLOADED and too long a wait is LIMIT_EXCEEDED', async () => {
    const { space } = await start({ waitersMax: 2, waitMsMax: 60_000 })
    const waits = [1, 2].map(() => space.take(Task, { queue: 'a' }, { wait: '1m' }))
    await soon()
    await expect(space.take(Task, { queue: 'a' }, { wait: '1m' })).rejects.toMatchObject({
      code: 'OVERLOADED',
      details: { limit: 'waitersMax' },
    })
    await expect(space.take(Task, { queue: 'a' }, { wait: '2m' })).rejects.toMatchObject({
      code: 'LIMIT_EXCEEDED',
      details: { limit: 'waitMsMax' },
    })
    await space.insert(Task, { queue: 'a', n: 1 })
    await space.insert(Task, { queue: 'a', n: 2 })
    expect((await Promise.all(waits)).map((entry) => entry?.n)).toEqual([1, 2])
  })
})

describe('waiting on all partitions', () => {
  const queues = Array.from({ length: 12 }, (_, n) => `queue ${n}`)

  test('[SP5] whatever comes wherever is taken once; the other takers go on waiting', async () => {
    const { space } = await start()
    const taken: string[] = []
    const takers = Array.from({ length: 12 }, async () => {
      const entry = await space.take(Task, { n: { gte: 0 } }, { wait: '5s' })
      if (entry !== undefined) taken.push(entry.queue)
    })
    await soon()
    for (const queue of queues) await space.insert(Task, { queue, n: 1 })
    await Promise.all(takers)
    expect(taken.toSorted()).toEqual(queues.toSorted())
    expect(await space.count(Task, {})).toBe(0)
  })

  test('[SP5] [SP9] what is taken is first in the order asked for, or of a FIFO type the first that was written', async () => {
    const { space, handlers } = await start()
    const first = space.take(Job, { n: { gte: 0 } }, { wait: '5s' })
    const highest = space.take(Task, { n: { lt: 90 } }, { wait: '5s', orderBy: { n: 'desc' } })
    await soon()
    await handlers.post({ queue: 'a', numbers: [5, 1, 7] })
    await handlers.add({ queue: 'a', count: 3 })
    expect([(await first)?.n, (await highest)?.n]).toEqual([5, 2])
  })

  test('[SP5] a reader hears of a match anywhere, and of none at its deadline', async () => {
    const { space } = await start()
    const read = space.read(Task, { n: 1 }, { wait: '5s' })
    await soon()
    await space.insert(Task, { queue: 'somewhere', n: 1 })
    expect((await read)?.queue).toBe('somewhere')
    expect(await space.read(Task, { n: 2 }, { wait: '20ms' })).toBeUndefined()
    expect(await space.take(Task, { n: 2 }, { wait: '20ms' })).toBeUndefined()
    const controller = new AbortController()
    const given = space.take(Task, { n: 2 }, { wait: '5s', signal: controller.signal })
    await soon()
    controller.abort()
    await expect(given).rejects.toMatchObject({ code: 'ABORTED' })
  })
})

test('[SP5] an application that closes lets nobody wait on', async () => {
  const client = await start()
  const waiting = client.space.take(Task, { queue: 'a' }, { wait: '1h' }).catch((error: unknown) => error)
  await soon()
  await client[Symbol.asyncDispose]()
  expect(await waiting).toMatchObject({ code: 'NOT_PRIMARY' })
})

test('[SP5] [SP12] two waits under one key are one request, and the journal holds one answer', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'plenum-waits-'))
  const options = { unit: work, folder, ack: 'os', partitions: 1 } as const
  const client = await embedded(options)
  const loose = client.space as unknown as Record<string, (...given: unknown[]) => Promise<{ readonly n: number }>>
  const keyed = (wait: string, key: string) => loose['take']!(Task, { queue: 'a' }, { wait, key })
  const both = [keyed('5s', 'click'), keyed('5s', 'click')]
  const none = [keyed('20ms', 'nothing'), keyed('20ms', 'nothing')]
  expect(await Promise.all(none)).toEqual([undefined, undefined])
  await client.space.insert(Task, { queue: 'a', n: 1 })
  await client.space.insert(Task, { queue: 'a', n: 2 })
  expect((await Promise.all(both)).map(({ n }) => n)).toEqual([1, 1])
  await client[Symbol.asyncDispose]()
  const again = await embedded(options)
  expect((await again.space.readAll(Task, {})).map(({ n }) => n)).toEqual([2])
  await again[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true })
})

test('[SP5] a fan-out wait leaves nobody waiting behind it', async () => {
  const { space } = await start({ waitersMax: 2 })
  for (let n = 0; n < 20; n++) {
    const taken = space.take(Task, { n }, { wait: '1h' })
    const read = space.read(Task, { n }, { wait: '1h', select: ['n'] })
    await soon(1)
    await space.insert(Task, { queue: `queue ${n}`, n })
    expect([(await taken)?.n, Object.keys((await read)!)]).toEqual([n, ['n']])
  }
})
