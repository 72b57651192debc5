import { expect, test } from 'vitest'
import { z } from 'zod'
import {
  embedded,
  entry,
  handler,
  mergeMetrics,
  quantile,
  service,
  task,
  unit,
  worker,
  type MetricsSnapshot,
} from './index.ts'

const Job = entry('job', z.object({ id: z.string(), state: z.enum(['new', 'done']) }), { id: 'id' })

const note = handler({ input: z.object({ id: z.string() }), route: 'id' }, () => {})
const jobs = unit(
  'jobs',
  { entries: [Job] },
  {
    handlers: {
      note,
      add: handler(
        { input: z.object({ id: z.string() }), route: 'id', refusals: { TAKEN: z.object({}) } },
        ({ id }, { partition, refuse, send }) => {
          if (id === 'broken') throw new Error('a defect')
          if (partition.get(Job, { id }) !== undefined) throw refuse('TAKEN', {})
          partition.insert(Job, { id, state: 'new' })
          send(note, { id: `note of ${id}` })
        },
      ),
    },
    workers: {
      work: worker(
        { entry: Job, where: { state: 'new' }, retry: { attempts: 2, backoff: '1ms' } },
        async (job, { tx, attempt }) => {
          if (job.id === 'b' && attempt === 1) throw new Error('not yet')
          await tx.patch(Job, job, { state: 'done' })
        },
      ),
    },
  },
)

/** The numbers of a metric, by the values of its labels. */
function numbers(snapshot: MetricsSnapshot, name: string): Readonly<Record<string, number>> {
  const metric = snapshot.metrics.find((one) => one.name === name)
  if (metric === undefined) return {}
  return metric.kind === 'histogram'
    ? Object.fromEntries(
        metric.series.map(({ labels, histogram }) => [Object.values(labels).join(' '), histogram.count]),
      )
    : Object.fromEntries(metric.series.map(({ labels, value }) => [Object.values(labels).join(' '), value]))
}

test('[DG1] services and tasks count when they have ended, and are timed until then', async () => {
  const asked = unit(
    'asked',
    { entries: [Job] },
    {
      services: {
        wait: service({ input: z.object({ ms: z.int() }) }, async ({ ms }) => {
          await new Promise((resolve) => setTimeout(resolve, ms))
          if (ms === 1) throw new Error('outside')
        }),
      },
      tasks: {
        none: task(
          { input: z.object({}) },
          () => 0,
          (a, b) => a + b,
        ),
      },
    },
  )
  await using client = await embedded({ unit: asked, journal: 'memory', partitions: 1 })
  const waiting = client.services.wait({ ms: 60 })
  expect(numbers(client.metrics(), 'plenum.operations')).toEqual({})
  await waiting
  await client.services.wait({ ms: 1 }).catch(() => undefined)
  await client.tasks.none({}).total()
  expect(numbers(client.metrics(), 'plenum.operations')).toEqual({
    'service wait answered': 1,
    'service wait failed': 1,
    'task none answered': 1,
  })
  const durations = client.metrics().metrics.find(({ name }) => name === 'db.client.operation.duration')
  const ofService =
    durations?.kind === 'histogram'
      ? durations.series.find(({ labels }) => labels['plenum.part'] === 'wait')
      : undefined
  expect(ofService?.histogram.max).toBeGreaterThanOrEqual(0.05)
})

const sum = (counts: Readonly<Record<string, number>>): number => Object.values(counts).reduce((a, b) => a + b, 0)

async function worked(options: { readonly metrics?: boolean } = {}): Promise<MetricsSnapshot> {
  await using client = await embedded({ unit: jobs, journal: 'memory', ...options })
  for (const id of ['a', 'b', 'c']) await client.handlers.add({ id })
  await client.handlers.add.attempt({ id: 'a' })
  await client.handlers.add({ id: 'broken' }).catch(() => undefined)
  await client.space.insert(Job, { id: 'a', state: 'new' }).catch(() => undefined)
  await expect.poll(() => client.space.count(Job, { state: 'done' })).toBe(3)
  await expect.poll(() => client.messages.pending()).toBe(0)
  return client.metrics()
}

test('[DG1] [DG3] an application counts calls, workers, messages, records, entries and what its process uses', async () => {
  const metrics = await worked()
  const operations = numbers(metrics, 'plenum.operations')
  expect(operations).toMatchObject({ 'call add answered': 3, 'call add refused': 1, 'call add failed': 1 })
  expect(numbers(metrics, 'plenum.operation.errors')).toEqual({ HANDLER_FAILED: 1, ENTRY_EXISTS: 1 })
  expect(numbers(metrics, 'plenum.worker.attempts')).toEqual({
    'worker work succeeded': 3,
    'worker work failed': 1,
  })
  expect(numbers(metrics, 'plenum.worker.duration')).toEqual({ 'worker work': 4 })
  expect(numbers(metrics, 'messaging.client.sent.messages')).toEqual({ 'plenum note': 3 })
  expect(numbers(metrics, 'messaging.client.consumed.messages')).toEqual({ 'plenum note': 3 })
  expect(numbers(metrics, 'plenum.entries')).toEqual({ job: 3 })
  expect(numbers(metrics, 'plenum.partitions')).toEqual({ primary: 4 })
  expect(sum(numbers(metrics, 'plenum.journal.records'))).toBe(sum(numbers(metrics, 'plenum.journal.append.duration')))
  expect(numbers(metrics, 'plenum.operation.errors')).not.toHaveProperty('REFUSED')
  expect(numbers(metrics, 'process.memory.usage')['']).toBeGreaterThan(1_000_000)
  const doubled = numbers(mergeMetrics(metrics, metrics), 'plenum.operations')
  for (const [name, count] of Object.entries(operations)) expect(doubled[name]).toBe(2 * count)
})

test('[DG3] [A9] each event is a metric too', async () => {
  const metrics = await worked()
  // Of the handler that is broken, and of the attempt that failed.
  expect(numbers(metrics, 'plenum.events')).toMatchObject({ role: 12, fault: 2 })
})

test('whoever wants no metrics has none, and the application does the same', async () => {
  expect(await worked({ metrics: false })).toEqual({ at: 0, metrics: [] })
})

test('[SL1] the delay of the event loop is a histogram that joins with others', async () => {
  await using client = await embedded({ unit: jobs, journal: 'memory' })
  const delay = () => client.metrics().metrics.find(({ name }) => name === 'plenum.eventloop.delay')
  await expect.poll(delay).toBeDefined()
  const metric = delay()
  const histogram = metric?.kind === 'histogram' ? metric.series[0]?.histogram : undefined
  expect(quantile(histogram!, 0.5)).toBeGreaterThanOrEqual(0)
})
