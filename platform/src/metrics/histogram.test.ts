import fc from 'fast-check'
import { expect, test } from 'vitest'
import { countUpTo, exponentMax, Histogram, joinHistograms, quantile, type HistogramData } from './histogram.ts'

/** Bytes, in steps of one; and milliseconds that are told as seconds, in microseconds. */
const kinds = {
  pieces: { create: () => new Histogram(1, 1), told: 1 },
  seconds: { create: () => new Histogram(1e-6, 1_000), told: 1e-3 },
}

const value = fc.oneof(
  fc.integer({ min: 0, max: 100 }),
  fc.integer({ min: 0, max: 2 ** 31 }),
  fc.double({ min: 0, max: 1_000_000, noNaN: true }),
)
const values = fc.array(value, { minLength: 1, maxLength: 300 })

/** The naive twin: all values, sorted. */
function nearest(all: readonly number[], share: number): number {
  const sorted = all.toSorted((a, b) => a - b)
  return sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1]!
}

function recorded(create: () => Histogram, all: readonly number[]): HistogramData {
  const histogram = create()
  for (const one of all) histogram.record(one)
  return histogram.data()
}

test.each(Object.entries(kinds))(
  '[SL1] a quantile of %s is within a sixty-fourth of the value that sorting finds',
  (_, { create, told }) => {
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (all, share) => {
        const data = recorded(create, all)
        const expected = Math.min(nearest(all, share) * told, 2 ** 31 * data.resolution)
        const found = quantile(data, share)
        const bound = expected / 64 + data.resolution
        expect(Math.abs(Math.min(found, 2 ** 31 * data.resolution) - expected)).toBeLessThanOrEqual(bound * 1.000001)
      }),
    )
  },
)

test('[SL1] histograms that are joined are the histogram of all values, in any order', () => {
  fc.assert(
    fc.property(values, values, (one, other) => {
      const create = kinds.pieces.create
      const [a, b] = [recorded(create, one), recorded(create, other)]
      const all = recorded(create, [...one, ...other])
      for (const joined of [joinHistograms(a, b), joinHistograms(b, a)]) {
        expect(joined.buckets).toEqual(all.buckets)
        expect([joined.count, joined.min, joined.max]).toEqual([all.count, all.min, all.max])
        expect(joined.sum).toBeCloseTo(all.sum, -3)
        for (const share of [0, 0.5, 0.99, 1]) expect(quantile(joined, share)).toBe(quantile(all, share))
      }
    }),
  )
})

test('[SL1] no average of two medians is the median of both', () => {
  const quick = recorded(
    kinds.pieces.create,
    Array.from({ length: 99 }, () => 10),
  )
  const slow = recorded(kinds.pieces.create, [10_000])
  expect(quantile(joinHistograms(quick, slow), 0.5)).toBe(10)
  expect((quantile(quick, 0.5) + quantile(slow, 0.5)) / 2).toBe(5_005)
})

test('the counts up to a power of two are exact', () => {
  fc.assert(
    fc.property(values, fc.integer({ min: 0, max: exponentMax - 1 }), (all, exponent) => {
      const data = recorded(kinds.pieces.create, all)
      expect(countUpTo(data, exponent)).toBe(all.filter((one) => one <= 2 ** exponent).length)
    }),
  )
})

test('whole numbers up to sixty-four are told as they are, and a value may stand for several', () => {
  const histogram = kinds.pieces.create()
  for (let n = 1; n <= 32; n++) histogram.record(n)
  histogram.record(40, 32)
  const data = histogram.data()
  expect(data).toMatchObject({ count: 64, min: 1, max: 40, sum: (32 * 33) / 2 + 32 * 40 })
  for (let n = 1; n <= 32; n++) expect(quantile(data, n / 64)).toBe(n)
  expect(quantile(data, 0.6)).toBe(40)
})

test('what is beyond the last bucket counts, and the greatest is exact', () => {
  const data = recorded(kinds.pieces.create, [2 ** 40, 1])
  expect(data).toMatchObject({ count: 2, max: 2 ** 40, min: 1 })
  expect(data.buckets).toHaveLength(2)
  expect(quantile(recorded(kinds.pieces.create, [0, 0]), 0.5)).toBe(0)
  expect(quantile(kinds.pieces.create().data(), 0.5)).toBeNaN()
})
