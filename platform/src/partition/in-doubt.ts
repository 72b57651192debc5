// Finds out what became of transactions whose client is gone (TX4): a participant asks the coordinating partition, and
// a coordinator tells its participants.
//
// Owns when somebody is asked, and whom. Does not own the transactions: what is heard goes in as a request like any
// other. Called by `transactions.ts`.
//
// I1 Whoever is asked is a partition, never its journal: only a primary knows what counts.
// I2 Everything said here may be said twice.
import { PlenumError, type Limits } from '../kernel/index.ts'
import type { Runtime, Timer } from '../runtime/index.ts'
import type { Command, Request } from '../space/index.ts'
import type { PartitionEvent } from './events.ts'
import type { DecisionRow, PreparedRow } from './prepared.ts'

/** Asks another partition, wherever its primary is; it may answer late, or not at all. */
export type AskPartition = (partition: number, command: Command) => Promise<unknown>

/** Where there is no other partition. */
export const askNobody: AskPartition = () =>
  Promise.reject(new PlenumError('NOT_PRIMARY', 'There is no other partition to ask.'))

/** Milliseconds between two looks at what is pending. */
const lookEveryMs = 1_000

export interface InDoubtOptions {
  readonly runtime: Runtime
  readonly limits: Limits
  readonly ask: AskPartition
  readonly submit: (request: Request) => Promise<unknown>
  readonly find: (transaction: string) => PreparedRow | DecisionRow | undefined
  readonly onEvent: (event: PartitionEvent) => void
}

export class InDoubt {
  readonly #options: InDoubtOptions
  /** Monotonic time since which each transaction is pending here. */
  readonly #since = new Map<string, number>()
  /** Those that somebody is being asked about. */
  readonly #asked = new Set<string>()
  #timer: Timer | undefined
  #stopped = false

  constructor(options: InDoubtOptions) {
    this.#options = options
  }

  /** Notes that a transaction is pending, or no longer; `isOld`: since another reign, so that it is looked after soon. */
  note(transaction: string, isPending: boolean, isOld = false): void {
    if (!isPending) return void this.#since.delete(transaction)
    this.#since.set(transaction, isOld ? -Infinity : this.#options.runtime.clock.monotonic())
    this.#wait()
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.stop()
  }

  #wait(): void {
    const { runtime, limits } = this.#options
    if (this.#timer !== undefined || this.#stopped || this.#since.size === 0) return
    this.#timer = runtime.timers.after(Math.min(limits.inDoubtMs, lookEveryMs), () => {
      this.#timer = undefined
      this.#look()
      this.#wait()
    })
  }

  /** Looks after those that have been pending for long. */
  #look(): void {
    const { runtime, limits, find, onEvent } = this.#options
    const now = runtime.clock.monotonic()
    for (const [transaction, since] of this.#since) {
      const row = find(transaction)
      if (row === undefined || this.#asked.has(transaction)) continue
      // Both leave it to the client first; who asks for longer, because its question may be what aborts.
      const patienceMs = 'coordinator' in row ? limits.inDoubtMs : Math.min(limits.inDoubtMs, lookEveryMs)
      if (now - since < patienceMs) continue
      const ms = Number.isFinite(since) ? now - since : 0
      if ('coordinator' in row) onEvent({ kind: 'in-doubt', transaction, coordinator: row.coordinator, ms })
      this.#asked.add(transaction)
      const done = 'coordinator' in row ? this.#inquire(row) : this.#inform(row)
      void done.catch(() => undefined).finally(() => this.#asked.delete(transaction))
    }
  }

  async #inquire({ transaction, coordinator, until }: PreparedRow): Promise<void> {
    const { ask, submit, runtime } = this.#options
    const name = { id: transaction, coordinator, until }
    runtime.probe?.('participant asked for an outcome')
    const committed = (await ask(coordinator, { kind: 'inquire', transaction: name })) === true
    if (!this.#stopped) await submit({ command: { kind: 'outcome', transaction, committed } })
  }

  async #inform({ transaction, partitions }: DecisionRow): Promise<void> {
    const { ask, submit, runtime } = this.#options
    runtime.probe?.('coordinator told an outcome')
    for (const partition of partitions) {
      await ask(partition, { kind: 'outcome', transaction, committed: true })
      if (this.#stopped) return
      await submit({ command: { kind: 'informed', transaction, partitions: [partition] } })
    }
  }
}
