// What a filter sees of a journal: for each partition the changes of what matches, in order, as a watch has to tell them.
//
// I1 A place is a number of changes that the filter sees: `place` of them were told, and `changes[place]` comes next.
import { PlenumError } from '../../kernel/index.ts'
import { canonicalText } from './canonical.ts'
import { entryChangeKinds, requestName, type DumpLine } from './journal-dump.ts'
import { isSeen, toldBy, type WatchFilter } from './watch-lines.ts'
import type { HistoryEvent } from './history.ts'

/** A change as a filter sees it, and the line of the journal that made it. */
export interface SeenChange {
  readonly kind: 'added' | 'changed' | 'removed'
  readonly key: string
  /** What is there, or what was there before it was removed. */
  readonly entry: unknown
  readonly previous: unknown
  readonly line: DumpLine
}

/** What a filter sees of one partition. */
export interface PartitionView {
  readonly partition: number
  readonly changes: readonly SeenChange[]
}

/** What a filter sees, and in which of its partitions each key lies. */
export interface WatchView {
  readonly partitions: readonly PartitionView[]
  /** The number of a key's partition in `partitions`; also of keys that the filter does not see. */
  readonly placeOf: ReadonlyMap<string, number>
}

/** What a filter sees of the entries of a type, or of all. CHECK_FAILED if a key lies in two partitions. */
export function viewOf(dump: readonly DumpLine[], filter: WatchFilter, type: string | undefined): WatchView {
  const placeOf = new Map<string, number>()
  const byPartition = Map.groupBy(dump, ({ partition }) => partition)
  const partitions = [...byPartition].map(([partition, lines], place): PartitionView => {
    const held = new Map<string, unknown>()
    const changes = lines.flatMap((line): readonly SeenChange[] => {
      const { kind, key, value } = line
      if (key === undefined || !entryChangeKinds.includes(kind) || (type !== undefined && line.type !== type)) return []
      if ((placeOf.get(key) ?? place) !== place) throw ambiguous(line)
      placeOf.set(key, place)
      const before = held.get(key)
      if (kind === 'added' || kind === 'changed') held.set(key, value)
      else held.delete(key)
      return seen(filter, key, before, held.get(key), line)
    })
    return { partition, changes }
  })
  return { partitions, placeOf }
}

function seen(
  filter: WatchFilter,
  key: string,
  before: unknown,
  after: unknown,
  line: DumpLine,
): readonly SeenChange[] {
  const previous = before !== undefined && isSeen(filter, key, before) ? before : undefined
  const entry = after !== undefined && isSeen(filter, key, after) ? after : undefined
  if (entry !== undefined) return [{ kind: previous === undefined ? 'added' : 'changed', key, entry, previous, line }]
  return previous === undefined ? [] : [{ kind: 'removed', key, entry: previous, previous: undefined, line }]
}

/** True if a line tells this change; what it leaves out is not compared. */
export function tells(event: HistoryEvent, change: SeenChange): boolean {
  const told = toldBy(event)
  if (told === undefined || told.kind !== change.kind || event.key !== change.key) return false
  if (canonicalText(told.entry) !== canonicalText(change.entry)) return false
  if (told.previous !== undefined && canonicalText(told.previous) !== canonicalText(change.previous)) return false
  if (told.reason !== undefined && !reasonsOf(change).includes(told.reason)) return false
  return event.version === undefined || event.version === change.line.version
}

function reasonsOf({ kind, line }: SeenChange): readonly string[] {
  if (kind !== 'removed') return []
  if (line.kind === 'expired') return ['expired']
  return line.kind === 'removed' ? ['removed', 'taken'] : ['unmatched']
}

/** Whether two changes, one right after the other, are of one commit; undefined where the journal does not tell. */
export function isOneCommit(one: SeenChange | undefined, next: SeenChange | undefined): boolean | undefined {
  if (one === undefined || next === undefined || one.line.index !== next.line.index) return false
  const [name, other] = [requestName(one.line), requestName(next.line)]
  return name === undefined && other === undefined ? undefined : name === other
}

/** Where a state fits. */
export interface StatePlaces {
  readonly places: readonly number[]
  /** The last place where least is wrong, and a key that is wrong there. */
  readonly nearest: { readonly place: number; readonly key: string | undefined }
}

/**
 * The places, from `from` on, at which what is there is what was told, by key; `isPart` if more may be there. No place is
 * within a commit.
 */
export function placesOfState(
  { changes }: PartitionView,
  told: ReadonlyMap<string, HistoryEvent>,
  from: number,
  isPart: boolean,
): StatePlaces {
  const wrong = new Set(told.keys())
  const places: number[] = []
  let nearest = { place: 0, key: undefined as string | undefined, count: Infinity }
  for (let place = 0; place <= changes.length; place++) {
    const last = changes[place - 1]
    if (last !== undefined) {
      const event = told.get(last.key)
      const isThere = last.kind !== 'removed'
      const isRight = event === undefined ? isPart || !isThere : isThere && isState(event, last)
      if (isRight) wrong.delete(last.key)
      else wrong.add(last.key)
    }
    if (place < from || isOneCommit(last, changes[place]) === true) continue
    if (wrong.size === 0) places.push(place)
    if (wrong.size <= nearest.count) nearest = { place, key: [...wrong][0], count: wrong.size }
  }
  return { places, nearest }
}

/** True if a line of a state tells what a change made. */
function isState(event: HistoryEvent, { entry, line }: SeenChange): boolean {
  const isSame = canonicalText(toldBy(event)?.entry) === canonicalText(entry)
  return isSame && (event.version === undefined || event.version === line.version)
}

function ambiguous({ key = '', partition }: DumpLine): PlenumError {
  return new PlenumError(
    'CHECK_FAILED',
    `The journal has the key ${key} in partition ${partition} and in another one: a watch of it cannot be judged.`,
  )
}
