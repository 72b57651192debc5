import { embedded, entry, handler, slotOf, unit, type Client } from 'plenum'
import { z } from 'zod'
import { closedLoop, type Reading } from '../harness/closed-loop.ts'
import { Draws } from '../harness/draws.ts'
import type { Subject } from '../harness/remote.ts'

export interface TransactionBankOptions {
  readonly accounts: number
  readonly partitions: number
  readonly ack: 'memory' | 'disk'
  /** Undefined for a journal in memory. */
  readonly folder: string | undefined
}

/** Where the two accounts of a transfer lie, and what makes it. */
export type TransferKind = 'two partitions' | 'one partition' | 'handler'

const Account = entry('account', z.object({ id: z.int(), balance: z.int() }), { id: 'id' })
const Move = z.object({ id: z.int(), by: z.int() })

const bank = unit(
  'transactions',
  { entries: [Account] },
  {
    handlers: {
      // What the same costs where it is one command: one account, read twice and written twice.
      move: handler({ input: Move, route: 'id' }, ({ id, by }, { partition }) => {
        for (const amount of [by, -by]) {
          const balance = partition.get(Account, { id })?.balance ?? 0
          partition.patch(Account, { id }, { balance: balance + amount })
        }
      }),
    },
  },
)

const slots = 16_384
/** Pairs of accounts, drawn beforehand. */
const pairsMax = 1 << 17
const startBalance = 1_000

/** Accounts over several partitions, between which transactions move money. */
export class TransactionBank implements Subject {
  readonly #client: Client<typeof bank>
  readonly #pairs: Readonly<Record<Exclude<TransferKind, 'handler'>, readonly (readonly [number, number])[]>>
  readonly #accounts: number

  constructor(client: Client<typeof bank>, { accounts, partitions }: TransactionBankOptions) {
    this.#client = client
    this.#accounts = accounts
    const draws = new Draws(7)
    const groups: number[][] = Array.from({ length: partitions }, () => [])
    for (let id = 0; id < accounts; id++) groups[Math.floor((slotOf(id) * partitions) / slots)]!.push(id)
    const pair = (apart: boolean): readonly [number, number] => {
      const first = draws.below(partitions)
      const second = apart ? (first + 1 + draws.below(partitions - 1)) % partitions : first
      const [from, to] = [groups[first]!, groups[second]!]
      const at = draws.below(from.length)
      // Another account, also where both are drawn from one group.
      const other = apart ? draws.below(to.length) : (at + 1 + draws.below(to.length - 1)) % to.length
      return [from[at]!, to[other]!]
    }
    this.#pairs = {
      'two partitions': Array.from({ length: pairsMax }, () => pair(true)),
      'one partition': Array.from({ length: pairsMax }, () => pair(false)),
    }
  }

  /** Transfers by so many callers: two reads and two writes each. */
  transfers(kind: TransferKind, callers: number, seconds: number): Promise<Reading> {
    const { space, handlers } = this.#client
    if (kind === 'handler')
      return closedLoop(callers, seconds, (number) => handlers.move({ id: number % this.#accounts, by: 1 }))
    const pairs = this.#pairs[kind]
    return closedLoop(callers, seconds, (number) => {
      const [a, b] = pairs[number % pairsMax]!
      return space.transaction(async (tx) => {
        const [from, to] = await Promise.all([tx.get(Account, { id: a }), tx.get(Account, { id: b })])
        await Promise.all([
          tx.patch(Account, { id: a }, { balance: from!.balance - 1 }),
          tx.patch(Account, { id: b }, { balance: to!.balance + 1 }),
        ])
      })
    })
  }

  /** Throws unless all money is there. */
  async check(): Promise<void> {
    const { sum } = await this.#client.space.aggregate(Account, {}, { sum: ['balance'] })
    if (sum.balance === this.#accounts * startBalance) return
    throw new Error(`The accounts hold ${sum.balance}, not ${this.#accounts * startBalance}.`)
  }

  async close(): Promise<void> {
    await this.#client[Symbol.asyncDispose]()
  }
}

/** Opens it and writes all accounts. */
export async function openTransactionBank(options: TransactionBankOptions): Promise<TransactionBank> {
  const { accounts, partitions, ack, folder } = options
  const journal = folder === undefined ? 'memory' : { folder }
  const client = await embedded({ unit: bank, partitions, ack, journal, development: false })
  for (let from = 0; from < accounts; from += 5_000) {
    const ids = Array.from({ length: Math.min(5_000, accounts - from) }, (_, at) => from + at)
    const outcomes = await client.space.writeAll(
      Account,
      ids.map((id) => ({ id, balance: startBalance })),
    )
    for (const outcome of outcomes) if (!outcome.ok) throw outcome.error
  }
  return new TransactionBank(client, options)
}
