import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ReusingMap } from './reusing-map.ts'

test('a map that reuses the places of removed keys holds what a map holds', () => {
  // Keys enough that removed ones keep their places, and that some of them are forgotten.
  const key = fc.oneof(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 3_000 }))
  const step = fc.record({ key, isRemoval: fc.boolean() })
  let forgotten = 0
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 200 }),
      fc.array(step, { minLength: 0, maxLength: 5_000 }),
      (filled, steps) => {
        const [map, naive] = [new ReusingMap<number, object>(), new Map<number, object>()]
        const set = (at: number): void => {
          const value = {}
          map.set(at, value)
          naive.set(at, value)
        }
        for (let at = 0; at < filled; at++) set(at)
        const removed = new Set<number>()
        for (const { key: at, isRemoval } of steps) {
          if (isRemoval) {
            map.delete(at)
            naive.delete(at)
            removed.add(at)
          } else set(at)
          expect(map.get(at)).toBe(naive.get(at))
        }
        if (removed.size > 1_100) forgotten += 1
        expect(map.keys().toSorted((a, b) => a - b)).toEqual([...naive.keys()].toSorted((a, b) => a - b))
        expect(new Set(map.values())).toEqual(new Set(naive.values()))
        for (const at of removed) expect(map.get(at)).toBe(naive.get(at))
      },
    ),
    { numRuns: 60, size: 'max' },
  )
  expect(forgotten).toBeGreaterThan(0)
})
