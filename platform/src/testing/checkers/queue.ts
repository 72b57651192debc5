import { canonicalText } from './canonical.ts'
import { violation, type CheckResult } from './check-result.ts'
import type { HistoryEvent } from './history.ts'
import { eventsOf, operationsOf, type RecordedOperation } from './operations.ts'

/** How much was checked. */
export interface QueueCounts {
  readonly values: number
  /** Values that were taken, and takes that found nothing. */
  readonly taken: number
  readonly empty: number
  /** Takes of unknown outcome: each may have taken one value. */
  readonly unknown: number
  /** Acked values that only such a take can have taken. */
  readonly missing: number
}

/**
 * A queue that was emptied at the end (SP4, SP5, SP9): `put` v in `key`, `take` → v or null, from `key` or from anywhere.
 * No value is taken twice or out of nothing; an acked value is taken, or a take of unknown outcome may have it; a take
 * finds nothing only where nothing was for all of its time; and of two values of one key that were put one after the
 * other, the later is not taken before the earlier.
 */
export function checkQueue(history: readonly HistoryEvent[]): CheckResult<QueueCounts, HistoryEvent> {
  const operations = operationsOf(history)
  const puts = new Map(operations.filter(({ f }) => f === 'put').map((put) => [canonicalText(put.input), put]))
  const takes = operations.filter(({ f }) => f === 'take')
  const answered = takes.filter(({ completion }) => completion.kind === 'ok')
  const full = answered.filter((take) => valueOf(take) !== undefined)
  const takenBy = new Map<string, RecordedOperation>()
  for (const take of full) {
    const value = valueOf(take)!
    const put = puts.get(value)
    const other = takenBy.get(value)
    const evidence = [take, ...(put === undefined ? [] : [put]), ...(other === undefined ? [] : [other])]
    if (other !== undefined) return wrong(history, evidence, `Takes ${other.op} and ${take.op} both took ${value}.`)
    if (put === undefined || put.completion.kind === 'fail' || put.invoked > take.completed) {
      return wrong(history, evidence, `Take ${take.op} took ${value}, which nobody had put.`)
    }
    takenBy.set(value, take)
  }
  const unknown = takes.filter(({ completion }) => completion.kind !== 'ok' && completion.kind !== 'fail')
  const missing = [...puts].filter(([value, put]) => put.completion.kind === 'ok' && !takenBy.has(value))
  const anywhere = unknown.filter(({ key }) => key === '').length
  for (const [key, values] of Map.groupBy(missing, ([, put]) => put.key)) {
    const there = anywhere + unknown.filter((take) => take.key !== '' && take.key === key).length
    if (values.length <= there && missing.length <= unknown.length) continue
    const [value, put] = values[0]!
    return wrong(
      history,
      [put],
      `Put ${put.op} of ${value} was acked and nobody took it; ${values.length} such values there, ${there} takes of unknown outcome.`,
    )
  }
  const lost = lostFromSight(puts, takenBy, answered) ?? overtaken(puts, takenBy)
  if (lost !== undefined) return wrong(history, lost.evidence, lost.why)
  const empty = answered.length - full.length
  return {
    ok: true,
    values: puts.size,
    taken: full.length,
    empty,
    unknown: unknown.length,
    missing: missing.length,
  }
}

interface Wrong {
  readonly why: string
  readonly evidence: readonly RecordedOperation[]
}

/** A take that found nothing while a value lay there from before its beginning until after its end. */
function lostFromSight(
  puts: ReadonlyMap<string, RecordedOperation>,
  takenBy: ReadonlyMap<string, RecordedOperation>,
  answered: readonly RecordedOperation[],
): Wrong | undefined {
  for (const take of answered) {
    if (valueOf(take) !== undefined) continue
    for (const [value, put] of puts) {
      const taken = takenBy.get(value)
      if (taken === undefined || put.completion.kind !== 'ok') continue
      if (take.key !== '' && take.key !== put.key) continue
      if (put.completed >= take.invoked || taken.invoked <= take.completed) continue
      return {
        why: `Take ${take.op} found nothing, although ${value} lay there from put ${put.op} to take ${taken.op}.`,
        evidence: [put, take, taken],
      }
    }
  }
  return undefined
}

/** A value that was put after another one of its key and taken before it. */
function overtaken(
  puts: ReadonlyMap<string, RecordedOperation>,
  takenBy: ReadonlyMap<string, RecordedOperation>,
): Wrong | undefined {
  const byKey = Map.groupBy(puts.entries(), ([, { key }]) => key)
  for (const [key, values] of byKey) {
    if (key === '') continue
    for (const [first, early] of values) {
      for (const [second, late] of values) {
        if (early.completion.kind !== 'ok' || early.completed >= late.invoked) continue
        const [earlyTake, lateTake] = [takenBy.get(first), takenBy.get(second)]
        if (earlyTake === undefined || lateTake === undefined || lateTake.completed >= earlyTake.invoked) continue
        return {
          why: `${second} was put after ${first} in ${key} and taken before it: by take ${lateTake.op}, and the other by take ${earlyTake.op}.`,
          evidence: [early, late, lateTake, earlyTake],
        }
      }
    }
  }
  return undefined
}

function valueOf({ completion }: RecordedOperation): string | undefined {
  const value: unknown = completion.kind === 'ok' ? completion.value : undefined
  return value === undefined || value === null ? undefined : canonicalText(value)
}

function wrong(
  history: readonly HistoryEvent[],
  evidence: readonly RecordedOperation[],
  why: string,
): CheckResult<QueueCounts, HistoryEvent> {
  return violation(why, eventsOf(history, evidence))
}
