import { Account, type BankClient } from './bank-unit.ts'
import { accountsPerCustomer, firstBalance } from './transfer-plan.ts'

/** Entries that one call writes, and calls under way at once. */
const ways = { batches: { entries: 1_000, calls: 2 }, singly: { entries: 1, calls: 1_024 } } as const

/** How accounts get into the bank: many a call, or one a call as in operation. */
export type LoadWay = keyof typeof ways

/** Inserts the accounts from 0 to `accounts`. Rejects with the first failure. */
export async function loadAccounts(client: BankClient, accounts: number, way: LoadWay): Promise<void> {
  const { entries, calls } = ways[way]
  let next = 0
  const write = async (): Promise<void> => {
    for (let from = next; from < accounts; from = next) {
      next = Math.min(accounts, from + entries)
      await insert(client, from, next)
    }
  }
  await Promise.all(Array.from({ length: calls }, write))
}

/** What an account is when it is opened. */
export function newAccount(id: number): { readonly id: number; readonly customer: number; readonly balance: number } {
  return { id, customer: Math.floor(id / accountsPerCustomer), balance: firstBalance }
}

async function insert(client: BankClient, from: number, to: number): Promise<void> {
  if (to - from === 1) {
    await client.space.insert(Account, newAccount(from))
    return
  }
  const values = Array.from({ length: to - from }, (_, at) => newAccount(from + at))
  const outcomes = await client.space.insertAll(Account, values)
  const failed = outcomes.find(({ ok }) => !ok)
  if (failed !== undefined && !failed.ok) throw failed.error
}
