import { expect, test } from 'vitest'
import { Metrics } from './metrics.ts'
import { mergeMetrics, type MetricsSnapshot } from './snapshot.ts'
import { quantile } from './histogram.ts'

function numbers(snapshot: MetricsSnapshot, name: string): readonly (readonly [string, number])[] {
  const metric = snapshot.metrics.find((one) => one.name === name)
  if (metric === undefined || metric.kind === 'histogram') return []
  return metric.series.map(({ labels, value }) => [Object.values(labels).join(' '), value])
}

test('[DG4] series beyond the limit of a metric count together, and say so', () => {
  const metrics = new Metrics({ metricSeriesMax: 2 })
  for (const error of ['a', 'b', 'c', 'd', 'c', 'a']) {
    metrics.counter('operationErrors', { 'error.type': error }).value += 1
  }
  const metric = metrics.snapshot(0).metrics.find(({ name }) => name === 'plenum.operation.errors')
  expect(metric?.series).toEqual([
    { labels: { 'error.type': 'a' }, value: 2 },
    { labels: { 'error.type': 'b' }, value: 1 },
    { labels: { 'otel.metric.overflow': 'true' }, value: 3 },
  ])
})

test('the same labels in another order are the same series, and one that counted nothing is not told', () => {
  const metrics = new Metrics({ metricSeriesMax: 9 })
  const [one, same] = [
    metrics.counter('operations', { 'db.operation.name': 'get', 'plenum.outcome': 'failed' }),
    metrics.counter('operations', { 'plenum.outcome': 'failed', 'db.operation.name': 'get' }),
  ]
  expect(same).toBe(one)
  expect(metrics.snapshot(7)).toEqual({ at: 7, metrics: [] })
  one.value += 1
  expect(numbers(metrics.snapshot(7), 'plenum.operations')).toEqual([['get failed', 1]])
})

test('what is told of a gauge by several is joined, and nobody is asked once that has ended', () => {
  const metrics = new Metrics({ metricSeriesMax: 9 })
  const forget = [1, 5, 3].map((value) =>
    metrics.ask((tell) => {
      tell('entries', value, { 'db.collection.name': 'account' })
      tell('journalLag', value, { 'plenum.partition': '0' })
    }),
  )
  expect(numbers(metrics.snapshot(0), 'plenum.entries')).toEqual([['account', 9]])
  expect(numbers(metrics.snapshot(0), 'plenum.journal.lag')).toEqual([['0', 5]])
  for (const each of forget) each()
  expect(metrics.snapshot(0).metrics).toEqual([])
})

test('[SL1] snapshots of several processes add up; gauges join as each says', () => {
  const [one, other] = [new Metrics({ metricSeriesMax: 9 }), new Metrics({ metricSeriesMax: 9 })]
  for (const [metrics, ms] of [
    [one, 1],
    [other, 100],
  ] as const) {
    const count = metrics === one ? 99 : 1
    const labels = { 'db.operation.name': 'get' }
    for (let n = 0; n < count; n++) metrics.histogram('operationDuration', labels).record(ms)
    metrics.counter('records', { 'plenum.partition': '0' }).value += count
    metrics.counter('events', { 'plenum.event': `of ${ms}` }).value += 1
    metrics.ask((tell) => {
      tell('uptime', ms)
      tell('memory', ms)
      tell('loopUtilization', ms / 100)
    })
  }
  const [a, b] = [one.snapshot(1), other.snapshot(2)]
  const merged = mergeMetrics(a, b)
  expect(mergeMetrics(b, a)).toEqual(merged)
  expect(merged.at).toBe(2)
  expect(numbers(merged, 'plenum.journal.records')).toEqual([['0', 100]])
  expect(numbers(merged, 'plenum.events')).toEqual([
    ['of 1', 1],
    ['of 100', 1],
  ])
  expect(numbers(merged, 'process.uptime')).toEqual([['', 1]])
  expect(numbers(merged, 'process.memory.usage')).toEqual([['', 101]])
  expect(numbers(merged, 'nodejs.eventloop.utilization')).toEqual([['', 1]])
  const duration = merged.metrics.find(({ name }) => name === 'db.client.operation.duration')
  const histogram = duration?.kind === 'histogram' ? duration.series[0]?.histogram : undefined
  expect(histogram?.count).toBe(100)
  expect(quantile(histogram!, 0.99)).toBeCloseTo(0.001)
  expect(quantile(histogram!, 1)).toBeCloseTo(0.1)
  expect(JSON.parse(JSON.stringify(merged))).toEqual(merged)
})
