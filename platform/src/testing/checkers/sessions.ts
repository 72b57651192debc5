import { sameValue } from './canonical.ts'
import { violation, type CheckResult } from './check-result.ts'
import type { HistoryEvent } from './history.ts'
import { entryChangeKinds, requestName, type DumpLine } from './journal-dump.ts'
import { eventsOf, operationsOf, type RecordedOperation } from './operations.ts'

/** How much was checked. */
export interface SessionCounts {
  readonly requests: number
  /** Requests that were sent more than once. */
  readonly repeated: number
  /** Requests whose answer stands in the journal. */
  readonly answered: number
}

/** Evidence: what clients recorded, and what the journal holds. */
export type SessionEvidence = HistoryEvent | DumpLine

/** Errors that say that this try was not run: another try of the same request may have been. */
const notRun: ReadonlySet<string | undefined> = new Set([
  'NOT_PRIMARY',
  'OVERLOADED',
  'JOURNAL_FULL',
  'JOURNAL_UNAVAILABLE',
  'JOURNAL_FAILED',
  'JOURNAL_CORRUPT',
  'JOURNAL_FORKED',
  'SNAPSHOT_CORRUPT',
  'LIMIT_EXCEEDED',
  'SESSION_ENDED',
  'POISON_REQUEST',
  'CLOSED',
])

/**
 * Exactly once (SP12): the effects of a request with a number or a key stand in the journal once at most, and once where
 * it was acked; one that only failed has none; and whoever asks again gets the first answer. `dump` holds the lines of
 * all partitions; without `answered` lines every request must be one that changes something. Where there is no dump,
 * undefined, only the answers are compared.
 */
export function checkSessions(
  history: readonly HistoryEvent[],
  dump: readonly DumpLine[] | undefined,
): CheckResult<SessionCounts, SessionEvidence> {
  const asked = Map.groupBy(operationsOf(history), (operation) => requestName(operation) ?? '')
  asked.delete('')
  const journaled = Map.groupBy(dump ?? [], (line) => requestName(line) ?? '')
  journaled.delete('')
  for (const [name, lines] of journaled) {
    const why = notOnce(lines)
    if (why !== undefined) {
      return violation(`The journal holds ${name} ${why}.`, [...eventsOf(history, asked.get(name) ?? []), ...lines])
    }
  }
  let answered = 0
  for (const [name, tries] of asked) {
    const lines = dump === undefined ? undefined : (journaled.get(name) ?? [])
    const why = contradiction(tries, lines)
    if (why !== undefined) return violation(`For ${name}, ${why}.`, [...eventsOf(history, tries), ...(lines ?? [])])
    if (lines !== undefined && lines.length > 0) answered += 1
  }
  const repeated = [...asked.values()].filter((tries) => tries.length > 1).length
  return { ok: true, requests: asked.size, repeated, answered }
}

/** Why a request is in the journal more than once; undefined if it is not. */
function notOnce(lines: readonly DumpLine[]): string | undefined {
  const records = new Set(lines.map(({ partition, index }) => `${index} of partition ${partition}`))
  if (records.size > 1) return `more than once: at ${[...records].join(' and at ')}`
  const answers = lines.filter(({ kind }) => kind === 'answered').length
  return answers > 1 ? `${answers} times in one record` : undefined
}

/** What the answers of a request's tries say against each other or against the journal. */
function contradiction(
  tries: readonly RecordedOperation[],
  lines: readonly DumpLine[] | undefined,
): string | undefined {
  const told = tries.filter(isTold)
  const [first, ...others] = told
  for (const other of others) {
    if (first !== undefined && !sameAnswer(first, other))
      return `tries ${first.op} and ${other.op} got different answers`
  }
  if (lines === undefined) return undefined
  const acked = told.find(({ completion }) => completion.kind === 'ok')
  if (acked !== undefined && lines.length === 0) return `try ${acked.op} was acked, but the journal does not hold it`
  const failed = told.find(({ completion }) => completion.kind === 'fail')
  const certain = failed ?? (tries.every(({ known }) => known) ? tries[0] : undefined)
  const changes = lines.filter(({ kind }) => entryChangeKinds.includes(kind))
  if (acked === undefined && certain !== undefined && changes.length > 0) {
    return `try ${certain.op} was told that nothing happened, but the journal holds ${changes.length} effects of it`
  }
  return undefined
}

/** True if a try was told its request's answer: its outcome is known, and it was not turned away at the door. */
export function isTold({ completion }: RecordedOperation): boolean {
  return completion.kind === 'ok' || (completion.kind === 'fail' && !notRun.has(completion.error))
}

function sameAnswer(a: RecordedOperation, b: RecordedOperation): boolean {
  const left = a.completion
  const right = b.completion
  if (left.kind === 'ok' && right.kind === 'ok') {
    return sameValue(left.value, right.value) && left.version === right.version
  }
  return left.kind === 'fail' && right.kind === 'fail' && left.error === right.error
}
