import type { ErrorCode, ErrorDetails, Retry } from 'plenum'
import type { Answered, Asked, WatchAsked, WatchLine } from 'plenum/testing'
import type { Manner } from './workload.ts'

/** What the recording process sends to the one that runs the platform. */
export type ToHost =
  | { readonly kind: 'ask'; readonly id: number; readonly asked: Asked; readonly manner: Manner }
  | { readonly kind: 'follow'; readonly id: number; readonly asked: WatchAsked }
  /** The watch of this number is to end; it is answered then. */
  | { readonly kind: 'leave'; readonly id: number }
  /** What a worker said is recorded; of a begin, with what names the run. */
  | { readonly kind: 'witnessed'; readonly id: number; readonly run: number }
  | { readonly kind: 'close' }

/** What comes back. */
export type FromHost =
  | { readonly kind: 'ready' }
  | { readonly kind: 'told'; readonly id: number; readonly lines: readonly WatchLine[] }
  | { readonly kind: 'answer'; readonly id: number; readonly answered: Answered }
  | { readonly kind: 'error'; readonly id: number; readonly error: SentError }
  /** A worker's function begins or ends, and goes on when that is recorded. */
  | { readonly kind: 'begin'; readonly id: number; readonly letter: number; readonly group: string }
  | { readonly kind: 'end'; readonly id: number; readonly run: number; readonly how: 'ok' | 'fail' }
  | { readonly kind: 'failed'; readonly error: SentError }

/** An error on its way between two processes. */
export interface SentError {
  readonly code: ErrorCode
  readonly message: string
  readonly retry: Retry
  readonly details: ErrorDetails
}
