import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fromNumber, hasNumber, withNumber, type NumberSet } from './number-set.ts'

test('[UN12] a set of ranges holds what a plain set holds, in as few ranges as it can', () => {
  const step = fc.record({ number: fc.integer({ min: 1, max: 30 }), cut: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let set: NumberSet = []
      let naive = new Set<number>()
      for (const { number, cut } of steps) {
        set = cut ? fromNumber(set, number) : withNumber(set, number)
        naive = cut ? new Set([...naive].filter((one) => one >= number)) : naive.add(number)
        const all = Array.from({ length: 32 }, (_, at) => at)
        expect(all.filter((one) => hasNumber(set, one))).toEqual(all.filter((one) => naive.has(one)))
        const starts = all.filter((one) => naive.has(one) && !naive.has(one - 1))
        expect(set.length).toBe(starts.length * 2)
      }
    }),
  )
})
