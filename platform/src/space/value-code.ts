// Code for the values of one type, compiled once from the names of their fields.
//
// A look-up by a name that is another one at each call costs several times what `value.balance` does, and an object
// that is filled name by name ten times what a literal does. What handles each value is therefore compiled from the
// names. Every function here has a twin that loops over names, which is used where code cannot be compiled
// (`--disallow-code-generation-from-strings`) or does not fit; tests hold the two equal.
//
// I1 Compiled code does the plain case only: all fields there and no others. For anything else it answers undefined
//    or false, and the twin decides, errors included.
// I2 Names reach the compiler as JSON texts; none can be `__proto__`, which no schema may declare.
import { readValue, writeValue, type ByteReader, type ByteWriter } from '../codec/index.ts'
import { itemAt } from './item-order.ts'
import type { Layout, StoredValue } from './layout.ts'
import type { ValueShape } from './value-shape.ts'

type Fields = Record<string, unknown>

/** Copies what stands in a field, by the shape of the field. */
type CopyItem = (shape: ValueShape, item: unknown, depth: number) => unknown

/** What is compiled for the objects of a schema. */
export interface ShapeCode {
  /** A copy, not frozen; undefined where a field is absent or unknown. Throws what `copyItem` throws. */
  readonly copy: (given: StoredValue, copyItem: CopyItem) => Fields | undefined
  /** The value with the given fields in it; undefined where one of its fields is absent or one of the given unknown. */
  readonly patch: (value: StoredValue, given: StoredValue, copyItem: CopyItem) => Fields | undefined
  /** True if both have exactly the declared fields, with the same primitives or references. */
  readonly isSame: (one: StoredValue, other: StoredValue) => boolean
}

/** What is compiled for the entries of a layout. */
export interface LayoutCode {
  readonly write: (writer: ByteWriter, value: StoredValue) => void
  readonly read: (reader: ByteReader) => Fields
  /** The only id field, undefined where it is missing; not there for ids of several fields. */
  readonly idOf: ((key: StoredValue) => unknown) | undefined
  /** The only route field; not there for routes of several fields. */
  readonly routeOf: ((key: StoredValue) => unknown) | undefined
  /** True if the route fields are all there and equal. */
  readonly isSameRoute: (value: StoredValue, key: StoredValue) => boolean
  /** True if id and route fields are equal. */
  readonly isSameEntry: (one: StoredValue, other: StoredValue) => boolean
}

/** Values with more fields are handled by the loops: long functions are not optimised. */
const namesMax = 64

/** Code for objects with these fields. */
export function compileShape(fields: ReadonlyMap<string, ValueShape>): ShapeCode | undefined {
  const names = [...fields.keys()]
  if (names.length === 0 || names.length > namesMax) return undefined
  const each = (part: (name: string, at: number) => string, joint = '\n'): string =>
    names.map((name, at) => part(JSON.stringify(name), at)).join(joint)
  const made = `new Value(${each((_, at) => `v${at}`, ', ')})`
  return compile<ShapeCode>(
    ['count', 'shapes'],
    [count, [...fields.values()]],
    `${constructorOf(names)}
    return {
      copy(given, copyItem) {
        ${each((name, at) => `let v${at} = given[${name}]; if (v${at} === undefined) return undefined`)}
        if (count(given) !== ${names.length}) return undefined
        ${each((_, at) => `v${at} = copyItem(shapes[${at}], v${at}, 1)`)}
        return ${made}
      },
      patch(value, given, copyItem) {
        let known = 0
        ${each(
          (name, at) => `let v${at} = given[${name}]
          if (v${at} !== undefined) { known += 1; v${at} = copyItem(shapes[${at}], v${at}, 1) }
          else { v${at} = value[${name}]; if (v${at} === undefined) return undefined }`,
        )}
        if (count(given) !== known || count(value) !== ${names.length}) return undefined
        return ${made}
      },
      isSame(one, other) {
        return ${each((name) => `one[${name}] === other[${name}]`, ' && ')} &&
          count(one) === ${names.length} && count(other) === ${names.length}
      },
    }`,
  )
}

/** Code for a layout; undefined where its values may have fields that it does not name. */
export function compileLayout({ fields, open, id, route }: Layout): LayoutCode | undefined {
  if (open || fields.length === 0 || fields.length > namesMax) return undefined
  const each = (names: readonly string[], part: (name: string, at: number) => string, joint: string): string =>
    names.map((name, at) => part(JSON.stringify(name), at)).join(joint)
  const only = ([name, another]: readonly string[]): string =>
    another === undefined ? `(key) => key[${JSON.stringify(name)}]` : 'undefined'
  const all = (names: readonly string[], part: (name: string) => string): string => each(names, part, ' && ') || 'true'
  return compile<LayoutCode>(
    ['writeValue', 'readValue', 'present'],
    [writeValue, readValue, present],
    `${constructorOf(fields)}
    return {
      write(writer, value) {
        ${each(fields, (name) => `writeValue(writer, value[${name}])`, '\n')}
      },
      read(reader) {
        ${each(fields, (_, at) => `const v${at} = readValue(reader)`, '\n')}
        const value = new Value(${each(fields, (_, at) => `v${at}`, ', ')})
        return ${each(fields, (_, at) => `v${at} === undefined`, ' || ')} ? present(value) : value
      },
      idOf: ${only(id)},
      routeOf: ${only(route)},
      isSameRoute(value, key) {
        return ${all(route, (name) => `value[${name}] === key[${name}] && key[${name}] !== undefined`)}
      },
      isSameEntry(one, other) {
        return ${all([...id, ...route], (name) => `one[${name}] === other[${name}]`)}
      },
    }`,
  )
}

/**
 * A constructor of plain objects. An engine learns from a constructor how much room its objects need in the end, so that
 * the stamp lies in the object itself; beside a literal it would be an object of its own.
 */
function constructorOf(names: readonly string[]): string {
  const fields = names.map((name, at) => `this[${JSON.stringify(name)}] = v${at}`)
  return `function Value(${names.map((_, at) => `v${at}`).join(', ')}) { ${fields.join('; ')} }
    Value.prototype = Object.prototype`
}

/** Objects of one shape are counted without a list of their names. */
function count(value: StoredValue): number {
  let fields = 0
  for (const _ in value) fields += 1
  return fields
}

/** Only the fields that are not absent. */
function present(value: Fields): Fields {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined))
}

function compile<Code>(names: readonly string[], things: readonly unknown[], body: string): Code | undefined {
  try {
    // oxlint-disable-next-line no-new-func, typescript/no-implied-eval -- The text holds declared names as JSON and nothing else from outside (I2).
    return new Function(...names, `'use strict'\n${body}`)(...things) as Code
  } catch (error) {
    if (error instanceof EvalError) return undefined
    throw error
  }
}

/** A reader of what stands at a dotted path of a value. */
export function compilePath(path: string): (value: StoredValue) => unknown {
  const names = path.split('.')
  const [name] = names
  const byName = (value: StoredValue): unknown => itemAt(value, names)
  if (name === undefined || names.length > 1 || name === '__proto__') return byName
  return compile([], [], `return (value) => value[${JSON.stringify(name)}]`) ?? byName
}
