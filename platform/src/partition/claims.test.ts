import { describe, expect, test } from 'vitest'
import type { Limits } from '../kernel/index.ts'
import type { ClaimName, ClaimsGiven, Layout, Request, Seen, WriteCommand } from '../space/index.ts'
import { Answers, DataLogic, get, PartitionBench, remove, write, type Member } from './contract/partition-bench.ts'
import { turns } from './contract/manual-runtime.ts'

/** Items of a lane, which is a FIFO group, and items without order. */
const layouts: readonly Layout[] = [
  { name: 'item', fields: ['id', 'n'], open: false, id: ['id'], route: ['id'] },
  { name: 'step', fields: ['id', 'lane', 'n'], open: false, id: ['id'], route: ['lane'], fifo: 'lane' },
]
const workers = [
  { name: 'items', type: 'item', where: { n: { gt: 0 } } },
  { name: 'steps', type: 'step', where: { n: { gt: 0 } } },
  { name: 'tens', type: 'step', where: { n: { gte: 10 } } },
]
const unseen: Seen = { entries: [], queries: [] }

const claim = (count: number, worker = 'items', leaseMs?: number): Request => ({
  command: { kind: 'claim', worker, count, leaseMs },
})
const awaitWork = (id: string, ms = 1_000, worker = 'items'): Request => ({
  command: { kind: 'await-work', worker, wait: { id, ms } },
})
const release = (name: ClaimName, delayMs = 0): Request => ({ command: { kind: 'release', claim: name, delayMs } })
const failed = (name: ClaimName, attemptsMax = 3, retryMs = 0): Request => ({
  command: { kind: 'work-failed', claim: name, message: 'no', attemptsMax, retryMs },
})
const step = (id: string, lane: string, n = 1): Request => ({
  command: { kind: 'write', type: 'step', value: { id, lane, n }, options: {} },
})
const commit = (name: ClaimName, ...requests: readonly Request[]): Request => ({
  command: {
    kind: 'commit',
    transaction: { id: `t${name.number}`, coordinator: 0, until: 1e15 },
    part: { seen: unseen, commands: requests.map(({ command }) => command as WriteCommand) },
    partitions: [],
    claim: name,
  },
})
const conflict = expect.objectContaining({ code: 'TRANSACTION_CONFLICT' })

async function open(options: { readonly shared?: boolean; readonly limits?: Partial<Limits> } = {}) {
  const bench = new PartitionBench({ shared: false, ...options })
  const logic = (): DataLogic => new DataLogic('unit-1', bench.limits, layouts, workers)
  const member = await bench.primary(1, logic())
  const given = async (request: Request, { partition }: Member = member): Promise<ClaimsGiven> =>
    (await partition.submit(request)) as ClaimsGiven
  /** The ids that are given, and the names of their claims. */
  const ids = async (request: Request): Promise<readonly unknown[]> =>
    (await given(request)).claims.map(({ entry }) => entry['id'])
  const nameOf = ({ epoch, claims }: ClaimsGiven, at = 0): ClaimName => ({ epoch, number: claims[at]!.number })
  return { bench, logic, member, partition: member.partition, given, ids, nameOf, answers: new Answers() }
}

describe('claims', () => {
  test('[UN3] each entry that matches is given once, in write order, until its claim is over', async () => {
    const { partition, given, ids, nameOf } = await open()
    for (const [at, n] of [1, 0, 3, 4].entries()) await partition.submit(write(`${at}`, n))
    const first = await given(claim(2))
    expect(first.claims).toMatchObject([
      { entry: { id: '0', n: 1 }, stamp: 1, attempt: 1 },
      { entry: { id: '2', n: 3 }, stamp: 3, attempt: 1 },
    ])
    expect(await ids(claim(5))).toEqual(['3'])
    expect(await ids(claim(5))).toEqual([])
    await partition.submit(release(nameOf(first, 1)))
    await partition.submit(write('1', 5))
    expect(await ids(claim(5))).toEqual(['1', '2'])
  })

  test('[UN3] a commit ends the claim and counts once; a claim that is over commits nothing', async () => {
    const { bench, partition, given, nameOf } = await open()
    await partition.submit(write('a', 1))
    const name = nameOf(await given(claim(1)))
    await partition.submit(commit(name, write('a', 0)))
    await expect(partition.submit(commit(name, write('a', 7)))).rejects.toEqual(conflict)
    expect(await bench.stored('a')).toEqual({ id: 'a', n: 0 })
  })

  test('[UN3] an entry that was changed or replaced since it was claimed is committed by nobody', async () => {
    const { partition, given, nameOf, ids } = await open()
    await partition.submit(write('a', 1))
    await partition.submit(write('b', 1))
    const both = await given(claim(2))
    await partition.submit(write('a', 2))
    await partition.submit(remove('b'))
    await partition.submit(write('b', 1))
    for (const at of [0, 1]) {
      await expect(partition.submit(commit(nameOf(both, at), write(at === 0 ? 'a' : 'b', 0)))).rejects.toEqual(conflict)
      await partition.submit(release(nameOf(both, at)))
    }
    expect(await ids(claim(5))).toEqual(['a', 'b'])
  })

  test('[UN3] a commit that leaves the entry matching is CLAIM_NOT_RELEASED, and changes nothing', async () => {
    const { bench, partition, given, nameOf } = await open()
    await partition.submit(write('a', 1))
    const name = nameOf(await given(claim(1)))
    const before = await bench.fold()
    await expect(partition.submit(commit(name, write('b', 1), write('a', 2)))).rejects.toMatchObject({
      code: 'CLAIM_NOT_RELEASED',
      details: { worker: 'items', type: 'item', key: { id: 'a' } },
    })
    expect((await bench.fold()).hash()).toBe(before.hash())
    await partition.submit(commit(name, remove('a')))
    expect(await bench.stored('a')).toBeUndefined()
  })

  test('[UN3] a claim of an earlier reign commits nothing, though the entry is as it was', async () => {
    const { bench, logic, member, given, nameOf } = await open({ shared: true })
    await member.partition.submit(write('a', 1))
    const old = await given(claim(1))
    const second = await bench.follower(2, logic())
    member.partition.drop()
    await bench.runtime.advance(bench.limits.leaseMs * 1.2)
    const anew = await given(claim(1), second)
    expect([old.claims[0]?.stamp, old.claims[0]?.number]).toEqual([anew.claims[0]?.stamp, anew.claims[0]?.number])
    await expect(second.partition.submit(commit(nameOf(old), write('a', 0)))).rejects.toEqual(conflict)
    await second.partition.submit(commit(nameOf(anew), write('a', 0)))
  })

  test('[UN3] [PA3] what was claimed is told when it is acked', async () => {
    const { bench, partition, answers } = await open()
    bench.stream.fate = 'held'
    answers.watch('write', partition.submit(write('a', 1)))
    answers.watch('claim', partition.submit(claim(1)))
    await turns()
    expect(answers.of('claim')).toBe('waits')
    bench.stream.release()
    await turns()
    expect(answers.of('claim')).toMatchObject({ value: { claims: [{ entry: { id: 'a' } }] } })
  })

  test('[SP9] one entry of a group at a time, whichever worker asks; the next once the end of the last is acked', async () => {
    const { bench, partition, given, ids, nameOf, answers } = await open()
    for (const id of ['a1', 'a2', 'b1']) await partition.submit(step(id, id[0]!, id === 'a2' ? 10 : 1))
    const first = await given(claim(5, 'steps'))
    expect(first.claims.map(({ entry }) => entry['id'])).toEqual(['a1', 'b1'])
    expect(await ids(claim(5, 'tens'))).toEqual([])
    bench.stream.fate = 'held'
    answers.watch('commit', partition.submit(commit(nameOf(first), step('a1', 'a', 0))))
    answers.watch('next', partition.submit(claim(5, 'tens')))
    await turns()
    expect(answers.of('next')).toBe('waits')
    bench.stream.release()
    await turns()
    expect(answers.order).toEqual(['commit', 'next'])
    expect(answers.of('next')).toMatchObject({ value: { claims: [{ entry: { id: 'a2' } }] } })
  })

  test('[SP9] an entry that is put off holds back its group, until its time comes or it is gone', async () => {
    const { bench, partition, given, ids, nameOf } = await open()
    for (const id of ['a1', 'a2', 'a3']) await partition.submit(step(id, 'a'))
    await partition.submit(failed(nameOf(await given(claim(1, 'steps'))), 3, 500))
    expect(await ids(claim(5, 'steps'))).toEqual([])
    await bench.runtime.advance(501)
    const again = await given(claim(5, 'steps'))
    expect(again.claims).toMatchObject([{ entry: { id: 'a1' }, attempt: 2 }])
    await partition.submit(failed(nameOf(again), 3, 500))
    await partition.submit(step('a1', 'a', 0))
    expect(await ids(claim(5, 'steps'))).toEqual(['a2'])
  })

  test('[UN3] whoever waits for work hears of what is written, given back, sent back or due, and of nothing else', async () => {
    const { bench, partition, given, nameOf, answers } = await open()
    const waits = (name: string): void => answers.watch(name, partition.submit(awaitWork(name, 60_000)))
    waits('written')
    await partition.submit(write('other', 0))
    await turns()
    expect(answers.of('written')).toBe('waits')
    await partition.submit(write('a', 1))
    await turns()
    expect(answers.of('written')).toEqual({ value: true })
    const first = await given(claim(1))
    waits('given back')
    await partition.submit(release(nameOf(first)))
    await turns()
    expect(answers.of('given back')).toEqual({ value: true })
    const second = await given(claim(1))
    waits('due')
    await partition.submit(failed(nameOf(second), 2, 700))
    await bench.runtime.advance(699)
    expect(answers.of('due')).toBe('waits')
    await bench.runtime.advance(2)
    expect(answers.of('due')).toEqual({ value: true })
    const third = await given(claim(1))
    waits('sent back')
    expect(await partition.submit(failed(nameOf(third), 2, 700))).toBe(true)
    await bench.runtime.advance(1_000)
    expect(answers.of('sent back')).toBe('waits')
    expect(await partition.submit({ command: { kind: 'send-back', worker: 'items', entries: undefined } })).toBe(1)
    await turns()
    expect(answers.of('sent back')).toEqual({ value: true })
    await given(claim(1))
    waits('nothing')
    await bench.runtime.advance(60_001)
    expect(answers.of('nothing')).toEqual({ value: false })
  })

  test('[UN3] a claim with a lease ends by itself, unless its holder says that it works on it', async () => {
    const { bench, partition, given, ids, answers } = await open()
    await partition.submit(write('a', 1))
    await partition.submit(write('b', 1))
    const { epoch, claims } = await given(claim(2, 'items', 1_000))
    const numbers = [claims[0]!.number]
    await bench.runtime.advance(900)
    await partition.submit({ command: { kind: 'keep-claims', epoch, numbers, leaseMs: 1_000 } })
    answers.watch('work', partition.submit(awaitWork('w', 60_000)))
    await bench.runtime.advance(101)
    expect(answers.of('work')).toEqual({ value: true })
    expect(await ids(claim(5))).toEqual(['b'])
    await bench.runtime.advance(1_000)
    expect(await ids(claim(5))).toEqual(['a'])
  })

  test('[UN3] what a prepared transaction is about to change is given when that is over', async () => {
    const { partition, ids, answers } = await open()
    await partition.submit(write('a', 1))
    await partition.submit(write('b', 1))
    const part = { seen: unseen, commands: [write('a', 5).command as WriteCommand] }
    const transaction = { id: 't', coordinator: 7, until: 1e15 }
    await partition.submit({ command: { kind: 'prepare', transaction, part } })
    expect(await ids(claim(5))).toEqual(['b'])
    answers.watch('work', partition.submit(awaitWork('w', 60_000)))
    await turns()
    expect(answers.of('work')).toBe('waits')
    await partition.submit({ command: { kind: 'outcome', transaction: 't', committed: true } })
    await turns()
    expect(answers.of('work')).toEqual({ value: true })
    expect(await ids(claim(5))).toEqual(['a'])
  })

  test('[UN3] attempts that failed are kept for the entry as it is, and forgotten with the commit', async () => {
    const { bench, partition, given, nameOf } = await open()
    await partition.submit(write('a', 1))
    const failures = async (): Promise<readonly unknown[]> =>
      [...(await bench.fold()).machine.table('plenum.failure').rows()].map(({ value }) => value['attempts'])
    await partition.submit(failed(nameOf(await given(claim(1)))))
    await partition.submit(failed(nameOf(await given(claim(1)))))
    expect(await failures()).toEqual([2])
    await partition.submit(write('a', 2))
    const anew = await given(claim(1))
    expect(anew.claims).toMatchObject([{ attempt: 1 }])
    await partition.submit(failed(nameOf(anew)))
    expect(await failures()).toEqual([1])
    await partition.submit(commit(nameOf(await given(claim(1))), write('a', 0)))
    expect(await failures()).toEqual([])
  })

  test('[UN3] a failure of a claim that is over, or of an entry that was changed, is not kept', async () => {
    const { bench, partition, given, nameOf } = await open()
    await partition.submit(write('a', 1))
    const name = nameOf(await given(claim(1)))
    await partition.submit(write('a', 2))
    expect(await partition.submit(failed(name, 1))).toBe(false)
    expect(await partition.submit(failed(name, 1))).toBe(false)
    expect((await bench.fold()).machine.table('plenum.failure').size).toBe(0)
    expect((await given(claim(1))).claims).toMatchObject([{ entry: { id: 'a' }, attempt: 1 }])
  })

  test('[UN3] [A8] claims have a limit, and so have those who wait for work', async () => {
    const { partition, ids, given, nameOf, answers } = await open({ limits: { claimsMax: 2, waitersMax: 1 } })
    for (const id of ['a', 'b', 'c']) await partition.submit(write(id, 1))
    const first = await given(claim(5))
    expect(first.claims).toHaveLength(2)
    expect(await ids(claim(5))).toEqual([])
    // Whoever asks for work that nobody may claim waits, or it would ask for ever.
    answers.watch('work', partition.submit(awaitWork('w')))
    await turns()
    expect(answers.of('work')).toBe('waits')
    await partition.submit(commit(nameOf(first), write('a', 0)))
    await turns()
    expect(answers.of('work')).toEqual({ value: true })
    expect(await ids(claim(5))).toEqual(['c'])
    void partition.submit(awaitWork('one')).catch(() => undefined)
    await expect(partition.submit(awaitWork('two'))).rejects.toMatchObject({
      code: 'OVERLOADED',
      details: { limit: 'waitersMax' },
    })
    await expect(partition.submit(claim(1, 'nobody'))).rejects.toMatchObject({
      code: 'HANDLER_UNKNOWN',
      details: { kind: 'worker', known: ['items', 'steps', 'tens'] },
    })
  })

  test('[UN3] whoever waits for work hears of the end of a reign', async () => {
    const { partition, answers } = await open()
    answers.watch('work', partition.submit(awaitWork('w', 60_000)))
    await partition.close()
    expect(answers.of('work')).toEqual({ code: 'NOT_PRIMARY' })
    await expect(partition.submit(get('a'))).rejects.toBeDefined()
  })
})
