import { PlenumError } from '../kernel/index.ts'

const encoder = new TextEncoder()

/**
 * A growing byte buffer. Writers are reused: `at` is where the next byte goes, and setting it back forgets what was
 * written after it. Numbers are little-endian.
 */
export class ByteWriter {
  bytes: Uint8Array
  view: DataView
  at = 0

  constructor(capacity = 1024) {
    this.bytes = new Uint8Array(capacity)
    this.view = new DataView(this.bytes.buffer)
  }

  /** Makes room for `length` more bytes. */
  ensure(length: number): void {
    if (this.at + length > this.bytes.length) this.#grow(length)
  }

  #grow(length: number): void {
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.at + length))
    larger.set(this.bytes.subarray(0, this.at))
    this.bytes = larger
    this.view = new DataView(larger.buffer)
  }

  byte(value: number): void {
    this.ensure(1)
    this.bytes[this.at++] = value
  }

  /** An unsigned integer below 2^53 in groups of seven bits, lowest first. */
  varint(value: number): void {
    this.ensure(8)
    const { bytes } = this
    let rest = value
    while (rest > 0x7fffffff) {
      bytes[this.at++] = (rest % 128) | 0x80
      rest = Math.floor(rest / 128)
    }
    while (rest > 0x7f) {
      bytes[this.at++] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    bytes[this.at++] = rest
  }

  float64(value: number): void {
    this.ensure(8)
    this.view.setFloat64(this.at, value, true)
    this.at += 8
  }

  raw(bytes: Uint8Array): void {
    this.ensure(bytes.length)
    this.bytes.set(bytes, this.at)
    this.at += bytes.length
  }

  /** UTF-8 without a length; returns the number of bytes. Text is well-formed: the door has checked it (SC1). */
  text(text: string): number {
    const { length } = text
    this.ensure(length * 3)
    const start = this.at
    if (length < 64) {
      const { bytes } = this
      let i = 0
      for (; i < length; i++) {
        const code = text.charCodeAt(i)
        if (code > 0x7f) break
        bytes[start + i] = code
      }
      if (i === length) {
        this.at = start + length
        return length
      }
    }
    const { written } = encoder.encodeInto(text, this.bytes.subarray(start))
    this.at = start + written
    return written
  }

  /** Length, then UTF-8. */
  string(text: string): void {
    const lengthAt = this.at
    // Most texts are short: guess one byte for the length, and move the text where the guess was wrong.
    this.byte(0)
    const written = this.text(text)
    if (written < 128) {
      this.bytes[lengthAt] = written
      return
    }
    const content = this.bytes.slice(lengthAt + 1, this.at)
    this.at = lengthAt
    this.varint(written)
    this.raw(content)
  }

  /** What was written so far, as a view that the next write may change. */
  written(): Uint8Array {
    return this.bytes.subarray(0, this.at)
  }

  /** LIMIT_EXCEEDED style check by its caller: bytes since `start`. */
  since(start: number, limit: number, what: string): number {
    const length = this.at - start
    if (length > limit) {
      throw new PlenumError('VALUE_TOO_LARGE', `${what} takes ${length} bytes; the limit is ${limit} bytes.`, {
        details: { limit, found: length },
      })
    }
    return length
  }
}
