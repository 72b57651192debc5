import { expect, test } from 'vitest'
import { SlowWarnings } from './slow-warnings.ts'

test('[UN5] [A9] a slow part is warned about at once, again after a minute, and each by itself', () => {
  let now = 1_000
  const lines: string[] = []
  const warnings = new SlowWarnings(
    () => now,
    (line) => lines.push(line),
  )
  warnings.add('handler a', 31.4)
  warnings.add('handler a', 90)
  warnings.add('task b', 12)
  now += 59_999
  warnings.add('handler a', 50)
  now += 1
  warnings.add('handler a', 70)
  expect(lines.map((line) => /^warning: the (.+), and everybody .+\.\n$/.exec(line)?.[1])).toEqual([
    'handler a took 31 ms',
    'task b took 12 ms',
    'handler a took 70 ms',
  ])
})
