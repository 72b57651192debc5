import type { Bench } from './bench.ts'
import type { Latency } from './latency.ts'
import type { Target } from './targets.ts'

/** What a figure counts: operations a second, milliseconds, bytes, pieces, or a plain ratio. */
export type Measure = '1/s' | 'ms' | 'B' | 'pieces' | 'ratio'

/** One line of a suite's table. */
export interface Row {
  /** Heads a table of its own; rows without it stand in the first. */
  readonly table?: string | undefined
  /** Who did the work: plenum, a peer or an anchor. */
  readonly subject: string
  readonly work: string
  /** What an answer promised when it came; `-` where nothing is written. */
  readonly ack: 'memory' | 'os' | 'disk' | '-'
  /** Requests under way at once; undefined where the work is a single stretch or paced from outside. */
  readonly inFlight?: number | undefined
  /** The median of `samples`. */
  readonly value: number
  readonly measure: Measure
  /** One figure for each round, in the order in which they were taken. */
  readonly samples: readonly number[]
  readonly latency?: Latency | undefined
  /** Hash of the state that a fixed piece of the same work leads to: equal wherever the work was the same. */
  readonly hash?: string | undefined
}

export interface SuiteResult {
  readonly rows: readonly Row[]
  /** Targets beside what was measured; judged at full size only. */
  readonly targets: readonly Target[]
  /** What else has to be known of those that were measured: versions and settings. */
  readonly notes?: readonly string[] | undefined
}

/** One benchmark: what it measures and how. */
export interface Suite {
  readonly name: string
  /** One or two sentences for the table's head. */
  readonly measures: string
  /** What a reader might think it says, and it does not. */
  readonly leavesOut: string
  /** Seconds of one measurement at full size, where two are not enough. */
  readonly seconds?: number | undefined
  /** True if it runs only where it is named: it takes long, and needs what does not come with this repository. */
  readonly onlyNamed?: boolean | undefined
  /** A sentence for each thing that it needs and that this machine does not have. */
  readonly missing?: (() => readonly string[]) | undefined
  readonly run: (bench: Bench) => Promise<SuiteResult>
}
