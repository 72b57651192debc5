import { PlenumError } from '../kernel/index.ts'

const decoder = new TextDecoder('utf-8', { fatal: true })

/** Reads what a ByteWriter wrote. Running past the end, or text that is none, is JOURNAL_CORRUPT: a checked record never does. */
export class ByteReader {
  readonly bytes: Uint8Array
  readonly #view: DataView
  at = 0

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  get done(): boolean {
    return this.at >= this.bytes.length
  }

  byte(): number {
    const value = this.bytes[this.at++]
    if (value === undefined) throw this.#short()
    return value
  }

  varint(): number {
    let value = 0
    let scale = 1
    for (;;) {
      const byte = this.byte()
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
      scale *= 128
    }
  }

  float64(): number {
    if (this.at + 8 > this.bytes.length) throw this.#short()
    const value = this.#view.getFloat64(this.at, true)
    this.at += 8
    return value
  }

  /** A view of the next `length` bytes, not a copy. */
  raw(length: number): Uint8Array {
    if (this.at + length > this.bytes.length) throw this.#short()
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }

  text(length: number): string {
    const end = this.at + length
    if (end > this.bytes.length) throw this.#short()
    if (length < 24) {
      // Short ASCII texts are the common case, and cheaper here than in the decoder.
      let text = ''
      let i = this.at
      for (; i < end; i++) {
        const code = this.bytes[i]!
        if (code > 0x7f) break
        text += String.fromCharCode(code)
      }
      if (i === end) {
        this.at = end
        return text
      }
    }
    const bytes = this.raw(length)
    try {
      return decoder.decode(bytes)
    } catch (error) {
      throw new PlenumError('JOURNAL_CORRUPT', `An encoded text ends at byte ${end} and is not UTF-8.`, {
        cause: error,
      })
    }
  }

  string(): string {
    return this.text(this.varint())
  }

  #short(): PlenumError {
    return new PlenumError('JOURNAL_CORRUPT', `Encoded bytes end at ${this.bytes.length}, in the middle of a value.`)
  }
}
