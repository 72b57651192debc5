import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { isPlenumError, type ErrorCode } from '../kernel/index.ts'
import { checkSchema } from './checked-schema.ts'
import { copyPlain, validateAny, validateValue } from './validation.ts'
import type { Schema } from './values.ts'

const subject = `An entry of type 'thing'`
const check = (schema: Schema) => checkSchema(schema, subject)

const order = check(
  z.object({
    id: z.string(),
    limit: z.object({ daily: z.int() }).optional(),
    tags: z.array(z.string()).optional(),
    price: z.number().optional(),
    note: z.string().nullable().optional(),
    big: z.bigint().optional(),
    raw: z.instanceof(Uint8Array).optional(),
    any: z.unknown().optional(),
  }),
)

/** The code and the field of what `run` throws. */
function failure(run: () => unknown): { readonly code: ErrorCode; readonly field: unknown } {
  try {
    run()
  } catch (error) {
    if (isPlenumError(error)) return { code: error.code, field: error.details['field'] }
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('what is stored', () => {
  test('[SC1] a value is copied, deep-frozen and in declared order', () => {
    const given = { tags: ['a'], limit: { daily: 1 }, id: 'x' }
    const stored = validateValue(order, given)
    expect(Object.keys(stored)).toEqual(['id', 'limit', 'tags'])
    expect(stored).toEqual(given)
    expect(stored['limit']).not.toBe(given.limit)
    for (const part of [stored, stored['limit'], stored['tags']]) expect(Object.isFrozen(part)).toBe(true)
  })

  test('[SC1] what the machine still has to stamp is left open at the top only', () => {
    const stored = copyPlain(order, { id: 'x', limit: { daily: 1 } }, { unfrozen: true })
    expect(Object.isFrozen(stored)).toBe(false)
    expect(Object.isFrozen(stored['limit'])).toBe(true)
  })

  test('[SC1] bytes are copied, absent fields are dropped, null stays, -0 becomes 0', () => {
    const raw = Buffer.from([1, 2, 3])
    const stored = validateValue(order, { id: 'x', raw, note: null, tags: undefined, price: -0, big: 2n ** 70n })
    raw[0] = 9
    expect(stored['raw']).toEqual(new Uint8Array([1, 2, 3]))
    expect(Object.keys(stored)).toEqual(['id', 'price', 'note', 'big', 'raw'])
    expect(Object.is(stored['price'], 0)).toBe(true)
  })

  test('[SC1] defaults are filled in, and the schema knows that it must always run', () => {
    const withDefault = check(z.object({ id: z.string(), state: z.string().default('new') }))
    expect(validateValue(withDefault, { id: 'x' })).toEqual({ id: 'x', state: 'new' })
    expect(withDefault.validateAlways).toBe(true)
    expect(check(z.object({ id: z.string().trim() })).validateAlways).toBe(true)
    expect(order.validateAlways).toBe(false)
  })

  test('[SC1] a record takes any name, __proto__ included, and none becomes a prototype', () => {
    const counts = check(z.object({ id: z.string(), counts: z.record(z.string(), z.int()) }))
    const stored = copyPlain(counts, JSON.parse('{"id":"x","counts":{"__proto__":1,"b":2}}'))
    expect(Object.keys(stored['counts'] as object)).toEqual(['__proto__', 'b'])
    expect(Object.getPrototypeOf(stored['counts'])).toBe(Object.prototype)
  })
})

class Money {
  amount = 1
}
const loop: Record<string, unknown> = {}
loop['self'] = loop

describe('what is not plain', () => {
  test.for<[string, unknown, string]>([
    ['Date', new Date(0), 'any'],
    ['Map', new Map(), 'any'],
    ['Set', { a: new Set() }, 'any.a'],
    ['class instance', [new Money()], 'any.0'],
    ['function', () => 1, 'any'],
    ['symbol', Symbol('s'), 'any'],
    ['NaN', NaN, 'any'],
    ['infinity', [1, [Infinity]], 'any.1.0'],
    ['lone surrogate', '\ud800', 'any'],
    ['undefined in a list', [1, undefined], 'any.1'],
    ['hole in a list', Array(1), 'any.0'],
    ['promise', Promise.resolve(), 'any'],
    ['object of a prototype of its own', Object.create({ a: 1 }), 'any'],
  ])('[SC1] %s is VALUE_NOT_PLAIN and the field is named', ([, any, field]) => {
    expect(failure(() => validateValue(order, { id: 'x', any }))).toEqual({ code: 'VALUE_NOT_PLAIN', field })
    expect(failure(() => copyPlain(order, { id: 'x', any }))).toEqual({ code: 'VALUE_NOT_PLAIN', field })
  })

  test('[SC1] a value that refers to itself is too deep, not an endless loop', () => {
    expect(failure(() => copyPlain(order, { id: 'x', any: loop })).code).toBe('VALUE_TOO_LARGE')
  })

  test('[SC1] something that is no object at all is VALUE_INVALID', () => {
    for (const value of [null, undefined, 1, 'x', []]) {
      expect(failure(() => validateValue(order, value)).code).toBe('VALUE_INVALID')
    }
  })
})

describe('unknown fields', () => {
  const both = [validateValue, copyPlain]
  const fails = (schema: Schema, value: object, field: string) => {
    for (const make of both) {
      expect(failure(() => make(check(schema), value))).toEqual({ code: 'UNKNOWN_FIELD', field })
    }
  }

  test('[SC3] are refused where the library would strip them, nested ones and those in lists too', () => {
    fails(z.object({ id: z.string() }), { id: 'x', extra: 1 }, 'extra')
    fails(z.object({ a: z.object({ b: z.int() }) }), { a: { b: 1, c: 2 } }, 'a.c')
    fails(z.object({ a: z.array(z.object({ b: z.int() })) }), { a: [{ b: 1 }, { b: 1, c: 2 }] }, 'a.1.c')
    fails(z.object({ a: z.tuple([z.int(), z.object({ b: z.int() })]) }), { a: [1, { b: 1, c: 1 }] }, 'a.1.c')
  })

  test('[SC3] an unknown field that is undefined is as good as absent', () => {
    expect(validateValue(order, { id: 'x', extra: undefined })).toEqual({ id: 'x' })
  })

  test('[SC3] the members of a union are told apart by their fixed fields', () => {
    const command = z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('limit'), price: z.int() }),
      z.object({ kind: z.literal('cancel'), target: z.string() }),
    ])
    expect(validateValue(check(command), { kind: 'limit', price: 1 })).toEqual({ kind: 'limit', price: 1 })
    fails(command, { kind: 'limit', price: 1, target: 'x' }, 'target')
  })

  test('[SC3] a field that a union stripped is found by comparing', () => {
    const either = check(z.union([z.object({ x: z.int() }), z.object({ x: z.int(), y: z.string() })]))
    expect(failure(() => validateValue(either, { x: 1, y: 'a' }))).toEqual({ code: 'UNKNOWN_FIELD', field: 'y' })
  })

  test('[SC3] records, loose objects and recursive schemas are open where they say so', () => {
    const Tree = z.object({ id: z.string(), get children(): z.ZodArray<typeof Tree> { return z.array(Tree) } }) // oxfmt-ignore
    const tree = { id: 'a', children: [{ id: 'b', children: [] }] }
    expect(validateValue(check(Tree), tree)).toEqual(tree)
    fails(Tree, { id: 'a', children: [{ id: 'b', children: [], no: 1 }] }, 'children.0.no')
    const loose = { id: 'x', more: { deep: [1] } }
    expect(validateValue(check(z.looseObject({ id: z.string() })), loose)).toEqual(loose)
    const json = { id: 'x', any: { a: [1, null, { b: 'c' }] } }
    expect(validateValue(check(z.object({ id: z.string(), any: z.json() })), json)).toEqual(json)
  })
})

describe('the schema', () => {
  test('[SC2] complaints become one error that names the type and the field', () => {
    expect(() => validateValue(order, { id: 1, limit: { daily: 'x' } })).toThrow(
      /^An entry of type 'thing' is invalid at 'id': .*\(and 1 more\)\.$/,
    )
    expect(failure(() => validateValue(order, { id: 'x', limit: { daily: 'x' } }))).toEqual({
      code: 'VALUE_INVALID',
      field: 'limit.daily',
    })
  })

  test('[SC2] of a partial value only what is given is checked, and nothing is filled in', () => {
    const thing = check(z.object({ id: z.string(), n: z.int(), state: z.string().default('new') }))
    expect(validateValue(thing, { n: 2 }, { partial: true })).toEqual({ n: 2 })
    expect(validateValue(thing, { id: 'x', n: 2 }, { partial: true })).toEqual({ id: 'x', n: 2 })
    expect(failure(() => validateValue(thing, { n: 'x' }, { partial: true }))).toEqual({
      code: 'VALUE_INVALID',
      field: 'n',
    })
    expect(failure(() => validateValue(thing, { m: 1 }, { partial: true })).code).toBe('UNKNOWN_FIELD')
  })

  test('[SC2] a check that turns out to wait is SCHEMA_ASYNC when a value meets it', () => {
    const sometimes = check(
      z.object({ id: z.string() }).refine(({ id }) => (id === 'slow' ? Promise.resolve(true) : true)),
    )
    expect(validateValue(sometimes, { id: 'x' })).toEqual({ id: 'x' })
    expect(failure(() => validateValue(sometimes, { id: 'slow' })).code).toBe('SCHEMA_ASYNC')
  })

  test('[SC2] an output that does not validate to itself is found under the tests’ flag', () => {
    const drifting = check(
      z.object({ id: z.string(), n: z.preprocess((n) => (n === 7 ? 8 : n === 8 ? 9 : n), z.int()) }),
    )
    expect(validateValue(drifting, { id: 'x', n: 7 })).toEqual({ id: 'x', n: 8 })
    expect(failure(() => validateValue(drifting, { id: 'x', n: 7 }, { checkStable: true })).code).toBe(
      'SCHEMA_UNSTABLE',
    )
    expect(validateValue(drifting, { id: 'x', n: 1 }, { checkStable: true })).toEqual({ id: 'x', n: 1 })
  })

  test('[SC2] inputs of services and tasks need not be objects', () => {
    expect(validateAny(check(z.string()), 'x')).toBe('x')
    expect(validateAny(check(z.undefined()), undefined)).toBe(undefined)
    expect(Object.isFrozen(validateAny(check(z.array(z.int())), [1]))).toBe(true)
    expect(failure(() => validateAny(check(z.string()), 1)).code).toBe('VALUE_INVALID')
    expect(failure(() => validateAny(check(z.object({ a: z.int() })), { a: 1, b: 2 })).code).toBe('UNKNOWN_FIELD')
    const list = check(z.array(z.union([z.object({ x: z.int() }), z.object({ x: z.int(), y: z.int() })])))
    expect(failure(() => validateAny(list, [{ x: 1, y: 2 }]))).toEqual({ code: 'UNKNOWN_FIELD', field: '0.y' })
  })
})
