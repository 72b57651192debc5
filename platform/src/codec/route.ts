// From a route to its slot (ID3). This never changes: data on disk and clients in browsers depend on it.
//
// Canonical bytes of one field: a tag and the value.
//   0x01 string: UTF-8 of its NFC form    0x02 number: float64 big-endian, -0 as 0    0x03 bigint: decimal digits in ASCII
//   0x04 boolean: 0 or 1                  0x00 null
// A route of several fields joins theirs, each after its length as u32 big-endian.
// The slot is XXH32 (seed 0) of the bytes, modulo 16,384. The vectors stand in `route-vectors.json`.
import { PlenumError, xxh32 } from '../kernel/index.ts'
import { ByteWriter } from './byte-writer.ts'

/** Number of slots; partitions own ranges of them. */
export const slotCount = 16_384

/** A route: one scalar, or one for each route field. */
export type Route = Scalar | readonly Scalar[]
type Scalar = null | boolean | number | bigint | string

/** Turns routes into slots; one per thread, because it reuses its buffer. */
export class RouteHasher {
  readonly #writer = new ByteWriter(256)

  /** The slot of a route, 0 to 16,383. ROUTE_INVALID for NaN, infinities, ill-formed text and anything not scalar. */
  slotOf(route: unknown): number {
    const writer = this.#writer
    writer.at = 0
    writeRoute(writer, route)
    return xxh32(writer.bytes, writer.at) % slotCount
  }

  /** The canonical bytes of a route, a copy. */
  bytesOf(route: unknown): Uint8Array {
    this.#writer.at = 0
    writeRoute(this.#writer, route)
    return this.#writer.written().slice()
  }
}

/** The slot of a route, 0 to 16,383 (ID3). ROUTE_INVALID where it has no canonical bytes. */
export function slotOf(route: Route): number {
  return new RouteHasher().slotOf(route)
}

function writeRoute(writer: ByteWriter, route: unknown): void {
  if (!Array.isArray(route)) return writeField(writer, route)
  for (const field of route) {
    const lengthAt = writer.at
    writer.ensure(4)
    writer.at += 4
    writeField(writer, field)
    writer.view.setUint32(lengthAt, writer.at - lengthAt - 4, false)
  }
}

function writeField(writer: ByteWriter, value: unknown): void {
  switch (typeof value) {
    case 'string':
      return writeText(writer, value)
    case 'number': {
      if (!Number.isFinite(value)) throw invalid(`the number ${value} has no place in a route`)
      writer.byte(0x02)
      writer.ensure(8)
      writer.view.setFloat64(writer.at, value === 0 ? 0 : value, false)
      writer.at += 8
      return
    }
    case 'bigint':
      writer.byte(0x03)
      writer.text(value.toString())
      return
    case 'boolean':
      writer.byte(0x04)
      return writer.byte(value ? 1 : 0)
    default:
      if (value === null) return writer.byte(0x00)
      throw invalid(
        `a route is a string, number, bigint, boolean or null, not ${value === undefined ? 'absent' : typeof value}`,
      )
  }
}

function writeText(writer: ByteWriter, text: string): void {
  writer.byte(0x01)
  const start = writer.at
  const written = writer.text(text)
  // As many bytes as characters means ASCII, which is well-formed and its own NFC form.
  if (written === text.length) return
  if (!text.isWellFormed()) throw invalid('a text with a lone surrogate has no canonical bytes')
  writer.at = start
  writer.text(text.normalize('NFC'))
}

function invalid(why: string): PlenumError {
  return new PlenumError('ROUTE_INVALID', `The route cannot be used: ${why}.`)
}
