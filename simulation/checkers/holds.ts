import type { CheckResult, HistoryEvent } from 'plenum/testing'

/** How much was checked. */
export interface HoldCounts {
  readonly holds: number
  /** Looks that found a hold while it had to be there, and looks after it was gone. */
  readonly found: number
  readonly missed: number
}

/**
 * Partition time may run by 5 % too fast while it is set right, and a clock drifts by half a percent (TI1): no lease
 * ends before this share of it has passed.
 */
const leastShare = 1 / 1.06

interface Told {
  readonly event: HistoryEvent
  /** Nanoseconds. */
  readonly invoked: number
  readonly completed: number
}

/**
 * Leases: a hold is there until its lease is over, which began at the earliest when it was asked for; and what one
 * look saw gone no later look finds (TI2). `hold` and `renew` with the hold as key and milliseconds as value; `look`
 * answers whether it is there. A name is held once only, and renewing does not bring it back.
 */
export function checkHolds(history: readonly HistoryEvent[]): CheckResult<HoldCounts, HistoryEvent> {
  const asked = new Map(history.filter(({ type }) => type === 'invoke').map((event) => [event.op, event]))
  const told = history.flatMap((event): Told[] => {
    const invoked = asked.get(event.op)?.time
    return event.type === 'invoke' || invoked === undefined ? [] : [{ event, invoked, completed: event.time }]
  })
  const byKey = Map.groupBy(told, ({ event }) => event.key ?? '')
  let found = 0
  let missed = 0
  for (const [name, events] of byKey) {
    const gone = events.filter(sawGone)
    const there = events.filter(sawThere)
    const early = gone.find((look) => look.completed < earliestEnd(events, look))
    if (early !== undefined)
      return broken(`'${name}' was gone for operation ${early.event.op}, before its lease was over.`, of(history, name))
    const begun = events.find(({ event }) => event.f === 'hold' && event.type === 'ok')
    for (const look of gone) {
      if (begun === undefined || look.invoked < begun.completed) continue
      const later = there.find(({ invoked }) => invoked > look.completed)
      if (later === undefined) continue
      return broken(
        `'${name}' was gone for operation ${look.event.op}, and there again for ${later.event.op}.`,
        of(history, name),
      )
    }
    found += there.length
    missed += gone.length
  }
  return { ok: true, holds: byKey.size, found, missed }
}

function of(history: readonly HistoryEvent[], name: string): readonly HistoryEvent[] {
  return history.filter(({ key }) => key === name)
}

function sawGone({ event }: Told): boolean {
  if (event.f === 'look') return event.type === 'ok' && event.value === false
  return event.f === 'renew' && event.type === 'fail' && event.error === 'ENTRY_MISSING'
}

function sawThere({ event }: Told): boolean {
  return (
    (event.f === 'look' && event.type === 'ok' && event.value === true) || (event.f === 'renew' && event.type === 'ok')
  )
}

/** When a hold may be over at the earliest for a look, by what was acked before it began; nanoseconds. */
function earliestEnd(events: readonly Told[], { invoked, completed }: Told): number {
  const puts = events.filter(({ event }) => event.f !== 'look' && event.type !== 'fail')
  const before = puts.filter((put) => put.event.type === 'ok' && put.completed < invoked)
  if (before.length === 0) return -Infinity
  // The last one counts; any that was not over when the newest of them began may be the last, or one that nobody knows.
  const newest = Math.max(...before.map((put) => put.invoked))
  const last = puts.filter((put) => put.invoked <= completed && (put.event.type === 'info' || put.completed >= newest))
  return Math.min(...last.map((put) => put.invoked + Number(put.event.value) * 1e6 * leastShare))
}

function broken(why: string, evidence: readonly HistoryEvent[]): CheckResult<HoldCounts, HistoryEvent> {
  return { ok: false, decided: true, why, evidence }
}
