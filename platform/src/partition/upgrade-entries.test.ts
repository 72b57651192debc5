import { expect, test } from 'vitest'
import { PlenumError, type Limits } from '../kernel/index.ts'
import type {
  BringUp,
  EntryUpgrade,
  EntryUpgrades,
  Layout,
  Request,
  StoredValue,
  WriteCommand,
} from '../space/index.ts'
import { turns } from './contract/manual-runtime.ts'
import {
  Answers,
  DataLogic,
  get,
  insert,
  itemLayout,
  PartitionBench,
  readAll,
  remove,
  write,
} from './contract/partition-bench.ts'

/** The old unit's items, and the new one's, whose `n` counts from 1,000 on. */
const fields = ['id', 'n']
const indexed = { ...itemLayout, indexes: [['n']] }
const oldLayout: Layout = { ...indexed, shapes: [0], schema: { hash: 'old', fields } }
const newLayout: Layout = { ...indexed, shapes: [1], schema: { hash: 'new', fields } }

const run: BringUp = (stored, upgradesBehind) => {
  if (upgradesBehind === 1) return { ...stored }
  const n = Number(stored['n'])
  if (n >= 0) return { ...stored, n: n + 1_000 }
  throw new PlenumError('UPGRADE_REFUSED', `${String(stored['id'])} is below zero.`, { details: { id: stored['id'] } })
}
const plus: EntryUpgrade = {
  count: 1,
  schema: 'new',
  fields: [fields],
  run,
  keeps: (behind) => behind === 1,
  check: () => ({ run, lost: () => [] }),
}

class NewLogic extends DataLogic {
  readonly upgrades: EntryUpgrades = new Map([['item', plus]])
}

const logicsOf = ({ limits }: PartitionBench) => ({
  old: new DataLogic('old-unit', limits, [oldLayout]),
  new: new NewLogic('new-unit', limits, [newLayout]),
})

/** A stream in which the old unit has written some items. */
async function oldStream(shared: boolean, limits: Partial<Limits> = {}) {
  const bench = new PartitionBench({ shared, limits: { snapshotSliceMs: 1, ...limits } })
  const logics = logicsOf(bench)
  const first = await bench.primary(1, logics.old)
  for (const [at, id] of ['a', 'b', 'c', 'd'].entries()) await first.partition.submit(write(id, at))
  return { bench, logics, first }
}

test('[UN10] [A5] entries of before are read in their new shape, and the state is what the fold without the code gives, at each index', async () => {
  const { bench, logics, first } = await oldStream(false)
  await first.partition.close()
  let { partition } = await bench.primary(1, logics.new)
  expect(partition.replica?.hash()).toBe((await bench.fold()).hash())
  const answers: readonly [Request, unknown][] = [
    [get('a'), { id: 'a', n: 1_000 }],
    [
      readAll,
      [
        { id: 'b', n: 1_001 },
        { id: 'c', n: 1_002 },
        { id: 'd', n: 1_003 },
      ],
    ],
    [write('b', 7), { version: 2, stamp: 5 }],
    [remove('c'), true],
    [insert('e', 8), { id: 'e', n: 8 }],
    [readAll, [{ id: 'd', n: 1_003 }]],
  ]
  for (const [request, answer] of answers) {
    const given = await partition.submit(request)
    expect(
      Array.isArray(given) ? given.toSorted((a: { n: number }, b: { n: number }) => a.n - b.n) : given,
    ).toMatchObject(answer as object)
    expect(partition.replica?.hash()).toBe((await bench.fold()).hash())
  }
  await expect(partition.submit(insert('d', 1))).rejects.toMatchObject({ code: 'ENTRY_EXISTS' })
  await partition.snapshot()
  await partition.submit(write('a', 9))
  await partition.close()
  const events = await bench.primary(1, logics.new)
  partition = events.partition
  expect(events.events.map(({ kind }) => kind)).not.toContain('snapshot-ignored')
  expect(await partition.submit(readAll)).toEqual([{ id: 'd', n: 1_003 }])
  expect(partition.replica?.hash()).toBe((await bench.fold()).hash())
  expect(await bench.stored('d')).toEqual({ id: 'd', n: 3 })
  expect((await bench.stream.kinds()).filter((kind) => kind === 'UPGRADE')).toHaveLength(2)
})

test('[UN10] what a transaction has prepared under the old unit is put in its new shape, and locks what will be read', async () => {
  const { bench, logics, first } = await oldStream(false)
  const commands = [write('a', 5).command, write('new', 6).command] as readonly WriteCommand[]
  const name = { id: 't', coordinator: 7, until: 1e15 }
  const part = { seen: { entries: [], queries: [] }, commands }
  await first.partition.submit({ command: { kind: 'prepare', transaction: name, part } })
  first.partition.drop()
  const { partition } = await bench.primary(1, logics.new)
  const answers = new Answers()
  answers.watch('query', partition.submit(readAll))
  await turns()
  expect(answers.of('query')).toBe('waits')
  await partition.submit({ command: { kind: 'outcome', transaction: 't', committed: true } })
  await turns()
  expect(await partition.submit(get('a'))).toEqual({ id: 'a', n: 1_005 })
  expect(await bench.stored('new')).toEqual({ id: 'new', n: 1_006 })
  expect(answers.of('query')).toMatchObject({ value: expect.arrayContaining([{ id: 'new', n: 1_006 }]) })
})

test('[UN10] what a transaction will put must fit as well, and refuses the start by the name of the transaction', async () => {
  const { bench, logics, first } = await oldStream(false)
  const part = { seen: { entries: [], queries: [] }, commands: [write('e', -1).command as WriteCommand] }
  const transaction = { id: 't', coordinator: 7, until: 1e15 }
  await first.partition.submit({ command: { kind: 'prepare', transaction, part } })
  first.partition.drop()
  const records = (await bench.stream.kinds()).length
  await expect(bench.primary(1, logics.new)).rejects.toMatchObject({
    code: 'UPGRADE_REFUSED',
    details: { transaction: 't', id: 'e', partition: 0 },
  })
  expect(await bench.stream.kinds()).toHaveLength(records)
})

test('[UN10] stopped half-way, nothing is lost: the old code goes on, and a new start does it all', async () => {
  const { bench, logics, first } = await oldStream(false)
  for (let n = 0; n < 9_000; n++) await first.partition.submit(write(`i${n}`, n))
  await first.partition.close()
  const records = (await bench.stream.kinds()).length
  const stopped = bench.member(1, logics.new)
  const recovering = stopped.partition.recoverAlone()
  for (let turn = 0; turn < 10_000 && !stopped.events.some(({ kind }) => kind === 'upgrading'); turn++) await turns(1)
  stopped.partition.drop()
  await recovering.catch(() => undefined)
  const told = stopped.events.flatMap((event) => (event.kind === 'upgrading' ? [event] : []))
  expect(told[0]).toEqual({ kind: 'upgrading', entries: 4_096, entriesTotal: 9_004 })
  expect(await bench.stream.kinds()).toHaveLength(records)
  const old = await bench.primary(1, logics.old)
  expect(await old.partition.submit(get('i7'))).toEqual({ id: 'i7', n: 7 })
  await old.partition.close()
  const again = await bench.primary(1, logics.new)
  expect(await again.partition.submit(get('i7'))).toEqual({ id: 'i7', n: 1_007 })
})

test('[UN10] [PA10] in a grid old and new code run side by side until the barrier, and fold every record alike', async () => {
  const { bench, logics, first } = await oldStream(true)
  const oldFollower = await bench.follower(2, logics.old)
  const newFollower = await bench.follower(3, logics.new)
  const alike = async (): Promise<void> => {
    await bench.runtime.advance(bench.limits.leaseMs / 8)
    const hash = (await bench.fold()).hash()
    for (const { partition } of [oldFollower, newFollower]) expect(partition.replica?.hash()).toBe(hash)
  }
  await first.partition.submit(write('a', 4))
  await alike()
  await oldFollower.partition.close()
  await first.partition.close()
  await bench.runtime.advance(bench.limits.leaseMs * 1.2)
  expect(newFollower.partition.role.kind).toBe('primary')
  expect(await newFollower.partition.submit(get('a'))).toEqual({ id: 'a', n: 1_004 })
  await newFollower.partition.submit(write('b', 7))
  const back = await bench.follower(2, logics.old)
  await bench.runtime.advance(bench.limits.leaseMs / 8)
  expect(back.partition.replica?.hash()).toBe((await bench.fold()).hash())
  newFollower.partition.drop()
  await bench.runtime.advance(bench.limits.leaseMs * 2)
  expect(back.partition.role.kind).toBe('following')
  expect(back.events).toContainEqual({ kind: 'unit-superseded', unit: 'old-unit' })
})

test('[UN10] in a grid a member whose unit does not fit goes on following and says why, and takes over once it fits', async () => {
  const { bench, logics, first } = await oldStream(true)
  await first.partition.submit(write('bad', -1))
  const { partition, events } = await bench.follower(3, logics.new)
  const refused = () => events.filter(({ kind }) => kind === 'upgrade-refused')
  expect(refused()).toEqual([{ kind: 'upgrade-refused', error: expect.objectContaining({ code: 'UPGRADE_REFUSED' }) }])
  first.partition.drop()
  await bench.runtime.advance(bench.limits.leaseMs * 1.5)
  expect(partition.role.kind).toBe('following')
  expect(refused().length).toBeGreaterThan(1)
  const old = await bench.primary(1, logics.old)
  await bench.runtime.advance(bench.limits.leaseMs * 1.5)
  expect(old.partition.role.kind).toBe('primary')
  await old.partition.submit(remove('bad'))
  await old.partition.close()
  await bench.runtime.advance(bench.limits.leaseMs * 1.5)
  expect(partition.role.kind).toBe('primary')
  expect(await partition.submit(get('d'))).toEqual({ id: 'd', n: 1_003 })
})

test('[UN10] in a grid what entries would lose stays lost, though each is tried once', async () => {
  const { bench, first } = await oldStream(true)
  const check = () => {
    const seen: StoredValue[] = []
    const running: BringUp = (stored, behind) => (seen.push(stored), run(stored, behind))
    const lost = () => seen.slice(0, 1).map((value) => ({ upgrade: 1, field: 'n', entries: seen.length, first: value }))
    return { run: running, lost }
  }
  const losing = Object.assign(new NewLogic('new-unit', bench.limits, [newLayout]), {
    upgrades: new Map([['item', { ...plus, check }]]),
  })
  const { partition, events } = await bench.follower(3, losing)
  first.partition.drop()
  await bench.runtime.advance(bench.limits.leaseMs * 4)
  expect(partition.role.kind).toBe('following')
  const refused = events.flatMap((event) => (event.kind === 'upgrade-refused' ? [event.error.details] : []))
  expect(refused.length).toBeGreaterThan(2)
  expect(new Set(refused.map(({ reason }) => reason))).toEqual(new Set(['LOST']))
  expect((await bench.stream.kinds()).filter((kind) => kind === 'UPGRADE')).toHaveLength(1)
})

test('[A8] a type that has had more schemas than it may is refused', async () => {
  const { bench, logics, first } = await oldStream(false, { shapesMax: 1 })
  await first.partition.close()
  await expect(bench.primary(1, logics.new)).rejects.toMatchObject({
    code: 'LIMIT_EXCEEDED',
    details: { limit: 'shapesMax', value: 1, found: 2, type: 'item' },
  })
})
