import { join } from 'node:path'
import { expect, test } from 'vitest'
import { SeededRandom } from '../runtime/simulated/index.ts'
import { bytesOf, home, openBank, printed, startItems } from './contract/past-bench.ts'
import { defaultLimits } from '../kernel/index.ts'
import { nodeRuntime } from '../runtime/node/index.ts'
import { readHistory } from './history.ts'
import { inspect } from './inspect.ts'
import { lookInto } from './look-into.ts'

interface Report {
  readonly partitions: readonly {
    readonly index: number
    readonly hash: string
    readonly from: string | number
    readonly snapshots: readonly { readonly index: number; readonly hash: string }[]
  }[]
}

async function reportOf(...args: readonly string[]): Promise<Report> {
  return JSON.parse((await printed(inspect, ...args, '--json')).out) as Report
}

/** What a naive twin keeps: the items and the live machine's hash after each index. */
type Past = Map<number, { readonly items: Record<string, number>; readonly hash: string }>

/** Random changes, restarts, kills and snapshots; what was there after each record. */
async function lived(path: string, seed: number, rounds: number): Promise<Past> {
  const random = new SeededRandom(`seed ${seed}`)
  const past: Past = new Map()
  const items: Record<string, number> = {}
  for (let start = 0; start < 4; start += 1) {
    const { partition, close, kill } = await startItems(path, start === 0 ? { create: 1 } : {})
    for (let round = 0; round < rounds; round += 1) {
      const id = `i${random.integer(12)}`
      const before = partition.replica!.fold.head.index
      if (random.integer(4) === 0) {
        await partition.submit({ command: { kind: 'remove', type: 'item', key: { id }, options: {} } })
        delete items[id]
      } else {
        const n = random.integer(1_000)
        await partition.submit({ command: { kind: 'write', type: 'item', value: { id, n }, options: {} } })
        items[id] = n
      }
      const replica = partition.replica!
      // A command that changed nothing has moved the live machine's time, and no record says so.
      if (replica.fold.head.index > before)
        past.set(replica.fold.head.index, { items: { ...items }, hash: replica.hash() })
      if (random.integer(25) === 0) await partition.snapshot()
    }
    await (random.integer(2) === 0 ? close() : kill())
  }
  return past
}

test.each([11, 12, 13])(
  '[TT1] [A5] at every index that is kept, inspect --at has the state and the hash of the live machine; seed %i',
  async (seed) => {
    using at = home()
    const path = join(at.path, 'items')
    const past = await lived(path, seed, 60)
    const before = bytesOf(path)
    const end = [...past.keys()].at(-1)!
    let [kept, gone, bySnapshot] = [0, 0, 0]
    for (const [index, { items, hash }] of past) {
      // Of what is cut, a few.
      if (kept === 0 && index % 6 > 1) continue
      const report = await reportOf(path, '--at', `${index}`).catch((error: unknown) => error as Error)
      if (report instanceof Error) {
        expect(report).toMatchObject({ code: 'HISTORY_NOT_KEPT', details: { partition: 0, index } })
        expect(kept, 'what is cut is the oldest').toBe(0)
        gone += 1
        continue
      }
      kept += 1
      expect(report.partitions).toMatchObject([{ index, hash }])
      if (report.partitions[0]!.from !== 'zero') bySnapshot += 1
      const { out } = await printed(inspect, path, '--at', `${index}`, '--entries', 'item')
      const lines = out
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as { id: string; n: number })
      expect(Object.fromEntries(lines.map(({ id, n }) => [id, n]))).toEqual(items)
    }
    const { snapshots } = (await reportOf(path)).partitions[0]!
    for (const { index, hash } of snapshots)
      expect((await reportOf(path, '--at', `${index}`)).partitions).toMatchObject([{ index, hash, from: index }])
    expect(snapshots.length).toBeGreaterThan(1)
    expect([kept > 20, gone > 0, bySnapshot > 0]).toEqual([true, true, true])
    await expect(reportOf(path, '--at', `${end + 50}`)).rejects.toMatchObject({
      code: 'HISTORY_NOT_KEPT',
      details: { index: end + 50, newest: expect.any(Number), oldest: expect.any(Number) },
    })
    expect(bytesOf(path)).toEqual(before)
  },
)

test('[TT1] a time shows all partitions as they stood together, and the newest record that is not later', async () => {
  using at = home()
  const path = join(at.path, 'bank')
  {
    await using client = await openBank(path, { partitions: 3 })
    for (let n = 0; n < 30; n += 1) await client.handlers.deposit({ id: `a${n % 6}`, sum: 1 })
  }
  const lines = (await printed(inspect, path, '--effects')).out.split('\n').filter(Boolean)
  const changes = lines.map((line) => JSON.parse(line) as { kind: string; key: string; version: number; time: number })
  const times: number[] = []
  for (const { kind, key, version, time } of changes)
    if (kind === 'added' || kind === 'changed') times[6 * (version - 1) + Number(key.slice(1))] = time
  expect(times.length).toBe(30)
  const [first, last] = [Math.min(...times), Math.max(...times)]
  for (const time of [first, times[7]!, times[20]!, last]) {
    const { out } = await printed(inspect, path, '--at', new Date(time).toISOString(), '--entries', 'account')
    const accounts = out
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as { id: string; balance: number })
    // Each deposit came when the one before it was acked; an ISO time has no fractions of a millisecond.
    const after = times.findIndex((one) => one > Math.floor(time))
    const twin = new Map<string, number>()
    for (let n = 0; n < (after === -1 ? 30 : after); n += 1) twin.set(`a${n % 6}`, (twin.get(`a${n % 6}`) ?? 0) + 1)
    expect(new Map(accounts.map(({ id, balance }) => [id, balance]))).toEqual(twin)
  }
  for (const given of ['2001-01-01', '2999-01-01', `${Math.floor(first) - 60_000}`])
    await expect(reportOf(path, '--at', given)).rejects.toMatchObject({ code: 'HISTORY_NOT_KEPT' })
  expect((await reportOf(path, '--at', '0s')).partitions.map(({ index }) => index)).toEqual(
    (await reportOf(path)).partitions.map(({ index }) => index),
  )
})

test('[TT1] where an application replaces the snapshots that a look has found, the look begins anew', async () => {
  using at = home()
  const path = join(at.path, 'items')
  const { partition, close } = await startItems(path, { create: 1 })
  const live = async (): Promise<void> => {
    for (let n = 0; n < 60; n += 1)
      await partition.submit({ command: { kind: 'write', type: 'item', value: { id: `i${n % 7}`, n }, options: {} } })
    for (let n = 0; n < 2; n += 1) await partition.snapshot()
  }
  await live()
  const runtime = nodeRuntime()
  const tools = { runtime, limits: defaultLimits }
  let looks = 0
  const [history] = await lookInto(path, async (folder) => {
    expect(folder.isRunning).toBe(true)
    looks += 1
    if (looks < 3) await live()
    return readHistory(folder, tools)
  })
  expect(looks).toBe(3)
  expect(history!.end.index).toBe(partition.replica!.fold.head.index)
  await close()
})

test.each(['0', '-1', '1.5', 'yesterday', '2026-13-45', '5 minutes', '1e3'])(
  '[SP13] --at %s is no point, and the error says what is one',
  async (given) => {
    using at = home()
    const path = join(at.path, 'items')
    await (await startItems(path, { create: 1 })).close()
    await expect(printed(inspect, path, `--at=${given}`)).rejects.toMatchObject({
      code: 'USAGE',
      details: { option: '--at' },
    })
  },
)

test('[TT1] with several partitions an index needs to say of which', async () => {
  using at = home()
  const path = join(at.path, 'bank')
  await (await openBank(path, { partitions: 2 }))[Symbol.asyncDispose]()
  await expect(reportOf(path, '--at', '2')).rejects.toMatchObject({ code: 'USAGE', details: { option: '--at' } })
  expect((await reportOf(path, '--at', '2', '--partition', '1')).partitions).toMatchObject([{ partition: 1, index: 2 }])
})
