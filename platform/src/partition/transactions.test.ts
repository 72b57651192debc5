import { describe, expect, test } from 'vitest'
import type { Command, Request, Seen, WriteCommand } from '../space/index.ts'
import { Answers, get, PartitionBench, readAll, register, numbered, write } from './contract/partition-bench.ts'
import { turns } from './contract/manual-runtime.ts'

const nothing: Seen = { entries: [], queries: [] }

/** A transaction that partition 7 coordinates. */
const named = (id: string) => ({ id, coordinator: 7, until: 1e15 })

const command = (request: Request): WriteCommand => request.command as WriteCommand

const prepare = (id: string, commands: readonly WriteCommand[], seen: Seen = nothing): Request => ({
  command: { kind: 'prepare', transaction: named(id), part: { seen, commands } },
})

const commit = (
  id: string,
  commands: readonly WriteCommand[],
  partitions: readonly number[],
  seen = nothing,
): Request => ({
  command: { kind: 'commit', transaction: named(id), part: { seen, commands }, partitions },
})

const outcome = (transaction: string, committed: boolean): Request => ({
  command: { kind: 'outcome', transaction, committed },
})

const inquire = (id: string): Request => ({ command: { kind: 'inquire', transaction: named(id) } })

const seenOf = (id: string, stamp: number): Seen => ({ entries: [{ type: 'item', key: { id }, stamp }], queries: [] })

const conflict = { code: 'TRANSACTION_CONFLICT' }

/** A primary with item `a`, whose stamp is 1. */
async function open() {
  const bench = new PartitionBench({ shared: false })
  const { partition } = await bench.primary()
  await partition.submit(write('a', 1))
  const answers = new Answers()
  const ask = (name: string, request: Request): void => answers.watch(name, partition.submit(request))
  return { bench, partition, answers, ask }
}

describe('transactions on a partition', () => {
  test('[TX2] on one partition a commit is one record, and leaves nothing to keep', async () => {
    const { bench, partition } = await open()
    const before = (await bench.stream.kinds()).length
    await partition.submit(commit('t', [command(write('a', 2)), command(write('b', 2))], []))
    expect((await bench.stream.kinds()).slice(before)).toEqual(['BATCH'])
    const { machine } = await bench.fold()
    expect(machine.table('plenum.decision').size).toBe(0)
    expect([await bench.stored('a'), await bench.stored('b')]).toMatchObject([{ n: 2 }, { n: 2 }])
  })

  test('[TX3] what is prepared is not there yet: reads of it, and writes, wait for the outcome', async () => {
    const { partition, answers, ask } = await open()
    await partition.submit(prepare('t', [command(write('a', 2)), command(write('new', 2_000))]))
    for (const [name, request] of Object.entries({ read: get('a'), query: readAll, write: write('a', 3) }))
      ask(name, request)
    ask('another', write('b', 1))
    await turns()
    expect(answers.order).toEqual(['another'])
    await partition.submit(outcome('t', true))
    await turns()
    expect(answers.of('read')).toEqual({ value: { id: 'a', n: 2 } })
    expect(answers.of('query')).toEqual({ value: [{ id: 'new', n: 2_000 }] })
    expect(answers.of('write')).toMatchObject({ value: { version: 3 } })
  })

  test('[TX3] after an abort all is as it was, and whoever waited goes on', async () => {
    const { partition, answers, ask } = await open()
    await partition.submit(prepare('t', [command(write('a', 2))]))
    ask('read', get('a'))
    await partition.submit(outcome('t', false))
    await turns()
    expect(answers.of('read')).toEqual({ value: { id: 'a', n: 1 } })
    await partition.submit(outcome('t', true))
    expect(await partition.submit(get('a'))).toMatchObject({ n: 1 })
  })

  test('[TX3] what was read is held against writes, and read by all', async () => {
    const { partition, answers, ask } = await open()
    const seen: Seen = {
      entries: [{ type: 'item', key: { id: 'a' }, stamp: 1 }],
      queries: [{ type: 'item', where: { n: { gt: 1_000 } }, since: 1 }],
    }
    await partition.submit(prepare('t', [], seen))
    ask('read', get('a'))
    ask('query', readAll)
    ask('write', write('a', 2))
    ask('phantom', write('b', 2_000))
    ask('unseen', write('c', 2))
    await turns()
    expect(answers.order).toEqual(['read', 'query', 'unseen'])
    await partition.submit(outcome('t', false))
    await turns()
    expect(answers.of('phantom')).toMatchObject({ value: { version: 1 } })
  })

  test('[TX3] a prepare or commit never waits: what is in its way is a conflict, and so is what has changed', async () => {
    const { partition } = await open()
    await expect(partition.submit(prepare('old', [], seenOf('a', 9)))).rejects.toMatchObject(conflict)
    await expect(partition.submit(prepare('gone', [], seenOf('x', 9)))).rejects.toMatchObject(conflict)
    await partition.submit(prepare('t', [command(write('a', 2))]))
    const ways = [
      prepare('write', [command(write('a', 3))]),
      prepare('read', [], seenOf('a', 1)),
      prepare('query', [], { entries: [], queries: [{ type: 'item', where: { n: 2 }, since: 1 }] }),
      commit('commit', [command(write('a', 3))], []),
      { command: { kind: 'validate', seen: seenOf('a', 1) } } satisfies Request,
    ]
    for (const way of ways) await expect(partition.submit(way)).rejects.toMatchObject(conflict)
    await partition.submit(prepare('reader', [], seenOf('b', 0)))
    await expect(partition.submit(prepare('writer', [command(write('b', 1))]))).rejects.toMatchObject(conflict)
  })

  test('[TX3] a query that was changed since, or since before what is remembered, is a conflict', async () => {
    const bench = new PartitionBench({ shared: false, limits: { changeRingMax: 4 } })
    const { partition } = await bench.primary()
    const since = (number: number, n: unknown): Request =>
      prepare(`of ${String(n)} since ${number}`, [], {
        entries: [],
        queries: [{ type: 'item', where: { n }, since: number }],
      })
    for (const n of [1, 2, 3]) await partition.submit(write('a', n))
    await expect(partition.submit(since(1, 1))).rejects.toMatchObject(conflict)
    await expect(partition.submit(since(1, 3))).rejects.toMatchObject(conflict)
    await partition.submit(since(2, 1))
    for (const n of [4, 5, 6]) await partition.submit(write('b', n))
    await expect(partition.submit(since(1, 99))).rejects.toMatchObject(conflict)
  })

  test('[TX3] a lease does not end under a lock; nobody reads the entry after its time', async () => {
    const { bench, partition, answers, ask } = await open()
    const leased = { ...write('leased', 1).command, options: { leaseMs: 100 } } as Command
    await partition.submit({ command: leased })
    await partition.submit(prepare('t', [], seenOf('leased', 2)))
    await bench.runtime.advance(500)
    ask('read', get('leased'))
    await turns()
    expect(await bench.stored('leased')).toBeDefined()
    expect(answers.of('read')).toBe('waits')
    await partition.submit(outcome('t', true))
    await bench.runtime.advance(200)
    expect(answers.of('read')).toEqual({ value: undefined })
    expect(await bench.stored('leased')).toBeUndefined()
  })

  test('[TX4] who is asked about what it does not know journals that it will never be; a commit that comes later is refused', async () => {
    const { partition } = await open()
    expect(await partition.submit(inquire('t'))).toBe(false)
    await expect(partition.submit(commit('t', [command(write('a', 2))], [3]))).rejects.toMatchObject(conflict)
    await partition.submit(commit('u', [command(write('a', 3))], [3]))
    expect(await partition.submit(inquire('u'))).toBe(true)
    await partition.submit({ command: { kind: 'informed', transaction: 'u', partitions: [3] } })
    expect(await partition.submit(inquire('u'))).toBe(false)
  })

  test('[TX4] a decision against a transaction outlives its time, and a commit after its time is refused', async () => {
    const { bench, partition } = await open()
    const { time } = (await bench.fold()).machine
    const transaction = { id: 't', coordinator: 0, until: time + 1_000 }
    const late: Request = {
      command: { kind: 'commit', transaction, part: { seen: nothing, commands: [] }, partitions: [3] },
    }
    await partition.submit({ command: { kind: 'inquire', transaction } })
    await bench.runtime.advance(900)
    await expect(partition.submit(late)).rejects.toMatchObject(conflict)
    await bench.runtime.advance(10_000)
    expect((await bench.fold()).machine.table('plenum.decision').size).toBe(0)
    await expect(partition.submit(late)).rejects.toMatchObject(conflict)
  })

  test('[TX4] that an outcome is known is told once it is acked, or the decision would be forgotten too early', async () => {
    const { bench, partition, answers, ask } = await open()
    await partition.submit(prepare('t', [command(write('a', 2))]))
    bench.stream.fate = 'held'
    ask('first', outcome('t', true))
    ask('second', outcome('t', true))
    await turns()
    expect(answers.order).toEqual([])
    bench.stream.release()
    await turns()
    expect(answers.order).toEqual(['first', 'second'])
  })

  test('[TX4] a participant in doubt asks the coordinating partition, also after a restart', async () => {
    const { bench, partition } = await open()
    const asked: unknown[] = []
    bench.ask = (coordinator, about) => {
      asked.push([coordinator, about.kind])
      return Promise.resolve(true)
    }
    await partition.submit(prepare('t', [command(write('a', 2))]))
    partition.drop()
    const again = await bench.primary(2)
    const answers = new Answers()
    answers.watch('read', again.partition.submit(get('a')))
    await bench.runtime.advance(bench.limits.inDoubtMs * 2)
    expect(asked).toEqual([[7, 'inquire']])
    expect(answers.of('read')).toEqual({ value: { id: 'a', n: 2 } })
    expect(again.events).toContainEqual(expect.objectContaining({ kind: 'in-doubt', transaction: 't', coordinator: 7 }))
  })

  test('[TX4] a coordinator tells its participants until all know, and only what is acked', async () => {
    const { bench, partition } = await open()
    const told: unknown[] = []
    bench.ask = (participant, about) => {
      told.push([participant, about])
      return told.length === 1 ? Promise.reject(new Error('nobody is there')) : Promise.resolve(undefined)
    }
    bench.stream.fate = 'held'
    void partition.submit(commit('t', [command(write('a', 2))], [3]))
    await bench.runtime.advance(bench.limits.inDoubtMs * 3)
    expect(told).toEqual([])
    bench.stream.release()
    bench.stream.fate = 'acked'
    await bench.runtime.advance(bench.limits.inDoubtMs * 4)
    const outcomeOf = [3, { kind: 'outcome', transaction: 't', committed: true }]
    expect(told).toEqual([outcomeOf, outcomeOf])
    expect((await bench.fold()).machine.table('plenum.decision').size).toBe(0)
  })

  test('[TX5] a draft leaves no trace, and says what it saw of what is not its own', async () => {
    const { bench, partition } = await open()
    const before = await bench.fold()
    const drafted = await partition.submit({
      command: { kind: 'draft', before: [command(write('b', 2_000))], command: readAll.command as never },
    })
    expect(drafted).toMatchObject({
      answer: { ok: true, value: [{ id: 'b', n: 2_000 }] },
      seen: { entries: [], queries: [{ type: 'item', since: 1 }] },
    })
    const own = await partition.submit({ command: { kind: 'draft', before: [], command: command(write('a', 5)) } })
    expect(own).toMatchObject({ answer: { value: { stamp: 0, version: 2 } }, seen: { entries: [{ stamp: 1 }] } })
    expect(await partition.submit(get('a'))).toEqual({ id: 'a', n: 1 })
    expect((await bench.fold()).hash()).toBe(before.hash())
  })

  test('[SP12] [TX3] a prepare that is sent again is the same one', async () => {
    const { partition } = await open()
    await partition.submit(register('s'))
    const request = numbered(prepare('t', [command(write('a', 2))]), 's', 1)
    await partition.submit(request)
    await partition.submit(request)
    await partition.submit(outcome('t', true))
    await partition.submit(request)
    expect(await partition.submit(get('a'))).toMatchObject({ n: 2 })
  })
})
