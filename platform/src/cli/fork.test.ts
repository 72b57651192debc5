import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { SeededRandom } from '../runtime/simulated/index.ts'
import { Account, bytesOf, home, openBank, printed, startItems } from './contract/past-bench.ts'
import type { Token } from '../space/index.ts'
import { fork } from './fork.ts'
import { inspect } from './inspect.ts'

interface Forked {
  readonly partitions: readonly { readonly partition: number; readonly index: number; readonly hash: string }[]
}

async function forked(...args: readonly string[]): Promise<Forked> {
  return JSON.parse((await printed(fork, ...args, '--json')).out) as Forked
}

interface Report {
  readonly grid: string
  readonly sound: boolean
  readonly partitions: readonly {
    readonly journal: string
    readonly index: number
    readonly hash: string
    readonly time: string
  }[]
}

async function reportOf(...args: readonly string[]): Promise<Report> {
  return JSON.parse((await printed(inspect, ...args, '--json')).out) as Report
}

test.each([21, 22])('[TT2] a fork goes on from its point, as a naive twin does; seed %i', async (seed) => {
  using at = home()
  const path = join(at.path, 'items')
  const random = new SeededRandom(`seed ${seed}`)
  const past: { readonly index: number; readonly items: Map<string, number> }[] = []
  const items = new Map<string, number>()
  const change = async (of: Awaited<ReturnType<typeof startItems>>, twin: Map<string, number>): Promise<void> => {
    const [id, n] = [`i${random.integer(8)}`, random.integer(100)]
    await of.partition.submit({ command: { kind: 'write', type: 'item', value: { id, n }, options: {} } })
    twin.set(id, n)
  }
  const original = await startItems(path, { create: 1 })
  for (let round = 0; round < 80; round += 1) {
    await change(original, items)
    past.push({ index: original.partition.replica!.fold.head.index, items: new Map(items) })
    if (round === 25 || round === 60) await original.partition.snapshot()
  }
  await original.close()
  const before = bytesOf(path)
  for (let round = 0; round < 6; round += 1) {
    const { index, items: then } = past[40 + random.integer(40)]!
    const target = join(at.path, `fork-${round}`)
    const { partitions } = await forked(path, target, '--at', `${index}`)
    const whole = await reportOf(path, '--at', `${index}`)
    expect(partitions).toMatchObject([{ index, hash: whole.partitions[0]!.hash }])
    const twin = new Map(then)
    // Each start goes on where the one before it ended, and a fork of a fork is one too.
    for (let start = 0; start < 2; start += 1) {
      const again = await startItems(target)
      for (let n = 0; n < 10; n += 1) await change(again, twin)
      if (start === 0) await again.partition.snapshot()
      const found = await again.partition.submit({ command: { kind: 'readAll', type: 'item', where: {}, options: {} } })
      expect(new Map((found as { id: string; n: number }[]).map(({ id, n }) => [id, n]))).toEqual(twin)
      await again.close()
    }
    const [one, other] = [await reportOf(path), await reportOf(target)]
    expect(other).toMatchObject({ sound: true })
    expect(other.grid).not.toBe(one.grid)
    expect(other.partitions[0]!.journal).not.toBe(one.partitions[0]!.journal)
    await expect(reportOf(target, '--at', `${index - 1}`)).rejects.toMatchObject({ code: 'HISTORY_NOT_KEPT' })
    const { hash } = (await forked(target, `${target}-of`, '--at', `${index}`)).partitions[0]!
    expect(hash).toBe(whole.partitions[0]!.hash)
  }
  expect(bytesOf(path)).toEqual(before)
})

test('[TT2] [TX4] [UN12] whatever the point, no money is lost or made between partitions', async () => {
  using at = home()
  const path = join(at.path, 'bank')
  const random = new SeededRandom('bank 31')
  const ids = Array.from({ length: 9 }, (_, n) => `a${n}`)
  const any = (): string => ids[random.integer(ids.length)]!
  {
    await using client = await openBank(path, { partitions: 3 })
    for (const id of ids) await client.handlers.deposit({ id, sum: 100 })
    const transact = async (): Promise<void> => {
      const [from, to] = [any(), any()]
      if (from === to) return
      await client.space.transaction(
        async (tx) => {
          const [a, b] = [await tx.get(Account, { id: from }), await tx.get(Account, { id: to })]
          await tx.patch(Account, { id: from }, { balance: a!.balance - 7 })
          await tx.patch(Account, { id: to }, { balance: b!.balance + 7 })
        },
        { attempts: 50 },
      )
    }
    const worker = async (): Promise<void> => {
      for (let n = 0; n < 40; n += 1) {
        if (n % 2 === 0) await client.handlers.move({ id: any(), to: any(), sum: random.integer(50) })
        else await transact()
      }
    }
    await Promise.all(Array.from({ length: 6 }, worker))
  }
  const { partitions } = await reportOf(path)
  const funded = (await printed(inspect, path, '--effects')).out.split('\n').filter(Boolean)
  const added = funded.map(
    (line) => JSON.parse(line) as { kind: string; partition: number; index: number; time: number },
  )
  const from = partitions.map((_, partition) =>
    Math.max(...added.filter((one) => one.kind === 'added' && one.partition === partition).map(({ index }) => index)),
  )
  const since = Math.max(...added.filter(({ kind }) => kind === 'added').map(({ time }) => time))
  const until = Math.max(...added.filter(({ kind }) => kind === 'changed').map(({ time }) => time))
  let inDoubt = 0
  for (let round = 0; round < 14; round += 1) {
    const target = join(at.path, `fork-${round}`)
    const partition = random.integer(3)
    const index = from[partition]! + 1 + random.integer(partitions[partition]!.index - from[partition]! - 1)
    const time = Math.ceil(since + random.next() * (until - since))
    const point = round % 2 === 0 ? ['--at', `${index}`, '--partition', `${partition}`] : ['--at', `${time}`]
    const written = await forked(path, target, ...point)
    if (round % 2 === 0) expect(written.partitions[partition]!.index).toBe(index)
    const text = await reportOf(target)
    if (text.partitions.some((one) => (one as unknown as { transactions: readonly unknown[] }).transactions.length > 0))
      inDoubt += 1
    await using client = await openBank(target, { limits: { inDoubtMs: 5 } })
    while ((await client.messages.pending()) > 0) await new Promise((resolve) => setTimeout(resolve, 5))
    const found = await client.space.readAll(Account, {})
    expect(
      found.reduce((total, { balance }) => total + balance, 0),
      point.join(' '),
    ).toBe(900)
  }
  expect(inDoubt).toBeGreaterThan(0)
}, 60_000)

/** Writes items into partitions in turn; the index of each after each. */
async function writeItems(at: Awaited<ReturnType<typeof startItems>>, rounds: number): Promise<number[][]> {
  const indexes: number[][] = []
  for (let n = 0; n < rounds; n += 1) {
    for (const partition of at.partitions) {
      const value = { id: `i${n % 5}`, n }
      await partition.submit({ command: { kind: 'write', type: 'item', value, options: {} } })
    }
    indexes.push(at.partitions.map((partition) => partition.replica!.fold.head.index))
  }
  return indexes
}

test('[TT1] [TT2] where one partition is cut later than the other, the past of all begins with the later one', async () => {
  using at = home()
  const path = join(at.path, 'items')
  const items = await startItems(path, { create: 2 })
  // The first partition is cut early, the second one late.
  const indexes = await writeItems(items, 50)
  for (let n = 0; n < 2; n += 1) await items.partitions[0]!.snapshot()
  indexes.push(...(await writeItems(items, 50)))
  for (let n = 0; n < 2; n += 1) await items.partitions[1]!.snapshot()
  indexes.push(...(await writeItems(items, 50)))
  await items.close()
  const [early, late] = [indexes[70]!, indexes[120]!]
  expect((await reportOf(path, '--at', `${early[0]}`, '--partition', '0')).partitions).toMatchObject([
    { index: early[0] },
  ])
  const target = join(at.path, 'fork')
  await expect(forked(path, target, '--at', `${early[0]}`, '--partition', '0')).rejects.toMatchObject({
    code: 'HISTORY_NOT_KEPT',
    details: { partition: 0, index: early[0], other: 1, oldest: expect.any(Number) },
  })
  await expect(forked(path, target, '--at', `${early[1]}`, '--partition', '1')).rejects.toMatchObject({
    code: 'HISTORY_NOT_KEPT',
    details: { partition: 1, index: early[1], newest: expect.any(Number) },
  })
  // The second partition wrote last in each round.
  expect((await forked(path, target, '--at', `${late[1]}`, '--partition', '1')).partitions).toMatchObject([
    { index: late[0] },
    { index: late[1] },
  ])
  expect((await forked(path, `${target}-2`, '--at', `${late[0]}`, '--partition', '0')).partitions).toMatchObject([
    { index: late[0] },
    { index: indexes[119]![1] },
  ])
})

test('[TT2] [JR3] of a damaged folder a point before the damage can be forked, and nothing behind it', async () => {
  using at = home()
  const path = join(at.path, 'items')
  const items = await startItems(path, { create: 1 })
  const indexes = await writeItems(items, 60)
  await items.close()
  const segment = join(path, 'log', readdirSync(join(path, 'log')).toSorted()[1]!)
  const bytes = readFileSync(segment)
  writeFileSync(segment, bytes.with(2_000, bytes[2_000]! ^ 1))
  const target = join(at.path, 'fork')
  await expect(forked(path, target)).rejects.toMatchObject({ code: 'JOURNAL_CORRUPT' })
  await expect(forked(path, target, '--at', '0s')).rejects.toMatchObject({ code: 'HISTORY_NOT_KEPT' })
  await expect(forked(path, target, '--at', `${indexes.at(-1)![0]}`)).rejects.toMatchObject({
    code: 'HISTORY_NOT_KEPT',
  })
  expect(readdirSync(at.path)).toEqual(['items'])
  const { partitions } = await forked(path, target, '--at', `${indexes[10]![0]}`)
  expect(partitions).toMatchObject([{ index: indexes[10]![0] }])
  const again = await startItems(target)
  const found = await again.partition.submit({ command: { kind: 'readAll', type: 'item', where: {}, options: {} } })
  expect((found as { n: number }[]).map(({ n }) => n).toSorted((a, b) => a - b)).toEqual([6, 7, 8, 9, 10])
  await again.close()
})

test('[TT2] [WA2] a token of the original is none of its fork', async () => {
  using at = home()
  const path = join(at.path, 'bank')
  let token: Token | undefined
  {
    await using client = await openBank(path, { partitions: 1 })
    await client.handlers.deposit({ id: 'a', sum: 1 })
    for await (const event of client.space.watch(Account, {})) {
      if (event.kind !== 'ready') continue
      token = event.token
      break
    }
  }
  await forked(path, join(at.path, 'fork'))
  const resumed = async (folder: string): Promise<string> => {
    await using client = await openBank(folder)
    for await (const event of client.space.watch(Account, {}, { since: token! })) return event.kind
    return 'nothing'
  }
  expect(await resumed(path)).toBe('ready')
  await expect(resumed(join(at.path, 'fork'))).rejects.toMatchObject({ code: 'QUERY_INVALID' })
})

test('[TT2] it is written whole, into a new folder, or not at all', async () => {
  using at = home()
  const path = join(at.path, 'bank')
  await (await openBank(path, { partitions: 2 }))[Symbol.asyncDispose]()
  await expect(forked(path, path)).rejects.toMatchObject({ code: 'USAGE' })
  await expect(forked(path, at.path)).rejects.toMatchObject({ code: 'USAGE' })
  await expect(forked(path, join(path, 'fork'))).rejects.toMatchObject({ code: 'USAGE' })
  await expect(forked(path, join(at.path, 'fork'), '--at', '99', '--partition', '0')).rejects.toMatchObject({
    code: 'HISTORY_NOT_KEPT',
  })
  await expect(forked(path, '/proc/fork')).rejects.toMatchObject({ code: 'FOLDER_REFUSED' })
  await expect(forked(path, join(at.path, 'fork'), '--at', '2')).rejects.toMatchObject({ code: 'USAGE' })
  await expect(forked(path, join(at.path, 'fork'), '--partition', '0')).rejects.toMatchObject({ code: 'USAGE' })
  await expect(forked(path, join(at.path, 'fork'), '--at', '2', '--partition', '2')).rejects.toMatchObject({
    code: 'USAGE',
  })
  await expect(forked(at.path, join(at.path, 'fork'))).rejects.toMatchObject({ code: 'USAGE' })
  // No file may grow beyond a few kilobytes: it fails in the middle.
  const main = fileURLToPath(new URL('main.ts', import.meta.url))
  const ended = spawnSync(
    'sh',
    ['-c', `ulimit -f 16; "$0" "$1" fork "$2" "$3"`, process.execPath, main, path, join(at.path, 'fork')],
    { encoding: 'utf8' },
  )
  expect([ended.status, ended.stderr]).toEqual([1, expect.stringMatching(/^JOURNAL_FAILED: .* nothing of it was left/)])
  expect(readdirSync(at.path)).toEqual(['bank'])
  await forked(path, join(at.path, 'deep/er/fork'))
  expect(existsSync(join(at.path, 'deep/er/fork/grid.json'))).toBe(true)
  expect(readdirSync(join(at.path, 'deep/er'))).toEqual(['fork'])
})
