import { canonicalText } from './canonical.ts'
import { violation, type CheckResult } from './check-result.ts'
import type { HistoryEvent } from './history.ts'
import { eventsOf, operationsOf } from './operations.ts'
import { deliveriesOf, judgeOrder, lostFromSight, type QueueOperations, type QueueWrong } from './queue-order.ts'

/** How much was checked. */
export interface QueueCounts {
  readonly values: number
  /** Values that were taken, and takes that found nothing. */
  readonly taken: number
  readonly empty: number
  /** Takes of unknown outcome: each may have taken one value, and a drain any number. */
  readonly unknown: number
  /** Acked values that only such a take can have taken. */
  readonly missing: number
  /** Pairs of values of one key that were enqueued one after the other: the order in which they were taken was judged. */
  readonly ordered: number
}

/**
 * Queues that were emptied at the end (SP4, SP5, SP9): `enqueue` v in `key`, `take` → v or null and `drain` → list, from
 * `key` or from anywhere. No value is taken twice or out of nothing; an acked value is taken, or a take of unknown outcome
 * may have it; a take finds nothing only where there may have been nothing; and the values of a key, which is a FIFO
 * group, are taken in the order in which they were enqueued, where one was enqueued after the other.
 */
export function checkQueue(history: readonly HistoryEvent[]): CheckResult<QueueCounts, HistoryEvent> {
  const operations = operationsOf(history)
  const takes = operations.filter(({ f }) => f === 'take' || f === 'drain')
  const answered = takes.filter(({ completion }) => completion.kind === 'ok')
  const deliveries = answered.flatMap(deliveriesOf)
  const queue: QueueOperations = {
    enqueues: new Map(operations.filter(({ f }) => f === 'enqueue').map((one) => [canonicalText(one.input), one])),
    deliveries,
    takenBy: new Map(deliveries.map((delivery) => [delivery.value, delivery])),
    answered,
    unknown: takes.filter(({ known }) => !known),
  }
  const order = judgeOrder(queue)
  const wrong = takenWrongly(queue) ?? lost(queue) ?? lostFromSight(queue) ?? order.wrong
  if (wrong !== undefined) return violation(wrong.why, eventsOf(history, wrong.evidence))
  return {
    ok: true,
    values: queue.enqueues.size,
    taken: deliveries.length,
    empty: answered.filter((take) => take.f === 'take' && deliveriesOf(take).length === 0).length,
    unknown: queue.unknown.length,
    missing: missingIn(queue).length,
    ordered: order.pairs,
  }
}

/** A value that was taken twice, or that was not there. */
function takenWrongly({ enqueues, deliveries }: QueueOperations): QueueWrong | undefined {
  const before = new Map<string, number>()
  for (const { value, take } of deliveries) {
    const enqueue = enqueues.get(value)
    const other = deliveries[before.get(value) ?? -1]
    const evidence = [take, ...(enqueue === undefined ? [] : [enqueue]), ...(other === undefined ? [] : [other.take])]
    if (other !== undefined) return { why: `Takes ${other.take.op} and ${take.op} both took ${value}.`, evidence }
    if (enqueue === undefined || enqueue.completion.kind === 'fail' || enqueue.invoked > take.completed) {
      return { why: `Take ${take.op} took ${value}, which nobody had put.`, evidence }
    }
    if (take.key !== '' && take.key !== enqueue.key) {
      return { why: `Take ${take.op} took ${value} from ${take.key}; it had been put into ${enqueue.key}.`, evidence }
    }
    before.set(value, before.size)
  }
  return undefined
}

/** Acked values that no take is known to have taken. */
function missingIn({ enqueues, takenBy }: QueueOperations) {
  return [...enqueues].filter(([value, { completion }]) => completion.kind === 'ok' && !takenBy.has(value))
}

/** More acked values than takes of unknown outcome can have taken. */
function lost(queue: QueueOperations): QueueWrong | undefined {
  const { unknown } = queue
  const missing = missingIn(queue)
  /** How many values such takes can have, of a key or of all. */
  const room = (key: string | undefined): number => {
    const open = unknown.filter((take) => key === undefined || take.key === '' || take.key === key)
    return open.some(({ f }) => f === 'drain') ? Infinity : open.length
  }
  for (const [key, values] of Map.groupBy(missing, ([, enqueue]) => enqueue.key)) {
    if (values.length <= room(key) && missing.length <= room(undefined)) continue
    const [value, enqueue] = values[0]!
    return {
      why: `Put ${enqueue.op} of ${value} was acked and nobody took it; ${values.length} such values there, ${room(key)} takes of unknown outcome.`,
      evidence: [enqueue],
    }
  }
  return undefined
}
