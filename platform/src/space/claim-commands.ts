// What workers ask of a partition (UN3).
import type { StoredValue } from './layout.ts'
import type { Wait } from './requests.ts'
import type { KeyFields } from './table.ts'

/** A claim, as the partition that gave it knows it: the reign, and a number of its own there. */
export interface ClaimName {
  readonly epoch: number
  readonly number: number
}

/** An entry that was claimed. */
export interface Claimed {
  readonly number: number
  readonly entry: StoredValue
  readonly stamp: number
  readonly version: number
  /** 1 if no attempt at the entry, as it is, has failed yet. */
  readonly attempt: number
}

/** What a partition answers to a claim. */
export interface ClaimsGiven {
  readonly epoch: number
  /** Partition time. */
  readonly time: number
  readonly claims: readonly Claimed[]
}

/** Claims are volatile: these commands leave no record. */
export type ClaimCommand =
  /** Answered with true as soon as the worker may claim something, and with false at the end of the wait. */
  | { readonly kind: 'await-work'; readonly worker: string; readonly wait: Wait }
  /** Claims as many entries as there are, up to `count`; for `leaseMs`, or until the reign ends. */
  | {
      readonly kind: 'claim'
      readonly worker: string
      readonly count: number
      readonly leaseMs: number | undefined
    }
  /** Whoever has these claims still works on them. */
  | {
      readonly kind: 'keep-claims'
      readonly epoch: number
      readonly numbers: readonly number[]
      readonly leaseMs: number
    }
  /** Gives an entry back; it may be claimed again after `delayMs`. */
  | { readonly kind: 'release'; readonly claim: ClaimName; readonly delayMs: number }

/** An attempt that failed. */
export interface AttemptError {
  /** Partition time. */
  readonly at: number
  readonly message: string
}

/** An entry at which all attempts have failed. */
export interface DeadLetter {
  readonly worker: string
  /** Names the entry, for `send-back`. */
  readonly entry: string
  readonly type: string
  readonly key: KeyFields
  readonly value: StoredValue
  readonly attempts: number
  /** The last errors, oldest first. */
  readonly errors: readonly AttemptError[]
}

export type FailureCommand =
  /** An attempt failed: the entry may be claimed again after `retryMs`, or is a dead letter after `attemptsMax` of them. */
  | {
      readonly kind: 'work-failed'
      readonly claim: ClaimName
      readonly message: string
      readonly attemptsMax: number
      readonly retryMs: number
    }
  | { readonly kind: 'dead-letters'; readonly worker: string; readonly limit: number }
  /** Forgets what failed at these entries, or at all, so that they may be claimed again; answered with their number. */
  | { readonly kind: 'send-back'; readonly worker: string; readonly entries: readonly string[] | undefined }
