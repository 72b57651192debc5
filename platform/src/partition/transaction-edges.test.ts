// Transactions at one partition, at the edges: several routes of one id, limits, leases, waits, what only a peer could ask.
import { describe, expect, test } from 'vitest'
import type { Request, TransactionName, WriteCommand, Seen, Layout } from '../space/index.ts'
import { Answers, DataLogic, get, PartitionBench, register } from './contract/partition-bench.ts'
import { turns } from './contract/manual-runtime.ts'

const routed: Layout = { name: 'order', fields: ['id', 'symbol', 'n'], open: false, id: ['id'], route: ['symbol'] }
const name = (id: string, until = 1e12): TransactionName => ({ id, coordinator: 1, until })
const none: Seen = { entries: [], queries: [] }
const prepare = (id: string, commands: readonly WriteCommand[], seen: Seen = none): Request => ({
  command: { kind: 'prepare', transaction: name(id), part: { seen, commands } },
})
const outcome = (transaction: string, committed: boolean): Request => ({
  command: { kind: 'outcome', transaction, committed },
})
const put = (id: string, n: number): WriteCommand => ({ kind: 'write', type: 'item', value: { id, n }, options: {} })

async function bench(limits = {}, shared = false) {
  const at = new PartitionBench({ shared, limits })
  const member = await at.primary(
    1,
    new DataLogic('unit-1', at.limits, [
      { name: 'item', fields: ['id', 'n'], open: false, id: ['id'], route: ['id'] },
      routed,
    ]),
  )
  return { at, ...member, answers: new Answers() }
}

describe('transactions on a partition, at the edges', () => {
  test('[TX3] an entry that moves to another route (ID1) is locked where it was', async () => {
    const { partition, answers } = await bench()
    await partition.submit({
      command: { kind: 'write', type: 'order', value: { id: '1', symbol: 'A', n: 1 }, options: {} },
    })
    await partition.submit(
      prepare('t', [
        { kind: 'remove', type: 'order', key: { id: '1', symbol: 'A' }, options: {} },
        { kind: 'insert', type: 'order', value: { id: '1', symbol: 'B', n: 1 }, options: {} },
      ]),
    )
    // The decision stands at the coordinator and was told; a read that comes now must not see the state before.
    const query = (symbol: string): Request => ({
      command: { kind: 'readAll', type: 'order', where: { symbol }, options: {} },
    })
    answers.watch('b', partition.submit(query('B')))
    answers.watch('a', partition.submit(query('A')))
    await turns()
    expect([answers.of('b'), answers.of('a')]).toEqual(['waits', 'waits'])
    await partition.submit(outcome('t', true))
    await turns()
    expect(answers.of('a')).toEqual({ value: [] })
  })

  test('[TX3] the same hole lets another transaction validate what is about to change', async () => {
    const { partition } = await bench()
    await partition.submit({
      command: { kind: 'write', type: 'order', value: { id: '1', symbol: 'A', n: 1 }, options: {} },
    })
    const draft = (await partition.submit({
      command: {
        kind: 'draft',
        before: [],
        command: { kind: 'count', type: 'order', where: { symbol: 'A' }, options: {} },
      },
    })) as { seen: Seen }
    await partition.submit(
      prepare('t', [
        { kind: 'remove', type: 'order', key: { id: '1', symbol: 'A' }, options: {} },
        { kind: 'insert', type: 'order', value: { id: '1', symbol: 'B', n: 1 }, options: {} },
      ]),
    )
    await expect(partition.submit({ command: { kind: 'validate', seen: draft.seen } })).rejects.toMatchObject({
      code: 'TRANSACTION_CONFLICT',
    })
  })

  test('[TX3] what could be prepared can be made: a share of commandEffectsMax changes', async () => {
    const { at, partition, answers } = await bench({ commandEffectsMax: 8, sessionRequestsMax: 4 })
    await partition.submit(
      prepare(
        't',
        Array.from({ length: 8 }, (_, n) => put(`i${n}`, n)),
      ),
    )
    answers.watch('outcome', partition.submit(outcome('t', true)))
    answers.watch('read', partition.submit(get('i0')))
    await at.runtime.advance(100)
    expect([answers.of('outcome'), answers.of('read')]).toEqual([{ value: undefined }, { value: { id: 'i0', n: 0 } }])
  })

  test('[TX3] a watch begins although a lock keeps an entry whose lease is over', async () => {
    const { at, partition, answers } = await bench()
    await partition.submit({
      command: { kind: 'write', type: 'item', value: { id: 'a', n: 1 }, options: { leaseMs: 100 } },
    })
    const draft = (await partition.submit({
      command: { kind: 'draft', before: [], command: { kind: 'get', type: 'item', key: { id: 'a' } } },
    })) as { seen: Seen }
    await partition.submit(prepare('t', [], draft.seen))
    await at.runtime.advance(200)
    answers.watch(
      'watch',
      partition.submit({
        command: { kind: 'watch', type: 'item', where: {}, initial: true, since: undefined, wait: { id: 'w', ms: 10 } },
      }),
    )
    await at.runtime.advance(50)
    expect(answers.of('watch')).not.toEqual({ code: 'TRANSACTION_CONFLICT' })
  })

  test('[TX3] a prepare that comes twice does no harm', async () => {
    const { at, partition } = await bench()
    await partition.submit(prepare('t', []))
    await partition.submit(prepare('t', [])).catch(() => undefined)
    await turns()
    // Whoever recovers folds the journal.
    expect((await at.fold()).machine.table('plenum.prepared').size).toBe(1)
  })

  test('[TX4] [A8] an inquiry cannot stop the end of all leases, nor stay for ever', async () => {
    const { at, partition } = await bench()
    await partition
      .submit({ command: { kind: 'inquire', transaction: { id: 'x', coordinator: 0, until: NaN } } })
      .catch(() => undefined)
    await partition.submit({
      command: { kind: 'write', type: 'item', value: { id: 'a', n: 1 }, options: { leaseMs: 100 } },
    })
    await at.runtime.advance(1_000)
    expect(await partition.submit(get('a'))).toBeUndefined()
  })

  test('[TX4] [A8] inquiries have a limit', async () => {
    const { partition } = await bench({ preparedMax: 4 })
    for (let at = 0; at < 50; at++)
      await partition
        .submit({ command: { kind: 'inquire', transaction: { id: `x${at}`, coordinator: 0, until: 1e15 } } })
        .catch(() => undefined)
    expect(partition.replica!.machine.table('plenum.decision').size).toBeLessThanOrEqual(4)
  })

  test('[TX3] [SP5] a read that waits for a match ends at its deadline also where a lock is in its way (SP5)', async () => {
    const { at, partition, answers } = await bench()
    await partition.submit(prepare('t', [put('a', 1)]))
    answers.watch(
      'take',
      partition.submit({
        command: { kind: 'take', type: 'item', where: { n: 1 }, options: {}, wait: { id: 'w', ms: 100 } },
      }),
    )
    await at.runtime.advance(10_000)
    expect(answers.of('take')).toEqual({ value: undefined })
  })

  test('[TX4] [A8] data commands do not reach the tables of the platform', async () => {
    const { partition } = await bench()
    await partition.submit(prepare('t', [put('a', 1)]))
    const removed = partition.submit({
      command: { kind: 'remove', type: 'plenum.prepared', key: { transaction: 't' }, options: {} },
    })
    await expect(removed).rejects.toMatchObject({ code: 'ENTRY_TYPE_UNKNOWN' })
  })

  test('[TX4] [A8] nor does a transaction', async () => {
    const { partition } = await bench()
    await partition.submit(register('s'))
    const prepared = partition.submit(
      prepare('t', [{ kind: 'remove', type: 'plenum.session', key: { session: 's' }, options: {} }]),
    )
    await expect(prepared).rejects.toMatchObject({ code: 'ENTRY_TYPE_UNKNOWN' })
  })

  test('[TX4] [A8] those who wait for locks are limited together, not for each transaction (A8)', async () => {
    const { partition } = await bench({ inboxRequestsMax: 10 })
    let refused = 0
    for (let t = 0; t < 5; t++) {
      await partition.submit(prepare(`t${t}`, [put(`i${t}`, 1)]))
      for (let at = 0; at < 10; at++) partition.submit(get(`i${t}`)).catch(() => (refused += 1))
    }
    await turns()
    expect(refused).toBeGreaterThan(0)
  })

  test('[TX3] two reads of an overdue entry id with several routes', async () => {
    const { at, partition, answers } = await bench()
    for (const symbol of ['A', 'B'])
      await partition.submit({
        command: { kind: 'write', type: 'order', value: { id: '1', symbol, n: 1 }, options: { leaseMs: 100 } },
      })
    const seen: Seen = {
      entries: [],
      queries: [{ type: 'order', where: {}, since: partition.replica!.machine.change }],
    }
    await partition.submit(prepare('t', [], seen))
    await at.runtime.advance(200)
    for (const symbol of ['A', 'B'])
      answers.watch(
        symbol,
        partition.submit({ command: { kind: 'readAll', type: 'order', where: { symbol }, options: {} } }),
      )
    await turns()
    expect([answers.of('A'), answers.of('B')]).toEqual(['waits', 'waits'])
  })

  test('[TX5] [WA2] a draft does not shorten what others may watch or validate', async () => {
    const { partition } = await bench({ changeRingMax: 50 })
    await partition.submit({
      command: { kind: 'batch', commands: Array.from({ length: 40 }, (_, n) => put(`i${n}`, n)) },
    })
    const since = partition.replica!.machine.change - 20
    expect(partition.replica!.machine.ring.reaches(since)).toBe(true)
    await partition.submit({
      command: { kind: 'draft', before: [], command: { kind: 'takeAll', type: 'item', where: {}, options: {} } },
    })
    expect(partition.replica!.machine.ring.reaches(since)).toBe(true)
  })

  test('[TX4] [A8] a query that nobody may ask is not taken into a lock either (A8)', async () => {
    const { partition, limits } = await (async () => {
      const made = await bench()
      return { ...made, limits: made.at.limits }
    })()
    const or = Array.from({ length: limits.queryConditionsMax * 10 }, (_, n) => ({ n: -n }))
    const since = partition.replica!.machine.change
    const asked = partition.submit({ command: { kind: 'count', type: 'item', where: { or }, options: {} } })
    await expect(asked).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
    await expect(
      partition.submit(prepare('t', [], { entries: [], queries: [{ type: 'item', where: { or }, since }] })),
    ).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED' })
  })

  test('[TX3] what is prepared and cannot be made is told, not tried again in silence (A9)', async () => {
    const { at, partition } = await bench({ commandEffectsMax: 8, sessionRequestsMax: 4 })
    await partition.submit(
      prepare(
        't',
        Array.from({ length: 8 }, (_, n) => put(`i${n}`, n)),
      ),
    )
    const again = await Promise.allSettled([1, 2, 3].map(() => partition.submit(outcome('t', true))))
    await at.runtime.advance(10)
    expect(again.every(({ status }) => status === 'fulfilled')).toBe(true)
  })

  test('[TX3] a commit with its answer kept (over a network) also fits where the prepare did', async () => {
    const { partition } = await bench({ commandEffectsMax: 8, sessionRequestsMax: 4 })
    await partition.submit(register('s'))
    const numbered = (request: Request, number: number): Request => ({
      ...request,
      identity: { kind: 'numbered', session: 's', number, lowest: number },
    })
    await partition.submit(
      numbered(
        prepare(
          't',
          Array.from({ length: 7 }, (_, n) => put(`i${n}`, n)),
        ),
        1,
      ),
    )
    await partition.submit(numbered(outcome('t', true), 2))
  })
})
