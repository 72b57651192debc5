import { expect, test } from 'vitest'
import type { EmbeddedEvent } from '../embedded-options.ts'
import { RareWarnings } from './rare-warnings.ts'
import { warn } from './run.ts'

test('[UN5] [A9] a slow part is warned about at once, again after a minute, and each by itself', () => {
  let now = 1_000
  const lines: string[] = []
  const warnings = new RareWarnings(
    () => now,
    (line) => lines.push(line),
  )
  warnings.slow('handler a', 31.4)
  warnings.slow('handler a', 90)
  warnings.slow('task b', 12)
  now += 59_999
  warnings.slow('handler a', 50)
  now += 1
  warnings.slow('handler a', 70)
  expect(lines.map((line) => /^warning: the (.+), and everybody .+\.\n$/.exec(line)?.[1])).toEqual([
    'handler a took 31 ms',
    'task b took 12 ms',
    'handler a took 70 ms',
  ])
})

test('[UN8] [A9] a due time that is missed is warned about, once a minute for each schedule', () => {
  let now = 1_000
  const lines: string[] = []
  const warnings = new RareWarnings(
    () => now,
    (line) => lines.push(line),
  )
  for (let at = 0; at < 3; at++) warnings.missed('tick', at * 1_000, 1_600)
  warnings.missed('tock', 0, 61_000)
  now += 60_000
  warnings.missed('tick', 60_000, 2)
  expect(lines.map((line) => /^warning: the schedule (.+) late: .+\.\n$/.exec(line)?.[1])).toEqual([
    'tick missed 1970-01-01T00:00:00.000Z, 2 s',
    'tock missed 1970-01-01T00:00:00.000Z, 61 s',
    'tick missed 1970-01-01T00:01:00.000Z, 0 s',
  ])
})

test('[A9] what goes on until somebody sees to it is warned about, once a minute each', () => {
  const lines: string[] = []
  const err = (line: string): void => void lines.push(line)
  const rare = new RareWarnings(() => 1_000, err)
  const error = new Error('no route to host.')
  const events: readonly EmbeddedEvent['event'][] = [
    { kind: 'sink-failed', sink: 'sink mirror', attempts: 3, error },
    { kind: 'sink-failed', sink: 'sink mirror', attempts: 4, error },
    { kind: 'sink-full', sink: 'sink mirror', pending: 100_000 },
    { kind: 'projection-failed', projection: 'volume', index: 7, error },
    { kind: 'projection-failed', projection: 'sink mirror', index: 7, error },
    { kind: 'sends-waiting', projection: 'volume', attempts: 1, error },
    { kind: 'snapshot-failed', reason: 'ENOSPC' },
    { kind: 'fault', part: 'schedule report', error },
    { kind: 'fault', part: 'handler add', error },
  ]
  for (const event of events) warn({ partition: 2, event }, rare, { out: () => {}, err } as never)
  expect(lines).toEqual([
    'warning: the sink mirror did not write its batch, 3 times by now, and tries again: no route to host\n',
    'warning: the sink mirror keeps 100000 changes that its store does not have, and more of them wait. Look at the store.\n',
    'warning: the projection volume failed at index 7: no route to host. Mend it and start again: it goes on from before that.\n',
    'warning: the sink mirror failed at index 7: no route to host. Mend it and start again: it goes on from before that.\n',
    'warning: what the projection volume sends waits: no route to host\n',
    'warning: no snapshot of partition 2: ENOSPC\n',
    'warning: the schedule report threw, and is tried again: no route to host\n',
  ])
})
