import { expect, test } from 'vitest'
import { SeededRandom } from '../runtime/simulated/index.ts'
import { ReusingMap } from './reusing-map.ts'

test.each(Array.from({ length: 12 }, (_, seed) => seed))(
  'a map that reuses the places of removed keys holds what a map holds, seed %i',
  (seed) => {
    const random = new SeededRandom(`map ${seed}`)
    const [map, naive] = [new ReusingMap<number, object>(), new Map<number, object>()]
    const removed = new Set<number>()
    const check = (): void => {
      expect(map.keys().toSorted((a, b) => a - b)).toEqual([...naive.keys()].toSorted((a, b) => a - b))
      expect(new Set([...map.values()].filter((value) => value !== undefined))).toEqual(new Set(naive.values()))
    }
    for (let step = 0; step < 20_000; step++) {
      // Some keys come and go all the time; enough others that those removed long ago are forgotten.
      const key = random.chance(0.3) ? random.integer(3) : random.integer(4_000)
      if (random.chance(0.5)) {
        map.delete(key)
        naive.delete(key)
        removed.add(key)
      } else {
        const value = {}
        map.set(key, value)
        naive.set(key, value)
      }
      expect(map.get(key)).toBe(naive.get(key))
      if (step % 5_000 === 0) check()
    }
    check()
    for (const key of removed) expect(map.get(key)).toBe(naive.get(key))
    expect(removed.size).toBeGreaterThan(2_000)
  },
)
