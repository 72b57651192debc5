import { join } from 'node:path'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { embedded, entry, handler, isPlenumError, unit, upgrade, type EmbeddedOptions } from '../index.ts'
import { SeededRandom } from '../runtime/simulated/index.ts'
import type { Unit } from '../unit/index.ts'
import { bytesOf, home, printed } from './contract/past-bench.ts'
import { fork } from './fork.ts'
import { inspect } from './inspect.ts'
import type { ReplayFound } from './replay-report.ts'
import { replayOn } from './replay.ts'

const Item = entry('item', z.object({ id: z.string(), n: z.number(), note: z.string().optional() }), {
  id: 'id',
  route: 'id',
})
const Line = entry('line', z.object({ key: z.string(), of: z.string(), at: z.number(), luck: z.number() }), {
  id: 'key',
  keys: 'uuid7',
  route: 'of',
})
const Extra = entry('extra', z.object({ id: z.string() }), { id: 'id' })
const Hint = entry('hint', z.object({ id: z.string(), n: z.number() }), { id: 'id', durable: false })

const Of = z.object({ id: z.string(), n: z.int() })

/** What differs between a unit and the one that is changed. */
interface Versions {
  /** What it adds to the items with this number. */
  readonly more?: number
  readonly to13?: number
  /** From which number on it refuses. */
  readonly refuseFrom?: number
  readonly withExtra?: boolean
  readonly withoutLook?: boolean
}

function items({ more = 0, to13 = 0, refuseFrom = 90, withExtra = false, withoutLook = false }: Versions = {}) {
  const log = handler({ input: Of, route: 'id' }, ({ id, n }, { partition, now, random, newId }) => {
    const written = partition.insert(Line, { of: id, at: now, luck: random() })
    partition.write(Item, { id, n: n + random(), note: newId() })
    return { written, id: newId(), now }
  })
  const look = handler({ input: Of, route: 'id' }, ({ id }, { partition }) => partition.count(Line, { of: id }))
  return unit(
    'items',
    { entries: withExtra ? [Extra, Item, Line, Hint] : [Item, Line, Hint] },
    {
      handlers: {
        log,
        set: handler(
          { input: Of, route: 'id', refusals: { TOO_MUCH: z.object({ n: z.int() }) } },
          ({ id, n }, { partition, refuse, send }) => {
            const before = partition.get(Item, { id })
            partition.write(Item, { id, n: n + (n === 13 ? to13 : 0) + more })
            // What it has changed does not happen then.
            if (n >= refuseFrom) throw refuse('TOO_MUCH', { n })
            if (n % 10 === 3) send(log, { id: `${id}+`, n }, n % 20 === 3 ? { after: '3ms' } : {})
            if (n % 10 === 4) throw new Error('four')
            return before
          },
        ),
        drop: handler({ input: Of, route: 'id' }, ({ id }, { partition }) => {
          const gone = partition.take(Line, { of: id }, { orderBy: { at: 'asc' } })
          return [gone, partition.remove(Item, { id })]
        }),
        hint: handler({ input: Of, route: 'id' }, ({ id, n }, { partition }) => void partition.write(Hint, { id, n })),
        ...(withoutLook ? {} : { look }),
      },
    },
  )
}

type Items = ReturnType<typeof items>

function open(folder: string, options: Partial<EmbeddedOptions<Unit>> = {}) {
  return embedded<Items>({ unit: items(), record: true, ...options, folder, ack: 'os' })
}

async function found(
  folder: string,
  on: unknown,
  ...args: readonly string[]
): Promise<ReplayFound & { readonly code: number }> {
  const range = Object.fromEntries(args.map((one) => one.split('=')))
  const { code, out } = await printed((_, output) =>
    replayOn(on as Unit, folder, { on: 'items.ts', all: true, json: true, ...range }, output),
  )
  return { ...(JSON.parse(out) as ReplayFound), code }
}

/** Random calls and changes; how often `set` was called with each number, and how it ended. */
async function lived(folder: string, seed: number, rounds: number): Promise<Map<number, number>> {
  const random = new SeededRandom(`items ${seed}`)
  const sets = new Map<number, number>()
  for (let start = 0; start < 3; start += 1) {
    // The second start has an entry type more, and so the tables have other numbers than in its declaration.
    await using client = await open(folder, {
      partitions: 2,
      ...(start === 1 && { unit: items({ withExtra: true }) as Unit }),
    })
    const { handlers, space } = client
    const one = async (): Promise<void> => {
      const [id, n] = [`i${random.integer(6)}`, random.integer(100)]
      switch (random.integer(7)) {
        case 0:
          return void (await handlers.log({ id, n }))
        case 1:
          return void (await handlers.look!({ id, n }))
        case 2:
          return void (await handlers.drop({ id, n }))
        case 3:
          return void (await space.write('item', { id, n }, { lease: '1h' }))
        case 4:
          return void (await space.renew('item', { id }, '2h').catch(() => {}))
        default:
          sets.set(n, (sets.get(n) ?? 0) + 1)
          await handlers.set({ id, n }).catch((error: unknown) => {
            if (!isPlenumError(error, 'REFUSED') && !isPlenumError(error, 'HANDLER_FAILED')) throw error
          })
      }
    }
    for (let round = 0; round < rounds; round += 1) await Promise.all(Array.from({ length: 8 }, one))
    while ((await client.messages.pending()) > 0) await new Promise((resolve) => setTimeout(resolve, 2))
  }
  return sets
}

test('[TT3] [UN10] a unit that upgrades what was recorded is refused: its handlers would read other entries', async () => {
  using at = home()
  const Before = z.object({ id: z.string(), n: z.number() })
  const Older = entry('older', Before, { id: 'id' })
  const set = handler({ input: Of, route: 'id' }, (value, { partition }) => void partition.write(Older, value))
  const client = await embedded({
    unit: unit('olders', { entries: [Older] }, { handlers: { set } }),
    folder: join(at.path, 'a'),
    record: true,
    ack: 'os',
  })
  await client.handlers.set({ id: 'a', n: 1 })
  await client[Symbol.asyncDispose]()
  const upgrades = [upgrade(Before, ({ id, n }) => ({ id, n, double: 2 * n }))]
  const Newer = entry('older', Before.extend({ double: z.number() }), { id: 'id', upgrades })
  const newer = unit('olders', { entries: [Newer] }, {})
  await expect(found(join(at.path, 'a'), newer)).rejects.toMatchObject({
    code: 'NOT_AVAILABLE_YET',
    details: { type: 'older', option: 'upgrades' },
  })
})

test.each([1, 2])('[TT3] the same unit makes every recorded call the same; seed %i', async (seed) => {
  using at = home()
  const folder = join(at.path, 'items')
  const sets = await lived(folder, seed, 25)
  const before = bytesOf(folder)
  const report = await found(folder, items())
  expect(report.first).toBeUndefined()
  expect(report).toMatchObject({ code: 0, different: 0, skipped: {} })
  expect(report.handlers['set']!.calls).toBe([...sets.values()].reduce((sum, calls) => sum + calls, 0))
  expect(Object.keys(report.handlers)).toEqual(['drop', 'log', 'look', 'set'])
  expect(report.noCall).toBeGreaterThan(10)
  // Any range of records is made on the same states.
  const end = (JSON.parse((await printed(inspect, folder, '--json')).out) as { partitions: { index: number }[] })
    .partitions[1]!.index
  const cuts = [1, Math.floor(end / 3), Math.floor(end / 2), end + 1]
  let calls = 0
  for (const [part, from] of cuts.slice(0, -1).entries()) {
    const some = await found(folder, items(), 'partition=1', `from=${from}`, `to=${cuts[part + 1]! - 1}`)
    expect(some.different).toBe(0)
    calls += some.calls
  }
  expect(calls).toBe((await found(folder, items(), 'partition=1')).calls)
  expect(bytesOf(folder)).toEqual(before)
})

test('[TT3] what the changed code makes otherwise is a difference, once for each such call, and nothing else is', async () => {
  using at = home()
  const folder = join(at.path, 'items')
  const sets = await lived(folder, 3, 30)
  const calls = (is: (n: number) => boolean): number =>
    [...sets].reduce((sum, [n, count]) => (is(n) ? sum + count : sum), 0)
  expect(calls((n) => n === 13)).toBeGreaterThan(0)
  // Whoever threw has changed nothing on either code.
  const changed = await found(folder, items({ to13: 1 }))
  expect([changed.code, changed.different]).toEqual([1, calls((n) => n === 13)])
  expect(changed.differences!.map(({ handler, where }) => [handler, where])).toEqual(
    changed.differences!.map(() => ['set', ['changes']]),
  )
  const { first } = changed
  expect(first!.now).toBe(Math.min(...changed.differences!.map(({ now }) => now)))
  expect(first!.input).toMatchObject({ n: 13 })
  expect(first!.recorded.changes).toMatchObject([{ type: 'item', value: { n: 13 } }])
  expect(first!.replayed.changes).toMatchObject([{ type: 'item', value: { n: 14 } }])
  const every = await found(folder, items({ more: 1 }))
  expect(every.different).toBe(calls((n) => n < 90 && n % 10 !== 4))
  const refused = await found(folder, items({ refuseFrom: 50 }))
  expect(refused.different).toBe(calls((n) => n >= 50 && n < 90))
  const one = refused.differences!.find(({ input }) => (input as { n: number }).n % 10 === 3)!
  expect(one).toMatchObject({
    where: ['answer', 'changes', 'messages'],
    recorded: { answer: { ok: true }, messages: [{ handler: 'log' }] },
    replayed: { answer: { error: { code: 'REFUSED', details: { reason: 'TOO_MUCH' } } }, changes: [], messages: [] },
  })
  const without = await found(folder, items({ withoutLook: true }))
  expect(without.different).toBe(without.handlers['look']!.calls)
  expect(without.first!.replayed.answer).toMatchObject({ error: { code: 'HANDLER_UNKNOWN' } })
})

test('[TT3] what cannot be made again is skipped, and counted by its reason', async () => {
  using at = home()
  const folder = join(at.path, 'items')
  {
    await using client = await open(folder, { partitions: 1, limits: { valueBytesMax: 600 } })
    await client.handlers.hint({ id: 'a', n: 1 })
    await client.handlers.log({ id: 'a', n: 1 })
    await client.handlers.look!({ id: 'x'.repeat(1_000), n: 1 })
  }
  const report = await found(folder, items())
  expect(report).toMatchObject({ code: 0, calls: 3, same: 1, skipped: { 'too large': 1, 'not durable': 1 } })
})

test('[TT3] without recorded calls it says how to record them; a range must be kept, and of one partition', async () => {
  using at = home()
  const folder = join(at.path, 'items')
  {
    await using client = await open(folder, { partitions: 2, record: false })
    for (const id of ['a', 'b', 'c', 'd']) await client.handlers.log({ id, n: 1 })
  }
  await expect(found(folder, items())).rejects.toMatchObject({ code: 'CALLS_NOT_RECORDED' })
  await expect(found(folder, items(), 'from=2')).rejects.toMatchObject({ code: 'USAGE', details: { option: '--from' } })
  await expect(found(folder, items(), 'partition=2')).rejects.toMatchObject({ code: 'USAGE' })
  await expect(found(folder, items(), 'partition=0', 'from=first')).rejects.toMatchObject({ code: 'USAGE' })
  await expect(found(folder, items(), 'partition=0', 'from=4', 'to=3')).rejects.toMatchObject({ code: 'USAGE' })
  await expect(found(folder, items(), 'partition=0', 'to=999')).rejects.toMatchObject({ code: 'HISTORY_NOT_KEPT' })
  const target = join(at.path, 'fork')
  await printed(fork, folder, target)
  await expect(found(target, items(), 'partition=0', 'from=2')).rejects.toMatchObject({ code: 'HISTORY_NOT_KEPT' })
  // What is recorded after the fork is made again on the state that it begins with.
  {
    await using client = await open(target)
    for (const id of ['a', 'b', 'c', 'd']) await client.handlers.drop({ id, n: 1 })
  }
  expect(await found(target, items())).toMatchObject({ code: 0, calls: 4, same: 4 })
})
