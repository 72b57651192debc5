import { PlenumError } from '../kernel/index.ts'
import type { Router } from '../router/index.ts'
import type { DeadMessage, MessagesTold } from '../space/index.ts'

/** Dead letters that one partition tells, unless it is asked for another number. */
const usualLimit = 1_000

/** Dead letters that one command sends back or throws away. */
const stepMax = 500

/** The untyped face of `MessagesHandle`. */
export class MessageControl {
  readonly #router: Router

  constructor(router: Router) {
    this.#router = router
  }

  async pending(): Promise<number> {
    return (await this.#told(1)).reduce((sum, { pending }) => sum + pending, 0)
  }

  async deadLetters({ limit = usualLimit }: { readonly limit?: number | undefined } = {}): Promise<
    readonly DeadMessage[]
  > {
    if (!(Number.isInteger(limit) && limit > 0)) {
      throw new PlenumError('VALUE_INVALID', `limit is a whole number above 0, not ${String(limit)}.`, {
        details: { field: 'limit' },
      })
    }
    return (await this.#told(limit)).flatMap(({ dead }) => dead)
  }

  async sendBack(letters?: readonly Pick<DeadMessage, 'id'>[]): Promise<number> {
    return this.#inSteps('send-again', letters ?? (await this.deadLetters({ limit: Number.MAX_SAFE_INTEGER })))
  }

  async discard(letters: readonly Pick<DeadMessage, 'id'>[]): Promise<number> {
    return this.#inSteps('discard', letters)
  }

  /** Has something done with so many at a time: all of them could be more than one command may change. */
  async #inSteps(kind: 'send-again' | 'discard', letters: readonly Pick<DeadMessage, 'id'>[]): Promise<number> {
    let done = 0
    for (let at = 0; at < letters.length; at += stepMax) {
      const ids = letters.slice(at, at + stepMax).map(({ id }) => id)
      const counts = await this.#router.all({ kind, ids })
      done += (counts as readonly number[]).reduce((sum, count) => sum + count, 0)
    }
    return done
  }

  async #told(limit: number): Promise<readonly MessagesTold[]> {
    return (await this.#router.all({ kind: 'messages', limit })) as readonly MessagesTold[]
  }
}
