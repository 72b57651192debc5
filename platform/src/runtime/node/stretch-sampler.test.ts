import { expect, test } from 'vitest'
import { StretchSampler, type SlowStretch } from './stretch-sampler.ts'

/** The slow stretches that a sampler finds in runs of so many milliseconds, with so many between them. */
function found(
  runs: readonly number[],
  options: { readonly everyMs: number; readonly pauseMs: number },
): SlowStretch[] {
  const sampler = new StretchSampler(10)
  const edges: number[] = []
  let at = 3
  for (const ms of runs) {
    edges.push(at, at + ms)
    at += ms + options.pauseMs
  }
  const slow: SlowStretch[] = []
  for (let now = 0; now < at + 2 * options.everyMs; now += options.everyMs) {
    const count = edges.filter((edge) => edge <= now).length
    const sample = sampler.sample(count, (count - 1) >> 1, now)
    if (sample.slow !== undefined) slow.push(sample.slow)
  }
  return slow
}

test('[UN5] a stretch over the limit is told once, when it is over, with its part and at most what it took', () => {
  const slow = found([1, 40, 2, 60, 3], { everyMs: 5, pauseMs: 1 })
  expect(slow.map(({ part }) => part)).toEqual([1, 3])
  expect(slow[0]!.ms).toBeGreaterThanOrEqual(30)
  expect(slow[0]!.ms).toBeLessThanOrEqual(40)
  expect(slow[1]!.ms).toBeLessThanOrEqual(60)
})

test('[UN5] many short stretches, and long pauses between them, are not slow', () => {
  expect(
    found(
      Array.from({ length: 200 }, () => 3),
      { everyMs: 5, pauseMs: 0.1 },
    ),
  ).toEqual([])
  expect(found([9, 9, 9], { everyMs: 5, pauseMs: 500 })).toEqual([])
})

test('[PA9] while a run goes on, a sample says for how long it has been seen', () => {
  const sampler = new StretchSampler(10)
  expect(sampler.sample(0, -1, 5)).toEqual({ runningMs: undefined, slow: undefined })
  expect(sampler.sample(1, 0, 10)).toEqual({ runningMs: 0, slow: undefined })
  expect(sampler.sample(1, 0, 300)).toEqual({ runningMs: 290, slow: undefined })
  expect(sampler.sample(4, 0, 400)).toEqual({ runningMs: undefined, slow: { part: 0, ms: 290 } })
})
