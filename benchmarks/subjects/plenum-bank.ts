import { embedded } from 'plenum'
import { cheapLoop, closedLoop, type Call, type Reading } from '../harness/closed-loop.ts'
import { uniform, type Distribution } from '../harness/draws.ts'
import { latencyOf, type Latency } from '../harness/latency.ts'
import { openLoop } from '../harness/open-loop.ts'
import type { Subject } from '../harness/remote.ts'
import { countDisk, type DiskCounts } from './disk-counts.ts'
import { loadAccounts, newAccount, type LoadWay } from './load-accounts.ts'
import { Account, bankUnit, type AccountKey, type BankClient } from './bank-unit.ts'
import { balancesHash, proofTransfers, transferPlan, type TransferPlan } from './transfer-plan.ts'

export interface PlenumBankOptions {
  readonly accounts: number
  /** Undefined for a journal in memory. */
  readonly folder?: string | undefined
  readonly ack: 'memory' | 'os' | 'disk'
  readonly partitions: number
  /** How the accounts get there; false where the folder holds them already. */
  readonly load: LoadWay | false
  /** True if each transfer has an idempotency key. */
  readonly keyed?: boolean | undefined
  /** True if there is a log too, false if nothing is counted either. */
  readonly metrics?: boolean | undefined
}

/**
 * Answers under keys are kept for ten seconds, not for a day: at these rates a day's answers would not fit, and what is
 * measured shall include that answers are forgotten too.
 */
const keyedLimits = { keyedAnswerMs: 10_000, keyedAnswersMax: 20_000_000 }

/** Keys of the reads, made beforehand. */
const keysMax = 1 << 17

/** Reads of one task: long enough that its call does not count, short enough that no watchdog minds. */
const stretchReads = 100_000
/** Part of a paced run's time that passes before it counts. */
const warmUpShare = 0.1

/** The bank on Plenum, embedded, as an application would have it in production. */
export class PlenumBank implements Subject {
  readonly #client: BankClient
  readonly #options: PlenumBankOptions
  readonly #keys: readonly AccountKey[]
  readonly #openedMs: number
  readonly #plans = new Map<string, TransferPlan>()
  #nextAccount: number
  #nextKey = 0

  constructor(client: BankClient, options: PlenumBankOptions, keys: readonly AccountKey[], openedMs: number) {
    this.#client = client
    this.#options = options
    this.#keys = keys
    this.#openedMs = openedMs
    this.#nextAccount = options.accounts
  }

  /** How it was opened, in words. */
  async about(): Promise<string> {
    const { ack, partitions, keyed } = this.#options
    const kept = keyed === true ? `; with keys, answers are kept for ${keyedLimits.keyedAnswerMs / 1_000} s` : ''
    return `Plenum of this checkout: ack = ${ack}, partitions = ${partitions}, development = false${kept}`
  }

  /** Milliseconds from the call of `embedded` until it could answer. */
  async openedMs(): Promise<number> {
    return this.#openedMs
  }

  /** Writes all accounts, where they were not loaded at once. */
  load(): Promise<void> {
    return loadAccounts(this.#client, this.#options.accounts, 'batches')
  }

  /** Makes the first transfers of the uniform plan and returns the hash of the balances that they leave. */
  async proof(): Promise<string> {
    const call = this.#transferCall(this.#plan(uniform))
    await Promise.all(Array.from({ length: proofTransfers }, (_, number) => call(number)))
    return this.balances()
  }

  /** Hash of the balances that the first transfers touch, as they are now. */
  balances(): Promise<string> {
    const plan = this.#plan(uniform)
    return balancesHash(plan, async (place, id) => {
      const account = await this.#client.space.get(Account, { id, customer: plan.customer[place]! })
      return account?.balance ?? 0
    })
  }

  transfers(distribution: Distribution, callers: number, seconds: number): Promise<Reading> {
    return closedLoop(callers, seconds, this.#transferCall(this.#plan(distribution)))
  }

  /** Transfers at a fixed rate, or with `work` false only the pacing. */
  async paced(
    perSecond: number,
    seconds: number,
    work: boolean,
  ): Promise<{ readonly latency: Latency; readonly perSecond: number }> {
    const nothing = Promise.resolve()
    const call = work ? this.#transferCall(this.#plan(uniform)) : (): Promise<void> => nothing
    await openLoop(perSecond, seconds * warmUpShare, call)
    const run = await openLoop(perSecond, seconds, call)
    return { latency: latencyOf(run.latenciesMs), perSecond: run.perSecond }
  }

  /** Reads by id through the client. */
  gets(callers: number, seconds: number): Promise<Reading> {
    const keys = this.#keys
    return cheapLoop(callers, seconds, (number) => this.#client.space.get(Account, keys[number % keys.length]!))
  }

  /** Reads by id inside a task, beside the data: stretches of so many reads, one after the other. */
  async colocatedGets(seconds: number): Promise<Reading> {
    await this.#stretch()
    const began = performance.now()
    let operations = 0
    let now = began
    for (; now < began + seconds * 1_000; now = performance.now()) operations += await this.#stretch()
    return { operations, seconds: (now - began) / 1_000 }
  }

  /** Inserts, writes or patches through the client. */
  changes(kind: 'insert' | 'write' | 'patch', callers: number, seconds: number): Promise<Reading> {
    return closedLoop(callers, seconds, this.#changeCall(kind))
  }

  /** What a run of transfers wrote and synced, the warm-up included. */
  async diskOfTransfers(callers: number, seconds: number): Promise<DiskCounts & { readonly operations: number }> {
    const transfer = this.#transferCall(this.#plan(uniform))
    let operations = 0
    const counts = countDisk()
    await closedLoop(callers, seconds, (number) => {
      operations += 1
      return transfer(number)
    })
    return { ...counts.stop(), operations }
  }

  /** What a run costs of the processor, over all threads of the process, collections included. */
  async processorOf(
    work: 'transfer' | 'write' | 'get',
    callers: number,
    seconds: number,
  ): Promise<{ readonly operations: number; readonly processorSeconds: number }> {
    const keys = this.#keys
    const calls: Readonly<Record<typeof work, () => Call>> = {
      transfer: () => this.#transferCall(this.#plan(uniform)),
      write: () => this.#changeCall('write'),
      get: () => (number) => this.#client.space.get(Account, keys[number % keys.length]!),
    }
    const call = calls[work]()
    let operations = 0
    const before = process.cpuUsage()
    await cheapLoop(callers, seconds, (number) => {
      operations += 1
      return call(number)
    })
    const { user, system } = process.cpuUsage(before)
    return { operations, processorSeconds: (user + system) / 1e6 }
  }

  /** Bytes of the heap and outside it that are in use after a full collection; the process needs `--expose-gc`. */
  async usedBytes(): Promise<number> {
    if (globalThis.gc === undefined) throw new Error('Start the process with --expose-gc.')
    globalThis.gc()
    globalThis.gc()
    const { heapUsed, external } = process.memoryUsage()
    return heapUsed + external
  }

  async close(): Promise<void> {
    await this.#client[Symbol.asyncDispose]()
  }

  async #stretch(): Promise<number> {
    const total = await this.#client.tasks.gets({ count: stretchReads }).total()
    if (!total.complete) throw new Error('The task is incomplete.')
    return stretchReads * this.#options.partitions
  }

  #transferCall({ customer, from, to, mask }: TransferPlan): Call {
    const { transfer } = this.#client.handlers
    if (this.#options.keyed === true) {
      return (number) => {
        const place = number & mask
        const input = { customer: customer[place]!, from: from[place]!, to: to[place]!, amount: 1 }
        return transfer(input, { key: `transfer-${this.#nextKey++}` })
      }
    }
    return (number) => {
      const place = number & mask
      return transfer({ customer: customer[place]!, from: from[place]!, to: to[place]!, amount: 1 })
    }
  }

  #changeCall(kind: 'insert' | 'write' | 'patch'): Call {
    const { space } = this.#client
    const keys = this.#keys
    switch (kind) {
      case 'insert':
        return () => space.insert(Account, newAccount(this.#nextAccount++))
      case 'write':
        return (number) => {
          const { id, customer } = keys[number % keys.length]!
          return space.write(Account, { id, customer, balance: number })
        }
      case 'patch':
        return (number) => space.patch(Account, keys[number % keys.length]!, { balance: number })
    }
  }

  #plan(distribution: Distribution): TransferPlan {
    const name = JSON.stringify(distribution)
    const known = this.#plans.get(name)
    if (known !== undefined) return known
    const plan = transferPlan(this.#options.accounts, distribution)
    this.#plans.set(name, plan)
    return plan
  }
}

/** Opens the bank, and loads it if told to. */
export async function openPlenumBank(options: PlenumBankOptions): Promise<PlenumBank> {
  const keys = readKeys(options.accounts)
  const { folder, ack, partitions } = options
  const began = performance.now()
  const client = await embedded({
    unit: bankUnit(keys),
    partitions,
    ack,
    journal: folder === undefined ? 'memory' : { folder },
    development: false,
    metrics: options.metrics,
    log: options.metrics === true ? 'error' : undefined,
    ...(options.keyed === true ? { limits: keyedLimits } : {}),
  })
  const bank = new PlenumBank(client, options, keys, performance.now() - began)
  if (options.load !== false) await loadAccounts(client, options.accounts, options.load)
  return bank
}

/** Keys of accounts in the order of a uniform plan. */
function readKeys(accounts: number): readonly AccountKey[] {
  const { customer, from } = transferPlan(accounts, uniform, keysMax)
  return Array.from(from, (id, at) => Object.freeze({ id, customer: customer[at]! }))
}
