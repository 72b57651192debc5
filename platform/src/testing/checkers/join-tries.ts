import type { HistoryEvent } from './history.ts'
import { requestName } from './journal-dump.ts'
import { operationsOf } from './operations.ts'
import { isTold } from './sessions.ts'

/**
 * The history with all tries of one request joined to one operation, for checkers that know nothing of repetition: it
 * begins when it was first asked and ends when somebody was first told its answer; without an answer it stays unknown.
 */
export function joinTries(history: readonly HistoryEvent[]): readonly HistoryEvent[] {
  const requests = Map.groupBy(operationsOf(history), (operation) => requestName(operation) ?? '')
  requests.delete('')
  /** What becomes of an event of a request; events that are not kept are missing. */
  const kept = new Map<HistoryEvent, HistoryEvent>()
  const dropped = new Set<HistoryEvent>()
  for (const [name, tries] of requests) {
    const [first] = tries
    const told = tries.filter(isTold).toSorted((a, b) => a.completed - b.completed)[0]
    for (const event of tries.flatMap(({ events }) => events)) dropped.add(event)
    for (const event of [first!.events[0], told?.events[1]]) {
      if (event !== undefined) kept.set(event, { ...event, process: name, op: first!.op })
    }
  }
  return history.flatMap((event) => kept.get(event) ?? (dropped.has(event) ? [] : event))
}
