// The first peer: one SQLite file behind a group commit, with the settings that make it fastest for this work.
import { join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { closedLoop, type Call, type Reading } from '../harness/closed-loop.ts'
import { uniform, type Distribution } from '../harness/draws.ts'
import type { Subject } from '../harness/remote.ts'
import {
  accountsPerCustomer,
  balancesHash,
  firstBalance,
  proofTransfers,
  transferPlan,
  type TransferPlan,
} from './transfer-plan.ts'

export interface SqliteBankOptions {
  readonly accounts: number
  readonly folder: string
}

/**
 * WAL and FULL give the same promise as the ack level `disk`. A cache for the whole file, no second process, and a
 * checkpoint every 64 MB instead of every 4 MB are what made it fastest here.
 */
const settings = [
  'journal_mode = WAL',
  'synchronous = FULL',
  'locking_mode = EXCLUSIVE',
  'cache_size = -2000000',
  'temp_store = MEMORY',
  'wal_autocheckpoint = 16000',
]

export class SqliteBank implements Subject {
  readonly #database: DatabaseSync
  readonly #accounts: number
  readonly #read: StatementSync
  readonly #write: StatementSync
  readonly #begin: StatementSync
  readonly #commit: StatementSync
  readonly #plans = new Map<string, TransferPlan>()
  #waiting: (() => void)[] = []
  #waitingFrom: number[] = []
  #waitingTo: number[] = []
  #scheduled = false

  constructor(database: DatabaseSync, accounts: number) {
    this.#database = database
    this.#accounts = accounts
    this.#read = database.prepare('SELECT balance FROM account WHERE id = ?')
    this.#read.setReturnArrays(true)
    this.#write = database.prepare('UPDATE account SET balance = ? WHERE id = ?')
    this.#begin = database.prepare('BEGIN IMMEDIATE')
    this.#commit = database.prepare('COMMIT')
  }

  /** Makes the first transfers of the uniform plan and returns the hash of the balances that they leave. */
  async proof(): Promise<string> {
    const plan = this.#plan(uniform)
    const call = this.#transferCall(plan)
    await Promise.all(Array.from({ length: proofTransfers }, (_, number) => call(number)))
    return balancesHash(plan, async (_, account) => this.#balance(account))
  }

  transfers(distribution: Distribution, callers: number, seconds: number): Promise<Reading> {
    return closedLoop(callers, seconds, this.#transferCall(this.#plan(distribution)))
  }

  async close(): Promise<void> {
    this.#database.close()
  }

  #transferCall({ from, to, mask }: TransferPlan): Call {
    return (number) =>
      new Promise<void>((resolve) => {
        this.#waiting.push(resolve)
        this.#waitingFrom.push(from[number & mask]!)
        this.#waitingTo.push(to[number & mask]!)
        this.#schedule()
      })
  }

  /** A commit blocks the loop, so what its callers ask for next gathers while they are answered, and is the next group. */
  #schedule(): void {
    if (this.#scheduled) return
    this.#scheduled = true
    setImmediate(() => this.#commitGroup())
  }

  #commitGroup(): void {
    this.#scheduled = false
    const waiting = this.#waiting
    const from = this.#waitingFrom
    const to = this.#waitingTo
    this.#waiting = []
    this.#waitingFrom = []
    this.#waitingTo = []
    this.#begin.run()
    for (let at = 0; at < waiting.length; at++) this.#transfer(from[at]!, to[at]!, 1)
    this.#commit.run()
    for (const resolve of waiting) resolve()
  }

  #transfer(from: number, to: number, amount: number): void {
    const payer = this.#balance(from)
    const payee = this.#balance(to)
    if (payer < amount) throw new Error('No transfer of the plan overdraws an account.')
    this.#write.run(payer - amount, from)
    this.#write.run(payee + amount, to)
  }

  #balance(account: number): number {
    const row: unknown = this.#read.get(account)
    const balance: unknown = Array.isArray(row) ? row[0] : undefined
    if (typeof balance === 'number') return balance
    throw new Error(`There is no account ${account}.`)
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

/** Makes the file with all accounts in it. */
export async function openSqliteBank({ accounts, folder }: SqliteBankOptions): Promise<SqliteBank> {
  const database = new DatabaseSync(join(folder, 'bank.sqlite'))
  for (const setting of settings) database.exec(`PRAGMA ${setting}`)
  database.exec('CREATE TABLE account (id INTEGER PRIMARY KEY, customer INTEGER NOT NULL, balance INTEGER NOT NULL)')
  const insert = database.prepare('INSERT INTO account VALUES (?, ?, ?)')
  database.exec('BEGIN')
  for (let id = 0; id < accounts; id++) insert.run(id, Math.floor(id / accountsPerCustomer), firstBalance)
  database.exec('COMMIT')
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  return new SqliteBank(database, accounts)
}
