import { expect, test } from 'vitest'
import { get, insert, numbered, PartitionBench, register, write } from './contract/partition-bench.ts'

async function bench(limits = {}, shared = false) {
  const at = new PartitionBench({ shared, limits })
  const member = await at.primary()
  await member.partition.submit(register('s'))
  const ask = (
    request: typeof write extends (...rest: never) => infer R ? R : never,
    number: number,
    lowest?: number,
  ) => member.partition.submit(numbered(request, 's', number, lowest))
  return { at, ...member, ask }
}

test('[SP12] effects and answer stand in one record; a number that comes again gets the first answer, errors too', async () => {
  const { at, partition, ask } = await bench()
  const before = (await at.stream.found()).length
  expect(await ask(write('a', 1), 1)).toMatchObject({ version: 1 })
  expect((await at.stream.found()).length).toBe(before + 1)
  expect(await ask(write('a', 2), 1)).toMatchObject({ version: 1 })
  await expect(ask(insert('a', 1), 2)).rejects.toMatchObject({ code: 'ENTRY_EXISTS' })
  await partition.submit({ command: { kind: 'remove', type: 'item', key: { id: 'a' }, options: {} } })
  await expect(ask(insert('a', 1), 2)).rejects.toMatchObject({ code: 'ENTRY_EXISTS' })
  expect(await partition.submit(get('a'))).toBeUndefined()
})

test('[SP12] the first answer is given also after a takeover', async () => {
  const { at, partition, ask } = await bench({}, true)
  const second = await at.follower(2)
  await ask(write('a', 1), 1)
  partition.drop()
  await at.runtime.advance(at.limits.leaseMs * 1.2)
  expect(await second.partition.submit(numbered(write('a', 2), 's', 1))).toMatchObject({ version: 1 })
  expect(await second.partition.submit(get('a'))).toEqual({ id: 'a', n: 1 })
})

test('[SP12] requests of a session that is unknown, has ended, or is past its lease are SESSION_ENDED and never run', async () => {
  const { at, partition, ask } = await bench({ sessionLeaseMs: 1_000 })
  await expect(partition.submit(numbered(write('a', 1), 'other', 1))).rejects.toMatchObject({ code: 'SESSION_ENDED' })
  await ask(write('b', 1), 1)
  at.runtime.stall(1_001)
  await expect(ask(write('a', 1), 2)).rejects.toMatchObject({ code: 'SESSION_ENDED', retry: 'never' })
  await partition.submit(register('s'))
  await ask(write('b', 2), 1)
  await partition.submit({ command: { kind: 'end', session: 's' } })
  await expect(ask(write('a', 1), 3)).rejects.toMatchObject({ code: 'SESSION_ENDED' })
  await partition.submit({ command: { kind: 'end', session: 's' } })
  expect(await partition.submit(get('a'))).toBeUndefined()
  expect(partition.replica!.machine.table('plenum.answer').size).toBe(0)
})

test('[SP12] answers below the lowest open number are forgotten together; such a number never runs again', async () => {
  const { partition, ask } = await bench()
  for (let number = 1; number <= 40; number++) await ask(write('a', number), number)
  expect(partition.replica!.machine.table('plenum.answer').size).toBeLessThan(34)
  await expect(ask(write('a', 99), 1, 1)).rejects.toMatchObject({ code: 'SESSION_ENDED' })
  expect(await ask(write('a', 99), 40)).toMatchObject({ version: 40 })
})

test('[SP12] a session that is used lives on, half a lease before its end at the latest', async () => {
  const { at, ask } = await bench({ sessionLeaseMs: 1_000 })
  for (let number = 1; number <= 10; number++) {
    await ask(write('a', number), number)
    at.runtime.stall(400)
  }
  expect(await ask(write('a', 11), 11)).toMatchObject({ version: 11 })
})

test('[SP12] [A8] sessions, their open requests and keyed answers are bounded', async () => {
  const { partition, ask } = await bench({ sessionsMax: 1, sessionRequestsMax: 4, keyedAnswersMax: 1 })
  await expect(partition.submit(register('second'))).rejects.toMatchObject({
    code: 'LIMIT_EXCEEDED',
    details: { limit: 'sessionsMax' },
  })
  await ask(write('a', 1), 4, 1)
  await expect(ask(write('a', 1), 5, 1)).rejects.toMatchObject({ details: { limit: 'sessionRequestsMax' } })
  const keyed = (key: string) => ({ ...write('a', 2), identity: { kind: 'keyed', key } as const })
  await partition.submit(keyed('one'))
  await expect(partition.submit(keyed('two'))).rejects.toMatchObject({ details: { limit: 'keyedAnswersMax' } })
})

test('[SP12] an answer under a key is kept for its time, sessions or not, and then forgotten', async () => {
  const { at, partition } = await bench({ keyedAnswerMs: 5_000, sessionLeaseMs: 1_000 })
  const keyed = { ...insert('a', 1), identity: { kind: 'keyed', key: 'k' } as const }
  await partition.submit(keyed)
  at.runtime.stall(4_900)
  expect(await partition.submit(keyed)).toEqual({ id: 'a', n: 1 })
  at.runtime.stall(400)
  await expect(partition.submit(keyed)).rejects.toMatchObject({ code: 'ENTRY_EXISTS' })
})
