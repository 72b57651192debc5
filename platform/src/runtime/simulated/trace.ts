import { xxh32 } from '../../kernel/index.ts'

/**
 * A running hash of everything that happens in a world, 64 bits: two runs of a seed are equal if their hashes are. With
 * `keepLines` the last so many entries are kept as text, to find where two runs part.
 */
export class Trace {
  readonly #keepLines: number
  readonly #entry = new DataView(new ArrayBuffer(16))
  readonly #bytes = new Uint8Array(this.#entry.buffer)
  #low = 0x9e3779b1
  #high = 0x85ebca77
  #lines: string[] = []
  #entries = 0

  constructor(keepLines = 0) {
    this.#keepLines = keepLines
  }

  /** Entries so far. */
  get entries(): number {
    return this.#entries
  }

  /** The last entries, oldest first; empty unless lines are kept. */
  get lines(): readonly string[] {
    return this.#lines.slice(-this.#keepLines)
  }

  /** The hash so far, 16 hexadecimal digits. */
  get hash(): string {
    return hex(this.#high) + hex(this.#low)
  }

  /** Takes in that something happened at a time, and the bytes that it was about. */
  note(time: number, what: string, bytes?: Uint8Array): void {
    this.#entries += 1
    let text = 0
    for (let at = 0; at < what.length; at++) text = Math.imul(text ^ what.charCodeAt(at), 0x01000193)
    const content = bytes === undefined ? 0 : xxh32(bytes)
    this.#entry.setFloat64(0, time)
    this.#entry.setInt32(8, text)
    this.#entry.setUint32(12, content)
    this.#low = xxh32(this.#bytes, 16, this.#low)
    this.#high = Math.imul(this.#high ^ this.#low, 0xc2b2ae3d) + this.#entries
    if (this.#keepLines > 0) this.#keep(`${time.toFixed(6)} ${what}${bytes === undefined ? '' : ` #${hex(content)}`}`)
  }

  #keep(line: string): void {
    this.#lines.push(line)
    if (this.#lines.length > 2 * this.#keepLines) this.#lines = this.#lines.slice(-this.#keepLines)
  }
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0')
}
