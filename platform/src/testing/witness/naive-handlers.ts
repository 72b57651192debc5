// Runs a unit's handlers a second time, on the naive twin: what they must answer and change.
import { durationMs, isPlenumError } from '../../kernel/index.ts'
import {
  Aggregation,
  stampValue,
  type AggregateRequest,
  type Caller,
  type Command,
  type MutationSet,
  type SelectOptions,
  type StoredValue,
} from '../../space/index.ts'
import type { UnitParts } from '../../unit/index.ts'
import { aggregated } from './naive-aggregate.ts'
import { naiveError, type NaiveOutcome, type NaiveRun } from './naive-run.ts'

type Fields = Readonly<Record<string, unknown>>
type TypeReference = string | { readonly name: string }
type HandlerPart = UnitParts['handlers'] extends ReadonlyMap<string, infer Part> ? Part : never

/** Options as a unit writes them. */
interface GivenOptions {
  readonly ifStamp?: number | undefined
  readonly lease?: string | undefined
  readonly returning?: 'previous' | undefined
}

/** Thrown where a handler asks for what only the primary knew: time, randomness, new ids. */
class Unknowable extends Error {}

/** What a refusal is made of. */
class NaiveRefusal extends Error {
  readonly reason: string

  constructor(reason: string) {
    super(reason)
    this.reason = reason
  }
}

/** How a handler must end in this state; undefined if that depends on something that only its primary knew. */
export function callHandler(
  run: NaiveRun,
  unit: UnitParts,
  command: Extract<Command, { kind: 'call' }>,
): NaiveOutcome | undefined {
  const handler = unit.handlers.get(command.handler)
  if (handler === undefined) return { ok: false, error: naiveError('HANDLER_UNKNOWN') }
  const context = new NaiveContext(handler, command.caller)
  try {
    const input = handler.admit(command.input)
    const partition = new NaiveOperations(run, unit, input[handler.routeField], () => context.give())
    const value = handler.run(input, context.with(partition))
    if (context.asked) return undefined
    return isPromise(value) ? { ok: false, error: naiveError('HANDLER_ASYNC') } : { ok: true, value }
  } catch (error) {
    if (context.asked) return undefined
    if (error instanceof NaiveRefusal) return { ok: false, error: naiveError('REFUSED', { reason: error.reason }) }
    return { ok: false, error: isPlenumError(error) ? error : naiveError('HANDLER_FAILED') }
  }
}

class NaiveContext {
  /** True once the handler asked for something that cannot be known. */
  asked = false
  readonly #handler: HandlerPart
  readonly #caller: Caller

  constructor(handler: HandlerPart, caller: Caller) {
    this.#handler = handler
    this.#caller = caller
  }

  /** The context as the handler gets it. */
  with(partition: NaiveOperations): object {
    const give = (): never => this.give()
    return {
      partition,
      caller: this.#caller,
      get now() {
        return give()
      },
      random: give,
      newId: give,
      refuse: (reason: string, data: unknown) => {
        this.#handler.admitRefusal(reason, data)
        return new NaiveRefusal(reason)
      },
      // What is sent is rows of the partition's own, which the twin follows and does not expect.
      send: () => {},
    }
  }

  give(): never {
    this.asked = true
    throw new Unknowable('The twin does not know this.')
  }
}

/** The operations of a handler's partition, within its route (UN2a). */
class NaiveOperations {
  readonly #run: NaiveRun
  readonly #unit: UnitParts
  readonly #route: unknown
  readonly #newId: () => never

  constructor(run: NaiveRun, unit: UnitParts, route: unknown, newId: () => never) {
    this.#run = run
    this.#unit = unit
    this.#route = route
    this.#newId = newId
  }

  get(type: TypeReference, key: Fields): StoredValue | undefined {
    const name = this.#own(type, key)
    const value = this.#run.get(name, key)
    return value === undefined ? undefined : this.#stamped(name, value)
  }

  read(type: TypeReference, where: Fields, options: SelectOptions = {}): StoredValue | undefined {
    return this.readAll(type, where, { ...options, limit: 1 })[0]
  }

  readAll(type: TypeReference, where: Fields, options: SelectOptions = {}): readonly StoredValue[] {
    const name = this.#asked(type, where)
    const values = this.#run.readAll(name, where, options)
    return options.select === undefined ? values.map((value) => this.#stamped(name, value)) : values
  }

  count(type: TypeReference, where: Fields): number {
    return this.#run.matching(this.#asked(type, where), where).length
  }

  insert(type: TypeReference, value: Fields, options?: GivenOptions): StoredValue {
    const name = this.#changed(type, this.#identified(type, value))
    return this.#stamped(name, this.#run.insert(name, value, machineOptions(options)))
  }

  write(type: TypeReference, value: Fields, options?: GivenOptions): Fields {
    return this.#run.write(this.#changed(type, this.#identified(type, value)), 'write', value, machineOptions(options))
  }

  update(type: TypeReference, value: Fields, options?: GivenOptions): Fields {
    return this.#run.write(this.#changed(type, value), 'update', value, machineOptions(options))
  }

  patch(type: TypeReference, key: Fields, fields: Fields, options?: GivenOptions): Fields {
    return this.#run.patch(this.#changed(type, key), key, fields, machineOptions(options))
  }

  change(type: TypeReference, key: Fields, mutations: MutationSet, options?: GivenOptions): Fields {
    return this.#run.mutate(this.#changed(type, key), key, mutations, machineOptions(options))
  }

  remove(type: TypeReference, key: Fields, options?: GivenOptions): unknown {
    return this.#run.remove(this.#changed(type, key), key, machineOptions(options))
  }

  take(type: TypeReference, where: Fields): StoredValue | undefined {
    return this.#chosen(type, where, 1, 'taken')[0]
  }

  takeAll(type: TypeReference, where: Fields, options: SelectOptions = {}): readonly StoredValue[] {
    return this.#chosen(type, where, options.limit ?? Infinity, 'taken')
  }

  clear(type: TypeReference, where: Fields): number {
    return this.#chosen(type, where, Infinity, 'removed').length
  }

  aggregate(type: TypeReference, where: Fields, request: AggregateRequest): unknown {
    const aggregation = new Aggregation(request, Infinity)
    for (const part of aggregated(this.#run.matching(this.#asked(type, where), where), request)) aggregation.merge(part)
    return request.groupBy === undefined ? aggregation.results()[0] : aggregation.results()
  }

  renew(type: TypeReference, key: Fields, lease: string): Fields {
    const leaseMs = lease === 'forever' ? undefined : durationMs(lease, 'lease')
    this.#run.renew(this.#changed(type, key), key, leaseMs)
    // When it ends, only the primary knows.
    return this.#newId()
  }

  #chosen(type: TypeReference, where: Fields, limit: number, reason: 'removed' | 'taken'): readonly StoredValue[] {
    const name = this.#asked(type, where)
    if (this.#isEverywhere(name)) throw naiveError('OUTSIDE_ROUTE')
    const values = this.#run.inWriteOrder(name, where)
    const isFifo = this.#run.space.tables[this.#run.table(name)]!.layout.fifo !== undefined
    if (!isFifo && values.length > 1) this.#run.loose = true
    const chosen = values.slice(0, limit)
    const stamped = chosen.map((value) => this.#stamped(name, value))
    this.#run.removeAll(name, chosen, reason)
    return stamped
  }

  /** The type's name, if a handler may change the entry. */
  #changed(type: TypeReference, key: Fields): string {
    const name = this.#own(type, key)
    if (this.#isEverywhere(name)) throw naiveError('OUTSIDE_ROUTE')
    return name
  }

  /** The type's name, if the entry lies on the handler's route or everywhere. */
  #own(type: TypeReference, key: Fields): string {
    const name = this.#known(type)
    if (this.#isEverywhere(name)) return name
    if (!this.#routesOf(name).every((field) => key[field] === this.#route)) throw naiveError('OUTSIDE_ROUTE')
    return name
  }

  #asked(type: TypeReference, where: Fields): string {
    const name = this.#known(type)
    if (this.#isEverywhere(name)) return name
    const isRoute = (condition: unknown): boolean =>
      condition === this.#route ||
      (typeof condition === 'object' && condition !== null && 'eq' in condition && condition.eq === this.#route)
    if (!this.#routesOf(name).every((field) => isRoute(where[field]))) throw naiveError('OUTSIDE_ROUTE')
    return name
  }

  /** The type's name; of what is not durable only the primary knew. */
  #known(type: TypeReference): string {
    const name = nameOf(type)
    return this.#run.space.tables[this.#run.table(name)]!.layout.durable === false ? this.#newId() : name
  }

  #isEverywhere(type: string): boolean {
    return this.#run.space.tables[this.#run.table(type)]!.layout.everywhere === true
  }

  /** A handler has one route; an entry type with more route fields is never on it. */
  #routesOf(type: string): readonly string[] {
    const { route } = this.#run.space.tables[this.#run.table(type)]!.layout
    if (route.length !== 1) throw naiveError('OUTSIDE_ROUTE')
    return route
  }

  #identified(type: TypeReference, value: Fields): Fields {
    const field = this.#unit.keyed.get(nameOf(type))
    return field === undefined || value[field] !== undefined ? value : this.#newId()
  }

  /** A copy that tells its stamp, as what a handler reads does. */
  #stamped(type: string, value: StoredValue): StoredValue {
    const copy = { ...value }
    stampValue(copy, this.#run.space.find(this.#run.table(type), value)?.stamp ?? 0)
    return Object.freeze(copy)
  }
}

function nameOf(type: TypeReference): string {
  return typeof type === 'string' ? type : type.name
}

function machineOptions(options: GivenOptions | undefined) {
  const { ifStamp, lease, returning } = options ?? {}
  return { ifStamp, leaseMs: lease === undefined ? undefined : durationMs(lease, 'lease'), returning }
}

function isPromise(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
