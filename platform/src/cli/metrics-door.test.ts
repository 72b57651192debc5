import { expect, test } from 'vitest'
import { Metrics } from '../metrics/index.ts'
import { MetricsDoor } from './metrics-door.ts'

test('the door answers GET /metrics with what is counted at that moment, and nothing else', async () => {
  const metrics = new Metrics({ metricSeriesMax: 9 })
  const door = await MetricsDoor.open(0, () => metrics.snapshot(0))
  const events = metrics.counter('events', { 'plenum.event': 'failed' })
  for (const count of [1, 2]) {
    events.value = count
    const answer = await fetch(door.url)
    expect(answer.headers.get('content-type')).toMatch(/^application\/openmetrics-text; version=1\.0\.0/)
    expect(await answer.text()).toContain(`plenum_events_total{plenum_event="failed"} ${count}\n`)
  }
  expect((await fetch(door.url, { method: 'POST' })).status).toBe(404)
  expect((await fetch(door.url.replace('/metrics', '/'))).status).toBe(404)
  const { url } = door
  await door.close()
  await expect(fetch(url)).rejects.toThrow('fetch failed')
})

test('a port that somebody has is a usage error that says so', async () => {
  const door = await MetricsDoor.open(0, () => ({ at: 0, metrics: [] }))
  const port = Number(new URL(door.url).port)
  await expect(MetricsDoor.open(port, () => ({ at: 0, metrics: [] }))).rejects.toMatchObject({
    code: 'USAGE',
    message: expect.stringContaining('EADDRINUSE'),
  })
  await door.close()
})
