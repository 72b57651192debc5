import { expect, test } from 'vitest'
import { SeededRandom } from '../runtime/simulated/index.ts'
import { Backlog } from './backlog.ts'
import { isBefore, type OutputNumber } from './output-number.ts'

test('[UN7] a backlog is a list that things leave in front, whatever is asked of it', () => {
  const random = new SeededRandom('backlog')
  const below = (count: number): number => Math.floor(random.next() * count)
  const backlog = new Backlog<OutputNumber>()
  let twin: OutputNumber[] = []
  let last: OutputNumber = { index: 1, offset: 0 }
  for (let step = 0; step < 40_000; step++) {
    const near = { index: last.index - below(6_000), offset: below(3) }
    const what = below(40)
    if (what === 0) {
      const before = twin.length
      twin = twin.filter((one) => isBefore(near, one))
      expect(backlog.dropThrough(near)).toBe(before - twin.length)
    } else if (what < 5 && twin.length > 0) {
      twin.shift()
      backlog.dropFirst(1)
    } else if (what === 2) {
      expect(backlog.after(near, 5)).toEqual(twin.filter((one) => isBefore(near, one)).slice(0, 5))
    } else {
      last = below(2) === 0 ? { ...last, offset: last.offset + 1 } : { index: last.index + 1 + below(3), offset: 0 }
      twin.push(last)
      backlog.add(last)
    }
    expect(backlog.length).toBe(twin.length)
  }
  expect(twin.length).toBeGreaterThan(500)
  expect(backlog.list()).toEqual(twin)
})
