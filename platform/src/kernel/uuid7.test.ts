import fc from 'fast-check'
import { expect, test } from 'vitest'
import { uuid7 } from './uuid7.ts'

const time = fc.integer({ min: 0, max: 2 ** 48 - 1 })
const random = fc.uint8Array({ minLength: 10, maxLength: 10 })

test('an id of version 7 holds its time, its version and its variant', () => {
  fc.assert(
    fc.property(time, random, (at, bytes) => {
      const id = uuid7(at, bytes)
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      expect(Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)).toBe(at)
    }),
  )
})

test('ids sort by time, whatever their random bits', () => {
  fc.assert(
    fc.property(time, time, random, random, (a, b, left, right) => {
      fc.pre(a < b)
      expect(uuid7(a, left) < uuid7(b, right)).toBe(true)
    }),
  )
})

test('the example of RFC 9562', () => {
  const bytes = Uint8Array.from([0xcc, 0x3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f])
  expect(uuid7(0x017f22e279b0, bytes)).toBe('017f22e2-79b0-7c03-98c4-dc0c0c07398f')
})
