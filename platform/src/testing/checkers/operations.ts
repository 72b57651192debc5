import { PlenumError } from '../../kernel/index.ts'
import type { HistoryEvent } from './history.ts'

/** How an operation ended. */
export type Completion =
  | { readonly kind: 'ok'; readonly value: unknown; readonly version: number | undefined }
  | { readonly kind: 'fail'; readonly error: string | undefined }
  | { readonly kind: 'unknown' }

/** One operation of a history: its invocation and how it ended. */
export interface RecordedOperation {
  readonly op: number
  readonly f: string
  /** Empty where the history gives no key. */
  readonly key: string
  readonly input: unknown
  readonly session: string | undefined
  readonly request: number | string | undefined
  /** Places in the history: it took effect after `invoked` and before `completed`, which is Infinity if unknown. */
  readonly invoked: number
  readonly completed: number
  /** False if it may have happened, may still happen, or not. */
  readonly known: boolean
  readonly completion: Completion
  readonly events: readonly HistoryEvent[]
}

/**
 * The operations of a history in the order of their invocations; watches, which complete many times, are left out.
 * CHECK_FAILED if the history contradicts itself: then nothing that is found in it means anything.
 */
export function operationsOf(history: readonly HistoryEvent[]): readonly RecordedOperation[] {
  const invoked = new Map<number, { readonly at: number; readonly event: HistoryEvent }>()
  const completed = new Map<number, { readonly at: number; readonly event: HistoryEvent }>()
  const open = new Map<number | string, number | 'ended'>()
  history.forEach((event, at) => {
    if (event.f === 'watch') return
    const { op, process } = event
    if (event.type === 'invoke') {
      if (invoked.has(op)) throw malformed(event, 'this operation was invoked before')
      if (open.has(process)) throw malformed(event, 'its process is not free to begin another operation')
      invoked.set(op, { at, event })
      open.set(process, op)
      return
    }
    if (open.get(process) !== op) throw malformed(event, 'this operation is not open in its process')
    completed.set(op, { at, event })
    if (event.type === 'info') open.set(process, 'ended')
    else open.delete(process)
  })
  return [...invoked.values()].map((begun) => operation(begun, completed.get(begun.event.op)))
}

function operation(
  begun: { readonly at: number; readonly event: HistoryEvent },
  ended: { readonly at: number; readonly event: HistoryEvent } | undefined,
): RecordedOperation {
  const { op, f, key = '', value, session, request } = begun.event
  const completion = completionOf(ended?.event)
  const known = completion.kind !== 'unknown'
  return {
    op,
    f,
    key,
    input: value,
    session,
    request,
    invoked: begun.at,
    completed: known && ended !== undefined ? ended.at : Infinity,
    known,
    completion,
    events: ended === undefined ? [begun.event] : [begun.event, ended.event],
  }
}

function completionOf(event: HistoryEvent | undefined): Completion {
  switch (event?.type) {
    case 'ok':
      return { kind: 'ok', value: event.value, version: event.version }
    case 'fail':
      return { kind: 'fail', error: event.error }
    default:
      return { kind: 'unknown' }
  }
}

/** The events of some operations, in the order in which they happened. */
export function eventsOf(
  history: readonly HistoryEvent[],
  operations: readonly RecordedOperation[],
): readonly HistoryEvent[] {
  const wanted = new Set(operations.map(({ op }) => op))
  return history.filter(({ op }) => wanted.has(op))
}

function malformed(event: HistoryEvent, why: string): PlenumError {
  return new PlenumError('CHECK_FAILED', `The history contradicts itself at operation ${event.op}: ${why}.`, {
    details: { event },
  })
}
