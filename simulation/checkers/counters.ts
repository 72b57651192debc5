import type { CheckResult, HistoryEvent } from 'plenum/testing'

/** How much was checked. */
export interface CounterCounts {
  /** Additions that were acked, each request counted once. */
  readonly additions: number
}

interface Additions {
  /** What was certainly added, and what may have been besides. */
  readonly certain: number
  readonly possible: number
}

/**
 * Counters that only grow: each holds what was acked, and beyond that only what has no known outcome; and no two
 * different requests were told the same total. `add` with the counter as key, the amount as value; the answer is the
 * total. Requests that have the same `request` are one.
 */
export function checkCounters(
  history: readonly HistoryEvent[],
  totals: ReadonlyMap<string, number>,
): CheckResult<CounterCounts, HistoryEvent> {
  const asked = new Map(history.filter(({ type }) => type === 'invoke').map((event) => [event.op, event]))
  const ended = history.filter(({ f, type }) => f === 'add' && type !== 'invoke')
  const byCounter = Map.groupBy(ended, ({ key }) => key ?? '')
  let additions = 0
  for (const [counter, events] of byCounter) {
    const requests = Map.groupBy(events, ({ request, op }) => request ?? op)
    const twin = sharedTotal([...requests.values()])
    if (twin !== undefined)
      return broken(`Two requests were told that '${counter}' is at ${JSON.stringify(twin)}.`, events)
    const sums = [...requests.values()].map((tries) => additionOf(tries, Number(asked.get(tries[0]!.op)?.value ?? 0)))
    const certain = sums.reduce((sum, one) => sum + one.certain, 0)
    const possible = sums.reduce((sum, one) => sum + one.possible, 0)
    const total = totals.get(counter) ?? 0
    if (total < certain || total > certain + possible) {
      const range = possible === 0 ? String(certain) : `${certain} to ${certain + possible}`
      return broken(`Counter '${counter}' is at ${total}; what was added makes ${range}.`, events)
    }
    additions += sums.filter((one) => one.certain > 0).length
  }
  return { ok: true, additions }
}

function broken(why: string, evidence: readonly HistoryEvent[]): CheckResult<CounterCounts, HistoryEvent> {
  return { ok: false, decided: true, why, evidence }
}

/** A total that two different requests were told. */
function sharedTotal(requests: readonly (readonly HistoryEvent[])[]): unknown {
  const told = requests.flatMap((tries) => tries.find(({ type }) => type === 'ok')?.value ?? [])
  return told.find((total, at) => told.indexOf(total) !== at)
}

function additionOf(tries: readonly HistoryEvent[], by: number): Additions {
  if (tries.some(({ type }) => type === 'ok')) return { certain: by, possible: 0 }
  // A refusal, too, is the one answer of its request.
  const isOpen = tries.some(({ type }) => type === 'info') && !tries.some(({ error }) => error === 'FULL')
  return { certain: 0, possible: isOpen ? by : 0 }
}
