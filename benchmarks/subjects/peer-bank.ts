import { closedLoop, type Call, type Reading } from '../harness/closed-loop.ts'
import { uniform, type Distribution } from '../harness/draws.ts'
import type { Subject } from '../harness/remote.ts'
import { balancesHash, firstTransfers, transferPlan, type TransferPlan } from './transfer-plan.ts'

/** A store with the accounts of the bank in it, durable when it answers. */
export interface PeerStore {
  /** Moves 1 from one account to another. Rejects if the payer has too little: no transfer of the plan does that. */
  transfer(from: number, to: number): Promise<unknown>
  /** The balances of these accounts, in their order. */
  balances(accounts: readonly number[]): Promise<readonly number[]>
  /** Its version, and the settings that were looked up before anything was measured. */
  readonly about: string
  close(): Promise<void>
}

/**
 * Transfers of the proof that are under way at once. All of them in one transaction would leave LMDB with one long list
 * of free pages, which each later commit of a single caller writes again.
 */
const proofTogether = 1_000

/** The bank on another store: the same transfers in the same order as on Plenum. */
export class PeerBank implements Subject {
  readonly #store: PeerStore
  readonly #accounts: number
  readonly #plans = new Map<string, TransferPlan>()

  constructor(store: PeerStore, accounts: number) {
    this.#store = store
    this.#accounts = accounts
  }

  /** Makes the first transfers of the uniform plan and returns the hash of the balances that they leave. */
  async proof(): Promise<string> {
    const plan = this.#plan(uniform)
    const call = this.#transferCall(plan)
    for (let from = 0; from < firstTransfers.length; from += proofTogether) {
      await Promise.all(firstTransfers.slice(from, from + proofTogether).map((number) => call(number)))
    }
    const touched = [...new Set(firstTransfers.flatMap((at) => [plan.from[at & plan.mask]!, plan.to[at & plan.mask]!]))]
    const balances = await this.#store.balances(touched)
    const balanceOf = new Map(touched.map((account, at) => [account, balances[at]!]))
    return balancesHash(plan, async (_, account) => balanceOf.get(account)!)
  }

  transfers(distribution: Distribution, callers: number, seconds: number): Promise<Reading> {
    return closedLoop(callers, seconds, this.#transferCall(this.#plan(distribution)))
  }

  async about(): Promise<string> {
    return this.#store.about
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  #transferCall({ from, to, mask }: TransferPlan): Call {
    const store = this.#store
    return (number) => store.transfer(from[number & mask]!, to[number & mask]!)
  }

  #plan(distribution: Distribution): TransferPlan {
    const name = JSON.stringify(distribution)
    const known = this.#plans.get(name)
    if (known !== undefined) return known
    const plan = transferPlan(this.#accounts, distribution)
    this.#plans.set(name, plan)
    return plan
  }
}
