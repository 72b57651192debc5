import { Draws, type Distribution } from '../harness/draws.ts'

/** Accounts of one customer, between which money moves: one route. */
export const accountsPerCustomer = 10
/** What each account holds at first, so much that no transfer is ever refused. */
export const firstBalance = 1_000_000_000

/** Transfers made up beforehand, used round and round; plan and order are the same for every subject. */
export interface TransferPlan {
  readonly customer: Int32Array
  readonly from: Int32Array
  readonly to: Int32Array
  /** One less than the number of transfers, which is a power of two: `number & mask` is a transfer's place. */
  readonly mask: number
}

/** A plan over so many accounts; the customer is drawn from the distribution, the two accounts evenly. */
export function transferPlan(accounts: number, distribution: Distribution, transfers = 1 << 20): TransferPlan {
  const draws = new Draws(20_261_124)
  const customer = draws.many(Math.floor(accounts / accountsPerCustomer), transfers, distribution)
  const from = new Int32Array(transfers)
  const to = new Int32Array(transfers)
  for (let at = 0; at < transfers; at++) {
    const one = draws.below(accountsPerCustomer)
    const other = (one + 1 + draws.below(accountsPerCustomer - 1)) % accountsPerCustomer
    from[at] = customer[at]! * accountsPerCustomer + one
    to[at] = customer[at]! * accountsPerCustomer + other
  }
  return { customer, from, to, mask: transfers - 1 }
}

/** Transfers that are made before anything is measured, to warm up and to prove that all subjects do the same. */
export const proofTransfers = 20_000
/** Their numbers. */
export const firstTransfers: readonly number[] = Array.from({ length: proofTransfers }, (_, number) => number)

/** FNV-1a over the balances of all accounts that the first transfers touch, in the order in which they do. */
export async function balancesHash(
  plan: TransferPlan,
  balanceOf: (place: number, account: number) => Promise<number>,
): Promise<string> {
  let hash = 0x811c9dc5
  for (let place = 0; place < proofTransfers; place++) {
    for (const account of [plan.from[place & plan.mask]!, plan.to[place & plan.mask]!]) {
      hash = Math.imul(hash ^ ((await balanceOf(place & plan.mask, account)) | 0), 0x01000193)
    }
  }
  return (hash >>> 0).toString(16).padStart(8, '0')
}
