// Options as callers write them, and what they mean for a request.
import { durationMs, PlenumError, type Limits } from '../kernel/index.ts'
import type { SelectOptions, WriteOptions } from '../space/index.ts'
import type { RouteOptions } from './router.ts'

/** Options of a call, with durations as text. */
export interface GivenOptions extends SelectOptions {
  readonly timeout?: string | undefined
  readonly wait?: string | undefined
  readonly signal?: AbortSignal | undefined
  readonly key?: string | undefined
  readonly lease?: string | undefined
  readonly ifStamp?: number | undefined
  readonly returning?: 'previous' | undefined
  readonly consistency?: 'leased' | 'confirmed' | undefined
  readonly atomic?: boolean | undefined
}

/** Options of a write where none are given. */
export const noOptions: WriteOptions = Object.freeze({})

/** How a request is to be sent; undefined where nothing is asked for. */
export function patience(options: GivenOptions | undefined): RouteOptions | undefined {
  if (options === undefined) return undefined
  const { timeout, signal, key, consistency } = options
  if (timeout === undefined && signal === undefined && key === undefined && consistency === undefined) return undefined
  return {
    timeoutMs: timeout === undefined ? undefined : durationMs(timeout, 'timeout'),
    signal,
    key,
    read: consistency,
  }
}

/** Milliseconds that a call waits for a match; undefined if it does not. LIMIT_EXCEEDED beyond the longest wait. */
export function waitMsOf({ wait }: GivenOptions, { waitMsMax }: Limits): number | undefined {
  if (wait === undefined) return undefined
  const ms = durationMs(wait, 'wait')
  if (ms <= waitMsMax) return ms === 0 ? undefined : ms
  throw new PlenumError('LIMIT_EXCEEDED', `A call may wait for ${waitMsMax} ms at most, not ${ms} ms.`, {
    details: { limit: 'waitMsMax', value: waitMsMax, found: ms },
  })
}

/** What a write is to do beside writing. */
export function writeOptions(options: GivenOptions | undefined): WriteOptions {
  if (options === undefined) return noOptions
  const leaseMs = options.lease === undefined ? undefined : durationMs(options.lease, 'lease')
  return { ifStamp: options.ifStamp, leaseMs, returning: options.returning }
}

/** The error for what a transaction cannot do. */
export function notInTransaction(what: string): PlenumError {
  return new PlenumError('TRANSACTION_INVALID', `In a transaction ${what} is not possible.`, { details: { what } })
}
