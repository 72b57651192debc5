import type { Runtime } from '../../runtime/index.ts'

/** Where a record has the checksum of all its other bytes. */
const checksumAt = 12

/**
 * Digests of whole buffers, each computed once although every member digests every record that a stream stored. A buffer
 * is known by itself and by the checksum in it, because a record that was not sent yet may be sealed anew in its place.
 */
export class SharedDigests {
  readonly #known = new WeakMap<ArrayBufferLike, { readonly checksum: number; readonly digest: Uint8Array }>()

  /** The same runtime, digests shared with others of this simulation. */
  through(runtime: Runtime): Runtime {
    return { ...runtime, digest: (parts) => this.#digest(runtime, parts) }
  }

  #digest(runtime: Runtime, parts: readonly Uint8Array[]): Uint8Array {
    const [bytes, more] = parts
    if (bytes === undefined || more !== undefined || !isWhole(bytes)) return runtime.digest(parts)
    const checksum = new DataView(bytes.buffer).getUint32(checksumAt, true)
    const known = this.#known.get(bytes.buffer)
    if (known?.checksum === checksum) return known.digest
    const digest = runtime.digest(parts)
    this.#known.set(bytes.buffer, { checksum, digest })
    return digest
  }
}

/** True for bytes that are all of their buffer, and enough to be a record. */
function isWhole({ buffer, byteLength }: Uint8Array): boolean {
  return buffer.byteLength === byteLength && byteLength >= checksumAt + 4
}
