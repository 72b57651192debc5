import { expect, test } from 'vitest'
import { Answers, get, PartitionBench, write } from './contract/partition-bench.ts'
import { turns } from './contract/manual-runtime.ts'

/** A reign in which every write is a record of its own. */
async function bench(shared = true) {
  const at = new PartitionBench({ shared, limits: { batchBytes: 1 } })
  const member = await at.primary()
  await member.partition.submit(write('old', 1))
  const answers = new Answers()
  const ask = (name: string, n: number): void => answers.watch(name, member.partition.submit(write(name, n)))
  const lastSent = (count: number) => at.stream.sent.slice(-count)
  return { at, ...member, answers, ask, lastSent }
}

test('[JR2] acks count in the order of the window, whatever the order in which they come', async () => {
  const { at, answers, ask } = await bench()
  at.stream.plan('held', 'held')
  ask('a', 1)
  ask('b', 1)
  await turns()
  at.stream.releaseLast()
  await turns()
  expect(answers.order).toEqual([])
  at.stream.release()
  await turns()
  expect(answers.order).toEqual(['a', 'b'])
})

test('[JR2] [JR4] a record that was acked elsewhere than it aimed does not count; it is stamped anew', async () => {
  const { at, answers, ask, events } = await bench()
  at.stream.displaceBy((await at.stream.found()).at(-1)!.bytes)
  at.stream.plan('displaced')
  ask('a', 1)
  await turns()
  await at.runtime.advance(200)
  expect(answers.of('a')).toMatchObject({ value: { id: 'a', version: 1 } })
  expect(await at.stored('a')).toEqual({ id: 'a', n: 1 })
  const reasons = events.flatMap((event) => (event.kind === 'void' ? [event.reason] : []))
  expect(reasons).toEqual(['found elsewhere', 'found elsewhere'])
  expect((await at.fold()).fold.voids).toBe(2)
})

test('[JR4] a record that is there counts as acked after all, and is not appended twice', async () => {
  const { at, answers, ask, lastSent } = await bench()
  at.stream.plan('lost ack')
  ask('a', 1)
  await turns()
  expect(answers.of('a')).toMatchObject({ value: { version: 1 } })
  expect(lastSent(2).map(({ position }) => position)).toEqual([3, 4])
  expect(at.runtime.probes).toContain('acked after all')
})

test.each(['refused', 'dropped', 'late'] as const)(
  '[JR4] after %s, a place that is still free is aimed at with the same bytes, the whole window in order',
  async (fate) => {
    const { at, answers, ask, lastSent } = await bench()
    at.stream.plan(fate, 'refused', 'refused')
    ask('a', 1)
    ask('b', 1)
    ask('c', 1)
    await at.runtime.advance(200)
    await at.stream.deliver()
    expect(answers.order).toEqual(['a', 'b', 'c'])
    const sent = lastSent(6)
    expect(sent.slice(3)).toEqual(sent.slice(0, 3))
    expect((await at.stream.found()).slice(-3)).toEqual(sent.slice(3))
  },
)

test.each(['full', 'unavailable'] as const)('[JR4] a journal that is %s is asked again later', async (fate) => {
  const { at, answers, ask } = await bench()
  at.stream.plan(fate)
  ask('a', 1)
  await turns()
  expect(answers.order).toEqual([])
  await at.runtime.advance(200)
  expect(answers.order).toEqual(['a'])
})

test('[JR4] while an outcome is unclear nothing is accepted; what came meanwhile is answered afterwards', async () => {
  const { at, partition, journal, answers, ask } = await bench()
  at.stream.plan('dropped')
  journal.silent = true
  ask('a', 1)
  await turns()
  const sent = at.stream.sent.length
  ask('b', 1)
  answers.watch('read', partition.submit(get('old')))
  await turns()
  expect(answers.order).toEqual([])
  expect(at.stream.sent.length).toBe(sent)
  journal.silent = false
  await at.runtime.advance(200)
  expect(answers.order.toSorted()).toEqual(['a', 'b', 'read'])
})

test('[JR4] [A4] a higher OPEN in the journal fences: the role ends, and what still arrives is void', async () => {
  const { at, partition, journal, answers, ask, events } = await bench()
  const second = await at.follower(2)
  at.stream.plan('dropped')
  journal.silent = true
  ask('a', 1)
  await turns()
  const late = at.stream.sent.at(-1)!
  await at.runtime.advance(at.limits.leaseMs * 1.2)
  expect(second.partition.role.kind).toBe('primary')
  journal.silent = false
  await at.runtime.advance(100)
  expect(answers.of('a')).toEqual({ code: 'UNKNOWN_OUTCOME' })
  expect(events).toContainEqual({ kind: 'role', role: 'fenced', epoch: 0, index: 0 })
  expect(partition.role.kind).toBe('following')
  at.stream.displaceBy(late.bytes)
  at.stream.plan('displaced')
  const written = second.partition.submit(write('b', 2))
  await at.runtime.advance(200)
  expect(await written).toMatchObject({ id: 'b' })
  expect(await at.stored('a')).toBeUndefined()
  const head = second.partition.replica?.fold.head
  expect(partition.replica?.fold.head).toEqual(head)
  expect((await at.fold()).fold.head).toEqual(head)
})

test('[JR2] a failed append is final: the partition has failed and says why', async () => {
  const { at, partition, answers, ask, events } = await bench(false)
  at.stream.plan('failed')
  ask('a', 1)
  await turns()
  expect(answers.of('a')).toEqual({ code: 'UNKNOWN_OUTCOME' })
  await expect(partition.submit(get('old'))).rejects.toMatchObject({ code: 'JOURNAL_FAILED' })
  expect(events.at(-1)).toMatchObject({ kind: 'failed', error: { code: 'JOURNAL_FAILED' } })
})

test('[JR4] a journal that does nothing but refuse is asked less and less, and taken up again when it takes records', async () => {
  const { at, answers, ask } = await bench(false)
  const before = at.stream.sent.length
  // So many that a loop without delay would use them up within one turn, and end.
  at.stream.plan(...Array.from({ length: 2_000 }, () => 'refused' as const))
  ask('a', 1)
  await turns(500)
  expect(at.stream.sent.length - before).toBeLessThan(5)
  await at.runtime.advance(10_000)
  const tries = at.stream.sent.length - before
  expect(tries).toBeGreaterThan(5)
  expect(tries).toBeLessThan(20)
  expect(answers.of('a')).toBe('waits')
  at.stream.forgetPlan()
  await at.runtime.advance(3_000)
  expect(answers.of('a')).toMatchObject({ value: { version: 1 } })
})
