import { durationMs, PlenumError } from '../kernel/index.ts'
import type { Caller, SentMessage } from '../space/index.ts'
import type { UnitParts } from './unit-logic.ts'

/** What a message needs to know of its unit and grid. */
export interface SendingOptions {
  readonly parts: Pick<UnitParts, 'name' | 'handlers'>
  /** The partition of a route (ID3). */
  readonly partitionOf: (route: unknown) => number
}

/** A message to a handler of the unit, its input checked (UN12). HANDLER_UNKNOWN if the handler is none of the unit. */
export function sentMessage(
  { parts, partitionOf }: SendingOptions,
  to: { readonly '~': unknown },
  given: unknown,
  { after }: { readonly after?: string | undefined } = {},
): SentMessage {
  const handler = [...parts.handlers.values()].find(({ token }) => token === to['~'])
  if (handler === undefined) {
    const known = [...parts.handlers.keys()]
    throw new PlenumError(
      'HANDLER_UNKNOWN',
      `What was given to send(…) is no handler of this unit, which has: ${known.join(', ')}. Give the handler itself, as in send(${known[0]}, …).`,
      { details: { kind: 'handler', known } },
    )
  }
  const input = handler.admit(given)
  const route = input[handler.routeField]
  const caller: Caller = { kind: 'unit', subject: parts.name, claims: {} }
  const afterMs = after === undefined ? 0 : durationMs(after, 'after')
  return { to: partitionOf(route), call: { handler: handler.name, input, route, caller }, afterMs }
}
