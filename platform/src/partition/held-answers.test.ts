import { expect, test } from 'vitest'
import type { Machine } from '../space/index.ts'
import {
  Answers,
  count,
  DataLogic,
  get,
  insert,
  PartitionBench,
  readAll,
  remove,
  write,
} from './contract/partition-bench.ts'
import { turns } from './contract/manual-runtime.ts'
import { Deferred, type Execution, type LogicCommand } from './logic.ts'

async function heldBench(shared: boolean) {
  const bench = new PartitionBench({ shared })
  const { partition, journal } = await bench.primary()
  await partition.submit(write('old', 1))
  const answers = new Answers()
  const ask = (name: string, request: Parameters<typeof partition.submit>[0]): void =>
    answers.watch(name, partition.submit(request))
  bench.stream.fate = 'held'
  return { bench, partition, journal, answers, ask }
}

test.each([false, true])(
  '[PA3] [A3] every answer waits for the ack of what it saw, and they leave in order (shared: %s)',
  async (shared) => {
    const { bench, answers, ask } = await heldBench(shared)
    ask('write', write('new', 2))
    ask('read of it', get('new'))
    ask('error about it', insert('new', 3))
    ask('removal', remove('old'))
    ask('miss of what was removed', get('old'))
    ask('count', count)
    ask('empty answer', readAll)
    await turns()
    expect(answers.order).toEqual([])
    bench.stream.release()
    await turns()
    expect(answers.order).toEqual([
      'write',
      'read of it',
      'error about it',
      'removal',
      'miss of what was removed',
      'count',
      'empty answer',
    ])
    expect(answers.of('read of it')).toEqual({ value: { id: 'new', n: 2 } })
    expect(answers.of('error about it')).toEqual({ code: 'ENTRY_EXISTS' })
    expect(answers.of('miss of what was removed')).toEqual({ value: undefined })
    expect(answers.of('empty answer')).toEqual({ value: [] })
  },
)

test('[PA3] [A3] what depends on nothing unacked leaves at once; what is in the next batch waits for its own ack', async () => {
  const { bench, answers, ask } = await heldBench(false)
  ask('first', write('a', 1))
  await turns()
  ask('second', write('b', 1))
  ask('read of old', get('old'))
  ask('read of second', get('b'))
  await turns()
  expect(answers.order).toEqual(['read of old'])
  bench.stream.release(1)
  await turns()
  expect(answers.order).toEqual(['read of old', 'first'])
  bench.stream.release(1)
  await turns()
  expect(answers.order).toEqual(['read of old', 'first', 'second', 'read of second'])
})

test('[PA3] when the reign ends, answers that wait are UNKNOWN_OUTCOME and the machine is built anew', async () => {
  const bench = new PartitionBench({ shared: true })
  const first = await bench.primary(1)
  await first.partition.submit(write('a', 1))
  const second = await bench.follower(2)
  bench.stream.plan('dropped')
  first.journal.silent = true
  const answers = new Answers()
  answers.watch('write', first.partition.submit(write('a', 2)))
  answers.watch('read', first.partition.submit(get('a')))
  await bench.runtime.advance(bench.limits.leaseMs * 1.2)
  expect(answers.order).toEqual([])
  first.journal.silent = false
  await bench.runtime.advance(100)
  expect(second.partition.role.kind).toBe('primary')
  expect(answers.of('write')).toEqual({ code: 'UNKNOWN_OUTCOME' })
  expect(answers.of('read')).toEqual({ code: 'UNKNOWN_OUTCOME' })
  expect(first.partition.role.kind).toBe('following')
  expect(await second.partition.submit(get('a'))).toEqual({ id: 'a', n: 1 })
  expect(first.partition.replica?.machine.table('item').find({ id: 'a' })?.value['n']).toBe(1)
})

test('[PA3] a snapshot is named while a batch is open: no answer of that batch leaves with its ack', async () => {
  const { bench, partition, answers, ask } = await heldBench(false)
  bench.stream.fate = 'acked'
  const { promise, resolve } = Promise.withResolvers<void>()
  bench.stream.naming = promise
  const snapshot = partition.snapshot()
  await turns(20)
  bench.stream.fate = 'held'
  ask('in flight', write('x', 1))
  await turns()
  ask('in the open batch', write('y', 1))
  resolve()
  await turns()
  bench.stream.fate = 'dropped later'
  bench.stream.release(2)
  await turns()
  expect(answers.order).toEqual(['in flight', 'in the open batch'])
  expect(await bench.stored('y')).toEqual({ id: 'y', n: 1 })
  bench.stream.fate = 'acked'
  bench.stream.release()
  await snapshot
})

test('[PA3] a close that meets a stopped flow ends with CLOSE, after everything that was executed', async () => {
  const { bench, partition, journal, answers, ask } = await heldBench(false)
  bench.stream.plan('dropped later')
  ask('in flight', write('x', 1))
  await turns()
  ask('in the open batch', write('y', 1))
  journal.silent = true
  bench.stream.release()
  await turns()
  const closed = partition.close()
  journal.silent = false
  await bench.runtime.advance(100)
  bench.stream.fate = 'acked'
  bench.stream.release()
  await turns()
  await closed
  expect(answers.order).toEqual(['in flight', 'in the open batch'])
  expect((await bench.stream.kinds()).slice(-3)).toEqual(['BATCH', 'BATCH', 'CLOSE'])
})

/** A primary whose one function ends when the test says so, and has read as much as the test says. */
async function longBench(shared: boolean) {
  const bench = new PartitionBench({ shared })
  const ends = Promise.withResolvers<string>()
  const read = { dependency: 0 }
  class LongLogic extends DataLogic {
    override bind(machine: Machine): Execution {
      const execution = super.bind(machine)
      const { execute } = execution
      return Object.assign(execution, {
        execute: (command: LogicCommand) =>
          command.kind === 'task' ? new Deferred(ends.promise, () => read.dependency) : execute(command),
      })
    }
  }
  const { partition } = await bench.primary(1, new LongLogic('unit-1', bench.limits))
  const answers = new Answers()
  const caller = { kind: 'unit', subject: 'u', claims: {} } as const
  const ask = (more: { readonly read?: 'confirmed' } = {}): void =>
    answers.watch('task', partition.submit({ command: { kind: 'task', task: 't', input: {}, caller }, ...more }))
  return { bench, partition, answers, ask, ends, read }
}

test('[PA3] [UN4] what a function answers that goes on for long waits for all that it has read by then', async () => {
  const { bench, partition, answers, ask, ends, read } = await longBench(false)
  ask()
  bench.stream.fate = 'held'
  answers.watch('write', partition.submit(write('a', 1)))
  await turns()
  read.dependency = Infinity
  ends.resolve('done')
  await turns()
  expect(answers.order).toEqual([])
  bench.stream.release()
  await turns()
  expect(answers.order).toEqual(['write', 'task'])
  expect(answers.of('task')).toEqual({ value: 'done' })
})

test('[PA3] [PA4] nothing is sent behind CLOSE, and a function that ends by then is answered', async () => {
  const { bench, partition, answers, ask, ends } = await longBench(true)
  ask({ read: 'confirmed' })
  bench.stream.fate = 'held'
  await turns()
  const closed = partition.close()
  await turns()
  ends.resolve('done')
  await turns()
  expect((await bench.stream.kinds()).at(-1)).toBe('CLOSE')
  bench.stream.release(1)
  await closed
  await turns()
  expect(answers.of('task')).toEqual({ code: 'UNKNOWN_OUTCOME' })
})
