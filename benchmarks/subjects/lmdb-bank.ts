// A peer: LMDB, a tree of pages mapped into memory, behind the same group commit.
//
// With `overlappingSync`, its package's default, a commit may be visible before it is on the disk, and one would have to
// wait for `flushed`. Without it, both ways to commit return after the sync; a test holds that.
import { readFileSync } from 'node:fs'
import { findPackageJSON } from 'node:module'
import { join } from 'node:path'
import { open, type RootDatabase } from 'lmdb'
import { GroupCommit, type Group } from './group-commit.ts'
import { PeerBank, type PeerStore } from './peer-bank.ts'
import { accountsPerCustomer, firstBalance } from './transfer-plan.ts'

export interface LmdbBankOptions {
  readonly accounts: number
  readonly folder: string
}

/** Bytes of a value: the customer's number and the balance. */
const valueBytes = 12
/** Accounts that one transaction of the load writes. */
const loadTogether = 100_000
/** Groups below this many commit on the thread that asks, which is faster for them; larger ones on LMDB's own. */
const ownThreadFrom = 16
/** Most that the file may grow to; only what is used is there. */
const fileBytesMax = 64 * 2 ** 30

class LmdbStore implements PeerStore {
  readonly about: string
  readonly #database: RootDatabase<Buffer, number>
  readonly #value = Buffer.alloc(valueBytes)
  readonly #groups = new GroupCommit((group) => this.#commitGroup(group))

  constructor(database: RootDatabase<Buffer, number>, about: string) {
    this.#database = database
    this.about = about
  }

  transfer(from: number, to: number): Promise<void> {
    return this.#groups.ask(from, to)
  }

  async balances(accounts: readonly number[]): Promise<readonly number[]> {
    return accounts.map((account) => this.#balance(account))
  }

  close(): Promise<void> {
    return this.#database.close()
  }

  /** Writes accounts from 0 on. */
  async load(accounts: number): Promise<void> {
    for (let from = 0; from < accounts; from += loadTogether) {
      await this.#database.transaction(() => {
        for (let id = from; id < Math.min(accounts, from + loadTogether); id++) this.#put(id, firstBalance)
      })
    }
  }

  #commitGroup(group: Group): void | Promise<void> {
    if (group.from.length >= ownThreadFrom) return this.#database.transaction(() => this.#moveAll(group))
    this.#database.transactionSync(() => this.#moveAll(group))
    return undefined
  }

  #moveAll({ from, to }: Group): void {
    for (let at = 0; at < from.length; at++) this.#move(from[at]!, to[at]!, 1)
  }

  #move(from: number, to: number, amount: number): void {
    const payer = this.#balance(from)
    const payee = this.#balance(to)
    if (payer < amount) throw new Error('No transfer of the plan overdraws an account.')
    this.#put(from, payer - amount)
    this.#put(to, payee + amount)
  }

  /** The bytes that LMDB lends are read before anything else is asked of it. */
  #balance(account: number): number {
    const value = this.#database.getBinaryFast(account)
    if (value === undefined) throw new Error(`There is no account ${account}.`)
    return value.readDoubleLE(4)
  }

  #put(account: number, balance: number): void {
    this.#value.writeUInt32LE(Math.floor(account / accountsPerCustomer), 0)
    this.#value.writeDoubleLE(balance, 4)
    this.#database.putSync(account, this.#value)
  }
}

/** Makes the file with all accounts in it. */
export async function openLmdbBank(options: LmdbBankOptions): Promise<PeerBank> {
  return new PeerBank(await openLmdbStore(options), options.accounts)
}

/** The same without the plan of transfers. */
export async function openLmdbStore({ accounts, folder }: LmdbBankOptions): Promise<PeerStore> {
  const settings = { overlappingSync: false, noSync: false, noMetaSync: false }
  const database = open<Buffer, number>({
    path: join(folder, 'bank.lmdb'),
    keyEncoding: 'uint32',
    encoding: 'binary',
    mapSize: fileBytesMax,
    ...settings,
  })
  const about = Object.entries(settings).map(([name, value]) => `${name} = ${value}`)
  const store = new LmdbStore(database, `LMDB (the package's version ${packageVersion()}): ${about.join(', ')}`)
  await store.load(accounts)
  return store
}

function packageVersion(): string {
  const manifest = findPackageJSON('lmdb', import.meta.url)
  if (manifest === undefined) throw new Error('The package lmdb is not installed: run npm ci.')
  const { version }: { readonly version: string } = JSON.parse(readFileSync(manifest, 'utf8'))
  return version
}
