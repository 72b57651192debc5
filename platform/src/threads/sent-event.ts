import { isPlenumError, PlenumError } from '../kernel/index.ts'
import type { ThreadEvent } from './thread-subjects.ts'
import { errorOf, sentError, type SentError } from './sent-error.ts'

/** An event as it goes from one thread to another. */
export type SentEvent =
  | Exclude<ThreadEvent, { readonly error: unknown }>
  | { readonly kind: 'failed'; readonly sent: SentError }
  | { readonly kind: 'fault'; readonly part: string; readonly sent: SentError }

/** An event to be sent. */
export function sentEvent(event: ThreadEvent): SentEvent {
  if (event.kind === 'fault') return { kind: 'fault', part: event.part, sent: sentError(event.error) }
  if (event.kind === 'failed') return { kind: 'failed', sent: sentError(event.error) }
  return event
}

/** The event that was sent. */
export function eventOf(event: SentEvent): ThreadEvent {
  if (event.kind === 'fault') return { kind: 'fault', part: event.part, error: errorOf(event.sent) }
  if (event.kind !== 'failed') return event
  const error = errorOf(event.sent)
  if (!isPlenumError(error))
    throw new PlenumError('INVARIANT_BROKEN', 'A partition fails with an error of the platform.')
  return { kind: 'failed', error }
}
