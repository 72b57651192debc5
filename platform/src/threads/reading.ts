/** Bytes that are read ahead of whoever asks. */
const aheadBytesMax = 4 << 20

/** Something that is read for another thread: ahead of it, but not without end. */
export class Reading<T> {
  readonly #source: AsyncIterable<T>
  readonly #bytesOf: (item: T) => number
  #items: T[] = []
  #bytes = 0
  #isOver = false
  #error: { readonly thrown: unknown } | undefined
  #wakeReader: (() => void) | undefined
  #wakeSource: (() => void) | undefined
  readonly #done: Promise<void>

  constructor(source: AsyncIterable<T>, bytesOf: (item: T) => number) {
    this.#source = source
    this.#bytesOf = bytesOf
    this.#done = this.#read()
  }

  /** What has come since, at least something unless it was the last. Throws what the source has thrown. */
  async next(): Promise<{ readonly items: readonly T[]; readonly isLast: boolean }> {
    while (this.#items.length === 0 && !this.#isOver) await new Promise<void>((wake) => (this.#wakeReader = wake))
    const items = this.#items
    if (items.length === 0 && this.#error !== undefined) throw this.#error.thrown
    this.#items = []
    this.#bytes = 0
    this.#wakeSource?.()
    return { items, isLast: this.#isOver && this.#error === undefined }
  }

  /** Reads no more; resolves when the source is let go. */
  stop(): Promise<void> {
    this.#isOver = true
    this.#wakeSource?.()
    this.#wakeReader?.()
    return this.#done
  }

  async #read(): Promise<void> {
    try {
      for await (const item of this.#source) {
        this.#items.push(item)
        this.#bytes += this.#bytesOf(item)
        this.#wakeReader?.()
        while (this.#bytes >= aheadBytesMax && !this.#isOver)
          await new Promise<void>((wake) => (this.#wakeSource = wake))
        if (this.#isOver) break
      }
    } catch (thrown) {
      this.#error = { thrown }
    }
    this.#isOver = true
    this.#wakeReader?.()
  }
}
