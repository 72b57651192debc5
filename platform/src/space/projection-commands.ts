// What is asked about projections (UN6): how they stand, and what they have put out.
import type { StoredValue } from './layout.ts'
import type { Wait } from './requests.ts'
import type { Change } from './watching.ts'

/** Where a reader of outputs stands at a partition: after the output with this number of its projection. */
export interface OutputPlace {
  readonly journal: string
  /** Index of the record whose change made the output. */
  readonly index: number
  /** Counts the outputs of one record, from 0; -1 before the first. */
  readonly offset: number
}

/** Something that a projection has put out, under the same number wherever it is folded. */
export interface EmittedOutput extends OutputPlace {
  readonly topic: string
  readonly event: unknown
}

/** What a partition answers to a reader of outputs; `gone`: they do not reach back to the place that was asked about. */
export type OutputsTold =
  | { readonly kind: 'outputs'; readonly outputs: readonly EmittedOutput[]; readonly place: OutputPlace }
  | { readonly kind: 'gone'; readonly place: OutputPlace }

/** A change that a sink has kept: its number, and what has changed. */
export interface KeptChange {
  readonly index: number
  readonly offset: number
  /** Upgrades that the code had which kept it, and its schema of the type (UN10). */
  readonly behind: number
  readonly schema: string
  readonly change: Change<StoredValue> & { readonly type: string }
}

/** How a sink stands at one partition (UN7). */
export interface SinkTold {
  /** Changes that its store is not known to have. */
  readonly pending: number
  /** Changes that were dropped because too many were pending. */
  readonly dropped: number
  /** How often the present batch has failed, and why the last time. */
  readonly attempts: number
  readonly error: string | undefined
}

/** How a projection stands at one partition. */
export interface ProjectionTold {
  /** Everything up to this index is folded. */
  readonly index: number
  /** Hash of its saved state, 16 hexadecimal digits; undefined where it has failed. */
  readonly hash: string | undefined
  /** Why it has failed, if it has. */
  readonly error: string | undefined
}

export type ProjectionCommand =
  | { readonly kind: 'projection'; readonly projection: string }
  | { readonly kind: 'sink'; readonly sink: string }
  /** The store of a sink has everything up to this change. */
  | { readonly kind: 'sink-written'; readonly sink: string; readonly index: number; readonly offset: number }
  /** What was put out since a place; waits for something if nothing was. Without a place, the newest one. */
  | {
      readonly kind: 'outputs'
      readonly projection: string
      readonly since: OutputPlace | undefined
      readonly wait: Wait
    }
