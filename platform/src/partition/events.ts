import type { PlenumError } from '../kernel/index.ts'
import type { ProjectionEvent } from './projections.ts'

/** What happened to a partition that somebody should see (A9): for logs, metrics and tests. */
export type PartitionEvent =
  | { readonly kind: 'role'; readonly role: string; readonly epoch: number; readonly index: number }
  | { readonly kind: 'recovery'; readonly records: number; readonly bytes: number; readonly bytesTotal: number }
  | { readonly kind: 'void'; readonly position: number; readonly reason: string }
  | { readonly kind: 'resolving'; readonly reason: string }
  | { readonly kind: 'resolved'; readonly appendedAgain: number }
  | { readonly kind: 'regressed'; readonly from: number; readonly to: number }
  | { readonly kind: 'forked'; readonly index: number; readonly suffix: readonly Uint8Array[] }
  | { readonly kind: 'snapshot'; readonly index: number; readonly hash: string; readonly rows: number }
  | { readonly kind: 'snapshot-ignored'; readonly index: number; readonly reason: string }
  | { readonly kind: 'snapshot-failed'; readonly reason: string }
  | { readonly kind: 'upgrading'; readonly entries: number; readonly entriesTotal: number }
  | { readonly kind: 'upgrade-refused'; readonly error: PlenumError }
  | { readonly kind: 'unit-superseded'; readonly unit: string }
  | { readonly kind: 'clock-suspect'; readonly offMs: number }
  | { readonly kind: 'in-doubt'; readonly transaction: string; readonly coordinator: number; readonly ms: number }
  | { readonly kind: 'dead-message'; readonly handler: string; readonly message: string }
  | { readonly kind: 'schedule-missed'; readonly schedule: string; readonly at: number; readonly late: number }
  | ProjectionEvent
  /** A batch of a sink was not written, or its partition could not note that it was; it is tried again. */
  | { readonly kind: 'sink-failed'; readonly sink: string; readonly attempts: number; readonly error: unknown }
  /** A sink that may not drop keeps as many changes as it may: more wait until its store has some. */
  | { readonly kind: 'sink-full'; readonly sink: string; readonly pending: number }
  /** What a projection has sent could not become messages, for the so manieth time; it is tried again. */
  | { readonly kind: 'sends-waiting'; readonly projection: string; readonly attempts: number; readonly error: unknown }
  | SlowOperation
  | { readonly kind: 'failed'; readonly error: PlenumError }

/**
 * An answer that took longer than `slowOperationMs`, in milliseconds from the request on; once a second for a partition.
 * Or a record, whose operation is `append`.
 */
export interface SlowOperation {
  readonly kind: 'slow-operation'
  /** The kind of the command, such as `readAll` or `call`. */
  readonly operation: string
  /** The function or the entry type that it is about. */
  readonly of: string | undefined
  readonly ms: number
  /** Until it could be executed: behind a lock, for room, or while no record went out. */
  readonly waitMs: number
  /** Until it was executed, with what stood before it in the same turn of the loop. */
  readonly executeMs: number
  /** Until its record was acked. */
  readonly ackMs: number
  /** Slow ones since the last that was told. */
  readonly more: number
}
