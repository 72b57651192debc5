// Copies values that come from outside: one pass that checks that they are plain (SC1) and have no unknown fields
// (SC3), drops absent fields, and freezes what it made.
//
// I1 Nothing of the given value is shared with the copy, bytes included.
// I2 Fields stand in declared order, so that all values of a type have one hidden class.
import { valueDepthMax } from '../codec/index.ts'
import { isPlainPrototype } from './plain.ts'
import type { ObjectShape, ValueShape } from './value-shape.ts'

/** What is wrong with a value, and where; the path grows while the error travels up. */
export class Misfit extends Error {
  readonly code: 'VALUE_NOT_PLAIN' | 'UNKNOWN_FIELD' | 'VALUE_TOO_LARGE'
  readonly path: (string | number)[] = []

  constructor(code: Misfit['code'], why: string) {
    super(why)
    this.code = code
  }
}

type Plain = Readonly<Record<string, unknown>>

/** A copy of an object, itself not frozen yet, everything below it frozen. Throws a Misfit. */
export function copyObject(shape: ValueShape, value: object, depth = 0): Record<string, unknown> {
  if (!isPlainPrototype(Object.getPrototypeOf(value))) throw notPlain(value)
  if (depth >= valueDepthMax) throw tooDeep()
  const given = value as Plain
  const object = shape.objectFor(given)
  return (depth === 0 ? copyAtOnce(object, given) : undefined) ?? copyByName(object, given, depth)
}

/** The copy of an object that has all its fields and is sound; undefined for any other, whose twin finds what is wrong. */
function copyAtOnce(object: ObjectShape, given: Plain): Record<string, unknown> | undefined {
  try {
    return object.code?.copy(given, copyItem)
  } catch (error) {
    if (error instanceof Misfit) return undefined
    throw error
  }
}

function copyByName({ names, fields, rest }: ObjectShape, given: Plain, depth: number): Record<string, unknown> {
  const copy: Record<string, unknown> = {}
  let copied = 0
  let name = ''
  try {
    for (let at = 0; at < names.length; at++) {
      name = names[at]!
      const item = given[name]
      if (item === undefined || (typeof item === 'function' && !Object.hasOwn(given, name))) continue
      copied += 1
      copy[name] = typeof item === 'string' ? checkedText(item) : copyItem(fields.get(name)!, item, depth + 1)
    }
    if (countFields(given) !== copied) {
      for (name of Object.keys(given)) {
        const item = given[name]
        if (item === undefined || fields.has(name)) continue
        if (rest === undefined) throw new Misfit('UNKNOWN_FIELD', unknownField(names))
        setField(copy, name, copyItem(rest, item, depth + 1))
      }
    }
  } catch (error) {
    throw inside(error, name)
  }
  return copy
}

/**
 * A stored value with some of its fields changed; undefined where that takes more than replacing declared fields of a
 * value that has them all.
 */
export function patchAtOnce(shape: ValueShape, value: Plain, fields: Plain): Record<string, unknown> | undefined {
  if (!isPlainPrototype(Object.getPrototypeOf(fields))) return undefined
  try {
    return shape.objectFor(value).code?.patch(value, fields, copyItem)
  } catch (error) {
    if (error instanceof Misfit) return undefined
    throw error
  }
}

/** A frozen copy of any plain value. Throws a Misfit. */
export function copyItem(shape: ValueShape, item: unknown, depth: number): unknown {
  switch (typeof item) {
    case 'string':
      return checkedText(item)
    case 'number':
      if (!Number.isFinite(item)) throw new Misfit('VALUE_NOT_PLAIN', `${item} is not a finite number`)
      return item === 0 ? 0 : item
    case 'boolean':
    case 'bigint':
      return item
    case 'object':
      if (item === null) return null
      if (Array.isArray(item)) return copyList(shape, item, depth)
      if (item instanceof Uint8Array) return new Uint8Array(item)
      return Object.freeze(copyObject(shape, item, depth))
    default:
      throw notPlain(item)
  }
}

/**
 * True if `output`, which a schema made of `copy`, is the same. Throws a Misfit where a field went missing: the library
 * strips unknown ones, and a union may have hidden that it was unknown.
 */
export function isUnchanged(copy: unknown, output: unknown): boolean {
  if (copy === output) return true
  if (typeof copy !== 'object' || typeof output !== 'object' || copy === null || output === null) return false
  if (copy instanceof Uint8Array) return output instanceof Uint8Array && sameBytes(copy, output)
  if (Array.isArray(copy)) {
    if (!Array.isArray(output)) return false
    return copy.length === output.length && copy.every((item, at) => isUnchangedAt(item, output[at], at))
  }
  return sameFields(copy as Plain, output as Plain)
}

function sameFields(copy: Plain, output: Plain): boolean {
  let same = true
  let count = 0
  for (const name in copy) {
    count += 1
    const item = output[name]
    if (item === copy[name]) continue
    if (item === undefined && !(name in output)) {
      throw inside(new Misfit('UNKNOWN_FIELD', 'the schema knows no such field in a value of this kind'), name)
    }
    if (!isUnchangedAt(copy[name], item, name)) same = false
  }
  return same && countFields(output) === count
}

/** Plain objects inherit nothing that can be enumerated, and walking them so makes no list. */
function countFields(value: object): number {
  let count = 0
  for (const _ in value) count += 1
  return count
}

function isUnchangedAt(copy: unknown, output: unknown, at: string | number): boolean {
  if (copy === output) return true
  try {
    return isUnchanged(copy, output)
  } catch (error) {
    throw inside(error, at)
  }
}

function copyList(shape: ValueShape, list: readonly unknown[], depth: number): readonly unknown[] {
  if (depth >= valueDepthMax) throw tooDeep()
  const copy: unknown[] = []
  for (let at = 0; at < list.length; at++) {
    try {
      copy.push(copyItem(shape.item(at), list[at], depth + 1))
    } catch (error) {
      throw inside(error, at)
    }
  }
  return Object.freeze(copy)
}

function checkedText(text: string): string {
  if (text.isWellFormed()) return text
  throw new Misfit('VALUE_NOT_PLAIN', 'the text is not well-formed Unicode (a surrogate stands alone)')
}

/** A record may have any name, `__proto__` included, which plain assignment would take for something else. */
function setField(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name === '__proto__')
    Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true })
  else object[name] = value
}

function inside(error: unknown, at: string | number): unknown {
  if (error instanceof Misfit) error.path.unshift(at)
  return error
}

function notPlain(value: unknown): Misfit {
  if (value === undefined) return new Misfit('VALUE_NOT_PLAIN', 'a list may not have gaps; write null')
  if (Object.prototype.toString.call(value) === '[object Date]')
    return new Misfit('VALUE_NOT_PLAIN', 'a Date is not plain data; write a time as integer milliseconds')
  return new Misfit('VALUE_NOT_PLAIN', `${kindOf(value)} is not plain data`)
}

function kindOf(value: unknown): string {
  if (typeof value !== 'object' || value === null) return `a ${typeof value}`
  const { constructor } = value
  return typeof constructor === 'function' && constructor !== Object
    ? `a ${constructor.name}`
    : 'an object with a class'
}

function unknownField(names: ObjectShape['names']): string {
  return `there is no such field; the schema has ${names.length === 0 ? 'none' : names.join(', ')}`
}

function tooDeep(): Misfit {
  return new Misfit('VALUE_TOO_LARGE', `the value is nested deeper than ${valueDepthMax} levels, or refers to itself`)
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at])
}
