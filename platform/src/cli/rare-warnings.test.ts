import { expect, test } from 'vitest'
import { RareWarnings } from './rare-warnings.ts'

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
