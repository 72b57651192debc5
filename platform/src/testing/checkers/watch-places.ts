// Where a watcher stands in what its filter sees: followed line by line, and compared with the journal at each.
//
// I1 For each partition there is a list of places at which the watcher may stand. It has more than one only where a state
//    fits several places, and the next change tells them apart; an empty list is a violation.
// I2 The changes of a commit are told together: they have one token, and no two commits have the same.
import type { HistoryEvent } from './history.ts'
import type { DumpLine } from './journal-dump.ts'
import { toldBy, type WatchAsked, type WatchTold } from './watch-lines.ts'
import { isOneCommit, placesOfState, tells, type PartitionView, type SeenChange, type WatchView } from './watch-view.ts'

/** Evidence: what clients recorded, and what the journal holds. */
export type WatchEvidence = HistoryEvent | DumpLine

/** A broken rule. */
export interface WatchWrong {
  readonly why: string
  readonly evidence: readonly WatchEvidence[]
}

/** Places in each partition. */
type Places = readonly (readonly number[])[]

/** The state that is being told, by key; or changes, and the token of the last one in each partition, if this watch told one. */
type Phase =
  | { readonly kind: 'state'; readonly told: Map<string, HistoryEvent> }
  | { readonly kind: 'changes'; readonly tokens: (string | undefined)[] }

/** Follows one watcher through its watches. */
export class WatchPlaces {
  readonly #views: readonly PartitionView[]
  readonly #placeOf: ReadonlyMap<string, number>
  readonly #tokens = new Map<string, Places>()
  #places: Places
  /** No later state is older than this, in each partition. */
  #known: readonly number[]
  /** As far as it may have been told, in each partition. */
  #furthest: readonly number[]
  #phase: Phase = { kind: 'state', told: new Map() }
  #begin: HistoryEvent | undefined

  constructor({ partitions, placeOf }: WatchView) {
    this.#views = partitions
    this.#placeOf = placeOf
    this.#places = partitions.map(() => [0])
    this.#known = partitions.map(() => 0)
    this.#furthest = this.#known
  }

  /** A watch is begun. */
  begin(event: HistoryEvent, { since, initial = true }: WatchAsked): WatchWrong | undefined {
    this.#begin = event
    this.#phase = since === undefined && initial ? { kind: 'state', told: new Map() } : this.#noTokens()
    if (since !== undefined) {
      const places = this.#tokens.get(since)
      if (places === undefined) return this.#wrong('goes on from a token that its watcher had never been told', event)
      this.#places = places
    } else if (!initial) {
      this.#places = this.#views.map(({ changes }, at) => range(this.#known[at]!, changes.length))
    }
    return undefined
  }

  /** A line was told. */
  hear(event: HistoryEvent): WatchWrong | undefined {
    const told = toldBy(event)!
    switch (told.kind) {
      case 'reset': {
        const wrong = this.#phase.kind === 'changes' ? this.#endCommits(event) : undefined
        this.#phase = { kind: 'state', told: new Map() }
        return wrong
      }
      case 'initial':
        return this.#hearEntry(event)
      case 'live':
        return this.#hearLive(event, told)
      default:
        return this.#hearChange(event, told)
    }
  }

  /** The watch broke, or the history ends: what it told so far has to be sound. */
  end(event: HistoryEvent): WatchWrong | undefined {
    return this.#phase.kind === 'changes' ? this.#endCommits(event) : this.#fitState(event, this.#phase.told, true)
  }

  /** What the watcher was never told. */
  missed(): WatchWrong | undefined {
    for (const [at, { changes }] of this.#views.entries()) {
      const next = changes[this.#furthest[at]!]
      if (next !== undefined)
        return this.#wrong(`was the last of its watcher, which was never told that ${text(next)}`, next)
    }
    return undefined
  }

  #hearEntry(event: HistoryEvent): WatchWrong | undefined {
    const { key = '' } = event
    if (this.#phase.kind !== 'state') return this.#wrong(`told ${key} as a state, without a reset`, event)
    const { told } = this.#phase
    const other = told.get(key)
    if (other !== undefined) return this.#wrong(`told ${key} twice in one state`, other, event)
    if (!this.#placeOf.has(key)) return this.#wrong(`told ${key}, which no journal holds`, event)
    told.set(key, event)
    return undefined
  }

  #hearLive(event: HistoryEvent, { token }: WatchTold): WatchWrong | undefined {
    const wrong = this.#phase.kind === 'state' ? this.#fitState(event, this.#phase.told, false) : undefined
    if (wrong !== undefined) return wrong
    if (this.#phase.kind === 'state') this.#phase = this.#noTokens()
    this.#remember(token)
    return undefined
  }

  /** Finds the places at which the state that was told was there. */
  #fitState(event: HistoryEvent, told: ReadonlyMap<string, HistoryEvent>, isPart: boolean): WatchWrong | undefined {
    const byPartition = Map.groupBy(told, ([key]) => this.#placeOf.get(key))
    const found = this.#views.map((view, at) =>
      placesOfState(view, new Map(byPartition.get(at)), this.#known[at]!, isPart),
    )
    for (const [at, { places, nearest }] of found.entries()) {
      if (places.length > 0) continue
      const { partition, changes } = this.#views[at]!
      const { key = '', place } = nearest
      const line = told.get(key)
      const why = `told a state that was never there in partition ${partition}, or not any more; it is nearest after ${place} changes, but for ${key}`
      return this.#wrong(
        why,
        line ?? event,
        ...changes
          .slice(0, place)
          .filter((one) => one.key === key)
          .slice(-1),
      )
    }
    // Part of a state tells nothing of where it stands.
    if (!isPart) this.#places = found.map(({ places }) => places)
    return undefined
  }

  #hearChange(event: HistoryEvent, { token }: WatchTold): WatchWrong | undefined {
    const { key = '' } = event
    if (this.#phase.kind !== 'changes') return this.#wrong(`told a change of ${key} before it was live`, event)
    const at = this.#placeOf.get(key)
    if (at === undefined) return this.#wrong(`told a change of ${key}, which no journal holds`, event)
    const { tokens } = this.#phase
    const { changes } = this.#views[at]!
    const before = this.#places[at]!
    const fitting = before.filter((place) => place < changes.length && tells(event, changes[place]!))
    if (fitting.length === 0) return this.#notNext(event, changes, before)
    const places = fitting.filter((place) => isTogether(changes, place, tokens[at], token))
    if (places.length === 0) {
      const [one, next] = [changes[fitting[0]! - 1]!, changes[fitting[0]!]!]
      const how = tokens[at] === token ? 'two commits as one' : 'one commit in two parts'
      return this.#wrong(`told ${how}: ${text(one)}, and ${text(next)}`, event, one, next)
    }
    tokens[at] = token
    this.#places = this.#places.with(
      at,
      places.map((place) => place + 1),
    )
    this.#remember(token)
    return undefined
  }

  /** No watch may end, or begin anew, within a commit. */
  #endCommits(event: HistoryEvent): WatchWrong | undefined {
    if (this.#phase.kind !== 'changes') return undefined
    for (const [at, { changes }] of this.#views.entries()) {
      if (this.#phase.tokens[at] === undefined) continue
      const [place = 0, ...others] = this.#places[at]!
      if (others.length > 0 || isOneCommit(changes[place - 1], changes[place]) !== true) continue
      const [one, next] = [changes[place - 1]!, changes[place]!]
      return this.#wrong(`told a commit in part: that ${text(one)}, and not that ${text(next)}`, event, one, next)
    }
    return undefined
  }

  /** Why a change is not the next one. */
  #notNext(event: HistoryEvent, changes: readonly SeenChange[], places: readonly number[]): WatchWrong {
    const told = `told that ${event.key} was ${toldBy(event)!.kind}`
    const found = changes.findLastIndex((change) => tells(event, change))
    const from = places.findLast((place) => place <= found)
    if (found >= 0 && from === undefined) return this.#wrong(`${told} twice, or out of order`, event, changes[found]!)
    const next = changes[from ?? places.at(-1)!]
    const shown = next === undefined ? [] : [next]
    if (found < 0) return this.#wrong(`${told}, which is nothing that its filter sees`, event, ...shown)
    return this.#wrong(`${told}, and not before it that ${text(changes[from!]!)}`, event, ...shown, changes[found]!)
  }

  /** From this token on a watch goes on here; and from here on nothing older is told. */
  #remember(token: string | undefined): void {
    this.#known = this.#places.map((places, at) => Math.max(this.#known[at]!, places[0]!))
    this.#furthest = this.#places.map((places, at) => Math.max(this.#furthest[at]!, places.at(-1)!))
    if (token !== undefined) this.#tokens.set(token, this.#places)
  }

  #noTokens(): Phase {
    return { kind: 'changes', tokens: this.#views.map(() => undefined) }
  }

  #wrong(what: string, ...shown: readonly (HistoryEvent | SeenChange)[]): WatchWrong {
    const begin = this.#begin!
    const lines = shown.map((one) => ('line' in one ? one.line : one))
    return {
      why: `Watch ${begin.op} of ${String(begin.process)} ${what}.`,
      evidence: [begin, ...lines.filter((line) => line !== begin)],
    }
  }
}

/** Whether a change has the token of the one before it exactly if it is of the same commit. */
function isTogether(
  changes: readonly SeenChange[],
  place: number,
  before: string | undefined,
  token: string | undefined,
): boolean {
  if (before === undefined || token === undefined) return true
  const isOne = isOneCommit(changes[place - 1], changes[place])
  return isOne === undefined || isOne === (before === token)
}

function text({ kind, key, line }: SeenChange): string {
  return `${key} was ${kind} by record ${line.index} of partition ${line.partition}`
}

function range(from: number, to: number): readonly number[] {
  return Array.from({ length: to - from + 1 }, (_, at) => from + at)
}
