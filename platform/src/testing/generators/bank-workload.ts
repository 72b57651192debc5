import { isPlenumError } from '../../kernel/index.ts'
import type { Random } from '../../runtime/index.ts'
import type { RecordedClient } from '../checkers/history.ts'
import { chance, hotNumber } from './choices.ts'

/** What a client asks of a bank of branches; transfers stay inside a branch, which is one route. */
export type BankStep =
  | { readonly f: 'init'; readonly branch: string; readonly balances: Readonly<Record<string, number>> }
  | {
      readonly f: 'transfer'
      readonly branch: string
      readonly from: string
      readonly to: string
      readonly amount: number
    }
  /** The balances of one branch, or of all where none is named. */
  | { readonly f: 'balances'; readonly branch: string | undefined }

/** The bank as a unit's handlers and queries; what a composition has to provide. */
export interface BankCalls {
  init(branch: string, balances: Readonly<Record<string, number>>): Promise<unknown>
  transfer(branch: string, from: string, to: string, amount: number): Promise<unknown>
  balances(branch: string | undefined): Promise<Readonly<Record<string, number>>>
}

/** How large a bank is. */
export interface BankProfile {
  readonly branches: number
  readonly accounts: number
  /** What each account is opened with. */
  readonly balance: number
  /** 1 for all accounts alike, more for few that move much. */
  readonly heat: number
}

/** A bank of a seed: few or many branches and accounts. */
export function drawBankProfile(random: Random): BankProfile {
  return { branches: 1 + random.integer(6), accounts: 2 + random.integer(6), balance: 100, heat: 1 + random.integer(3) }
}

/** Draws the steps of a bank's clients. */
export class BankSteps {
  readonly #random: Random
  readonly #profile: BankProfile

  constructor(random: Random, profile: BankProfile) {
    this.#random = random
    this.#profile = profile
  }

  /** Opens every branch; comes before all other steps. */
  opening(): readonly BankStep[] {
    const { branches, accounts, balance } = this.#profile
    return Array.from({ length: branches }, (_, number) => {
      const branch = `branch-${number}`
      const opened = Array.from({ length: accounts }, (__, at) => [account(branch, at), balance] as const)
      return { f: 'init', branch, balances: Object.fromEntries(opened) }
    })
  }

  next(): BankStep {
    const random = this.#random
    const { branches, accounts, balance, heat } = this.#profile
    const branch = `branch-${hotNumber(random, branches, heat)}`
    if (chance(random, 0.25)) return { f: 'balances', branch: chance(random, 0.3) ? undefined : branch }
    const from = hotNumber(random, accounts, heat)
    const to = (from + 1 + random.integer(accounts - 1)) % accounts
    // Amounts beyond the balance are refused, and ones that differ tell transfers apart.
    const amount = 1 + random.integer(balance)
    return { f: 'transfer', branch, from: account(branch, from), to: account(branch, to), amount }
  }
}

function account(branch: string, number: number): string {
  return `${branch}-account-${number}`
}

/** Runs one step and records it; errors of the platform are recorded and not passed on. */
export async function runBankStep(step: BankStep, calls: BankCalls, client: RecordedClient): Promise<void> {
  try {
    await recorded(step, calls, client)
  } catch (error) {
    if (!isPlenumError(error)) throw error
  }
}

function recorded(step: BankStep, calls: BankCalls, client: RecordedClient): Promise<unknown> {
  switch (step.f) {
    case 'init': {
      const { f, branch: key, balances: value } = step
      return client.run(
        { f, key, value },
        () => calls.init(key, value),
        () => ({ value }),
      )
    }
    case 'transfer': {
      const { f, branch: key, from, to, amount } = step
      const value = { from, to, amount }
      return client.run(
        { f, key, value },
        () => calls.transfer(key, from, to, amount),
        () => ({ value }),
      )
    }
    case 'balances':
      return client.run({ f: step.f, key: step.branch }, () => calls.balances(step.branch))
  }
}
