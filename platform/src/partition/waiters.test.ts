import { describe, expect, test } from 'vitest'
import type { Request } from '../space/index.ts'
import { Answers, insert, numbered, PartitionBench, register, write } from './contract/partition-bench.ts'
import { turns } from './contract/manual-runtime.ts'
import { Waiters } from './waiters.ts'

/** A take, or a read, that waits under a name for an item with this n. */
function waiting(id: string, n: number, ms: number, kind: 'take' | 'read' = 'take'): Request {
  return { command: { kind, type: 'item', where: { n }, options: {}, wait: { id, ms } } }
}

async function bench(shared = false) {
  const at = new PartitionBench({ shared })
  const member = await at.primary()
  await member.partition.submit(register('s'))
  return { at, answers: new Answers(), ...member }
}

describe('who waits at a partition', () => {
  test('[SP5] nothing is evaluated while nothing is written, and only for those whose type was', async () => {
    const { at, partition } = await bench()
    await partition.submit(write('x', 2))
    await partition.submit(write('y', 1))
    const waiters = new Waiters(at.runtime.timers)
    const machine = (await at.fold()).machine
    const [table, other] = [machine.table('item'), machine.table('plenum.source')]
    for (const id of ['a', 'b', 'c']) {
      const request = waiting(id, 1, 1_000)
      void waiters.add({ id, request, table, where: { n: 1 }, until: 1_000, afterMs: 1_000, onTimeout: () => {} })
    }
    waiters.serve(() => 'answered')
    waiters.endUntil(999, () => expect.unreachable('it is not over yet'))
    const [x, y] = [table.find({ id: 'x' })!, table.find({ id: 'y' })!]
    waiters.notice(other, y)
    expect(waiters.evaluated).toBe(0)
    waiters.notice(table, x)
    expect(waiters.evaluated).toBe(3)
    waiters.serve(() => expect.unreachable('nobody was given anything'))
    waiters.notice(table, y)
    const order: string[] = []
    waiters.serve(({ id }) => (order.push(id), id === 'b' ? 'answered' : 'nothing'))
    expect([order, waiters.count]).toEqual([['a', 'b', 'c'], 2])
  })

  test('[SP5] a grant happens before the deadline in partition time, whatever the timers do', async () => {
    const { at, partition, answers } = await bench()
    answers.watch('late', partition.submit(waiting('w', 1, 100)))
    await turns()
    // The loop is held up: the timer of the wait has not fired when the entry comes.
    at.runtime.stall(150)
    await partition.submit(write('a', 1))
    await turns()
    expect(answers.of('late')).toEqual({ value: undefined })
    expect(await partition.submit(waiting('v', 1, 100))).toMatchObject({ id: 'a' })
  })

  test('[SP5] [SP12] a request that waits and is sent again waits once, and a late copy of it takes nothing', async () => {
    const { at, partition, answers } = await bench()
    const request = numbered(waiting('w', 1, 100), 's', 1)
    answers.watch('first', partition.submit(request))
    answers.watch('again', partition.submit(request))
    await partition.submit(write('a', 1))
    await partition.submit(write('b', 1))
    await turns()
    expect(answers.of('first')).toEqual({ value: { id: 'a', n: 1 } })
    expect(answers.of('again')).toEqual({ value: { id: 'a', n: 1 } })
    const other = numbered(waiting('v', 2, 100), 's', 2)
    answers.watch('nothing', partition.submit(other))
    await at.runtime.advance(120)
    expect(answers.of('nothing')).toEqual({ value: undefined })
    await partition.submit(insert('c', 2))
    expect(await partition.submit(other)).toBeUndefined()
    expect(await at.stored('c')).toEqual({ id: 'c', n: 2 })
    expect(await at.stored('b')).toEqual({ id: 'b', n: 1 })
  })

  test('[SP5] [SP12] a wait that ended without a match has its answer, whoever is primary when it is sent again', async () => {
    const { at, partition, answers } = await bench()
    const request = numbered(waiting('w', 1, 100), 's', 1)
    answers.watch('nothing', partition.submit(request))
    await at.runtime.advance(120)
    expect(answers.of('nothing')).toEqual({ value: undefined })
    await partition.close()
    const next = await at.primary()
    await next.partition.submit(write('a', 1))
    expect(await next.partition.submit(request)).toBeUndefined()
    expect(await at.stored('a')).toEqual({ id: 'a', n: 1 })
  })

  test('[SP5] a wait that is cancelled is over, and says whether it still waited', async () => {
    const { partition, answers } = await bench()
    answers.watch('given up', partition.submit(numbered(waiting('w', 1, 1_000), 's', 1)))
    answers.watch('granted', partition.submit(numbered(waiting('v', 2, 1_000), 's', 2)))
    await partition.submit(write('b', 2))
    expect(await partition.submit({ command: { kind: 'cancel', wait: 'w' } })).toBe(true)
    expect(await partition.submit({ command: { kind: 'cancel', wait: 'v' } })).toBe(false)
    await partition.submit(write('a', 1))
    await turns()
    expect(answers.of('given up')).toEqual({ value: undefined })
    expect(answers.of('granted')).toEqual({ value: { id: 'b', n: 2 } })
  })

  test('[SP5] when a reign ends, who waits is told to ask elsewhere', async () => {
    const { at, partition, answers } = await bench(true)
    answers.watch('waits', partition.submit(waiting('w', 1, 60_000)))
    answers.watch('reads', partition.submit(waiting('v', 1, 60_000, 'read')))
    await partition.close()
    await at.runtime.advance(1)
    expect([answers.of('waits'), answers.of('reads')]).toEqual([{ code: 'NOT_PRIMARY' }, { code: 'NOT_PRIMARY' }])
  })
})
