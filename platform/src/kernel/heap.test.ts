import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Heap } from './heap.ts'

test('[SP9] a heap gives what a sorted list gives, whatever is put in and taken out meanwhile', () => {
  const step = fc.oneof(fc.integer({ min: 0, max: 50 }), fc.constant('pop' as const), fc.constant('evens' as const))
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const heap = new Heap<number>((one, other) => one < other)
      let naive: number[] = []
      for (const one of steps) {
        if (one === 'pop') expect(heap.pop()).toBe(naive.shift())
        else if (one === 'evens') {
          heap.keepOnly((item) => item % 2 === 0)
          naive = naive.filter((item) => item % 2 === 0)
        } else {
          heap.push(one)
          naive = [...naive, one].toSorted((a, b) => a - b)
        }
        expect(heap.first).toBe(naive[0])
        expect(heap.size).toBe(naive.length)
        expect([...heap.items].toSorted((a, b) => a - b)).toEqual(naive)
      }
    }),
  )
})
