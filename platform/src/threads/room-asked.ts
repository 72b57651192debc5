/**
 * Asks all partitions to make room in the journal that they share, also those of other threads, which cannot say at once
 * whether there is anything to do. Once they have said that there was not, whoever asks in the same turn is told so:
 * else what waits for room would ask for ever.
 */
export class RoomAsked {
  readonly #askAll: () => Promise<boolean>
  readonly #soon: (run: () => void) => void
  #asking: Promise<void> | undefined
  #isInVain = false

  constructor(askAll: () => Promise<boolean>, soon: (run: () => void) => void) {
    this.#askAll = askAll
    this.#soon = soon
  }

  /** Resolves when room was made; undefined if there was nothing to do. */
  ask(): Promise<void> | undefined {
    if (this.#isInVain) return undefined
    this.#asking ??= this.#ask()
    return this.#asking
  }

  async #ask(): Promise<void> {
    try {
      if (await this.#askAll()) return
      this.#isInVain = true
      this.#soon(() => (this.#isInVain = false))
    } finally {
      this.#asking = undefined
    }
  }
}
