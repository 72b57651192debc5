import { embedded, type Client } from 'plenum'
import { closedLoop, type Reading } from '../harness/closed-loop.ts'
import type { Subject } from '../harness/remote.ts'
import threadBank, { Account } from './thread-bank-unit.ts'

export interface ThreadBankOptions {
  readonly accounts: number
  readonly partitions: number
  /** Undefined for all partitions on the callers' thread. */
  readonly threads: number | undefined
  /** Undefined for a journal in memory. */
  readonly folder: string | undefined
}

/** Entries that one call writes. */
const batch = 1_000

/** A bank whose partitions run on threads, or not. */
export class ThreadBank implements Subject {
  readonly #client: Client<typeof threadBank>
  readonly #accounts: number
  #moves = 0

  constructor(client: Client<typeof threadBank>, accounts: number) {
    this.#client = client
    this.#accounts = accounts
  }

  /** Tasks of so many rounds in each partition, one after the other. */
  async tasks(rounds: number, seconds: number): Promise<Reading> {
    const { compute } = this.#client.tasks
    return closedLoop(1, seconds, async () => {
      const total = await compute({ rounds }).total()
      if (!total.complete) throw new Error('The task is incomplete.')
    })
  }

  /** What the task comes to. */
  async proof(rounds: number): Promise<string> {
    const total = await this.#client.tasks.compute({ rounds }).total()
    return String(total.value)
  }

  /** Handler calls, each of which adds one to the money that there is. */
  moves(callers: number, seconds: number): Promise<Reading> {
    const { move } = this.#client.handlers
    return closedLoop(callers, seconds, (number) => {
      this.#moves += 1
      return move({ id: (number * 7_919) % this.#accounts, by: number % 100 })
    })
  }

  /** Rejects if a move was lost or made twice. */
  async check(): Promise<void> {
    const total = await this.#client.tasks.sum({}).total()
    if (!total.complete || total.value !== this.#moves) throw new Error(`${this.#moves} moves came to ${total.value}.`)
  }

  async close(): Promise<void> {
    await this.#client[Symbol.asyncDispose]()
  }
}

/** Opens the bank with all its accounts. */
export async function openThreadBank(options: ThreadBankOptions): Promise<ThreadBank> {
  const { accounts, partitions, threads, folder } = options
  const client = await embedded({
    unit: threadBank,
    partitions,
    development: false,
    journal: folder === undefined ? 'memory' : { folder },
    ...(threads === undefined ? {} : { threads, module: new URL('./thread-bank-unit.ts', import.meta.url) }),
  })
  for (let from = 0; from < accounts; from += batch) {
    const count = Math.min(batch, accounts - from)
    await client.space.writeAll(
      Account,
      Array.from({ length: count }, (_, at) => ({ id: from + at, balance: 0 })),
    )
  }
  return new ThreadBank(client, accounts)
}
