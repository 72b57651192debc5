import { durationMs } from '../kernel/index.ts'
import type { RouteOptions, Router } from '../router/index.ts'
import type { Caller, Command } from '../space/index.ts'
import type { ServicePart } from './beside-data.ts'
import { reduced } from './reduced.ts'

/** Milliseconds after its time-out within which a service says so itself; then its caller waits for nobody any more. */
const graceMs = 1_000

/** Options of a call to a service. */
interface GivenOptions {
  readonly timeout?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/** Calls a service from outside. */
export type ServiceCall = (input: unknown, options?: GivenOptions) => Promise<unknown>

/** How a service is called: at the partition of its route, at all of them, or at each in turn. */
export function serviceCallOf(
  { name, label, routeField, timeoutMs, admit, reduce }: ServicePart,
  { router, caller }: { readonly router: Router; readonly caller: Caller },
): ServiceCall {
  let turn = 0
  return async (input, { timeout, signal } = {}) => {
    const ms = timeout === undefined ? timeoutMs : durationMs(timeout, 'timeout')
    const command: Command = { kind: 'service', service: name, input, caller, key: router.newName(), timeoutMs: ms }
    const options: RouteOptions = { signal, timeoutMs: ms + graceMs }
    if (reduce !== undefined) {
      const answers = await router.all(command, options)
      return reduced(answers, reduce, label, 'SERVICE_FAILED')
    }
    if (routeField === undefined) return router.send(turn++ % router.partitions, command, options)
    const route = (input as Readonly<Record<string, unknown>> | null | undefined)?.[routeField]
    // An input without its route has no partition; its own check says what is wrong with it.
    if (route === undefined) admit(input)
    return router.route(route, command, options)
  }
}
