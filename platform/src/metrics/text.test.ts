import { expect, test } from 'vitest'
import { Metrics } from './metrics.ts'
import { metricsText } from './text.ts'

test('a snapshot is a text that Prometheus reads: names, units, totals, buckets that add up, an end', () => {
  const metrics = new Metrics({ metricSeriesMax: 9 })
  metrics.counter('events', { 'plenum.event': 'odd "name"\\\n' }).value += 3
  for (const ms of [0.5, 3, 4, 70]) metrics.histogram('appendDuration').record(ms)
  metrics.histogram('batchCommands').record(1)
  metrics.ask((tell) => tell('loopUtilization', 0.25))
  const lines = metricsText(metrics.snapshot(0)).split('\n')
  expect(lines.slice(-2)).toEqual(['# EOF', ''])
  expect(lines).toContain('# TYPE plenum_events counter')
  expect(lines).toContain('plenum_events_total{plenum_event="odd \\"name\\"\\\\\\n"} 3')
  expect(lines).toContain('# UNIT plenum_journal_append_duration_seconds seconds')
  expect(lines).toContain('plenum_journal_append_duration_seconds_count 4')
  expect(lines).toContain('plenum_journal_append_duration_seconds_sum 0.0775')
  expect(lines).toContain('plenum_journal_append_duration_seconds_bucket{le="0.004096"} 3')
  expect(lines).toContain('plenum_journal_append_duration_seconds_bucket{le="+Inf"} 4')
  expect(lines).toContain('plenum_batch_commands_bucket{le="1"} 1')
  expect(lines).toContain('nodejs_eventloop_utilization_ratio 0.25')
  const counts = lines.filter((line) => line.startsWith('plenum_journal_append_duration_seconds_bucket'))
  const cumulated = counts.map((line) => Number(line.split(' ')[1]))
  expect(cumulated).toEqual(cumulated.toSorted((a, b) => a - b))
  expect(new Set(lines.filter((line) => line.startsWith('# TYPE'))).size).toBe(4)
})
