import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PartitionClock } from './partition-clock.ts'
import { PartitionBench, write } from './contract/partition-bench.ts'

/** A clock that a test moves. */
function newClock(start: number, reference: () => number) {
  let now = 100
  const clock = new PartitionClock({ monotonic: () => now, wall: () => 0 }, start, reference)
  return {
    clock,
    move: (ms: number): void => void (now += ms),
    get now() {
      return now
    },
  }
}

test('[TI1] partition time goes on by the monotonic clock, and its slew towards the reference is at most 5 %', () => {
  const step = fc.record({
    ms: fc.double({ min: 0, max: 5_000, noNaN: true }),
    off: fc.integer({ min: -9_000, max: 9_000 }),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let off = 0
      const at = newClock(10_000, () => 10_000 + at.now - 100 + off)
      let last = at.clock.now()
      let moved = 0
      for (const one of steps) {
        off = one.off
        at.move(one.ms)
        moved += one.ms
        const now = at.clock.now()
        expect(now).toBeGreaterThanOrEqual(last)
        expect(now).toBeLessThanOrEqual(10_000 + moved * 1.05 + 1)
        expect(now).toBeGreaterThanOrEqual(Math.floor(10_000 + moved * 0.95) - 1)
        last = now
      }
    }),
  )
})

test('[TI1] a clock that is ahead slows down until the reference has come up, and then keeps with it', () => {
  const at = newClock(10_400, () => 10_000 + at.now - 100)
  at.move(1_000)
  expect(at.clock.now()).toBe(11_350)
  for (let i = 0; i < 20; i++) {
    at.move(1_000)
    at.clock.now()
  }
  expect(at.clock.now()).toBe(31_000)
})

test('[TI1] time stands in each record and never goes back, also where the wall clock was set back', async () => {
  const bench = new PartitionBench({ shared: false })
  const { partition } = await bench.primary()
  await bench.runtime.advance(10)
  await partition.submit(write('a', 1))
  bench.runtime.setWall(-3_600_000)
  for (let n = 0; n < 5; n++) {
    await bench.runtime.advance(10)
    await partition.submit(write('a', n))
  }
  await partition.close()
  const second = await bench.primary()
  await second.partition.submit(write('b', 1))
  const times = (await bench.stream.records()).map(({ time }) => time)
  expect(times).toEqual(times.toSorted((a, b) => a - b))
  expect(new Set(times).size).toBeGreaterThan(5)
})

test('[TI1] a member that recovers a journal alone starts at the median where that is later', async () => {
  const bench = new PartitionBench({ shared: false })
  const first = await bench.primary()
  await first.partition.submit(write('a', 1))
  await first.partition.close()
  bench.runtime.stall(3_600_000)
  await bench.primary()
  const records = await bench.stream.records()
  expect(records.at(-1)).toMatchObject({ kind: 'OPEN', time: Math.floor(bench.runtime.clock.wall()) })
})
