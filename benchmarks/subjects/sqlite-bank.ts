// The first peer: one SQLite file behind a group commit, with the settings that make it fastest for this work.
import { join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { GroupCommit, type Group } from './group-commit.ts'
import { PeerBank, type PeerStore } from './peer-bank.ts'
import { accountsPerCustomer, firstBalance } from './transfer-plan.ts'

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

/** What SQLite says when it was asked for WAL and FULL. */
const durable: Readonly<Record<string, unknown>> = { journal_mode: 'wal', synchronous: 2 }

class SqliteStore implements PeerStore {
  readonly about: string
  readonly #database: DatabaseSync
  readonly #read: StatementSync
  readonly #write: StatementSync
  readonly #begin: StatementSync
  readonly #commit: StatementSync
  readonly #groups = new GroupCommit((group) => this.#commitGroup(group))

  constructor(database: DatabaseSync) {
    this.#database = database
    this.#read = database.prepare('SELECT balance FROM account WHERE id = ?')
    this.#read.setReturnArrays(true)
    this.#write = database.prepare('UPDATE account SET balance = ? WHERE id = ?')
    this.#begin = database.prepare('BEGIN IMMEDIATE')
    this.#commit = database.prepare('COMMIT')
    this.about = `SQLite ${process.versions['sqlite']}: ${checked(database)}`
  }

  transfer(from: number, to: number): Promise<void> {
    return this.#groups.ask(from, to)
  }

  async balances(accounts: readonly number[]): Promise<readonly number[]> {
    return accounts.map((account) => this.#balance(account))
  }

  async close(): Promise<void> {
    this.#database.close()
  }

  #commitGroup({ from, to }: Group): void {
    this.#begin.run()
    for (let at = 0; at < from.length; at++) this.#move(from[at]!, to[at]!, 1)
    this.#commit.run()
  }

  #move(from: number, to: number, amount: number): void {
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
}

/** Looks up that a commit is durable. Throws an Error if a setting was not taken. */
function checked(database: DatabaseSync): string {
  return Object.entries(durable)
    .map(([name, wanted]) => {
      const has: unknown = database.prepare(`PRAGMA ${name}`).get()?.[name]
      if (has !== wanted) throw new Error(`SQLite says ${name} = ${String(has)}, not ${String(wanted)}.`)
      return `${name} = ${String(has)}`
    })
    .join(', ')
}

/** Makes the file with all accounts in it. */
export async function openSqliteBank(options: SqliteBankOptions): Promise<PeerBank> {
  return new PeerBank(await openSqliteStore(options), options.accounts)
}

/** The same without the plan of transfers. */
export async function openSqliteStore({ accounts, folder }: SqliteBankOptions): Promise<PeerStore> {
  const database = new DatabaseSync(join(folder, 'bank.sqlite'))
  for (const setting of settings) database.exec(`PRAGMA ${setting}`)
  database.exec('CREATE TABLE account (id INTEGER PRIMARY KEY, customer INTEGER NOT NULL, balance INTEGER NOT NULL)')
  const insert = database.prepare('INSERT INTO account VALUES (?, ?, ?)')
  database.exec('BEGIN')
  for (let id = 0; id < accounts; id++) insert.run(id, Math.floor(id / accountsPerCustomer), firstBalance)
  database.exec('COMMIT')
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  return new SqliteStore(database)
}
