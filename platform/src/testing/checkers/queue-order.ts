// The order in which the values of a queue were taken (SP9), and what lay there while a take found nothing.
//
// I1 A value lies there for certain after the end of its enqueue and before the beginning of its take, whatever the
//    order of what overlapped. For known outcomes these rules, with those of `checkQueue`, are all there are: T. A.
//    Henzinger, A. Sezgin and V. Vafeiadis, "Aspect-oriented linearizability proofs", 2013.
// I2 A take from anywhere looks at one partition after the other: only a value that lay there all the time was missed.
import { canonicalText } from './canonical.ts'
import type { RecordedOperation } from './operations.ts'

/** One value that was taken, and its place among those that the same operation took. */
export interface Delivery {
  readonly value: string
  readonly take: RecordedOperation
  readonly place: number
}

/** The operations of a history of queues; values as canonical text. */
export interface QueueOperations {
  readonly enqueues: ReadonlyMap<string, RecordedOperation>
  readonly deliveries: readonly Delivery[]
  readonly takenBy: ReadonlyMap<string, Delivery>
  /** Takes and drains that were answered, and those of unknown outcome. */
  readonly answered: readonly RecordedOperation[]
  readonly unknown: readonly RecordedOperation[]
}

/** A broken rule. */
export interface QueueWrong {
  readonly why: string
  readonly evidence: readonly RecordedOperation[]
}

/** The values that a take or a drain was answered with. */
export function deliveriesOf(take: RecordedOperation): readonly Delivery[] {
  const { completion, f } = take
  const value: unknown = completion.kind === 'ok' ? completion.value : undefined
  if (value === undefined || value === null) return []
  const values: readonly unknown[] = f === 'drain' && Array.isArray(value) ? value : [value]
  return values.map((one, place) => ({ value: canonicalText(one), take, place }))
}

/** A value of which it is certain when it lay there at the latest from, and at the earliest until. */
interface Lying {
  readonly value: string
  readonly enqueue: RecordedOperation
  readonly taken: RecordedOperation
}

/** A take that found nothing, or a drain that left something, although at every instant of its time a value lay there. */
export function lostFromSight({ enqueues, takenBy, answered }: QueueOperations): QueueWrong | undefined {
  const lying = [...enqueues].flatMap(([value, enqueue]): readonly Lying[] => {
    const taken = takenBy.get(value)?.take
    return taken === undefined || enqueue.completion.kind !== 'ok' ? [] : [{ value, enqueue, taken }]
  })
  const byKey = Map.groupBy(lying, ({ enqueue }) => enqueue.key)
  for (const take of answered) {
    if (take.f === 'take' && deliveriesOf(take).length > 0) continue
    const chain = chainOver(take, take.key === '' ? lying : (byKey.get(take.key) ?? []))
    if (chain === undefined) continue
    const text = chain.map(({ value, enqueue, taken }) => `${value} from put ${enqueue.op} to take ${taken.op}`)
    return {
      why: `Take ${take.op} found nothing${take.f === 'drain' ? ' more' : ''}, although all the time something lay there: ${text.join(', then ')}.`,
      evidence: [take, ...chain.flatMap(({ enqueue, taken }) => [enqueue, taken])],
    }
  }
  return undefined
}

/** Values of which, one after the other, one lay there at each instant of a take; undefined if there are none. */
function chainOver(take: RecordedOperation, lying: readonly Lying[]): readonly Lying[] | undefined {
  const chain: Lying[] = []
  for (let reached = take.invoked; reached <= take.completed; reached = chain.at(-1)!.taken.invoked) {
    let next: Lying | undefined
    for (const one of lying) {
      if (one.enqueue.completed >= reached || one.taken.invoked <= (next?.taken.invoked ?? reached)) continue
      next = one
    }
    if (next === undefined || (take.key === '' && next.taken.invoked <= take.completed)) return undefined
    chain.push(next)
  }
  return chain
}

/** Judges all pairs of values of one key of which one was enqueued after the other. */
export function judgeOrder(queue: QueueOperations): { readonly pairs: number; readonly wrong: QueueWrong | undefined } {
  let pairs = 0
  for (const [key, values] of Map.groupBy(queue.enqueues, ([, enqueue]) => enqueue.key)) {
    if (key === '') continue
    for (const early of values) {
      if (early[1].completion.kind !== 'ok') continue
      for (const late of values) {
        const delivery = queue.takenBy.get(late[0])
        if (delivery === undefined || early[1].completed >= late[1].invoked) continue
        pairs += 1
        const wrong = overtaken(queue, early, late, delivery)
        if (wrong !== undefined) return { pairs, wrong }
      }
    }
  }
  return { pairs, wrong: undefined }
}

/** Whether the later of two values was taken before the earlier, which is still there then. */
function overtaken(
  { takenBy, unknown }: QueueOperations,
  [first, early]: readonly [string, RecordedOperation],
  [second, late]: readonly [string, RecordedOperation],
  delivery: Delivery,
): QueueWrong | undefined {
  const other = takenBy.get(first)
  const why = `${second} was put after ${first} in ${late.key} and taken before it: by take ${delivery.take.op}`
  if (other === undefined) {
    // Only a take of unknown outcome can have it, and only one that began before the later value was gone.
    const isFree = unknown.some(
      ({ key, invoked }) => (key === '' || key === early.key) && invoked < delivery.take.completed,
    )
    return isFree
      ? undefined
      : { why: `${why}, and the other by nobody until then.`, evidence: [early, late, delivery.take] }
  }
  const isSame = delivery.take === other.take
  if (isSame ? delivery.place > other.place : delivery.take.completed >= other.take.invoked) return undefined
  return { why: `${why}, and the other by take ${other.take.op}.`, evidence: [early, late, delivery.take, other.take] }
}
