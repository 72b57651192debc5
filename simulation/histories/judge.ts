// Judges a history by its lines alone, as somebody would who got them in a file.
import { isPlenumError } from 'plenum'
import { jsonLines, type HistoryEvent } from 'plenum/testing'
import { dumpFrom, historyFrom } from './lines.ts'
import { workloadNamed } from './workloads.ts'

/** What was found, as a text for a person. */
export interface Judgement {
  readonly ok: boolean
  readonly text: string
}

/** Lines of evidence that are shown. */
const evidenceMax = 40

/**
 * Judges the text of a history, and of its journal dump where there is one. The workload is told by the operations where
 * nobody names it; USAGE if it has no checker.
 */
export function judge(text: string, dump: string | undefined, named: string | undefined): Judgement {
  try {
    const history = historyFrom(text)
    const workload = workloadNamed(named ?? workloadOf(history))
    if (!history.some(({ type }) => type === 'ok')) {
      return { ok: false, text: 'violation: the history holds no operation that was answered, so it proves nothing.' }
    }
    const verdict = workload.check(history, dump === undefined ? undefined : dumpFrom(dump))
    if (!verdict.ok) {
      const shown = jsonLines(verdict.evidence.slice(0, evidenceMax))
      const more = verdict.evidence.length - evidenceMax
      const left = more > 0 ? `… ${more} more lines\n` : ''
      return {
        ok: false,
        text: `${verdict.decided ? 'violation' : 'undecided'}: ${verdict.why}\n${shown}${left}`.trimEnd(),
      }
    }
    const sums = Object.entries(verdict.counts).map(([name, count]) => `${name} ${count}`)
    const isPart = workload.needsJournal === true && dump === undefined
    const missing = isPart ? '; effects were not checked: no --journal' : ''
    return { ok: true, text: `ok: ${workload.name}, ${sums.join(', ')}${missing}` }
  } catch (error) {
    if (!isPlenumError(error, 'CHECK_FAILED')) throw error
    return { ok: false, text: `violation: ${error.message}` }
  }
}

/** Operations that only one workload has. */
const telling: readonly (readonly [f: string, workload: string])[] = [
  ['init', 'bank'],
  ['transfer', 'bank'],
  ['balances', 'bank'],
  ['drain', 'queue'],
  ['work', 'fifo-groups'],
  ['enqueue', 'queue'],
  ['txn', 'txn'],
  ['watch', 'watch'],
]

function workloadOf(history: readonly HistoryEvent[]): string {
  const told = telling.find(([f]) => history.some((event) => event.f === f))
  if (told !== undefined) return told[1]
  if (history.some(({ session }) => session !== undefined)) return 'session'
  return history.every(({ key }) => key === undefined) ? 'set' : 'register'
}
