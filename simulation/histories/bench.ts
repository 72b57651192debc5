import type { Answered, Asked, DumpLine, HistoryRecorder, WatchAsked, WatchLine } from 'plenum/testing'
import type { Manner } from './workload.ts'

/** Where a workload plays: clients of a platform that is simulated, or of a real process. */
export interface Bench {
  readonly recorder: HistoryRecorder
  /** Asks as one of the clients; `fresh` is one that has not asked before. */
  ask(client: number | 'fresh', asked: Asked, manner: Manner): Promise<Answered>
  /** Watches as one of the clients until the signal says no more; rejects where the watch breaks. */
  follow(
    client: number,
    asked: WatchAsked,
    hear: (lines: readonly WatchLine[]) => void,
    signal: AbortSignal,
  ): Promise<void>
  /** Lets so many milliseconds pass, or fewer where the clock is real. */
  sleep(ms: number): Promise<void>
  /** Records no more of what workers do. */
  closeWork(): void
  /** Ends the faults; resolves when everybody is served again. */
  settle(): Promise<void>
}

/** A history and what belongs to it. */
export interface Played {
  /** Undefined where the run ended before its journals could be read. */
  readonly dump: readonly DumpLine[] | undefined
  /** What went wrong beside the history: a rule that the simulator saw broken, or a platform that does not come back. */
  readonly failure: unknown
}

/** What a history is made of. */
export interface Order {
  readonly seed: number
  readonly operations: number
  readonly onProgress: (text: string) => void
}
