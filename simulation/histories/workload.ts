// What a workload is: what clients ask, how it is asked of the platform, and what a checker makes of the history.
//
// I1 `perform` runs where the platform's client is, in the simulator or in a process that will be killed; nothing but
//    plain data goes in and comes out.
// I2 Whatever a client was told is in the history, and the checker looks at nothing but the lines.
import type { Client, Duration, Limits } from 'plenum'
import type {
  Answered,
  Asked,
  CheckResult,
  DumpLine,
  HistoryEvent,
  Random,
  WatchAsked,
  WatchFilter,
  WatchLine,
} from 'plenum/testing'
import type unit from './unit.ts'

/** One operation of one client. */
export interface Turn {
  readonly client: number
  /** Milliseconds that the client waits before it; virtual ones in the simulator, shorter on a real machine. */
  readonly pauseMs: number
  /** How long it waits for the answer; for ever if undefined. */
  readonly timeout: Duration | undefined
  /** How long a take waits for something to take; not at all if undefined. */
  readonly wait?: Duration | undefined
  readonly step: Asked
}

/** Clients that watch while the others ask. */
export interface Watching {
  readonly watchers: readonly {
    readonly name: string
    readonly filter: WatchFilter
    readonly client: number
    /** After so many commits of one watch it leaves and goes on with another; never if undefined. */
    readonly leavesAfter: number | undefined
    /** Begins anew where it left, and does not go on from its last token. */
    readonly forgets: boolean
  }[]
  /**
   * Writes by a fresh client after the faults, one of each entry: a watcher has heard everything when it has heard those
   * that it sees, by the field `value` of their values.
   */
  readonly last: readonly { readonly f: string; readonly key: string; readonly value: { readonly value: number } }[]
}

/** Everything that the clients of one history do, drawn before it begins. */
export interface Script {
  /** Done one after the other before the clients begin, and again until the answer is known. */
  readonly opening: readonly Asked[]
  readonly turns: readonly Turn[]
  readonly watching?: Watching | undefined
  /** Limits that a client notices, drawn small, of a simulated grid. */
  readonly limits?: Partial<Limits> | undefined
  /** Done by a fresh client after the faults, and again until they are answered. */
  readonly closing: readonly Asked[]
  /** Completes a step just before it is asked, with what clients heard so far. */
  readonly ask?: (step: Asked) => Asked
  /** Told of each answer. */
  readonly hear?: (asked: Asked, answered: Answered) => void
}

/** How large a history is to be. */
export interface Size {
  readonly operations: number
  readonly clients: number
}

/** How an operation is asked. */
export interface Manner {
  readonly timeout: Duration | undefined
  readonly wait?: Duration | undefined
  /** True where a read has to be confirmed by the journal, whoever believes to be primary. */
  readonly confirmed: boolean
}

/** What a checker says of a history: how much it looked at, or the violation. */
export type Verdict = CheckResult<{ readonly counts: Readonly<Record<string, number>> }, object>

export interface Workload {
  readonly name: string
  readonly about: string
  readonly draw: (random: Random, size: Size) => Script
  /** Asks the platform and returns what belongs into the history. */
  readonly perform: (client: Client<typeof unit>, asked: Asked, manner: Manner) => Promise<Answered>
  /** Watches until the signal says no more; tells the lines of one commit together. */
  readonly follow?: (
    client: Client<typeof unit>,
    asked: WatchAsked,
    hear: (lines: readonly WatchLine[]) => void,
    signal: AbortSignal,
  ) => Promise<void>
  /** True where the unit's workers run; at the end each thing that they were given is recorded as `done` or `dead`. */
  readonly works?: boolean
  /** True where a part of what has to hold can be judged by the journal only. */
  readonly needsJournal?: boolean
  /** Judges a history; `dump` is undefined where no journal dump was given. */
  readonly check: (history: readonly HistoryEvent[], dump: readonly DumpLine[] | undefined) => Verdict
}

/**
 * Operations with little time: a fourth, and no more than this in a longer history. Each unknown outcome doubles what a
 * checker has to think of.
 */
const hurriedShare = 0.25
const hurriedMax = 75

/** Draws who takes a step and how. */
export function drawTurn(random: Random, { operations, clients }: Size, step: Asked): Turn {
  const kind = random.next()
  const pauseMs = kind < 0.5 ? 0 : random.integer(kind < 0.9 ? 100 : 3_000)
  const timeout: Duration | undefined =
    random.next() < Math.min(hurriedShare, hurriedMax / operations) ? `${20 + random.integer(1_000)}ms` : undefined
  return { client: random.integer(clients), pauseMs, timeout, step }
}

/** Options of a read that waits for an ack of the journal where it has to be confirmed. */
export function readManner({ timeout, confirmed }: Manner) {
  return { timeout, consistency: confirmed ? 'confirmed' : undefined } as const
}
