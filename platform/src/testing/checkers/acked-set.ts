import { canonicalText } from './canonical.ts'
import { undecided, violation, type CheckResult } from './check-result.ts'
import type { HistoryEvent } from './history.ts'
import { eventsOf, operationsOf, type RecordedOperation } from './operations.ts'
import { conflictAround, searchOrder, type SequentialModel, type Timed } from './search-order.ts'

/** Options of `checkAckedSet`. */
export interface AckedSetOptions {
  /** Values that the journal shows to have expired, or to have been removed by others than these clients. */
  readonly gone?: readonly unknown[] | undefined
  /** Configurations that the search may look at for each value; 20,000 unless told. */
  readonly budget?: number | undefined
}

/** How much was checked. */
export interface AckedSetCounts {
  readonly values: number
  /** Writes that were acked, and those of unknown outcome. */
  readonly acked: number
  readonly unknown: number
  readonly reads: number
}

const searchBudget = 20_000

/** What happened to one value: it was put in, taken out, or looked for. */
interface Touch extends Timed {
  readonly kind: 'added' | 'removed' | 'found' | 'not found'
  readonly operation: RecordedOperation | undefined
}

const presence: SequentialModel<boolean, Touch> = {
  initial: false,
  step: (present, { kind }) => {
    if (kind === 'added') return true
    if (kind === 'removed') return false
    return present === (kind === 'found') ? present : undefined
  },
  text: (present) => (present ? 'there' : 'gone'),
  kin: ({ kind }) => kind,
}

/**
 * The set of written values: what was acked is found by every later read until it is removed, what was never written is
 * not found, and what one read found a later one does not miss. `write` v, `delete` v, `read` → list.
 */
export function checkAckedSet(
  history: readonly HistoryEvent[],
  options: AckedSetOptions = {},
): CheckResult<AckedSetCounts, HistoryEvent> {
  const budget = options.budget ?? searchBudget
  const operations = operationsOf(history)
  const reads = operations.filter(({ f, completion }) => f === 'read' && completion.kind === 'ok')
  const changes = operations.filter(({ f, completion }) => isChange(f) && completion.kind !== 'fail')
  const writes = changes.filter(({ f }) => f === 'write')
  const doubled = reads.find((read) => new Set(foundBy(read)).size !== foundBy(read).length)
  if (doubled !== undefined) {
    return violation(`Read ${doubled.op} found ${twice(doubled)} twice.`, eventsOf(history, [doubled]))
  }
  const lists = reads.map((read) => ({ read, found: new Set(foundBy(read)) }))
  const byValue = Map.groupBy(changes, ({ input }) => canonicalText(input))
  const gone = new Set((options.gone ?? []).map(canonicalText))
  const values = new Set([...byValue.keys(), ...lists.flatMap(({ found }) => [...found])])
  let open: string | undefined
  for (const value of values) {
    const touches = touchesOf(byValue.get(value) ?? [], lists, value, gone.has(value))
    const outcome = searchOrder(presence, touches, budget)
    if (outcome.kind === 'undecided') open ??= value
    if (outcome.kind !== 'impossible') continue
    const around = conflictAround(touches, outcome.at).flatMap(({ operation }) => operation ?? [])
    const own = operations.filter(({ f, input }) => isChange(f) && canonicalText(input) === value)
    return violation(sentence(value, outcome.at, own), eventsOf(history, [...own, ...around]))
  }
  if (open !== undefined) return undecided(`The value ${open}`, budget)
  const acked = writes.filter(({ known }) => known).length
  return { ok: true, values: values.size, acked, unknown: writes.length - acked, reads: reads.length }
}

function isChange(f: string): boolean {
  return f === 'write' || f === 'delete'
}

function foundBy({ completion }: RecordedOperation): readonly string[] {
  return completion.kind === 'ok' && Array.isArray(completion.value) ? completion.value.map(canonicalText) : []
}

function twice(read: RecordedOperation): string {
  return foundBy(read).find((value, at, all) => all.indexOf(value) !== at) ?? ''
}

function touchesOf(
  changes: readonly RecordedOperation[],
  lists: readonly { readonly read: RecordedOperation; readonly found: ReadonlySet<string> }[],
  value: string,
  gone: boolean,
): readonly Touch[] {
  const touches = changes.map((operation): Touch => touch(operation, operation.f === 'write' ? 'added' : 'removed'))
  for (const { read, found } of lists) touches.push(touch(read, found.has(value) ? 'found' : 'not found'))
  // It was removed once, nobody of these clients knows when.
  if (gone) touches.push({ kind: 'removed', operation: undefined, invoked: 0, completed: Infinity, known: false })
  return touches
}

function touch(operation: RecordedOperation, kind: Touch['kind']): Touch {
  const { invoked, completed, known } = operation
  return { kind, operation, invoked, completed, known }
}

/** What is wrong with the value, by the simplest reason that fits. */
function sentence(value: string, at: Touch, changes: readonly RecordedOperation[]): string {
  const read = at.operation?.op ?? 0
  const writes = changes.filter(({ f, invoked }) => f === 'write' && invoked < at.completed)
  if (at.kind === 'found') {
    const possible = writes.some(({ completion }) => completion.kind !== 'fail')
    if (possible) return `Read ${read} found ${value}, which had been removed or missed before.`
    const failed = writes[0] === undefined ? '' : ` but for write ${writes[0].op}, which failed`
    return `Read ${read} found ${value}, which nobody had written${failed}.`
  }
  const acked = writes.find(({ completed, completion }) => completion.kind === 'ok' && completed < at.invoked)
  if (acked !== undefined) return `Read ${read} did not find ${value}, although write ${acked.op} was acked.`
  return `Read ${read} did not find ${value}, although an earlier read had found it.`
}
