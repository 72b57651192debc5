import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isPlenumError } from '../kernel/index.ts'
import { ByteReader } from './byte-reader.ts'
import { ByteWriter } from './byte-writer.ts'
import { readValue, valueDepthMax, writeValue } from './value.ts'

/** Any plain value (SC1). -0 is no such value: the door makes it 0. */
const scalar = fc.oneof(
  fc.constant(null),
  fc.boolean(),
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => (number === 0 ? 0 : number)),
  fc.bigInt(),
  fc.string({ unit: 'grapheme', maxLength: 80 }),
  fc.uint8Array({ maxLength: 40 }),
)
const { plain } = fc.letrec((tie) => ({
  plain: fc.oneof(
    { weight: 4, arbitrary: scalar },
    { weight: 1, arbitrary: fc.array(tie('plain'), { maxLength: 5 }) },
    { weight: 1, arbitrary: fc.dictionary(fc.string({ maxLength: 12 }), tie('plain'), { maxKeys: 5 }) },
  ),
}))

function bytesOf(value: unknown): Uint8Array {
  const writer = new ByteWriter(1)
  writeValue(writer, value)
  return writer.written().slice()
}

function isFrozen(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return true
  return Object.isFrozen(value) && Object.values(value).every(isFrozen)
}

describe('values as bytes', () => {
  test('[SC1] any plain value comes back as it was, deep-frozen, and to the last byte', () => {
    fc.assert(
      fc.property(plain, (value) => {
        const bytes = bytesOf(value)
        const reader = new ByteReader(bytes)
        const back = readValue(reader)
        expect(back).toEqual(value)
        expect(reader.done).toBe(true)
        expect(isFrozen(back)).toBe(true)
        expect(bytesOf(back)).toEqual(bytes)
      }),
      { numRuns: 500 },
    )
  })

  test.each([0, 127, 128, -1, 2 ** 31 - 1, -(2 ** 31), 2 ** 31, 2 ** 53, 0.1, 5e-324, 1e308])('the number %f', (n) => {
    expect(readValue(new ByteReader(bytesOf(n)))).toBe(n)
  })

  test.each([62, 63, 64, 127, 128, 16_384])('a text of %i bytes, in one and in two bytes a character', (length) => {
    for (const text of ['x'.repeat(length), 'é'.repeat(length / 2)]) {
      expect(readValue(new ByteReader(bytesOf({ [text]: text })))).toEqual({ [text]: text })
    }
  })

  test('[SC1] __proto__ is a field like any other and changes no prototype', () => {
    const value: unknown = JSON.parse('{"__proto__":{"polluted":1},"a":2}')
    const back = readValue(new ByteReader(bytesOf(value)))
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype)
    expect(Object.keys(back as object)).toEqual(['__proto__', 'a'])
    expect(({} as { polluted?: number }).polluted).toBeUndefined()
  })

  test('[SC1] what is not plain is refused', () => {
    for (const value of [() => 1, Symbol('s')]) {
      expect(() => bytesOf(value)).toThrow(expect.objectContaining({ code: 'VALUE_NOT_PLAIN' }))
    }
  })

  test('[A8] values nest to the limit and no deeper, on the way in and on the way out', () => {
    const nested = (depth: number): unknown => {
      let value: unknown = 1
      for (let i = 0; i < depth; i++) value = [value]
      return value
    }
    expect(readValue(new ByteReader(bytesOf(nested(valueDepthMax))))).toEqual(nested(valueDepthMax))
    expect(() => bytesOf(nested(valueDepthMax + 1))).toThrow(expect.objectContaining({ code: 'VALUE_TOO_LARGE' }))
    const deeper = new Uint8Array(2 * (valueDepthMax + 1) + 1).map((_, at) => (at % 2 === 0 ? 8 : 1))
    expect(() => readValue(new ByteReader(deeper))).toThrow(expect.objectContaining({ code: 'JOURNAL_CORRUPT' }))
  })

  test('[JR1] hostile bytes end as a value or an error, soon and without a crash', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          readValue(new ByteReader(bytes))
        } catch (error) {
          expect(isPlenumError(error, 'JOURNAL_CORRUPT')).toBe(true)
        }
      }),
      { numRuns: 2_000 },
    )
  })
})
