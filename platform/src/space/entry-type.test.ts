import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { isPlenumError, type ErrorCode } from '../kernel/index.ts'
import { entry, definitionOf, upgrade, type AnyEntry } from './entry-type.ts'
import { bytes, int64 } from './schema-types.ts'
import { validateAny } from './validation.ts'
import { checkSchema } from './checked-schema.ts'
import type { Schema } from './values.ts'

/** Declares without types in the way, as plain JavaScript would. */
const declare = entry as (name: string, schema: unknown, options: unknown) => AnyEntry

function code(run: () => unknown): ErrorCode {
  try {
    run()
  } catch (error) {
    if (isPlenumError(error)) return error.code
    throw error
  }
  throw new Error('nothing was thrown')
}

const text = z.object({ id: z.string(), at: z.int(), limit: z.object({ daily: z.int() }) })

describe('a declaration', () => {
  test('[SC2] is resolved once and frozen', () => {
    const Thing = entry('thing', text, {
      id: 'id',
      route: 'at',
      keys: 'uuid7',
      indexes: [['limit.daily']],
      lease: '2s',
    })
    const { id, route, keys, indexes, leaseMs, fieldNames, open, visible } = definitionOf(Thing)
    expect({ id, route, keys, indexes, leaseMs, fieldNames, open }).toEqual({
      id: ['id'],
      route: ['at'],
      keys: 'uuid7',
      indexes: [['limit.daily']],
      leaseMs: 2000,
      fieldNames: ['id', 'at', 'limit'],
      open: false,
    })
    expect(visible({ kind: 'client', subject: 'a', claims: {} })).toBe(false)
    expect(Object.isFrozen(Thing) && Object.isFrozen(definitionOf(Thing))).toBe(true)
    expect(definitionOf(entry('thing', text, { id: 'id' })).route).toEqual(['id'])
  })

  test.for<[string, unknown]>([
    ['date', z.date()],
    ['map', z.map(z.string(), z.string())],
    ['set', z.array(z.set(z.string()))],
    ['symbol', z.object({ s: z.symbol() })],
    ['class instance', z.instanceof(URL)],
    ['function', z.function()],
  ])('[SC1] of a schema with a %s is VALUE_NOT_PLAIN', ([, at]) => {
    expect(code(() => declare('thing', z.object({ id: z.string(), at: at as z.ZodType }), { id: 'id' }))).toBe(
      'VALUE_NOT_PLAIN',
    )
  })

  test('[SC1] names the field that is not plain', () => {
    const schema = z.object({ id: z.string(), deep: z.object({ at: z.date() }) })
    expect(() => declare('thing', schema, { id: 'id' })).toThrow(/accepts a date at 'deep\.at'.*integer milliseconds/)
  })

  test.for<[string, unknown]>([
    ['a transform', z.string().transform((text) => text.length)],
    ['a pipe to another type', z.string().pipe(z.coerce.number())],
    ['a codec', z.codec(z.string(), z.int(), { decode: Number, encode: String })],
    ['a text that grows each time', z.string().overwrite((text) => `${text}!`)],
  ])('[SC2] of a schema with %s is SCHEMA_UNSTABLE', ([, at]) => {
    expect(code(() => declare('thing', z.object({ id: z.string(), at: at as z.ZodType }), { id: 'id' }))).toBe(
      'SCHEMA_UNSTABLE',
    )
  })

  test('[SC2] of a schema that trims, fills in or coerces to the same type is accepted', () => {
    const schema = z.object({
      id: z.string().trim(),
      at: z.coerce.number(),
      state: z.string().default('new').catch('old'),
    })
    expect(definitionOf(declare('thing', schema, { id: 'id' })).validateAlways).toBe(true)
  })

  test('[SC2] of a schema with an asynchronous check is SCHEMA_ASYNC', () => {
    const schema = z.object({ id: z.string().refine(async () => true) })
    expect(code(() => declare('thing', schema, { id: 'id' }))).toBe('SCHEMA_ASYNC')
    const always = { '~standard': { ...int64()['~standard'], validate: async () => ({ value: 1 }) } }
    expect(code(() => checkSchema(always, 'It'))).toBe('SCHEMA_ASYNC')
  })

  test('[SC2] of a schema with a check that throws on a made-up value is accepted', () => {
    const known = new Map([['x', { ok: true }]])
    const schema = z.object({ id: z.string().refine((id) => known.get(id)!.ok) })
    expect(definitionOf(declare('thing', schema, { id: 'id' })).name).toBe('thing')
  })

  test('[SC2] of a schema that does not describe itself is SCHEMA_INVALID and says what to do', () => {
    const bare = { '~standard': { version: 1, vendor: 'bare', validate: (value: unknown) => ({ value }) } }
    expect(code(() => declare('thing', bare, { id: 'id' }))).toBe('SCHEMA_INVALID')
    expect(() => declare('thing', bare, { id: 'id' })).toThrow(/Standard JSON Schema/)
    expect(code(() => declare('thing', z.string(), { id: 'id' }))).toBe('SCHEMA_INVALID')
  })

  test.for(['and', 'or', 'not', 'a.b', '__proto__'])('[SC2] with a field named %s is FIELD_RESERVED', (name) => {
    const field = Object.fromEntries([['id', z.string()]])
    Object.defineProperty(field, name, { value: z.string(), enumerable: true })
    expect(code(() => declare('thing', z.object(field), { id: 'id' }))).toBe('FIELD_RESERVED')
  })

  test('[SC2] with a reserved field in a nested object or list is FIELD_RESERVED', () => {
    const nested = (at: z.ZodType) => () => declare('thing', z.object({ id: z.string(), at }), { id: 'id' })
    expect(code(nested(z.object({ not: z.int() })))).toBe('FIELD_RESERVED')
    expect(code(nested(z.array(z.object({ or: z.int() }))))).toBe('FIELD_RESERVED')
  })

  test.for<[string, object]>([
    ['id', { id: 'idd' }],
    ['route', { id: 'id', route: 'symbol' }],
    ['index', { id: 'id', indexes: [['limit.weekly']] }],
    ['fifo', { id: 'id', fifo: 'account' }],
    ['id that is optional', { id: 'maybe' }],
  ])('[ID1] that names an unknown field as its %s is ENTRY_FIELD_UNKNOWN', ([, options]) => {
    const schema = text.extend({ maybe: z.string().optional() })
    expect(code(() => declare('thing', schema, options))).toBe('ENTRY_FIELD_UNKNOWN')
  })

  test('[ID1] of a union has an id that all members have', () => {
    const union = z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('a'), id: z.string(), x: z.int() }),
      z.object({ kind: z.literal('b'), id: z.string(), y: z.int() }),
    ])
    expect(definitionOf(declare('thing', union, { id: 'id', indexes: [['x']] })).fieldNames).toEqual([
      'kind',
      'id',
      'x',
      'y',
    ])
    expect(code(() => declare('thing', union, { id: 'x' }))).toBe('ENTRY_FIELD_UNKNOWN')
  })

  test('[SC2] with a name, keys or a lease that cannot be is refused', () => {
    for (const options of [undefined, {}, { id: 7 }])
      expect(code(() => declare('thing', text, options))).toBe('UNIT_INVALID')
    expect(code(() => declare('a.b', text, { id: 'id' }))).toBe('UNIT_INVALID')
    expect(code(() => declare('thing', text, { id: ['id', 'at'], keys: 'uuid7' }))).toBe('UNIT_INVALID')
    expect(code(() => declare('thing', text, { id: 'id', lease: '2' }))).toBe('DURATION_INVALID')
    expect(code(() => definitionOf({ kind: 'entry', name: 'thing', '~': {} }))).toBe('UNIT_INVALID')
  })

  test('[SC2] checks the schemas of its upgrades', () => {
    const step = upgrade(z.object({ id: z.string(), at: z.date() }), (old) => old)
    expect(code(() => declare('thing', text, { id: 'id', upgrades: [step] }))).toBe('VALUE_NOT_PLAIN')
  })
})

describe('the platform’s own types', () => {
  const checked = (schema: Schema) => checkSchema(schema, 'It')

  test('[SC4] int64 describes itself and holds its range', () => {
    const schema = checked(int64())
    expect(schema.json).toMatchObject({ type: 'integer', format: 'int64' })
    for (const value of [0n, 2n ** 63n - 1n, -(2n ** 63n)]) expect(validateAny(schema, value)).toBe(value)
    for (const value of [2n ** 63n, -(2n ** 63n) - 1n, 1, '1'])
      expect(code(() => validateAny(schema, value))).toBe('VALUE_INVALID')
  })

  test('[SC4] zod’s own types for the same describe themselves too', () => {
    const schema = checked(z.object({ n: z.int64(), raw: z.instanceof(Uint8Array) }))
    expect(schema.json).toMatchObject({
      properties: { n: { type: 'integer' }, raw: { type: 'string', contentEncoding: 'base64' } },
    })
    expect(validateAny(schema, { n: 1n, raw: new Uint8Array([1]) })).toEqual({ n: 1n, raw: new Uint8Array([1]) })
  })

  test('[SC4] bytes describe themselves and are copied', () => {
    const schema = checked(bytes())
    expect(schema.json).toMatchObject({ type: 'string', contentEncoding: 'base64' })
    const given = new Uint8Array([1, 2])
    const stored = validateAny(schema, given)
    given[0] = 9
    expect(stored).toEqual(new Uint8Array([1, 2]))
    expect(code(() => validateAny(schema, 'AQI='))).toBe('VALUE_INVALID')
  })
})
