// Plain values to bytes and back (SC1). The encoding is canonical: equal values with equal key order give equal bytes,
// which is what state hashes stand on.
//
//   0x80-0xff  the integers 0 to 127          0x40-0x7f  a string of 0 to 63 bytes
//   0x00 null  0x01 false  0x02 true          0x03 int32, zigzag varint     0x04 float64
//   0x05 bigint: sign and length as varint, magnitude big-endian            0x06 string with length
//   0x07 bytes 0x08 array  0x09 object: count, then names and values        0x0a absent (a field that is not there)
import { PlenumError } from '../kernel/index.ts'
import type { ByteReader } from './byte-reader.ts'
import type { ByteWriter } from './byte-writer.ts'

const NULL = 0
const FALSE = 1
const TRUE = 2
const INT32 = 3
const FLOAT64 = 4
const BIGINT = 5
const STRING = 6
const BYTES = 7
const ARRAY = 8
const OBJECT = 9
const ABSENT = 10
const SHORT_STRING = 0x40
const SHORT_STRING_MAX = 0x3f
const SMALL_INT = 0x80

/** Deepest nesting of a value, so that a hostile message cannot exhaust the stack. */
export const valueDepthMax = 64

/** Appends one plain value; `undefined` becomes "absent", which only object fields may be. */
export function writeValue(writer: ByteWriter, value: unknown, depth = 0): void {
  switch (typeof value) {
    case 'number':
      return writeNumber(writer, value)
    case 'string':
      return writeString(writer, value)
    case 'boolean':
      return writer.byte(value ? TRUE : FALSE)
    case 'undefined':
      return writer.byte(ABSENT)
    case 'bigint':
      return writeBigint(writer, value)
    case 'object':
      return value === null ? writer.byte(NULL) : writeObject(writer, value, depth)
    default:
      throw new PlenumError('VALUE_NOT_PLAIN', `A ${typeof value} is not plain data and cannot be stored.`)
  }
}

function writeNumber(writer: ByteWriter, value: number): void {
  if ((value | 0) === value) {
    if (value >= 0 && value < 128) return writer.byte(SMALL_INT | value)
    writer.byte(INT32)
    return writer.varint(((value << 1) ^ (value >> 31)) >>> 0)
  }
  writer.byte(FLOAT64)
  writer.float64(value)
}

function writeString(writer: ByteWriter, value: string): void {
  const tagAt = writer.at
  writer.byte(SHORT_STRING)
  const length = writer.text(value)
  if (length <= SHORT_STRING_MAX) {
    writer.bytes[tagAt] = SHORT_STRING | length
    return
  }
  const content = writer.bytes.slice(tagAt + 1, writer.at)
  writer.at = tagAt
  writer.byte(STRING)
  writer.varint(length)
  writer.raw(content)
}

function writeBigint(writer: ByteWriter, value: bigint): void {
  writer.byte(BIGINT)
  const digits = (value < 0n ? -value : value).toString(16)
  const hex = digits.length % 2 === 0 ? digits : `0${digits}`
  writer.varint((hex.length / 2) * 2 + (value < 0n ? 1 : 0))
  for (let i = 0; i < hex.length; i += 2) writer.byte(Number.parseInt(hex.slice(i, i + 2), 16))
}

function writeObject(writer: ByteWriter, value: object, depth: number): void {
  if (depth >= valueDepthMax) {
    throw new PlenumError('VALUE_TOO_LARGE', `A value is nested deeper than ${valueDepthMax} levels.`, {
      details: { limit: valueDepthMax },
    })
  }
  if (Array.isArray(value)) {
    writer.byte(ARRAY)
    writer.varint(value.length)
    for (const item of value) writeValue(writer, item, depth + 1)
    return
  }
  if (value instanceof Uint8Array) {
    writer.byte(BYTES)
    writer.varint(value.length)
    return writer.raw(value)
  }
  // A field that is undefined is absent, so that what is read back has the same bytes.
  const fields = Object.entries(value).filter(([, item]) => item !== undefined)
  writer.byte(OBJECT)
  writer.varint(fields.length)
  for (const [name, item] of fields) {
    writer.string(name)
    writeValue(writer, item, depth + 1)
  }
}

/** Reads one value; objects and arrays come deep-frozen, absent comes as `undefined`. */
export function readValue(reader: ByteReader, depth = 0): unknown {
  const tag = reader.byte()
  if (tag >= SMALL_INT) return tag & 0x7f
  if (tag >= SHORT_STRING) return reader.text(tag & SHORT_STRING_MAX)
  switch (tag) {
    case NULL:
      return null
    case FALSE:
      return false
    case TRUE:
      return true
    case INT32: {
      const zigzag = reader.varint()
      return (zigzag >>> 1) ^ -(zigzag & 1)
    }
    case FLOAT64:
      return reader.float64()
    case BIGINT:
      return readBigint(reader)
    case STRING:
      return reader.string()
    case BYTES:
      return reader.raw(reader.varint()).slice()
    case ARRAY:
      return readArray(reader, depth)
    case OBJECT:
      return readObject(reader, depth)
    case ABSENT:
      return undefined
    default:
      throw new PlenumError('JOURNAL_CORRUPT', `An encoded value has the unknown tag ${tag}.`)
  }
}

function readBigint(reader: ByteReader): bigint {
  const sized = reader.varint()
  let hex = '0x0'
  for (let i = sized >> 1; i > 0; i--) hex += reader.byte().toString(16).padStart(2, '0')
  return sized & 1 ? -BigInt(hex) : BigInt(hex)
}

function readArray(reader: ByteReader, depth: number): readonly unknown[] {
  checkDepth(depth)
  const items: unknown[] = []
  for (let left = reader.varint(); left > 0; left--) items.push(readValue(reader, depth + 1))
  return Object.freeze(items)
}

function readObject(reader: ByteReader, depth: number): Readonly<Record<string, unknown>> {
  checkDepth(depth)
  const object: Record<string, unknown> = {}
  for (let left = reader.varint(); left > 0; left--) {
    const name = reader.string()
    const value = readValue(reader, depth + 1)
    if (name === '__proto__') Object.defineProperty(object, name, { value, enumerable: true })
    else if (value !== undefined) object[name] = value
  }
  return Object.freeze(object)
}

function checkDepth(depth: number): void {
  if (depth >= valueDepthMax) throw new PlenumError('JOURNAL_CORRUPT', 'An encoded value is nested too deep.')
}
