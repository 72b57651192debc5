// Are transactions strictly serializable (TX1)? Lists that only grow tell in which order they were written; from that,
// and from what was read, follows which transaction came before which, and there must be no circle.
//
// The method is that of Adya's dependency graphs, over list appends as in Elle (Kingsbury and Alvaro, 2020). Predicates
// are covered by sets: whoever read a set without a member that was added came before whoever added it, so that a
// phantom closes a circle.
import { canonicalText } from './canonical.ts'
import { violation, type CheckResult, type Violation } from './check-result.ts'
import { circleIn, type Edge } from './circles.ts'
import type { HistoryEvent } from './history.ts'
import { eventsOf, operationsOf, type RecordedOperation } from './operations.ts'

/** One step of a transaction: a value appended to a list or added to a set, or what one of them holds. */
export type MicroOperation =
  | readonly ['append' | 'add', string, number]
  | readonly ['r' | 'members', string, readonly number[] | null]

/** How much was checked. */
export interface TransactionCounts {
  readonly transactions: number
  readonly unknown: number
  readonly conflicts: number
  readonly reads: number
  readonly edges: number
}

interface Transaction {
  readonly node: number
  readonly operation: RecordedOperation
  readonly steps: readonly MicroOperation[]
}

type Complaint = Violation<HistoryEvent>

/**
 * Checks a history of `txn` operations whose values are lists of `["append", key, value]`, `["r", key, list]`,
 * `["add", key, value]` and `["members", key, list]`; values are unique for each key.
 */
export function checkTransactions(history: readonly HistoryEvent[]): CheckResult<TransactionCounts, HistoryEvent> {
  const operations = operationsOf(history).filter(({ f }) => f === 'txn')
  const graph = new Graph(history, operations)
  const complaint = graph.read() ?? graph.circle()
  if (complaint !== undefined) return complaint
  const failed = operations.filter(({ completion }) => completion.kind === 'fail').length
  const unknown = operations.filter(({ known }) => !known).length
  const { reads, edges } = graph
  return { ok: true, transactions: operations.length, unknown, conflicts: failed, reads, edges }
}

/** Who wrote what, who read what, and what follows. */
class Graph {
  reads = 0
  readonly #history: readonly HistoryEvent[]
  readonly #transactions: readonly Transaction[]
  /** Who wrote a value of a key, and who certainly did not. */
  readonly #writers = new Map<string, Transaction>()
  readonly #failed = new Map<string, RecordedOperation>()
  /** The longest reading of each list: the order of its values. */
  readonly #orders = new Map<string, readonly number[]>()
  /** The values of each set that somebody has read. */
  readonly #observed = new Map<string, Set<number>>()
  readonly #edges: Edge[] = []

  constructor(history: readonly HistoryEvent[], operations: readonly RecordedOperation[]) {
    this.#history = history
    const live = operations.filter(({ completion }) => completion.kind !== 'fail')
    this.#transactions = live.map((operation, node) => ({ node, operation, steps: stepsOf(operation) }))
    for (const operation of operations) {
      if (operation.completion.kind !== 'fail') continue
      for (const [f, key, value] of stepsIn(operation.input))
        if (isWrite(f)) this.#failed.set(`${key} ${String(value)}`, operation)
    }
    for (const transaction of this.#transactions) {
      for (const [f, key, value] of transaction.steps)
        if (isWrite(f)) this.#writers.set(`${key} ${String(value)}`, transaction)
    }
  }

  get edges(): number {
    return this.#edges.length
  }

  /** Takes in every reading; what contradicts itself is told. */
  read(): Complaint | undefined {
    for (const transaction of this.#answered()) {
      const complaint = this.#checkReadings(transaction)
      if (complaint !== undefined) return complaint
    }
    for (const transaction of this.#answered()) this.#follow(transaction)
    for (const [key, order] of this.#orders) this.#chain(key, order)
    return undefined
  }

  /** A circle of transactions each of which must have come before the next. */
  circle(): Complaint | undefined {
    const circle = circleIn(
      this.#transactions.length,
      this.#edges,
      this.#transactions.map(({ operation }) => operation),
    )
    if (circle === undefined) return undefined
    const names = circle.map(({ from, why }) => `${this.#transactions[from]!.operation.op} before ${why}`)
    const operations = circle.map(({ from }) => this.#transactions[from]!.operation)
    return violation(`No order explains these transactions: ${names.join('; ')}.`, eventsOf(this.#history, operations))
  }

  #answered(): readonly Transaction[] {
    return this.#transactions.filter(({ operation }) => operation.completion.kind === 'ok')
  }

  #checkReadings(transaction: Transaction): Complaint | undefined {
    const own = new Map<string, number[]>()
    for (const [f, key, value] of transaction.steps) {
      if (isWrite(f)) {
        own.set(key, [...(own.get(key) ?? []), value as number])
        continue
      }
      const list = value as readonly number[] | null
      if (list === null) continue
      this.reads += 1
      const complaint = this.#checkReading(transaction, f, key, list, own.get(key) ?? [])
      if (complaint !== undefined) return complaint
    }
    return undefined
  }

  #checkReading(
    { operation }: Transaction,
    f: MicroOperation[0],
    key: string,
    list: readonly number[],
    own: readonly number[],
  ): Complaint | undefined {
    const told = (why: string, ...others: readonly RecordedOperation[]): Complaint =>
      violation(
        `Transaction ${operation.op} read ${canonicalText(list)} of ${key}, ${why}.`,
        eventsOf(this.#history, [operation, ...others]),
      )
    if (new Set(list).size < list.length) return told('which holds a value twice')
    for (const value of list) {
      const failed = this.#failed.get(`${key} ${value}`)
      if (failed !== undefined) return told(`and ${value} was never committed`, failed)
      if (!this.#writers.has(`${key} ${value}`)) return told(`and nobody wrote ${value}`)
    }
    if (f === 'members') {
      const observed = this.#observed.get(key) ?? new Set()
      this.#observed.set(key, observed)
      for (const value of list) observed.add(value)
      return own.every((value) => list.includes(value)) ? undefined : told('and not what it had added itself')
    }
    if (!own.every((value, at) => list[list.length - own.length + at] === value))
      return told('which does not end with its own')
    const known = this.#orders.get(key) ?? []
    const [longer, shorter] = known.length > list.length ? [known, list] : [list, known]
    if (!shorter.every((value, at) => longer[at] === value)) return told(`and somebody else ${canonicalText(known)}`)
    this.#orders.set(key, longer)
    return undefined
  }

  #follow(transaction: Transaction): void {
    const own = new Set<string>()
    for (const [f, key, value] of transaction.steps) {
      if (isWrite(f)) own.add(`${key} ${String(value)}`)
      else if (value !== null && f === 'r') this.#followList(transaction, key, value, own)
      else if (value !== null) this.#followSet(transaction, key, value as readonly number[])
    }
  }

  #followList(transaction: Transaction, key: string, list: readonly number[], own: ReadonlySet<string>): void {
    const foreign = list.filter((value) => !own.has(`${key} ${value}`))
    const last = foreign.at(-1)
    if (last !== undefined)
      this.#edge(this.#writers.get(`${key} ${last}`), transaction, `read its ${last} of ${key} by`)
    const order = this.#orders.get(key) ?? []
    const next = order[list.length]
    if (next !== undefined)
      return this.#edge(
        transaction,
        this.#writers.get(`${key} ${next}`),
        `it did not read ${next} of ${key}, written by`,
      )
    // Whatever nobody has read stands behind everything that somebody has.
    for (const other of this.#unread('append', key, (value) => order.includes(value)))
      this.#edge(transaction, other, `it did not read the end of ${key}, written by`)
  }

  #followSet(transaction: Transaction, key: string, list: readonly number[]): void {
    const observed = this.#observed.get(key) ?? new Set()
    for (const value of observed) {
      const writer = this.#writers.get(`${key} ${value}`)
      if (list.includes(value)) this.#edge(writer, transaction, `its ${value} of ${key} was read by`)
      else this.#edge(transaction, writer, `it did not read ${value} of ${key}, added by`)
    }
    for (const other of this.#unread('add', key, (value) => observed.has(value)))
      this.#edge(transaction, other, `it did not read all of ${key}, to which was added by`)
  }

  /** Those who certainly wrote a value of a key that nobody has read. */
  #unread(f: 'append' | 'add', key: string, isRead: (value: number) => boolean): readonly Transaction[] {
    return this.#answered().filter(({ steps }) =>
      steps.some(([step, of, value]) => step === f && of === key && !isRead(value)),
    )
  }

  #chain(key: string, order: readonly number[]): void {
    for (let at = 1; at < order.length; at++) {
      const [before, after] = [this.#writers.get(`${key} ${order[at - 1]!}`), this.#writers.get(`${key} ${order[at]!}`)]
      if (before !== undefined) this.#edge(before, after, `${key} was appended to next by`)
    }
  }

  #edge(from: Transaction | undefined, to: Transaction | undefined, why: string): void {
    if (from === undefined || to === undefined || from === to) return
    this.#edges.push({ from: from.node, to: to.node, why: `${to.operation.op} (${why} it)` })
  }
}

function isWrite(f: MicroOperation[0]): boolean {
  return f === 'append' || f === 'add'
}

/** The steps as they were answered; as they were asked where nobody knows. */
function stepsOf({ completion, input }: RecordedOperation): readonly MicroOperation[] {
  return stepsIn(completion.kind === 'ok' ? completion.value : input)
}

function stepsIn(value: unknown): readonly MicroOperation[] {
  return Array.isArray(value) ? (value as readonly MicroOperation[]) : []
}
