import { PlenumError } from '../kernel/index.ts'
import type { Router } from '../router/index.ts'
import type { DeadMessage, MessagesTold } from '../space/index.ts'

/** Dead letters that one partition tells, unless it is asked for another number. */
const usualLimit = 1_000

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
    const ids = letters?.map(({ id }) => id)
    const counts = await this.#router.all({ kind: 'send-again', ids })
    return (counts as readonly number[]).reduce((sum, count) => sum + count, 0)
  }

  async discard(letters: readonly Pick<DeadMessage, 'id'>[]): Promise<number> {
    const counts = await this.#router.all({ kind: 'discard', ids: letters.map(({ id }) => id) })
    return (counts as readonly number[]).reduce((sum, count) => sum + count, 0)
  }

  async #told(limit: number): Promise<readonly MessagesTold[]> {
    return (await this.#router.all({ kind: 'messages', limit })) as readonly MessagesTold[]
  }
}
