import { expect, test } from 'vitest'
import type { Limits } from '../kernel/index.ts'
import { hashState, type Layout, type Machine, type Request, type Watched, type WatchPlace } from '../space/index.ts'
import type { Execution } from './logic.ts'
import {
  Answers,
  count,
  DataLogic,
  get,
  insert,
  itemLayout,
  PartitionBench,
  write,
} from './contract/partition-bench.ts'
import { turns } from './contract/manual-runtime.ts'

const spotLayout: Layout = {
  name: 'spot',
  fields: ['id', 'n'],
  open: false,
  id: ['id'],
  route: ['id'],
  indexes: [['n']],
  durable: false,
}

const put = (id: string, n: number, leaseMs?: number): Request => ({
  command: { kind: 'write', type: 'spot', value: { id, n }, options: { leaseMs } },
})
const look = (id: string): Request => ({ command: { kind: 'get', type: 'spot', key: { id } } })
const drop = (id: string): Request => ({ command: { kind: 'remove', type: 'spot', key: { id }, options: {} } })
const add = (id: string): Request => ({
  command: { kind: 'change', type: 'spot', key: { id }, mutations: { add: { n: 1 } }, options: {} },
})
const all: Request = { command: { kind: 'readAll', type: 'spot', where: { n: { gte: 0 } }, options: {} } }
const both = (...requests: readonly Request[]): Request => ({
  command: { kind: 'batch', commands: requests.map(({ command }) => command) as never },
})
const watch = (id: string, since: WatchPlace | undefined, ms: number): Request => ({
  command: { kind: 'watch', type: 'spot', where: { n: { gte: 0 } }, initial: true, since, wait: { id, ms } },
})

class SpotLogic extends DataLogic {
  /** The machine that it was bound to last. */
  machine: Machine | undefined

  override bind(machine: Machine): Execution {
    this.machine = machine
    return super.bind(machine)
  }
}

async function open(shared = false, limits: Partial<Limits> = {}) {
  const bench = new PartitionBench({ shared, limits })
  const logic = new SpotLogic('unit-1', bench.limits, [itemLayout, spotLayout])
  const { partition, journal } = await bench.primary(1, logic)
  const answers = new Answers()
  const ask = (name: string, request: Request): void => answers.watch(name, partition.submit(request))
  return { bench, logic, partition, journal, answers, ask }
}

test.each([false, true])(
  '[SP14] changes of what is not durable are answered without the journal (shared: %s)',
  async (shared) => {
    const { bench, partition, answers, ask } = await open(shared)
    const records = (await bench.stream.found()).length
    bench.stream.fate = 'held'
    ask('put', put('a', 1))
    ask('add', add('a'))
    ask('look', look('a'))
    ask('all', all)
    ask('drop', drop('a'))
    ask('nothing', look('a'))
    await turns()
    expect(answers.order).toEqual(['put', 'add', 'look', 'all', 'drop', 'nothing'])
    expect(answers.of('put')).toMatchObject({ value: { id: 'a', version: 1 } })
    expect(answers.of('look')).toEqual({ value: { id: 'a', n: 2 } })
    expect(answers.of('all')).toEqual({ value: [{ id: 'a', n: 2 }] })
    expect(answers.of('nothing')).toEqual({ value: undefined })
    expect((await bench.stream.found()).length).toBe(records)
    bench.stream.fate = 'acked'
    // The journaled change numbers know nothing of them.
    expect(await partition.submit(write('x', 1))).toMatchObject({ stamp: 1 })
  },
)

test('[SP14] [A1] the journaled state is the same without them', async () => {
  const { bench, logic, partition } = await open()
  await partition.submit(write('x', 1))
  await partition.submit(put('a', 1))
  await partition.submit(both(write('y', 2), put('b', 2), drop('a')))
  const folded = await bench.fold()
  expect(folded.machine.table('spot').size).toBe(0)
  expect(await partition.submit(all)).toEqual([{ id: 'b', n: 2 }])
  expect(hashState(logic.machine!)).toBe(hashState(folded.machine))
})

test('[SP14] [PA3] what was done together with something durable is answered when that is acked', async () => {
  const { bench, partition, answers, ask } = await open()
  await partition.submit(put('b', 0))
  bench.stream.fate = 'held'
  ask('both', both(write('x', 1), put('a', 1)))
  ask('look', look('a'))
  ask('count', { command: { kind: 'count', type: 'spot', where: {}, options: {} } })
  ask('on top', put('a', 2))
  ask('free', put('b', 1))
  ask('free look', look('b'))
  await turns()
  expect(answers.order).toEqual(['free', 'free look'])
  bench.stream.release()
  await turns()
  expect(answers.order).toEqual(['free', 'free look', 'both', 'look', 'count', 'on top'])
})

test('[SP14] a command that fails takes its changes back', async () => {
  const { partition } = await open()
  await partition.submit(put('a', 1))
  const large = { command: { kind: 'write', type: 'item', value: { id: 'x'.repeat(2 << 20), n: 1 }, options: {} } }
  const outcome = partition.submit(both(put('a', 2), put('b', 1), drop('a'), large as Request))
  expect(await outcome).toMatchObject([{ ok: true }, { ok: true }, { ok: true }, { ok: false }])
  expect(await partition.submit(all)).toEqual([{ id: 'b', n: 1 }])
  const unkept = { ...put('b', 9), identity: { kind: 'numbered', session: 'nobody', number: 1, lowest: 1 } } as const
  await expect(partition.submit(unkept)).rejects.toMatchObject({ code: 'SESSION_ENDED' })
  expect(await partition.submit(put('b', 2))).toMatchObject({ version: 2 })
})

test('[SP14] [SP12] a request that is repeated under its number runs once', async () => {
  const { partition } = await open()
  await partition.submit({ command: { kind: 'register', session: 's' } })
  await partition.submit(put('a', 1))
  const once: Request = { ...add('a'), identity: { kind: 'numbered', session: 's', number: 1, lowest: 1 } }
  await partition.submit(once)
  await partition.submit(once)
  expect(await partition.submit(look('a'))).toEqual({ id: 'a', n: 2 })
})

test('[SP14] [SP8] a lease ends without the journal, and those who watch hear of it', async () => {
  const { bench, partition, answers, ask } = await open()
  const begun = (await partition.submit(watch('w', undefined, 0))) as Watched & { readonly kind: 'initial' }
  bench.stream.fate = 'held'
  ask('put', put('a', 1, 500))
  ask('watch', watch('w', begun.place, 10_000))
  await turns()
  expect(answers.of('watch')).toMatchObject({
    value: { commits: [{ changes: [{ kind: 'added', entry: { id: 'a' } }] }] },
  })
  const { value } = answers.of('watch') as { readonly value: Watched & { readonly kind: 'changes' } }
  ask('end', watch('v', value.place, 10_000))
  await bench.runtime.advance(600)
  expect(answers.of('end')).toMatchObject({
    value: { commits: [{ changes: [{ kind: 'removed', reason: 'expired', entry: { id: 'a' } }] }] },
  })
  expect(await partition.submit(all)).toEqual([])
})

test('[SP14] [WA1] a watch tells what depends on a record only when that is acked', async () => {
  const { bench, partition, answers, ask } = await open()
  await partition.submit(put('b', 0))
  const begun = (await partition.submit(watch('w', undefined, 0))) as Watched & { readonly kind: 'initial' }
  bench.stream.fate = 'held'
  ask('watch', watch('w', begun.place, 10_000))
  ask('both', both(write('x', 1), put('a', 1)))
  ask('free', put('b', 1))
  await turns()
  expect(answers.order).toEqual(['free'])
  bench.stream.release()
  await turns()
  expect(answers.of('watch')).toMatchObject({
    value: { commits: [{ changes: [{ entry: { id: 'a' } }] }, { changes: [{ entry: { id: 'b' } }] }] },
  })
})

test('[SP14] [WA2] another reign has none of them, and a watch begins anew there', async () => {
  const { bench, logic, partition, answers } = await open(true)
  const written = (await partition.submit(put('a', 1))) as { readonly stamp: number }
  await partition.submit(write('x', 1))
  const begun = (await partition.submit(watch('w', undefined, 0))) as Watched & { readonly kind: 'initial' }
  expect(begun).toMatchObject({ entries: [{ id: 'a' }] })
  const second = await bench.follower(2, logic)
  await partition.close()
  await bench.runtime.advance(10_000)
  expect(await second.partition.submit(all)).toEqual([])
  expect(await second.partition.submit(count)).toBe(1)
  expect(await second.partition.submit(get('x'))).toEqual({ id: 'x', n: 1 })
  // A stamp of the reign before is that of nothing here (ID2).
  const again = (await second.partition.submit(put('a', 1))) as { readonly stamp: number }
  expect(again).toMatchObject({ version: 1 })
  expect(again.stamp).toBeGreaterThan(written.stamp)
  answers.watch('after', second.partition.submit(watch('w', begun.place, 0)))
  await turns()
  expect(answers.of('after')).toMatchObject({ value: { kind: 'gone' } })
})

test('[SP14] [JR7] a snapshot leaves them out, and they stay where they are', async () => {
  const { bench, partition } = await open()
  await partition.submit(write('x', 1))
  await partition.submit(put('a', 1))
  await partition.snapshot()
  await partition.submit(put('a', 2))
  expect(await partition.submit(look('a'))).toEqual({ id: 'a', n: 2 })
  expect((await bench.fold()).machine.table('spot').size).toBe(0)
})

test('[SP14] [TX3] no transaction reads or changes them', async () => {
  const { partition } = await open()
  await partition.submit(put('a', 1))
  const draft = (request: Request, before: readonly Request[] = []): Request => ({
    command: {
      kind: 'draft',
      before: before.map(({ command }) => command) as never,
      command: request.command as never,
    },
  })
  for (const request of [look('a'), put('a', 2), all, drop('a')]) {
    expect(await partition.submit(draft(request))).toMatchObject({
      answer: { ok: false, error: { code: 'TRANSACTION_INVALID', details: { type: 'spot' } } },
    })
  }
  await expect(partition.submit(draft(get('x'), [put('a', 2)]))).rejects.toMatchObject({ code: 'TRANSACTION_CONFLICT' })
  expect(await partition.submit(all)).toEqual([{ id: 'a', n: 1 }])
  expect(await partition.submit(put('a', 2))).toMatchObject({ version: 2 })
})

test('[SP14] [WA1] after a change that was taken back, a watch hears of the next one at once', async () => {
  const { bench, partition, answers, ask } = await open()
  const begun = (await partition.submit(watch('w', undefined, 0))) as Watched & { readonly kind: 'initial' }
  ask('watch', watch('w', begun.place, 1_000_000))
  await partition.submit({ command: { kind: 'draft', before: [], command: insert('x', 1).command as never } })
  await partition.submit(both(get('nothing'), put('a', 1)))
  await bench.runtime.advance(100)
  expect(answers.of('watch')).toMatchObject({ value: { commits: [{ changes: [{ kind: 'added' }] }] } })
})

test("[SP14] [ID2] a stamp of one reign is nobody else's in the next, though the clock was set back", async () => {
  const { bench, logic, partition } = await open()
  await partition.submit(put('a', 0))
  const begun = (await partition.submit(watch('w', undefined, 0))) as Watched & { readonly kind: 'initial' }
  const { stamp } = (await partition.submit(put('a', 1))) as { readonly stamp: number }
  await bench.runtime.advance(60_000)
  partition.drop()
  bench.runtime.setWall(-3_600_000)
  const second = await bench.primary(2, logic)
  await second.partition.submit(put('b', 0))
  await second.partition.submit(put('a', 7))
  expect(await second.partition.submit(watch('v', begun.place, 0))).toMatchObject({ kind: 'gone' })
  const patch = {
    kind: 'patch',
    type: 'spot',
    key: { id: 'a' },
    fields: { n: 2 },
    options: { ifStamp: stamp },
  } as const
  await expect(second.partition.submit({ command: patch })).rejects.toMatchObject({ code: 'STAMP_CONFLICT' })
})

test('[SP14] [PA4] a primary whose lease is over tells nobody of a change that nobody else will know', async () => {
  const { bench, logic, partition, answers, ask } = await open(true)
  const begun = (await partition.submit(watch('w', undefined, 0))) as Watched & { readonly kind: 'initial' }
  const second = await bench.follower(2, logic)
  ask('watch', watch('w', begun.place, 1_000_000))
  bench.stream.plan('held')
  ask('x', write('x', 1))
  await turns()
  await bench.runtime.advance(bench.limits.leaseMs * 1.2)
  expect(second.partition.role.kind).toBe('primary')
  ask('put', put('a', 1))
  await turns()
  expect([answers.of('put'), answers.of('watch')]).toEqual(['waits', 'waits'])
})

test('[SP14] [WA1] a watch begins at once where nothing that it tells is unacked', async () => {
  const { bench, answers, ask } = await open()
  bench.stream.fate = 'held'
  ask('x', write('x', 1))
  await turns()
  ask('look', look('a'))
  ask('watch', watch('w', undefined, 0))
  await turns()
  expect(answers.order).toEqual(['look', 'watch'])
})

test('[SP14] leases in a burst all end, and behind the ring a watch begins anew', async () => {
  const { bench, partition, logic } = await open(false, {
    commandEffectsMax: 4,
    sessionRequestsMax: 2,
    changeRingMax: 30,
  })
  const { place } = (await partition.submit(watch('w', undefined, 0))) as Watched & { readonly kind: 'initial' }
  bench.stream.fate = 'held'
  for (let n = 0; n < 13; n++) await partition.submit(put(`s${n}`, n, 500))
  await bench.runtime.advance(700)
  expect(logic.machine!.table('spot').size).toBe(0)
  const told = (await partition.submit(watch('w', place, 0))) as Watched & { readonly kind: 'changes' }
  const kinds = told.commits.flatMap(({ changes }) => changes.map(({ kind }) => kind))
  expect(kinds.filter((kind) => kind === 'removed')).toHaveLength(13)
  for (let n = 0; n < 5; n++) await partition.submit(put('a', n))
  expect(await partition.submit(watch('w', place, 0))).toMatchObject({ kind: 'gone' })
})

test('[SP14] a command that is taken back leaves no trace of anything', async () => {
  const { bench, partition, logic, answers, ask } = await open(false, { answerBytesMax: 300 })
  await partition.submit({ command: { kind: 'register', session: 's' } })
  await partition.submit(put('a', 1, 500))
  await partition.submit(put('b', 2))
  await partition.submit(put('c', 3))
  const { place } = (await partition.submit(watch('w', undefined, 0))) as Watched & { readonly kind: 'initial' }
  const table = logic.machine!.table('spot')
  const traces = (): unknown => [
    table.lastIndex,
    ...[...table.rows()].map((row) => [row.value, row.version, row.stamp, row.index, row.lease, row.born]),
  ]
  const [entries, before] = [await partition.submit(all), JSON.stringify(traces())]
  const renew: Request = { command: { kind: 'renew', type: 'spot', key: { id: 'a' }, leaseMs: 60_000 } }
  const many = both(renew, put('b', 9, 100), drop('c'), put('d', 1), drop('d'), put('d', 5), all, all, all, all)
  const failing: Request = { ...many, identity: { kind: 'numbered', session: 's', number: 1, lowest: 1 } }
  await expect(partition.submit(failing)).rejects.toMatchObject({ code: 'VALUE_TOO_LARGE' })
  expect(await partition.submit(all)).toEqual(entries)
  expect(JSON.stringify(traces())).toBe(before)
  ask('watch', watch('w', place, 100_000))
  await bench.runtime.advance(600)
  expect(answers.of('watch')).toMatchObject({ value: { commits: [{ changes: [{ reason: 'expired' }] }] } })
})
