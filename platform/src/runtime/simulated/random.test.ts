import { expect, test } from 'vitest'
import { SeededRandom } from './random.ts'

test('the generator gives the numbers that its authors publish', () => {
  // The reference implementation with the state 1, 2, 3, 4.
  const random = new SeededRandom('vector', Uint32Array.of(1, 2, 3, 4))
  const words = Array.from({ length: 10 }, () => random.word())
  expect(words).toEqual([
    11_520, 0, 5_927_040, 70_819_200, 2_031_721_883, 1_637_235_492, 1_287_239_034, 3_734_860_849, 3_729_100_597,
    4_258_142_804,
  ])
})

test('[A2] the same name gives the same stream, another one another stream', () => {
  const draw = (name: string): readonly number[] => {
    const random = new SeededRandom(name)
    return Array.from({ length: 100 }, () => random.next())
  }
  expect(draw('7')).toEqual(draw('7'))
  expect(draw('7')).not.toEqual(draw('8'))
})

test('[A2] a fork depends on its label and not on what was drawn before', () => {
  const one = new SeededRandom('7')
  const other = new SeededRandom('7')
  for (let round = 0; round < 1_000; round++) other.next()
  expect(one.fork('disk').bytes(32)).toEqual(other.fork('disk').bytes(32))
  expect(one.fork('disk').bytes(32)).not.toEqual(one.fork('network').bytes(32))
})

test('integers are as likely as each other, and stay below the bound, also above 32 bits', () => {
  const random = new SeededRandom('integers')
  const counts = Array.from({ length: 7 }, () => 0)
  for (let round = 0; round < 70_000; round++) counts[random.integer(7)]! += 1
  for (const count of counts) expect(Math.abs(count - 10_000)).toBeLessThan(500)
  const large = Array.from({ length: 1_000 }, () => random.integer(2 ** 40))
  expect(large.every((value) => Number.isInteger(value) && value >= 0 && value < 2 ** 40)).toBe(true)
  expect(large.some((value) => value > 2 ** 39)).toBe(true)
  expect(random.integer(1)).toBe(0)
})

test('numbers lie in [0, 1), and a chance comes at its rate', () => {
  const random = new SeededRandom('numbers')
  let sum = 0
  for (let round = 0; round < 100_000; round++) {
    const value = random.next()
    if (value < 0 || value >= 1) throw new Error(`${value} is outside of [0, 1)`)
    sum += value
  }
  expect(sum / 100_000).toBeCloseTo(0.5, 2)
  let hits = 0
  for (let round = 0; round < 100_000; round++) if (random.chance(0.1)) hits += 1
  expect(hits / 100_000).toBeCloseTo(0.1, 2)
  expect(random.chance(0)).toBe(false)
  expect(random.chance(1)).toBe(true)
})
