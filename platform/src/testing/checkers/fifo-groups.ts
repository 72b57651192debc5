import { canonicalText } from './canonical.ts'
import { violation, type CheckResult } from './check-result.ts'
import type { HistoryEvent } from './history.ts'
import { eventsOf, operationsOf, type RecordedOperation } from './operations.ts'

/** How much was checked. */
export interface FifoGroupCounts {
  readonly enqueued: number
  readonly done: number
  readonly dead: number
  /** Runs of the worker's function, and those that failed or whose end nobody knows. */
  readonly works: number
  readonly failed: number
  /** Pairs of one group that were enqueued one after the other, and worked on in that order. */
  readonly ordered: number
}

/** One thing to be done. */
interface Errand {
  readonly id: string
  readonly enqueue: RecordedOperation
  readonly works: readonly RecordedOperation[]
  readonly done: RecordedOperation | undefined
  readonly dead: RecordedOperation | undefined
}

interface Wrong {
  readonly why: string
  readonly evidence: readonly RecordedOperation[]
}

/**
 * FIFO groups that workers have worked off (SP9, UN3): `enqueue` id in the group `key`, `work` id as the function saw it,
 * and at the end `done` or `dead` for each id. What was acked is done or a dead letter, and not both; what is done was
 * worked on to the end; nothing is worked on that was not enqueued before; and of one group the function is not called for
 * what was enqueued later before it has once come to the end of what was enqueued earlier. A dead letter holds back nothing.
 */
export function checkFifoGroups(history: readonly HistoryEvent[]): CheckResult<FifoGroupCounts, HistoryEvent> {
  const operations = operationsOf(history)
  const byId = Map.groupBy(operations, ({ input }) => canonicalText(input))
  const errands = [...byId].flatMap(([id, own]) => errandOf(id, own) ?? [])
  const wrong = unknownWork(byId) ?? firstOf(errands, wrongEnd) ?? wrongOrder(errands)
  if (wrong !== undefined) return violation(wrong.why, eventsOf(history, wrong.evidence))
  const works = errands.flatMap((errand) => errand.works)
  return {
    ok: true,
    enqueued: errands.length,
    done: errands.filter(({ done }) => done !== undefined).length,
    dead: errands.filter(({ dead }) => dead !== undefined).length,
    works: works.length,
    failed: works.filter(({ completion }) => completion.kind !== 'ok').length,
    ordered: orderedPairs(errands),
  }
}

function errandOf(id: string, own: readonly RecordedOperation[]): Errand | undefined {
  const enqueue = own.find(({ f }) => f === 'enqueue')
  if (enqueue === undefined) return undefined
  const ended = (f: string): RecordedOperation | undefined =>
    own.find((one) => one.f === f && one.completion.kind === 'ok')
  return { id, enqueue, works: own.filter(({ f }) => f === 'work'), done: ended('done'), dead: ended('dead') }
}

/** What was worked on, or is done, before anybody had enqueued it. */
function unknownWork(byId: ReadonlyMap<string, readonly RecordedOperation[]>): Wrong | undefined {
  for (const [id, own] of byId) {
    const enqueue = own.find(({ f }) => f === 'enqueue')
    const isThere = enqueue !== undefined && enqueue.completion.kind !== 'fail'
    const early = own.find(({ f, invoked }) => f !== 'enqueue' && (!isThere || invoked < enqueue.invoked))
    if (early !== undefined)
      return { why: `There is a '${early.f}' of ${id}, which nobody had enqueued.`, evidence: own }
  }
  return undefined
}

function wrongEnd({ id, enqueue, works, done, dead }: Errand): Wrong | undefined {
  const evidence = [enqueue, ...works, ...(done === undefined ? [] : [done]), ...(dead === undefined ? [] : [dead])]
  if (done !== undefined && dead !== undefined) return { why: `${id} is done, and a dead letter.`, evidence }
  if (enqueue.completion.kind === 'ok' && done === undefined && dead === undefined)
    return { why: `${id} was acked, and is neither done nor a dead letter.`, evidence }
  if (done !== undefined && firstEnd(works) > done.invoked)
    return { why: `${id} is done, and no worker came to its end.`, evidence }
  return undefined
}

/** The first place at which the function came to an end; Infinity if it never did. */
function firstEnd(works: readonly RecordedOperation[]): number {
  return Math.min(...works.filter(({ completion }) => completion.kind === 'ok').map(({ completed }) => completed))
}

function firstBegin(works: readonly RecordedOperation[]): number {
  return Math.min(...works.map(({ invoked }) => invoked))
}

/** Those that are done, of each group, in the order in which their enqueues were acked. */
function groupsOf(errands: readonly Errand[]): readonly (readonly Errand[])[] {
  const done = errands.filter((errand) => errand.done !== undefined)
  const groups = [...Map.groupBy(done, ({ enqueue }) => enqueue.key).values()]
  return groups.map((group) => group.toSorted((one, other) => one.enqueue.completed - other.enqueue.completed))
}

function wrongOrder(errands: readonly Errand[]): Wrong | undefined {
  for (const group of groupsOf(errands)) {
    for (const later of group) {
      const begun = firstBegin(later.works)
      const earlier = group.find((one) => {
        return one.enqueue.completed < later.enqueue.invoked && firstEnd(one.works) > begun
      })
      if (earlier === undefined) continue
      return {
        why: `${later.id} was worked on before ${earlier.id}, which was enqueued before it in the same group.`,
        evidence: [earlier.enqueue, ...earlier.works, later.enqueue, ...later.works],
      }
    }
  }
  return undefined
}

function orderedPairs(errands: readonly Errand[]): number {
  let pairs = 0
  for (const group of groupsOf(errands)) {
    for (const later of group) pairs += group.filter(({ enqueue }) => enqueue.completed < later.enqueue.invoked).length
  }
  return pairs
}

function firstOf<T>(items: readonly T[], find: (item: T) => Wrong | undefined): Wrong | undefined {
  for (const item of items) {
    const found = find(item)
    if (found !== undefined) return found
  }
  return undefined
}
