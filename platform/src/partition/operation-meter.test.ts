import { expect, test } from 'vitest'
import { defaultLimits } from '../kernel/index.ts'
import { Metrics, quantile, type HistogramData } from '../metrics/index.ts'
import { SeededRandom } from '../runtime/simulated/index.ts'
import type { Request } from '../space/index.ts'
import { Answers, count, get, insert, PartitionBench, readAll, remove, write } from './contract/partition-bench.ts'
import { turns } from './contract/manual-runtime.ts'
import { PartitionMeters } from './partition-meters.ts'

const parts = { handlers: [], tasks: [], services: [], schedules: [] }

async function meteredBench(options: { readonly shared: boolean }) {
  const bench = new PartitionBench(options)
  const metrics = new Metrics(defaultLimits)
  bench.meters = new PartitionMeters(metrics, 0, parts)
  const member = await bench.primary()
  const answers = new Answers()
  let number = 0
  const ask = (request: Request): void => answers.watch(`${(number += 1)}`, member.partition.submit(request))
  /** How often each kind had each outcome. */
  const counted = (): Record<string, number> => {
    const metric = metrics.snapshot(0).metrics.find(({ name }) => name === 'plenum.operations')
    if (metric === undefined || metric.kind === 'histogram') return {}
    return Object.fromEntries(
      metric.series.map(({ labels, value }) => [`${labels['db.operation.name']} ${labels['plenum.outcome']}`, value]),
    )
  }
  const histogram = (name: string, operation?: string): HistogramData | undefined => {
    const metric = metrics.snapshot(0).metrics.find((one) => one.name === name)
    if (metric?.kind !== 'histogram') return undefined
    return metric.series.find(({ labels }) => labels['db.operation.name'] === operation)?.histogram
  }
  return { bench, ...member, answers, ask, counted, histogram }
}

/** A request and its kind, and whether the twin expects it to fail. */
function draw(random: SeededRandom, ids: Set<string>): { readonly request: Request; readonly fails: boolean } {
  const id = `${random.integer(6)}`
  switch (random.integer(6)) {
    case 0:
      return { request: get(id), fails: false }
    case 1: {
      const fails = ids.has(id)
      ids.add(id)
      return { request: insert(id, 1), fails }
    }
    case 2:
      ids.add(id)
      return { request: write(id, 1), fails: false }
    case 3:
      ids.delete(id)
      return { request: remove(id), fails: false }
    case 4:
      return { request: count, fails: false }
    default:
      return { request: readAll, fails: false }
  }
}

test.each([1, 2, 3, 4, 5, 6])('[DG1] each answer counts once, whenever it leaves (seed %s)', async (seed) => {
  const random = new SeededRandom(`meters ${seed}`)
  const { bench, ask, answers, counted, histogram } = await meteredBench({ shared: false })
  const expected: Record<string, number> = {}
  const ids = new Set<string>()
  let asked = 0
  for (let step = 0; step < 300; step++) {
    bench.stream.fate = random.chance(0.5) ? 'held' : 'acked'
    const { request, fails } = draw(random, ids)
    const name = `${request.command.kind} ${fails ? 'failed' : 'answered'}`
    expected[name] = (expected[name] ?? 0) + 1
    ask(request)
    asked += 1
    if (random.chance(0.3)) await turns()
    if (random.chance(0.2)) bench.stream.release()
  }
  bench.stream.fate = 'acked'
  for (let round = 0; answers.order.length < asked && round < 1_000; round++) {
    bench.stream.release()
    await turns()
  }
  expect(answers.order).toHaveLength(asked)
  expect(counted()).toEqual(expected)
  expect(histogram('db.client.operation.duration', 'write')?.count).toBe(expected['write answered'])
  const commands = histogram('plenum.batch.commands')!
  const fold = await bench.fold()
  expect(commands.count).toBe((await bench.stream.kinds()).filter((kind) => kind === 'BATCH').length)
  expect(fold.machine.table('item').size).toBe(ids.size)
})

test('[DG1] an answer is timed until it leaves, and the journal from a sealed record to its ack', async () => {
  const { bench, ask, histogram } = await meteredBench({ shared: false })
  bench.stream.fate = 'held'
  ask(write('a', 1))
  await turns()
  bench.runtime.stall(250)
  ask(get('none'))
  bench.stream.release()
  await turns()
  expect(quantile(histogram('db.client.operation.duration', 'write')!, 1)).toBeCloseTo(0.25)
  expect(quantile(histogram('plenum.journal.append.duration')!, 1)).toBeCloseTo(0.25)
})

test('[DG1] one small read in sixteen is timed, and stands for all of them', async () => {
  const { ask, counted, histogram } = await meteredBench({ shared: false })
  for (let n = 0; n < 64; n++) ask(get('none'))
  await turns()
  expect(counted()).toEqual({ 'get answered': 64 })
  expect(histogram('db.client.operation.duration', 'get')?.count).toBe(64)
})

test('[DG1] what a reign leaves unanswered counts as failed', async () => {
  const { bench, partition, ask, counted, answers } = await meteredBench({ shared: true })
  ask(write('a', 1))
  await turns()
  const second = await bench.follower(2)
  bench.stream.fate = 'dropped later'
  ask(write('b', 1))
  await turns()
  bench.stream.fate = 'acked'
  await bench.runtime.advance(10_000)
  expect(second.partition.role.kind).toBe('primary')
  bench.stream.release()
  await bench.runtime.advance(10_000)
  expect(partition.role.kind).not.toBe('primary')
  expect(answers.of('2')).toEqual({ code: 'UNKNOWN_OUTCOME' })
  expect(counted()).toEqual({ 'write answered': 1, 'write failed': 1 })
})

test('[DG2] [A9] what takes long is told once a second, with where its time went, and without what was given', async () => {
  const { bench, ask, events } = await meteredBench({ shared: false })
  const slow = () => events.filter((event) => event.kind === 'slow-operation')
  bench.stream.fate = 'held'
  for (const id of ['secret 1', 'secret 2', 'secret 3']) ask(write(id, 1))
  await turns()
  bench.runtime.stall(defaultLimits.slowOperationMs - 1)
  bench.stream.release()
  await turns()
  expect(slow()).toEqual([])
  for (const id of ['secret 1', 'secret 2', 'secret 3']) ask(write(id, 2))
  bench.runtime.stall(30)
  await turns()
  bench.runtime.stall(100)
  bench.stream.release()
  await turns()
  expect(slow()).toEqual([
    {
      kind: 'slow-operation',
      operation: 'append',
      of: undefined,
      ms: 100,
      waitMs: 0,
      executeMs: 0,
      ackMs: 100,
      more: 0,
    },
  ])
  bench.runtime.stall(1_000)
  ask(write('secret 4', 1))
  bench.runtime.stall(60)
  await turns()
  bench.runtime.stall(70)
  bench.stream.release()
  await turns()
  expect(slow()[1]).toEqual({
    kind: 'slow-operation',
    operation: 'write',
    of: 'item',
    ms: 130,
    waitMs: 0,
    executeMs: 60,
    ackMs: 70,
    more: 3,
  })
  expect(JSON.stringify(slow())).not.toContain('secret')
})

test('[DG1] what waits until records flow again is timed from when it was asked', async () => {
  const { bench, partition, ask, histogram } = await meteredBench({ shared: false })
  bench.stream.fate = 'unavailable'
  ask(write('a', 1))
  await turns()
  ask(write('b', 1))
  const { role } = partition
  expect(role.kind === 'primary' && role.primary.waiting.inbox).toBe(1)
  await bench.runtime.advance(500)
  bench.stream.fate = 'acked'
  await bench.runtime.advance(3_000)
  const durations = histogram('db.client.operation.duration', 'write')!
  expect(durations.count).toBe(2)
  // Both were asked at one time, and acked at one.
  expect(durations.min).toBeGreaterThanOrEqual(0.5)
  expect(durations.max).toBe(durations.min)
})
