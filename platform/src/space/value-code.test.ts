import { spawnSync } from 'node:child_process'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { z } from 'zod'
import { ByteReader, ByteWriter } from '../codec/index.ts'
import { checkSchema } from './checked-schema.ts'
import { readFields, writeFields, type Layout } from './layout.ts'
import { copyItem, copyObject, Misfit, patchAtOnce } from './plain-copy.ts'
import { compileLayout, compileShape } from './value-code.ts'

const names = ['id', 'toString', 'constructor', 'a-b', '7', 'list'] as const

const { shape } = checkSchema(
  z.object({
    id: z.string(),
    toString: z.unknown(),
    constructor: z.unknown(),
    'a-b': z.unknown(),
    '7': z.unknown(),
    list: z.array(z.unknown()),
  }),
  'A value',
)
const object = shape.merged

const cell = fc.oneof(
  fc.integer(),
  fc.constantFrom(-0, Number.NaN, 1.5, '', 'text', '\ud800', null, undefined, true, 7n, new Date(5), () => 1),
  fc.array(fc.integer(), { maxLength: 3 }),
)
const value = fc.record(Object.fromEntries(names.map((name) => [name, cell])), { requiredKeys: [] })
const closed = fc.tuple(value, fc.constantFrom({}, {}, {}, { other: 1 })).map(([one, more]) => ({ ...one, ...more }))

/** What an attempt gives: its result, or what the Misfit says. */
function outcome(run: () => unknown): unknown {
  try {
    return run()
  } catch (error) {
    if (error instanceof Misfit) return { code: error.code, path: error.path, message: error.message }
    throw error
  }
}

test('[SC1] [SC3] a copy by compiled code = the copy by name, errors included', () => {
  fc.assert(
    fc.property(closed, (given) => {
      const byName = outcome(() => copyItem(shape, given, 1))
      const copied = outcome(() => copyObject(shape, given))
      expect(copied).toEqual(byName)
      expect(Object.keys(copied as object)).toEqual(Object.keys(byName as object))
      expect(Object.getPrototypeOf(copied)).toBe(Object.prototype)
    }),
  )
})

test('[SP1] a patch by compiled code is the merged copy, or left to the caller', () => {
  const whole = { id: 'x', toString: 1, constructor: 2, 'a-b': 3, '7': null, list: Object.freeze([1]) }
  fc.assert(
    fc.property(closed, fc.constantFrom(...names, undefined), (given, lacking) => {
      const stored = Object.fromEntries(Object.entries(whole).filter(([name]) => name !== lacking))
      const patched = patchAtOnce(shape, stored, given)
      if (patched === undefined) return
      const fields = copyItem(shape, given, 1) as object
      const present = Object.entries(fields).filter(([, item]) => item !== undefined)
      expect(patched).toEqual({ ...stored, ...Object.fromEntries(present) })
    }),
  )
  const { shape: plain } = checkSchema(z.object({ id: z.string(), list: z.array(z.int()) }), 'A value')
  const stored = { id: 'x', list: [1] }
  expect(patchAtOnce(plain, stored, { list: [2] })).toEqual({ id: 'x', list: [2] })
  expect(patchAtOnce(plain, stored, { other: 1 })).toBeUndefined()
  expect(patchAtOnce(plain, stored, { list: [new Date(0)] })).toBeUndefined()
  expect(patchAtOnce(plain, { ...stored, other: 1 }, { id: 'y' })).toBeUndefined()
})

test('[SC1] only the same fields with the same content are the same', () => {
  const one = { id: 'x', toString: 1, constructor: 2, 'a-b': 3, '7': null, list: 0 }
  const { isSame } = object.code!
  expect(isSame(one, { ...one })).toBe(true)
  expect(isSame(one, { ...one, other: 1 })).toBe(false)
  expect(isSame({ ...one, other: 1 }, one)).toBe(false)
  for (const name of names) {
    expect(isSame(one, { ...one, [name]: 'other' })).toBe(false)
    expect(isSame(one, Object.fromEntries(Object.entries(one).filter(([key]) => key !== name)))).toBe(false)
  }
})

const layout: Layout = { name: 'thing', fields: names, open: false, id: ['id'], route: ['a-b'] }
const several: Layout = { ...layout, id: ['id', '7'], route: ['a-b', '7'] }

test('[JR1] fields are written and read by compiled code as by name', () => {
  const code = compileLayout(layout)!
  const plain = fc.oneof(fc.integer(), fc.constantFrom('', 'text', null, undefined, true, 7n, 1.5))
  fc.assert(
    fc.property(fc.record(Object.fromEntries(names.map((name) => [name, plain]))), (given) => {
      const [compiled, byName] = [new ByteWriter(), new ByteWriter()]
      code.write(compiled, given)
      writeFields(byName, layout, given)
      expect(compiled.written()).toEqual(byName.written())
      const read = code.read(new ByteReader(compiled.written()))
      const expected = readFields(new ByteReader(compiled.written()), layout)
      expect(read).toEqual(expected)
      expect(Object.keys(read)).toEqual(Object.keys(expected))
    }),
  )
})

test('[ID1] identity is compared by all id and route fields, and a missing route is never equal', () => {
  for (const one of [layout, several]) {
    const code = compileLayout(one)!
    const entry = { id: 'x', 'a-b': 1, '7': 2 }
    expect(code.isSameEntry(entry, { ...entry, list: 1 })).toBe(true)
    expect(code.isSameRoute(entry, { ...entry, id: 'y' })).toBe(true)
    for (const field of [...one.id, ...one.route])
      expect(code.isSameEntry(entry, { ...entry, [field]: 'z' })).toBe(false)
    for (const field of one.route) {
      expect(code.isSameRoute(entry, { ...entry, [field]: 'z' })).toBe(false)
      const lacking = { ...entry, [field]: undefined }
      expect(code.isSameRoute(lacking, lacking)).toBe(false)
    }
    expect(code.idOf?.(entry)).toBe(one.id.length === 1 ? 'x' : undefined)
    expect(code.routeOf?.(entry)).toBe(one.route.length === 1 ? 1 : undefined)
  }
})

test('nothing is compiled for open layouts, for no fields, for very many, and where that is forbidden', () => {
  expect(compileLayout({ ...layout, open: true })).toBeUndefined()
  expect(compileShape(new Map())).toBeUndefined()
  expect(compileShape(new Map(Array.from({ length: 65 }, (_, at) => [`f${at}`, shape])))).toBeUndefined()
  const file = new URL('./value-code.ts', import.meta.url).href
  const program = `import { compileLayout } from ${JSON.stringify(file)}
    console.log(compileLayout(${JSON.stringify(layout)}))`
  const flags = ['--disallow-code-generation-from-strings', '--input-type=module', '--eval', program]
  expect(spawnSync(process.execPath, flags, { encoding: 'utf8' }).stdout).toBe('undefined\n')
})
