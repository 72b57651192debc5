import type { Journal, SnapshotName } from '../journal/index.ts'

/** A snapshot that another thread makes: its chunks arrive one after the other, and each is asked for. */
export class Saving {
  readonly #saved: Promise<SnapshotName>
  #chunk: { readonly bytes: Uint8Array; readonly taken: () => void } | undefined
  #end: { readonly hash: string } | { readonly error: Error } | undefined
  #wake: (() => void) | undefined

  constructor(journal: Journal, index: number) {
    this.#saved = journal.saveSnapshot(index, this.#chunks(), () => this.#hash())
    this.#saved.catch(() => {})
  }

  /** Resolves when the chunk was taken, or when nobody takes any more. */
  add(bytes: Uint8Array): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#chunk = { bytes, taken: resolve }
    this.#wake?.()
    return Promise.race([promise, this.#saved.then(() => undefined)])
  }

  /** That was all. */
  finish(hash: string): Promise<SnapshotName> {
    this.#end ??= { hash }
    this.#wake?.()
    return this.#saved
  }

  /** Nothing is saved; resolves when the journal has let go. */
  async stop(error: Error): Promise<void> {
    this.#end ??= { error }
    this.#wake?.()
    await this.#saved.catch(() => undefined)
  }

  async *#chunks(): AsyncGenerator<Uint8Array, void> {
    for (;;) {
      const chunk = this.#chunk
      if (chunk !== undefined) {
        this.#chunk = undefined
        yield chunk.bytes
        chunk.taken()
      } else if (this.#end === undefined) await new Promise<void>((wake) => (this.#wake = wake))
      else if ('error' in this.#end) throw this.#end.error
      else return
    }
  }

  #hash(): string {
    return this.#end !== undefined && 'hash' in this.#end ? this.#end.hash : ''
  }
}
