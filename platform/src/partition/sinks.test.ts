import { expect, test } from 'vitest'
import type { Limits } from '../kernel/index.ts'
import type { Layout } from '../space/index.ts'
import { turns } from './contract/manual-runtime.ts'
import { Answers, DataLogic, itemLayout, PartitionBench, write } from './contract/partition-bench.ts'
import type { ProjectionRule, SinkBatch, SinkRule } from './index.ts'
import { journalFull, notPrimary } from './primary-errors.ts'

const otherLayout: Layout = { ...itemLayout, name: 'other' }

function keeping(name: string, of: readonly string[]): ProjectionRule {
  return {
    name,
    of,
    create: () => null,
    apply: (_, change, out) => out.keep(change, Infinity),
    save: () => null,
    load: () => null,
  }
}

/** A store that writes what it is given once it is let. */
class Store {
  readonly batches: SinkBatch[] = []
  #waiting: (() => void)[] = []
  isOpen = false

  readonly write = async (batch: SinkBatch): Promise<void> => {
    if (!this.isOpen) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    this.batches.push(batch)
  }

  /** Has so many batches written. */
  async take(count: number): Promise<void> {
    for (let n = 0; n < count; n++) {
      this.#waiting.shift()?.()
      await turns(20)
    }
  }

  get ids(): readonly unknown[] {
    return this.batches.flatMap(({ changes }) => changes.map(({ change }) => change.entry['id']))
  }
}

function mirror(store: Store, rule: Partial<SinkRule> = {}): SinkRule {
  const writer = (): Store['write'] => store.write
  return { name: 'sink mirror', of: ['item'], batch: 5, whenFull: 'wait', timeoutMs: 1e9, writer, ...rule }
}

function benchWith(limits: Partial<Limits>) {
  const bench = new PartitionBench({ shared: false, limits: { batchBytes: 1, ...limits } })
  const logicOf = (unit: string, ...sinks: readonly SinkRule[]): DataLogic =>
    new DataLogic(
      unit,
      bench.limits,
      [itemLayout, otherLayout],
      [],
      undefined,
      sinks.map(({ name, of }) => keeping(name, of)),
      sinks,
    )
  return { bench, logicOf }
}

const writeOther = (id: string): ReturnType<typeof write> => ({
  command: { kind: 'write', type: 'other', value: { id, n: 1 }, options: {} },
})

test('[UN7] [A8] those who wait for a sink are let in as it gets room, in their order, and one event says that it is full', async () => {
  const { bench, logicOf } = benchWith({ sinkChangesMax: 20 })
  const store = new Store()
  const { partition, events } = await bench.primary(1, logicOf('unit-1', mirror(store)))
  const answers = new Answers()
  for (let n = 0; n < 20; n++) await partition.submit(write(`i${n}`, n))
  for (let n = 20; n < 60; n++) answers.watch(`i${n}`, partition.submit(write(`i${n}`, n)))
  await turns()
  expect(answers.order).toEqual([])
  const told = (): unknown[] => events.filter(({ kind }) => kind === 'sink-full')
  expect(told()).toEqual([{ kind: 'sink-full', sink: 'sink mirror', pending: 20 }])
  for (let batches = 1; batches <= 8; batches++) {
    if (batches === 2) bench.stream.plan('acked', 'held')
    await store.take(1)
    // Nobody passes those who wait, also while there is room that was given to others.
    if (batches === 2) answers.watch('late', partition.submit(write('late', 1)))
    bench.stream.release()
    await turns(20)
    // The first batch was the first change alone.
    expect(answers.order).toEqual(Array.from({ length: 5 * batches - 4 }, (_, n) => `i${n + 20}`))
  }
  store.isOpen = true
  await store.take(1)
  expect(answers.order).toHaveLength(41)
  expect(answers.order.at(-1)).toBe('late')
  expect(store.ids).toEqual([...Array.from({ length: 60 }, (_, n) => `i${n}`), 'late'])
  expect(told()).toHaveLength(1)
})

/** Two sinks of a type each, both full. */
async function twoFull(limits: Partial<Limits> = {}) {
  const { bench, logicOf } = benchWith({ sinkChangesMax: 5, ...limits })
  const [store, others] = [new Store(), new Store()]
  const sinks = [mirror(store), mirror(others, { name: 'sink others', of: ['other'] })]
  const { partition } = await bench.primary(1, logicOf('unit-1', ...sinks))
  for (let n = 0; n < 5; n++) {
    await partition.submit(write(`i${n}`, n))
    await partition.submit(writeOther(`o${n}`))
  }
  return { partition, store, others }
}

test('[UN7] [A8] those who wait for one sink do not wait for another, and a message that is asked for again waits once', async () => {
  const { partition, store, others } = await twoFull({ inboxRequestsMax: 3 })
  const answers = new Answers()
  answers.watch('item', partition.submit(write('late', 1)))
  answers.watch('other', partition.submit(writeOther('late')))
  const call = { handler: 'h', input: {}, route: 'r', caller: { kind: 'unit', subject: 'u', claims: {} } } as const
  const deliver = { kind: 'deliver', from: 3, number: 1, lowest: 1, call } as const
  answers.watch('message', partition.submit({ command: deliver }))
  await turns()
  for (const name of ['again', 'and again']) answers.watch(name, partition.submit({ command: deliver }))
  await others.take(1)
  expect(answers.order).toEqual(['other'])
  await store.take(1)
  expect(answers.order).toEqual(['other', 'item'])
  // It is answered for both who asked.
  await others.take(1)
  await store.take(1)
  expect(answers.order).toEqual(['other', 'item', 'message', 'again', 'and again'])
})

const call = (): ReturnType<typeof write> => ({
  command: { kind: 'call', handler: 'h', input: 1, caller: { kind: 'unit', subject: 'u', claims: {} } },
})

test('[UN7] [A8] those who were let in and change nothing make room for the next, though no record says so', async () => {
  const { bench, logicOf } = benchWith({ sinkChangesMax: 5 })
  const store = new Store()
  const { partition } = await bench.primary(1, logicOf('unit-1', mirror(store)))
  for (let n = 0; n < 5; n++) await partition.submit(write(`i${n}`, n))
  const answers = new Answers()
  for (let n = 0; n < 20; n++) answers.watch(`c${n}`, partition.submit(call()))
  await turns()
  expect(answers.order).toEqual([])
  await store.take(1)
  expect(answers.order).toEqual(Array.from({ length: 20 }, (_, n) => `c${n}`))
})

test('[UN7] [A8] who waits for one sink and feeds another as well is not passed there', async () => {
  const { partition, store, others } = await twoFull()
  const answers = new Answers()
  answers.watch('call', partition.submit(call()))
  answers.watch('other', partition.submit(writeOther('late')))
  await others.take(1)
  expect(answers.order).toEqual([])
  await store.take(1)
  expect(answers.order.toSorted()).toEqual(['call', 'other'])
})

test('[UN7] [A8] two sinks of one type let in at the same time, in order, and by the one that has less room', async () => {
  const { bench, logicOf } = benchWith({ sinkChangesMax: 5 })
  const [one, other] = [new Store(), new Store()]
  const sinks = [mirror(one), mirror(other, { name: 'sink other' })]
  const { partition } = await bench.primary(1, logicOf('unit-1', ...sinks))
  for (let n = 0; n < 5; n++) await partition.submit(write(`i${n}`, n))
  const answers = new Answers()
  for (let n = 5; n < 20; n++) answers.watch(`i${n}`, partition.submit(write(`i${n}`, n)))
  one.isOpen = true
  await one.take(1)
  expect(answers.order).toEqual([])
  other.isOpen = true
  await other.take(1)
  await turns(40)
  const all = Array.from({ length: 20 }, (_, n) => `i${n}`)
  expect(answers.order).toEqual(all.slice(5))
  expect([one.ids, other.ids]).toEqual([all, all])
})

test('[UN7] [SP5] a take that waits for room and for a match is over in its time, and when it is cancelled', async () => {
  const { bench, logicOf } = benchWith({ sinkChangesMax: 2 })
  const { partition } = await bench.primary(1, logicOf('unit-1', mirror(new Store())))
  for (let n = 0; n < 2; n++) await partition.submit(write(`i${n}`, n))
  const answers = new Answers()
  const take = (id: string): ReturnType<typeof write> => ({
    command: { kind: 'take', type: 'item', where: {}, options: {}, wait: { id, ms: 500 } },
  })
  answers.watch('late', partition.submit(take('w1')))
  answers.watch('cancelled', partition.submit(take('w2')))
  expect(await partition.submit({ command: { kind: 'cancel', wait: 'w2' } })).toBe(true)
  await turns()
  expect(answers.of('cancelled')).toEqual({ value: undefined })
  await bench.runtime.advance(600)
  expect(answers.of('late')).toEqual({ value: undefined })
})

test('[UN7] what a new sink begins with takes no room from changes, and goes to its store once its unit is acked', async () => {
  const { bench, logicOf } = benchWith({ sinkChangesMax: 5 })
  const before = await bench.primary(1, logicOf('unit-1'))
  for (let n = 0; n < 12; n++) await before.partition.submit(write(`i${n}`, n))
  await before.partition.close()

  const store = new Store()
  store.isOpen = true
  bench.stream.plan('acked', 'held')
  const { partition } = await bench.primary(2, logicOf('unit-2', mirror(store)))
  expect((await bench.stream.kinds()).at(-1)).toBe('UPGRADE')
  expect(store.batches).toEqual([])
  store.isOpen = false
  bench.stream.release()
  await turns()
  expect(await partition.submit({ command: { kind: 'sink', sink: 'sink mirror' } })).toMatchObject({ pending: 12 })
  const answers = new Answers()
  for (let n = 12; n < 18; n++) {
    answers.watch(`i${n}`, partition.submit(write(`i${n}`, n)))
    await turns()
  }
  expect(answers.order).toEqual(['i12', 'i13', 'i14', 'i15', 'i16'])
  store.isOpen = true
  await store.take(4)
  expect(answers.order).toHaveLength(6)
  expect(store.ids).toEqual(Array.from({ length: 18 }, (_, n) => `i${n}`))
})

test('[UN7] [A9] what the store says is told by an event, whatever it is; what waits for the member to start is not', async () => {
  const { bench, logicOf } = benchWith({})
  const failures = [notPrimary(), journalFull(), new Error('boom')]
  let isStarted = false
  const write_ = async (): Promise<void> => {
    const failure = failures.shift()
    if (failure !== undefined) throw failure
  }
  const rule = mirror(new Store(), { writer: () => (isStarted ? write_ : undefined) })
  const { partition, events } = await bench.primary(1, logicOf('unit-1', rule))
  await partition.submit(write('i1', 1))
  await bench.runtime.advance(1_000)
  const told = (): unknown[] => events.flatMap((event) => (event.kind === 'sink-failed' ? [event.attempts] : []))
  expect(told()).toEqual([])
  isStarted = true
  await bench.runtime.advance(10_000)
  expect(told()).toEqual([1, 2, 3])
  expect(await partition.submit({ command: { kind: 'sink', sink: 'sink mirror' } })).toEqual({
    pending: 0,
    dropped: 0,
    attempts: 0,
    error: undefined,
  })
})
