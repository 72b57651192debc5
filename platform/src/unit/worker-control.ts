import { PlenumError } from '../kernel/index.ts'
import type { Router } from '../router/index.ts'
import type { DeadLetter } from '../space/index.ts'
import type { WorkerRun } from './worker-run.ts'

/** Dead letters that one partition tells, unless it is asked for another number. */
const usualLimit = 1_000

/** The untyped face of `WorkerHandle`. */
export class WorkerControl {
  readonly #name: string
  readonly #router: Router
  /** Undefined where another process runs the worker, or none. */
  readonly #run: WorkerRun | undefined

  constructor(name: string, router: Router, run: WorkerRun | undefined) {
    this.#name = name
    this.#router = router
    this.#run = run
  }

  get concurrency(): number {
    return this.#hosted().concurrency
  }

  set concurrency(concurrency: number) {
    this.#hosted().concurrency = concurrency
  }

  get running(): number {
    return this.#hosted().running
  }

  async drain(): Promise<void> {
    await this.#hosted().drain()
  }

  async deadLetters({ limit = usualLimit }: { readonly limit?: number | undefined } = {}): Promise<
    readonly DeadLetter[]
  > {
    if (!(Number.isInteger(limit) && limit > 0)) {
      throw new PlenumError('VALUE_INVALID', `limit is a whole number above 0, not ${String(limit)}.`, {
        details: { field: 'limit' },
      })
    }
    const parts = await this.#router.all({ kind: 'dead-letters', worker: this.#name, limit })
    return parts.flat() as readonly DeadLetter[]
  }

  async sendBack(letters?: readonly Pick<DeadLetter, 'entry'>[]): Promise<number> {
    const entries = letters?.map(({ entry }) => entry)
    const counts = await this.#router.all({ kind: 'send-back', worker: this.#name, entries })
    return (counts as readonly number[]).reduce((sum, count) => sum + count, 0)
  }

  #hosted(): WorkerRun {
    if (this.#run !== undefined) return this.#run
    throw new PlenumError('NOT_HOSTED', `This process does not run worker '${this.#name}'. Ask the one that does.`, {
      details: { worker: this.#name },
    })
  }
}
