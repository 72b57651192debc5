import { canonicalText } from './canonical.ts'
import { violation, type CheckResult, type Violation } from './check-result.ts'
import type { HistoryEvent } from './history.ts'
import type { DumpLine } from './journal-dump.ts'
import { WatchPlaces, type WatchEvidence } from './watch-places.ts'
import { toldBy, watchesOf, type RecordedWatch, type WatchTold } from './watch-lines.ts'
import { viewOf, type WatchView } from './watch-view.ts'

/** Options of `checkWatch`. */
export interface WatchCheckOptions {
  /** True where every watcher listened until it had heard all that the journal holds. */
  readonly heardOut?: boolean | undefined
}

/** How much was checked. */
export interface WatchCounts {
  readonly watchers: number
  /** Entries of states, and changes, that were told. */
  readonly entries: number
  readonly changes: number
  readonly resets: number
  /** Watches that went on from a token. */
  readonly resumed: number
}

/**
 * What each watcher was told is a prefix of what its filter sees of the journal (WA1, WA2): the state at some place, and
 * then the changes after it in the order of each partition, none lost, none twice, those of a commit together. A watch
 * that goes on from a token does so right after it, or begins with a reset; no state is older than what its watcher knew.
 */
export function checkWatch(
  history: readonly HistoryEvent[],
  dump: readonly DumpLine[],
  options: WatchCheckOptions = {},
): CheckResult<WatchCounts, WatchEvidence> {
  const watches = watchesOf(history)
  const watchers = Map.groupBy(watches, ({ asked }) => asked.watcher)
  const views = new Map<string, WatchView>()
  for (const own of watchers.values()) {
    const { filter, type } = own[0]!.asked
    const name = canonicalText([filter, type ?? null])
    const view = views.get(name) ?? viewOf(dump, filter, type)
    views.set(name, view)
    const wrong = judgeWatcher(own, view, options.heardOut === true)
    if (wrong !== undefined) return wrong
  }
  const kinds = watches.flatMap(({ told }) => told.map((event) => toldBy(event)!.kind))
  const count = (...wanted: readonly WatchTold['kind'][]): number =>
    kinds.filter((kind) => wanted.includes(kind)).length
  return {
    ok: true,
    watchers: watchers.size,
    entries: count('initial'),
    changes: count('added', 'changed', 'removed'),
    resets: count('reset'),
    resumed: watches.filter(({ asked }) => asked.since !== undefined).length,
  }
}

/** Goes through all that one watcher was told. */
function judgeWatcher(
  watches: readonly RecordedWatch[],
  view: WatchView,
  heardOut: boolean,
): Violation<WatchEvidence> | undefined {
  const places = new WatchPlaces(view)
  const seen = canonicalText([watches[0]!.asked.filter, watches[0]!.asked.type ?? null])
  for (const { begin, asked, told, end } of watches) {
    if (canonicalText([asked.filter, asked.type ?? null]) !== seen) {
      return violation(`Watch ${begin.op} of ${asked.watcher} sees something else than the one before it.`, [begin])
    }
    const wrong = places.begin(begin, asked) ?? firstOf(told, (event) => places.hear(event)) ?? places.end(end ?? begin)
    if (wrong !== undefined) return violation(wrong.why, wrong.evidence)
  }
  const missed = heardOut ? places.missed() : undefined
  return missed === undefined ? undefined : violation(missed.why, missed.evidence)
}

function firstOf<T, R>(items: readonly T[], find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item)
    if (found !== undefined) return found
  }
  return undefined
}
