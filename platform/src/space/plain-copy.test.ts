import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { ByteReader, ByteWriter, readValue, writeValue } from '../codec/index.ts'
import { checkSchema } from './checked-schema.ts'
import { copyItem, isUnchanged, Misfit } from './plain-copy.ts'
import { validateValue } from './validation.ts'
import { ValueShape } from './value-shape.ts'

const anything = new ValueShape(true, [true])

/** Plain values of every kind, small enough to nest. */
const plain = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.oneof(
      fc.constant(null),
      fc.boolean(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.bigInt(),
      fc.string({ unit: 'grapheme' }),
      fc.uint8Array({ maxLength: 8 }),
    ),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.string({ maxLength: 4 }), tie('value'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).value

/** What is not plain, each made anew. */
const notPlain = fc.constantFrom<() => unknown>(
  () => new Date(0),
  () => new Map(),
  () => new URL('x:y'),
  () => () => 1,
  () => Symbol('s'),
  () => NaN,
  () => '\udc00',
  () => Object.create({ inherited: 1 }),
)

/** The naive twin: the same value through bytes, which shares nothing and freezes everything but bytes. */
function throughBytes(value: unknown): unknown {
  const writer = new ByteWriter(64)
  writeValue(writer, value)
  return readValue(new ByteReader(writer.written()))
}

function isDeepFrozen(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return true
  return Object.isFrozen(value) && Object.values(value).every(isDeepFrozen)
}

function sharesObjects(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  const below = (value: object, name: string): unknown => (value as Readonly<Record<string, unknown>>)[name]
  return a === b || Object.keys(a).some((name) => sharesObjects(below(a, name), below(b, name)))
}

describe('a copy', () => {
  test('[SC1] of any plain value is what its bytes say, deep-frozen, and shares nothing', () => {
    fc.assert(
      fc.property(plain, (value) => {
        const copy = copyItem(anything, value, 0)
        expect(copy).toStrictEqual(throughBytes(value))
        expect(isDeepFrozen(copy)).toBe(true)
        expect(sharesObjects(value, copy)).toBe(false)
        expect(isUnchanged(copy, copyItem(anything, copy, 0))).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  test('[SC1] of a value with something that is not plain, anywhere, is refused with its path', () => {
    fc.assert(
      fc.property(
        plain,
        plain,
        notPlain,
        fc.array(fc.string({ maxLength: 3 }), { maxLength: 4 }),
        (a, b, make, path) => {
          const names = path.filter((name) => name !== '__proto__')
          const value = names.reduceRight<unknown>(
            (below, name) =>
              Object.fromEntries([
                ['before', a],
                [name, below],
                ['after', b],
              ]),
            make(),
          )
          fc.pre(!names.includes('after'))
          const caught = (() => {
            try {
              return copyItem(anything, value, 0)
            } catch (error) {
              return error
            }
          })()
          expect(caught).toBeInstanceOf(Misfit)
          if (caught instanceof Misfit) expect(caught.path).toEqual(names)
        },
      ),
      { numRuns: 500 },
    )
  })

  test('[SC3] of a value with an unknown field, at any depth of the schema, is refused with its path', () => {
    const shape = (depth: number): z.ZodType =>
      depth === 0 ? z.object({ leaf: z.int() }) : z.object({ down: shape(depth - 1), list: z.array(shape(depth - 1)) })
    const fill = (depth: number): Record<string, unknown> =>
      depth === 0 ? { leaf: 1 } : { down: fill(depth - 1), list: [fill(depth - 1)] }
    const steps = fc.array(fc.constantFrom('down', 'list'), { maxLength: 3 })
    const checked = checkSchema(shape(3), 'It')
    fc.assert(
      fc.property(steps, fc.string({ minLength: 1, maxLength: 5 }), (path, name) => {
        fc.pre(!['leaf', 'down', 'list', '__proto__'].includes(name))
        const value = fill(3)
        let at = value
        for (const step of path) at = (step === 'list' ? (at['list'] as unknown[])[0] : at['down']) as typeof at
        expect(validateValue(checked, value)).toEqual(value)
        at[name] = 1
        const field = [...path.flatMap((step) => (step === 'list' ? ['list', '0'] : ['down'])), name].join('.')
        expect(() => validateValue(checked, value)).toThrow(
          expect.objectContaining({ code: 'UNKNOWN_FIELD', details: { field } }),
        )
      }),
      { numRuns: 200 },
    )
  })
})
