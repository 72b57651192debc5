import { canonicalText } from './canonical.ts'
import { undecided, violation, type CheckResult, type Violation } from './check-result.ts'
import type { HistoryEvent } from './history.ts'
import { eventsOf, operationsOf, type RecordedOperation } from './operations.ts'
import { conflictAround, searchOrder, type SequentialModel, type Timed } from './search-order.ts'

/** Options of `checkBank`. */
export interface BankOptions {
  /**
   * The group of an account: transfers stay inside one group, and its balances are read at one instant. Without it the
   * accounts that were opened under one key are a group, all of them where there are no keys.
   */
  readonly groupOf?: ((account: string) => string) | undefined
  /** Configurations that the search may look at for each group; 200,000 unless told. */
  readonly budget?: number | undefined
}

/** How much was checked. */
export interface BankCounts {
  readonly total: number
  /** Transfers that were acked, and those of unknown outcome. */
  readonly acked: number
  readonly unknown: number
  /** Readings of balances, and those whose sum was compared with the total. */
  readonly readings: number
  readonly summed: number
}

const searchBudget = 200_000

type Balances = ReadonlyMap<string, number>

/** One group's part of an operation. */
interface Step extends Timed {
  readonly kind: 'opened' | 'moved' | 'read'
  /** Balances to open with or that were read; of a transfer what each account gains. */
  readonly amounts: Balances
  readonly operation: RecordedOperation
}

/**
 * No transfer makes or loses money: every complete reading sums to the total, an acked transfer is in every later
 * reading, and one of unknown outcome is moved whole or not at all. `init` {account: n}, `transfer` {from, to, amount},
 * `balances` → {account: n}. A reading with a key is of the accounts that were opened under it, one without of all.
 */
export function checkBank(
  history: readonly HistoryEvent[],
  options: BankOptions = {},
): CheckResult<BankCounts, HistoryEvent> {
  const operations = operationsOf(history).filter(isTelling)
  const inits = operations.filter(({ f }) => f === 'init')
  const transfers = operations.filter(({ f }) => f === 'transfer')
  const readings = operations.filter(({ f }) => f === 'balances')
  const sums = checkSums(history, inits, readings)
  if (!sums.ok) return sums
  const keys = new Map(
    inits.flatMap(({ key, input }) => [...balancesOf(input).keys()].map((account) => [account, key])),
  )
  const groupOf = options.groupOf ?? ((account: string): string => keys.get(account) ?? '')
  const groups = Map.groupBy(
    operations.flatMap((operation) => stepsOf(operation, groupOf)),
    ({ group }) => group,
  )
  for (const [group, steps] of groups) {
    const found = checkGroup(
      history,
      group,
      steps.map(({ step }) => step),
      options.budget ?? searchBudget,
    )
    if (found !== undefined) return found
  }
  const acked = transfers.filter(({ known }) => known).length
  const { total, summed } = sums
  return { ok: true, total, acked, unknown: transfers.length - acked, readings: readings.length, summed }
}

function isTelling({ f, completion }: RecordedOperation): boolean {
  if (f === 'balances') return completion.kind === 'ok'
  return (f === 'init' || f === 'transfer') && completion.kind !== 'fail'
}

/** Every reading that began after all accounts were opened names each of them, and sums to what they were opened with. */
function checkSums(
  history: readonly HistoryEvent[],
  inits: readonly RecordedOperation[],
  readings: readonly RecordedOperation[],
): Violation<HistoryEvent> | { readonly ok: true; readonly total: number; readonly summed: number } {
  let summed = 0
  for (const reading of readings) {
    const own = inits.filter(({ key }) => reading.key === '' || reading.key === key)
    if (own.some(({ completed }) => completed > reading.invoked)) continue
    summed += 1
    const why = mistakeIn(balancesOf(valueOf(reading)), joined(own))
    if (why !== undefined) {
      return violation(`Reading ${reading.op} of the balances ${why}.`, eventsOf(history, [...own, reading]))
    }
  }
  return { ok: true, total: sumOf(joined(inits)), summed }
}

function joined(inits: readonly RecordedOperation[]): Balances {
  return new Map(inits.flatMap(({ input }) => [...balancesOf(input)]))
}

function mistakeIn(balances: Balances, opened: Balances): string | undefined {
  const missing = [...opened.keys()].filter((account) => !balances.has(account))
  if (missing.length > 0) return `does not name ${missing.join(', ')}`
  const extra = [...balances.keys()].filter((account) => !opened.has(account))
  if (extra.length > 0) return `names ${extra.join(', ')}, which nobody opened`
  const found = sumOf(balances)
  const total = sumOf(opened)
  if (found === total) return undefined
  const [more, by] = found > total ? ['more', found - total] : ['less', total - found]
  return `sums to ${found}, ${by} ${more} than the total of ${total}`
}

function checkGroup(
  history: readonly HistoryEvent[],
  group: string,
  steps: readonly Step[],
  budget: number,
): Violation<HistoryEvent> | ReturnType<typeof undecided> | undefined {
  const outcome = searchOrder(accounts, steps, budget)
  const name = group === '' ? 'the accounts' : `group '${group}'`
  if (outcome.kind === 'undecided') return undecided(`The order of transfers in ${name}`, budget)
  if (outcome.kind === 'explained') return undefined
  const around = conflictAround(steps, outcome.at).map(({ operation }) => operation)
  return violation(
    `No order of the transfers in ${name} explains reading ${outcome.at.operation.op}, ` +
      `${textOf(outcome.at.amounts)}: the balances could be ${outcome.states.slice(0, 4).join(' or ')}.`,
    eventsOf(history, around),
  )
}

const accounts: SequentialModel<Balances, Step> = {
  initial: new Map(),
  step: (balances, { kind, amounts }) => {
    if (kind === 'read') return sameBalances(balances, amounts) ? balances : undefined
    const after = new Map(balances)
    for (const [account, amount] of amounts) {
      if (kind === 'moved' && !balances.has(account)) return undefined
      after.set(account, (kind === 'moved' ? (balances.get(account) ?? 0) : 0) + amount)
    }
    return after
  },
  text: textOf,
  kin: ({ kind, amounts }) => `${kind} ${textOf(amounts)}`,
  distance: (balances, { kind, amounts }) => {
    if (kind !== 'read') return 0
    let far = 0
    for (const [account, amount] of amounts) far += Math.abs(amount - (balances.get(account) ?? 0))
    return far
  },
}

function stepsOf(
  operation: RecordedOperation,
  groupOf: (account: string) => string,
): readonly { readonly group: string; readonly step: Step }[] {
  const { f, invoked, completed, known } = operation
  const kind = f === 'init' ? 'opened' : f === 'transfer' ? 'moved' : 'read'
  const amounts =
    kind === 'moved' ? movedBy(operation.input) : balancesOf(kind === 'read' ? valueOf(operation) : operation.input)
  const groups = Map.groupBy(amounts, ([account]) => groupOf(account))
  return [...groups].map(([group, part]) => ({
    group,
    step: { kind, amounts: new Map(part), operation, invoked, completed, known },
  }))
}

function movedBy(input: unknown): Balances {
  if (typeof input !== 'object' || input === null) return new Map()
  if (!('from' in input && 'to' in input && 'amount' in input)) return new Map()
  const { from, to, amount } = input
  if (typeof amount !== 'number' || from === to) return new Map()
  return new Map([
    [String(from), -amount],
    [String(to), amount],
  ])
}

function balancesOf(value: unknown): Balances {
  if (typeof value !== 'object' || value === null) return new Map()
  return new Map(Object.entries(value).map(([account, amount]) => [account, Number(amount)]))
}

function valueOf({ completion }: RecordedOperation): unknown {
  return completion.kind === 'ok' ? completion.value : undefined
}

function sumOf(balances: Balances): number {
  return [...balances.values()].reduce((sum, amount) => sum + amount, 0)
}

function sameBalances(a: Balances, b: Balances): boolean {
  return a.size === b.size && [...a].every(([account, amount]) => b.get(account) === amount)
}

function textOf(balances: Balances): string {
  return canonicalText(Object.fromEntries(balances))
}
