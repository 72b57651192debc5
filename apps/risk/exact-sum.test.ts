import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ExactSum } from './exact-sum.ts'

const sumOf = (numbers: readonly number[]): number => {
  const sum = new ExactSum()
  for (const number of numbers) sum.add(number)
  return sum.value()
}

/** The naive twin: every double is an integer times 2^-1074, so integers of any size add up exactly. */
const scaled = (number: number): bigint => {
  const bits = new DataView(new ArrayBuffer(8))
  bits.setFloat64(0, number)
  const word = bits.getBigUint64(0)
  const exponent = Number((word >> 52n) & 0x7ffn)
  const fraction = word & 0xfffffffffffffn
  const magnitude = exponent === 0 ? fraction : (fraction | 0x10000000000000n) << BigInt(exponent - 1)
  return word >> 63n === 1n ? -magnitude : magnitude
}
const distance = (exact: bigint, candidate: number): bigint => {
  const difference = exact - scaled(candidate)
  return difference < 0n ? -difference : difference
}
const neighbour = (number: number, direction: 1n | -1n): number => {
  if (number === 0) return direction === 1n ? Number.MIN_VALUE : -Number.MIN_VALUE
  const bits = new DataView(new ArrayBuffer(8))
  bits.setFloat64(0, number)
  bits.setBigUint64(0, bits.getBigUint64(0) + (number > 0 ? direction : -direction))
  return bits.getFloat64(0)
}

const anyNumber = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e300, max: 1e300 }),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -10, max: 10 }),
  fc.constantFrom(1, -1, 2 ** 53, -(2 ** 53), 2 ** -53, -(2 ** -53), 2 ** -106, Number.MIN_VALUE, 1e16, -1e16),
)

test('the sum is the double nearest to the exact sum', () => {
  fc.assert(
    fc.property(fc.array(anyNumber, { maxLength: 30 }), (numbers) => {
      const exact = numbers.reduce((sum, number) => sum + scaled(number), 0n)
      const value = sumOf(numbers)
      const error = distance(exact, value)
      for (const direction of [1n, -1n] as const) {
        expect(error <= distance(exact, neighbour(value, direction))).toBe(true)
      }
    }),
    { numRuns: 500 },
  )
})

test('the sum does not depend on order or on how the numbers were split', () => {
  fc.assert(
    fc.property(fc.array(anyNumber, { maxLength: 40 }), fc.infiniteStream(fc.nat(3)), (numbers, choices) => {
      const shares = [new ExactSum(), new ExactSum(), new ExactSum(), new ExactSum()]
      for (const number of numbers.toReversed()) shares[choices.next().value]?.add(number)
      const merged = new ExactSum()
      for (const share of shares) merged.addParts(share.parts())
      expect(Object.is(merged.value() + 0, sumOf(numbers) + 0)).toBe(true)
    }),
    { numRuns: 500 },
  )
})

test('a tie is decided by what lies below it', () => {
  expect(sumOf([1, 2 ** -53, 2 ** -106])).toBe(1 + 2 ** -52)
  expect(sumOf([1, 2 ** -53, -(2 ** -106)])).toBe(1)
  expect(sumOf([1e16, 1, -1e16])).toBe(1)
  expect(sumOf([0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1])).toBe(1)
  expect(sumOf([])).toBe(0)
})

test('a number that is not finite is refused', () => {
  expect(() => sumOf([1, Number.NaN])).toThrow(RangeError)
  expect(() => sumOf([Number.POSITIVE_INFINITY])).toThrow(RangeError)
})
