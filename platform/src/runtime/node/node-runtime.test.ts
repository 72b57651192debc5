import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { nodeRuntime } from './node-runtime.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const day = 86_400_000

test('[UN3] a timer may be longer than Node lets one be, and be stopped at any time', () => {
  const { timers } = nodeRuntime()
  const rung: string[] = []
  timers.after(60 * day, () => rung.push('60 days'))
  const stopped = timers.after(60 * day, () => rung.push('never'))
  const soon = timers.after(Infinity, () => rung.push('never either'))
  vi.advanceTimersByTime(59 * day)
  stopped.stop()
  soon.stop()
  expect(rung).toEqual([])
  vi.advanceTimersByTime(2 * day)
  expect(rung).toEqual(['60 days'])
})
