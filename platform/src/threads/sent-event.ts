import { isPlenumError, PlenumError } from '../kernel/index.ts'
import type { ThreadEvent } from './thread-subjects.ts'
import { errorOf, sentError, type SentError } from './sent-error.ts'

/** An event as it goes from one thread to another. */
export type SentEvent =
  | Exclude<ThreadEvent, { readonly error: unknown }>
  | { readonly kind: 'failed'; readonly sent: SentError }
  | { readonly kind: 'fault'; readonly part: string; readonly sent: SentError }
  | { readonly kind: 'upgrade-refused'; readonly sent: SentError }
  | {
      readonly kind: 'projection-failed'
      readonly projection: string
      readonly index: number
      readonly sent: SentError
    }
  | { readonly kind: 'sink-failed'; readonly sink: string; readonly attempts: number; readonly sent: SentError }
  | { readonly kind: 'sends-waiting'; readonly projection: string; readonly attempts: number; readonly sent: SentError }

/** An event to be sent. */
export function sentEvent(event: ThreadEvent): SentEvent {
  if (!('error' in event)) return event
  const { error, ...rest } = event
  return { ...rest, sent: sentError(error) }
}

/** The event that was sent. */
export function eventOf(event: SentEvent): ThreadEvent {
  if (!('sent' in event)) return event
  const { sent, ...rest } = event
  const error = errorOf(sent)
  if (rest.kind !== 'failed' && rest.kind !== 'upgrade-refused') return { ...rest, error }
  if (isPlenumError(error)) return { ...rest, error }
  throw new PlenumError('INVARIANT_BROKEN', 'A partition fails with an error of the platform.')
}
