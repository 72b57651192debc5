// A unit from outside, over a router: what `embedded` and `simulate` give to their callers.
import { durationMs, isPlenumError, PlenumError, type Limits } from '../kernel/index.ts'
import type { MetricsSnapshot } from '../metrics/index.ts'
import { SpaceClient, type RouteOptions, type Router } from '../router/index.ts'
import type { Caller } from '../space/index.ts'
import type { HandlerPart } from './unit-logic.ts'
import type { ResolvedUnit } from './resolve-unit.ts'
import { MessageControl } from './message-control.ts'
import { ProjectionControl } from './projection-control.ts'
import { loadSource, type SourceLoaded, type SourceProgress } from './source-loader.ts'
import { SinkControl } from './sink-control.ts'
import { serviceCallOf, type ServiceCall } from './service-call.ts'
import { UnitTaskRun } from './task-run.ts'
import { scheduleWorkName } from './work-parts.ts'
import { WorkerControl } from './worker-control.ts'
import type { WorkerHost } from './worker-host.ts'

interface GivenOptions {
  readonly timeout?: string | undefined
  readonly signal?: AbortSignal | undefined
  readonly key?: string | undefined
}

type Call = ((input: unknown, options?: GivenOptions) => Promise<unknown>) & {
  readonly attempt: (input: unknown, options?: GivenOptions) => Promise<unknown>
}

export interface UnitClientOptions {
  readonly unit: ResolvedUnit
  readonly router: Router
  readonly limits: Limits
  readonly uses: Readonly<Record<string, unknown>>
  readonly newId: () => string
  /** The space, where it outlives this client; made anew if left out. */
  readonly space?: SpaceClient | undefined
  readonly caller: Caller
  /** The workers that this process runs, if it does. */
  readonly host?: WorkerHost | undefined
  readonly close: () => Promise<void>
  /** What was counted; nothing if left out. */
  readonly metrics?: (() => MetricsSnapshot) | undefined
}

/** The untyped face of `Client`; compositions give it its type. */
export class UnitClient implements AsyncDisposable {
  readonly space: SpaceClient
  readonly handlers: Readonly<Record<string, Call>>
  readonly services: Readonly<Record<string, ServiceCall>>
  readonly tasks: Readonly<Record<string, (input: unknown, options?: GivenOptions) => UnitTaskRun>>
  readonly sources: Readonly<Record<string, { readonly load: (options?: LoadOptions) => Promise<SourceLoaded> }>>
  readonly workers: Readonly<Record<string, WorkerControl>>
  readonly schedules: Readonly<Record<string, WorkerControl>>
  readonly projections: Readonly<Record<string, ProjectionControl>>
  readonly sinks: Readonly<Record<string, SinkControl>>
  readonly messages: MessageControl
  readonly metrics: () => MetricsSnapshot
  /** Number of partitions. */
  readonly partitions: number
  readonly #close: () => Promise<void>
  #closing: Promise<void> | undefined

  constructor(options: UnitClientOptions) {
    const { unit, router, limits, uses, newId } = options
    this.space = options.space ?? new SpaceClient(router, unit.types, limits, newId)
    this.partitions = router.partitions
    this.metrics = options.metrics ?? (() => ({ at: 0, metrics: [] }))
    this.handlers = mapValues(unit.handlers, (handler) => callOf(handler, options))
    this.services = mapValues(unit.services, (service) => serviceCallOf(service, options))
    this.tasks = mapValues(unit.tasks, ({ name }) => (input, given) => {
      const command = { kind: 'task', task: name, input, caller: options.caller } as const
      return new UnitTaskRun(router, command, unit.reduces.get(name)!, routeOptions(given))
    })
    const writeAll = this.space.writeAll.bind(this.space)
    const loading = { router, limits, uses, writeAll }
    this.sources = mapValues(unit.sources, (source) => ({ load: (given) => loadSource(loading, source, given) }))
    const control = (name: string): WorkerControl => new WorkerControl(name, router, options.host?.runs.get(name))
    this.workers = fromNames(
      [...unit.workers.values()].filter(({ isSpent }) => isSpent === undefined).map(({ name }) => name),
      control,
    )
    this.schedules = fromNames(
      unit.schedules.map(({ name }) => name),
      (name) => control(scheduleWorkName(name)),
    )
    this.projections = fromNames(
      unit.projections.map(({ name }) => name),
      (name) => new ProjectionControl(name, router),
    )
    this.sinks = fromNames(
      unit.sinks.map(({ name }) => name),
      (name) => new SinkControl(name, router),
    )
    this.messages = new MessageControl(router)
    this.#close = options.close
  }

  /** Closes in order, once: everything that was executed is acked, then the journals are closed. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }
}

interface LoadOptions {
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: SourceProgress | undefined
}

function callOf(handler: HandlerPart, { router, caller }: UnitClientOptions): Call {
  const call = (input: unknown, options?: GivenOptions): Promise<unknown> => {
    try {
      const route = (input as Readonly<Record<string, unknown>> | null | undefined)?.[handler.routeField]
      // An input without its route has no partition; its own check says what is wrong with it.
      if (route === undefined) handler.admit(input)
      return router.route(route, { kind: 'call', handler: handler.name, input, caller }, routeOptions(options))
    } catch (error) {
      return Promise.reject(error)
    }
  }
  return Object.assign(call, {
    attempt: (input: unknown, options?: GivenOptions) =>
      call(input, options).then(
        (value) => ({ ok: true, value }),
        (error: unknown) => ({ ok: false, refusal: refusalOf(error) }),
      ),
  })
}

/** The declared refusal in an error; anything else is thrown on (UN2b). */
function refusalOf(error: unknown): { readonly reason: unknown; readonly data: unknown } {
  if (!isPlenumError(error, 'REFUSED')) throw error
  return { reason: error.details['reason'], data: error.details['data'] }
}

function routeOptions(options: GivenOptions | undefined): RouteOptions | undefined {
  if (options === undefined) return undefined
  const { timeout, signal, key } = options
  if (timeout === undefined && signal === undefined && key === undefined) return undefined
  if (key !== undefined && (key.length === 0 || key.length > 256)) {
    throw new PlenumError('VALUE_INVALID', 'An idempotency key has 1 to 256 characters.', { details: { field: 'key' } })
  }
  return { timeoutMs: timeout === undefined ? undefined : durationMs(timeout, 'timeout'), signal, key }
}

function fromNames<R>(names: readonly string[], make: (name: string) => R): Readonly<Record<string, R>> {
  return Object.freeze(Object.fromEntries(names.map((name) => [name, make(name)])))
}

function mapValues<T, R>(map: ReadonlyMap<string, T>, change: (value: T) => R): Readonly<Record<string, R>> {
  return Object.freeze(Object.fromEntries([...map].map(([name, value]) => [name, change(value)])))
}
