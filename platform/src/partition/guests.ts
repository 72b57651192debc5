/** Those who wait for something at a partition. */
export interface Guest {
  cancel(wait: string): boolean
  abandon(error: unknown): void
  stop(): void
}

/** All parts of a reign that have somebody wait. */
export class Guests {
  readonly #all: readonly Guest[]

  constructor(all: readonly Guest[]) {
    this.#all = all
  }

  /** Ends a wait; false if it does not wait here. */
  cancel(wait: string): boolean {
    return this.#all.some((guest) => guest.cancel(wait))
  }

  /** Whoever waits hears the error. */
  abandon(error: unknown): void {
    for (const guest of this.#all) guest.abandon(error)
  }

  /** Forgets everybody without a word. */
  stop(): void {
    for (const guest of this.#all) guest.stop()
  }
}
