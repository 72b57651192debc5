import { assert, isPlenumError } from '../kernel/index.ts'
import type { SpaceClient } from '../router/index.ts'

/** What a step commits at its end, within its transaction. */
type Conclusion = (tx: SpaceClient) => Promise<void>

/**
 * The transaction of one attempt at a step. It begins when something is first asked of it, so that the time before, in which
 * a step mostly waits for the world outside, is none in which others may change what it has seen.
 */
export class StepTransaction {
  readonly #space: SpaceClient
  readonly #conclusion = Promise.withResolvers<Conclusion>()
  #begun: { readonly tx: SpaceClient; readonly committed: Promise<void> } | undefined

  constructor(space: SpaceClient) {
    this.#space = space
    this.#conclusion.promise.catch(ignore)
  }

  get tx(): SpaceClient {
    if (this.#begun !== undefined) return this.#begun.tx
    let within: SpaceClient | undefined
    const committed = this.#space.transaction(
      async (tx) => {
        within = tx
        const conclude = await this.#conclusion.promise
        await conclude(tx)
      },
      { attempts: 1 },
    )
    committed.catch(ignore)
    assert(within !== undefined, 'a transaction runs its function at once')
    this.#begun = { tx: within, committed }
    return within
  }

  /**
   * Commits what was done in it, and what `conclude` does. TRANSACTION_CONFLICT if what was seen is no longer so. Where
   * nothing was done, `atOnce` may do the same in one request; if that meets a conflict, `conclude` looks what it was.
   */
  async commit(conclude: Conclusion, atOnce?: () => Promise<void>): Promise<void> {
    if (this.#begun === undefined) {
      try {
        if (atOnce !== undefined) return await atOnce()
      } catch (error) {
        if (!isPlenumError(error, 'TRANSACTION_CONFLICT')) throw error
      }
      return this.#space.transaction(conclude)
    }
    this.#conclusion.resolve(conclude)
    await this.#begun.committed
  }

  /** Drops it. Throws what ended it: the error, or TRANSACTION_CONFLICT if that may come from what is no longer so. */
  async drop(error: unknown): Promise<never> {
    this.#conclusion.reject(error)
    await this.#begun?.committed
    throw error
  }
}

function ignore(): void {}
