// The bank as `embedded` composes it, with its partition in hand, so that a snapshot can be asked for.
import { openFolder } from '../../platform/src/journal/file/index.ts'
import { defaultLimits } from '../../platform/src/kernel/index.ts'
import { askNobody, Partition } from '../../platform/src/partition/index.ts'
import { Router } from '../../platform/src/router/index.ts'
import { NodeDisk, nodeRuntime } from '../../platform/src/runtime/node/index.ts'
import { resolveUnit, UnitClient, unitDefinition, UnitLogic } from '../../platform/src/unit/index.ts'
import { openLoop } from '../harness/open-loop.ts'
import { uniform } from '../harness/draws.ts'
import { latencyOf, type Latency } from '../harness/latency.ts'
import type { Subject } from '../harness/remote.ts'
import { Account, bankUnit, type BankClient } from './bank-unit.ts'
import { loadAccounts, type LoadWay } from './load-accounts.ts'
import { balancesHash, transferPlan, type TransferPlan } from './transfer-plan.ts'

export interface SnapshotBankOptions {
  readonly accounts: number
  readonly folder: string
  readonly load: LoadWay | false
}

/** What readers saw while the partition worked, with or without a snapshot beside it. */
export interface MixedRun {
  /** The longest time between two answered reads that followed each other. */
  readonly longestGapMs: number
  readonly reads: Latency
  readonly perSecond: number
  readonly snapshotMs: number | undefined
}

export class SnapshotBank implements Subject {
  readonly #client: BankClient
  readonly #partition: Partition
  readonly #plan: TransferPlan

  constructor(client: BankClient, partition: Partition, plan: TransferPlan) {
    this.#client = client
    this.#partition = partition
    this.#plan = plan
  }

  /** Reads and transfers in turn at a fixed rate; with `snapshot`, one is taken from the first tenth of the time on. */
  async mixed(perSecond: number, seconds: number, snapshot: boolean): Promise<MixedRun> {
    const { customer, from, to, mask } = this.#plan
    const answered: number[] = []
    const call = (number: number): Promise<unknown> => {
      const place = number & mask
      const id = from[place]!
      if (number % 2 === 0) return this.#client.space.get(Account, { id, customer: customer[place]! })
      return this.#client.handlers.transfer({ customer: customer[place]!, from: id, to: to[place]!, amount: 1 })
    }
    const taken = snapshot ? this.#snapshotAfter(seconds * 100) : undefined
    const run = await openLoop(perSecond, seconds, call, (number) => {
      if (number % 2 === 0) answered.push(performance.now())
    })
    const snapshotMs = await taken
    const reads = run.latenciesMs.filter((_, number) => number % 2 === 0)
    return { longestGapMs: longestGap(answered), reads: latencyOf(reads), perSecond: run.perSecond, snapshotMs }
  }

  /** Takes a snapshot while nothing else is asked; milliseconds. */
  snapshot(): Promise<number> {
    return this.#snapshotAfter(0)
  }

  /** Hash of the balances that the first transfers touch, as they are now. */
  balances(): Promise<string> {
    return balancesHash(this.#plan, async (place, id) => {
      const account = await this.#client.space.get(Account, { id, customer: this.#plan.customer[place]! })
      return account?.balance ?? 0
    })
  }

  async close(): Promise<void> {
    await this.#client[Symbol.asyncDispose]()
  }

  async #snapshotAfter(delayMs: number): Promise<number> {
    await new Promise((resolve) => setTimeout(resolve, delayMs))
    const began = performance.now()
    await this.#partition.snapshot()
    return performance.now() - began
  }
}

function longestGap(answered: readonly number[]): number {
  let longest = 0
  for (let at = 1; at < answered.length; at++) longest = Math.max(longest, answered[at]! - answered[at - 1]!)
  return longest
}

/** Opens the bank with one partition at level `disk`. */
export async function openSnapshotBank({ accounts, folder: path, load }: SnapshotBankOptions): Promise<SnapshotBank> {
  const runtime = nodeRuntime()
  const limits = defaultLimits
  const unit = resolveUnit(unitDefinition(bankUnit([])), { runtime, limits, checkAll: false })
  const folder = await openFolder({
    disk: new NodeDisk(),
    path,
    create: true,
    partitions: 1,
    level: 'disk',
    ...runtime,
  })
  const { id, journal } = folder.partitions[0]!
  const newId = (): string => ''
  const partition = new Partition({
    number: 0,
    journal,
    journalId: id,
    logic: new UnitLogic({
      parts: unit,
      limits,
      random: runtime.random,
      newId,
      partition: 0,
      partitionOf: () => 0,
      outside: () => undefined,
      runsWork: true,
      showFaults: false,
      onFault: () => {},
    }),
    member: 1,
    incarnation: 1,
    runtime,
    limits,
    reference: () => runtime.clock.wall(),
    ask: askNobody,
    onEvent: () => {},
  })
  await partition.startAlone()
  const router = new Router(
    [{ partition: 0, sharesFate: true, send: partition.submit.bind(partition) }],
    runtime,
    limits,
  )
  const caller = { kind: 'unit', subject: unit.name, claims: {} } as const
  const close = async (): Promise<void> => {
    await partition.close()
    await folder.close()
  }
  const client = typed(new UnitClient({ unit, router, limits, uses: {}, newId, caller, close }))
  if (load !== false) await loadAccounts(client, accounts, load)
  return new SnapshotBank(client, partition, transferPlan(accounts, uniform))
}

/** The client with the type of the bank, which `embedded` would give it. */
function typed(client: UnitClient): BankClient
function typed(client: unknown): unknown {
  return client
}
