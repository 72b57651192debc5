// The operations inside a partition: at once, on one machine.
//
// I1 A handler touches entries of its own route only, whatever the number of partitions, and reads those that are
//    everywhere (UN2a).
// I2 The operations work only while their handler or task runs: a context that leaked answers with an error.
import { durationMs, PlenumError } from '../kernel/index.ts'
import {
  Aggregation,
  keyOf,
  mutate,
  noOptions,
  type Aggregate,
  type AggregateRequest,
  type Executor,
  type KeyFields,
  type MutationSet,
  type SelectOptions,
  type StoredValue,
  type Table,
  type WriteOptions,
  type WrittenEntry,
} from '../space/index.ts'

/** An entry type by its token or its name. */
export type TypeReference = string | { readonly name: string }

/** Options as a unit writes them, with durations as text. */
interface GivenOptions {
  readonly ifStamp?: number | undefined
  readonly lease?: string | undefined
  readonly returning?: 'previous' | undefined
}

const none: WriteOptions = Object.freeze({})

/** What a unit's function may ask of its partition; see `Operations` for the typed face of it. */
export class PartitionOperations {
  readonly #executor: Executor
  readonly #table: (type: TypeReference) => Table
  readonly #newId: (table: Table, value: StoredValue) => StoredValue
  /** The route that bounds a handler. */
  #route: unknown
  #isBounded = false
  #isActive = false
  // The type that was named last: most functions work on one or two.
  #lastType: TypeReference | undefined
  #lastTable: Table | undefined

  constructor(
    executor: Executor,
    table: (type: TypeReference) => Table,
    newId: (table: Table, value: StoredValue) => StoredValue,
  ) {
    this.#executor = executor
    this.#table = table
    this.#newId = newId
  }

  /** Opens the operations for a handler, which sees the entries of one route. */
  enterRoute(route: unknown): void {
    this.#route = route
    this.#isBounded = true
    this.#isActive = true
  }

  /** Opens them for a task, which sees the whole partition. */
  enterPartition(): void {
    this.#isBounded = false
    this.#isActive = true
  }

  /** Closes them. */
  leave(): void {
    this.#isActive = false
  }

  get(type: TypeReference, key: KeyFields): StoredValue | undefined {
    const table = this.#open(type)
    this.#checkRoute(table, key)
    return this.#executor.get(table, key)
  }

  read(type: TypeReference, where: StoredValue, options: SelectOptions = noOptions): StoredValue | undefined {
    const table = this.#open(type)
    this.#checkQuery(table, where)
    return this.#executor.read(table, where, options)
  }

  readAll(type: TypeReference, where: StoredValue, options: SelectOptions = noOptions): readonly StoredValue[] {
    const table = this.#open(type)
    this.#checkQuery(table, where)
    return this.#executor.readAll(table, where, options)
  }

  count(type: TypeReference, where: StoredValue): number {
    const table = this.#open(type)
    this.#checkQuery(table, where)
    return this.#executor.count(table, where)
  }

  insert(type: TypeReference, value: StoredValue, options?: GivenOptions): StoredValue {
    const table = this.#open(type)
    const identified = this.#newId(table, value)
    this.#checkChange(table, identified)
    return this.#executor.insert(table, identified, writeOptions(options))
  }

  write(type: TypeReference, value: StoredValue, options?: GivenOptions): WrittenEntry {
    const table = this.#open(type)
    const identified = this.#newId(table, value)
    this.#checkChange(table, identified)
    return this.#executor.write(table, 'write', identified, writeOptions(options))
  }

  update(type: TypeReference, value: StoredValue, options?: GivenOptions): WrittenEntry {
    const table = this.#open(type)
    this.#checkChange(table, value)
    return this.#executor.write(table, 'update', value, writeOptions(options))
  }

  patch(type: TypeReference, key: KeyFields, fields: StoredValue, options?: GivenOptions): WrittenEntry {
    const table = this.#open(type)
    this.#checkChange(table, key)
    return this.#executor.patch(table, key, fields, writeOptions(options))
  }

  change(type: TypeReference, key: KeyFields, mutations: MutationSet, options?: GivenOptions): WrittenEntry {
    const table = this.#open(type)
    this.#checkChange(table, key)
    return this.#executor.revise(table, key, writeOptions(options), (value) => mutate(value, mutations))
  }

  remove(type: TypeReference, key: KeyFields, options?: GivenOptions): boolean | StoredValue | undefined {
    const table = this.#open(type)
    this.#checkChange(table, key)
    return this.#executor.remove(table, key, writeOptions(options))
  }

  take(type: TypeReference, where: StoredValue, options: SelectOptions = noOptions): StoredValue | undefined {
    const table = this.#open(type)
    this.#checkQuery(table, where)
    this.#refuseCopies(table)
    return this.#executor.take(table, where, options)
  }

  takeAll(type: TypeReference, where: StoredValue, options: SelectOptions = noOptions): readonly StoredValue[] {
    const table = this.#open(type)
    this.#checkQuery(table, where)
    this.#refuseCopies(table)
    return this.#executor.takeAll(table, where, options)
  }

  clear(type: TypeReference, where: StoredValue): number {
    const table = this.#open(type)
    this.#checkQuery(table, where)
    this.#refuseCopies(table)
    return this.#executor.clear(table, where, {})
  }

  aggregate(type: TypeReference, where: StoredValue, request: AggregateRequest): Aggregate | readonly Aggregate[] {
    const table = this.#open(type)
    this.#checkQuery(table, where)
    const aggregation = new Aggregation(request, Infinity)
    for (const part of this.#executor.aggregate(table, where, request)) aggregation.merge(part)
    return request.groupBy === undefined ? aggregation.results()[0]! : aggregation.results()
  }

  renew(type: TypeReference, key: KeyFields, lease: string): { readonly expiresAt: number | undefined } {
    const table = this.#open(type)
    this.#checkChange(table, key)
    return this.#executor.renew(table, key, leaseMsOf(lease))
  }

  #open(type: TypeReference): Table {
    if (!this.#isActive) {
      throw new PlenumError(
        'HANDLER_FAILED',
        'The partition was used after its handler or task had returned. Its operations work at once and only inside the function.',
      )
    }
    if (type === this.#lastType && this.#lastTable !== undefined) return this.#lastTable
    this.#lastTable = this.#table(type)
    this.#lastType = type
    return this.#lastTable
  }

  #checkRoute(table: Table, value: StoredValue): void {
    if (!this.#isBounded || table.isOnRoute(value, this.#route) || table.layout.everywhere === true) return
    throw outside(table, keyOf(table, value), this.#route)
  }

  #checkChange(table: Table, value: StoredValue): void {
    this.#checkRoute(table, value)
    this.#refuseCopies(table)
  }

  /** A change here would leave the copies of the other partitions behind. */
  #refuseCopies({ layout }: Table): void {
    if (layout.everywhere !== true) return
    throw new PlenumError(
      'OUTSIDE_ROUTE',
      `Every partition has the entries of type '${layout.name}', so that a handler only reads them. Change them from outside, by the client's space.`,
      { details: { type: layout.name } },
    )
  }

  #checkQuery(table: Table, where: StoredValue): void {
    if (!this.#isBounded || table.layout.everywhere === true) return
    const [field, another] = table.layout.route
    const asked = field === undefined ? undefined : where[field]
    if (another === undefined && (asked === this.#route || isEq(asked, this.#route))) return
    throw new PlenumError(
      'OUTSIDE_ROUTE',
      `A handler sees entries of its own route only: a query of '${table.layout.name}' must name ${table.layout.route.join(', ')}: ${text(this.#route)}.`,
      { details: { type: table.layout.name, route: this.#route } },
    )
  }
}

/** Milliseconds of a lease; undefined for one without end. */
export function leaseMsOf(lease: string): number | undefined {
  return lease === 'forever' ? undefined : durationMs(lease, 'lease')
}

function isEq(asked: unknown, route: unknown): boolean {
  return typeof asked === 'object' && asked !== null && (asked as { readonly eq?: unknown }).eq === route
}

function writeOptions(options: GivenOptions | undefined): WriteOptions {
  if (options === undefined) return none
  const leaseMs = options.lease === undefined ? undefined : durationMs(options.lease, 'lease')
  return { ifStamp: options.ifStamp, leaseMs, returning: options.returning }
}

function outside(table: Table, key: KeyFields, route: unknown): PlenumError {
  return new PlenumError(
    'OUTSIDE_ROUTE',
    `A handler with the route ${text(route)} cannot touch the entry of type '${table.layout.name}' with ${table.layout.route
      .map((field) => `${field} ${text(key[field])}`)
      .join(' and ')}: it may live on another partition. Call another handler for it.`,
    { details: { type: table.layout.name, route, key } },
  )
}

function text(value: unknown): string {
  return typeof value === 'bigint' ? `${value}n` : (JSON.stringify(value) ?? 'undefined')
}
