// The operations of a space from anywhere: each becomes one command, or one for each partition.
//
// Owns the translation of calls to commands and of answers to results. Does not own what a command does.
import { durationMs, PlenumError, type Limits } from '../kernel/index.ts'
import {
  arrange,
  errorFrom,
  project,
  type Answer,
  type Command,
  type KeyFields,
  type Layout,
  type MutationSet,
  type ReadCommand,
  type SelectOptions,
  type StoredValue,
  type WriteCommand,
  type WriteOptions,
} from '../space/index.ts'
import type { RouteOptions, Router } from './router.ts'

/** An entry type by its token or its name. */
type TypeReference = string | { readonly name: string }

/** What a client needs to know of an entry type. */
export interface ClientType {
  readonly layout: Layout
  /** The id field whose value is made where it is missing. */
  readonly keyed: string | undefined
}

/** Options of a call, with durations as text. */
interface GivenOptions extends SelectOptions {
  readonly timeout?: string | undefined
  readonly wait?: string | undefined
  readonly signal?: AbortSignal | undefined
  readonly key?: string | undefined
  readonly lease?: string | undefined
  readonly ifStamp?: number | undefined
  readonly returning?: 'previous' | undefined
  readonly consistency?: 'leased' | 'confirmed' | undefined
}

/** The outcome of one entry of a batch (SP10). */
export type BatchOutcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: PlenumError }

const noOptions: WriteOptions = Object.freeze({})

export class SpaceClient {
  readonly #router: Router
  readonly #types: ReadonlyMap<string, ClientType>
  readonly #limits: Limits
  readonly #newId: () => string

  constructor(router: Router, types: ReadonlyMap<string, ClientType>, limits: Limits, newId: () => string) {
    this.#router = router
    this.#types = types
    this.#limits = limits
    this.#newId = newId
  }

  get(type: TypeReference, key: KeyFields, options?: GivenOptions): Promise<unknown> {
    try {
      const { name, route } = this.#addressed(type, key)
      return this.#router.route(route, { kind: 'get', type: name, key }, patience(options))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  async read(type: TypeReference, where: StoredValue, options: GivenOptions = {}): Promise<unknown> {
    const [first] = await this.readAll(type, where, { ...options, limit: 1 })
    return first
  }

  async readAll(type: TypeReference, where: StoredValue, options: GivenOptions = {}): Promise<readonly StoredValue[]> {
    const { orderBy, limit, offset, select } = options
    const one = this.#partitionOf(type, where)
    // Every partition may hold all of the page, so each is asked for everything up to its end.
    const upTo = limit === undefined ? undefined : (offset ?? 0) + limit
    const command = (selected: SelectOptions): ReadCommand => ({
      kind: 'readAll',
      type: this.#type(type).layout.name,
      where,
      options: selected,
    })
    if (one !== undefined) {
      return (await this.#router.send(
        one,
        command({ orderBy, limit, offset, select }),
        patience(options),
      )) as readonly StoredValue[]
    }
    const parts = await this.#router.all(command({ orderBy, limit: upTo }), patience(options))
    const values = (parts as readonly (readonly StoredValue[])[]).flat()
    return arrange(values, { orderBy, limit, offset }, this.#limits.readEntriesMax).map((value) =>
      project(value, select),
    )
  }

  async count(type: TypeReference, where: StoredValue, options: GivenOptions = {}): Promise<number> {
    const command: ReadCommand = { kind: 'count', type: this.#type(type).layout.name, where, options: {} }
    const one = this.#partitionOf(type, where)
    if (one !== undefined) return (await this.#router.send(one, command, patience(options))) as number
    const parts = (await this.#router.all(command, patience(options))) as readonly number[]
    return parts.reduce((sum, part) => sum + part, 0)
  }

  insert(type: TypeReference, value: StoredValue, options?: GivenOptions): Promise<unknown> {
    return this.#put('insert', type, value, options)
  }

  write(type: TypeReference, value: StoredValue, options?: GivenOptions): Promise<unknown> {
    return this.#put('write', type, value, options)
  }

  update(type: TypeReference, value: StoredValue, options?: GivenOptions): Promise<unknown> {
    return this.#put('update', type, value, options)
  }

  patch(type: TypeReference, key: KeyFields, fields: StoredValue, options?: GivenOptions): Promise<unknown> {
    return this.#write(type, key, options, (name) => ({
      kind: 'patch',
      type: name,
      key,
      fields,
      options: writeOptions(options),
    }))
  }

  change(type: TypeReference, key: KeyFields, mutations: MutationSet, options?: GivenOptions): Promise<unknown> {
    return this.#write(type, key, options, (name) => ({
      kind: 'change',
      type: name,
      key,
      mutations,
      options: writeOptions(options),
    }))
  }

  remove(type: TypeReference, key: KeyFields, options?: GivenOptions): Promise<unknown> {
    return this.#write(type, key, options, (name) => ({
      kind: 'remove',
      type: name,
      key,
      options: writeOptions(options),
    }))
  }

  writeAll(
    type: TypeReference,
    values: readonly StoredValue[],
    options?: GivenOptions,
  ): Promise<readonly BatchOutcome[]> {
    return this.#putAll('write', type, values, options)
  }

  insertAll(
    type: TypeReference,
    values: readonly StoredValue[],
    options?: GivenOptions,
  ): Promise<readonly BatchOutcome[]> {
    return this.#putAll('insert', type, values, options)
  }

  readByIds(type: TypeReference, keys: readonly KeyFields[], options?: GivenOptions): Promise<readonly BatchOutcome[]> {
    return this.#batch(type, keys, options, (name, key) => ({ kind: 'get', type: name, key }))
  }

  removeAll(type: TypeReference, keys: readonly KeyFields[], options?: GivenOptions): Promise<readonly BatchOutcome[]> {
    return this.#batch(type, keys, options, (name, key) => ({ kind: 'remove', type: name, key, options: noOptions }))
  }

  take(): Promise<never> {
    return notYet('take')
  }

  transaction(): Promise<never> {
    return notYet('transaction')
  }

  watch(): never {
    throw notYetError('watch')
  }

  #put(
    kind: 'insert' | 'write' | 'update',
    type: TypeReference,
    value: StoredValue,
    options: GivenOptions | undefined,
  ): Promise<unknown> {
    try {
      const identified = kind === 'update' ? value : this.#identified(type, value)
      return this.#write(type, identified, options, (name) => ({
        kind,
        type: name,
        value: identified,
        options: writeOptions(options),
      }))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  #write(
    type: TypeReference,
    key: KeyFields,
    options: GivenOptions | undefined,
    command: (name: string) => Command,
  ): Promise<unknown> {
    try {
      const { name, route } = this.#addressed(type, key)
      return this.#router.route(route, command(name), patience(options))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  async #putAll(
    kind: 'insert' | 'write',
    type: TypeReference,
    values: readonly StoredValue[],
    options: GivenOptions | undefined,
  ): Promise<readonly BatchOutcome[]> {
    const identified = values.map((value) => this.#identified(type, value))
    const given = writeOptions(options)
    return this.#batch(type, identified, options, (name, value) => ({ kind, type: name, value, options: given }))
  }

  /** One command for each partition concerned, and the outcomes in the order of the items (SP10). */
  async #batch(
    type: TypeReference,
    items: readonly KeyFields[],
    options: GivenOptions | undefined,
    command: (name: string, item: KeyFields) => ReadCommand | WriteCommand,
  ): Promise<readonly BatchOutcome[]> {
    if (items.length > this.#limits.batchEntriesMax) {
      throw new PlenumError(
        'LIMIT_EXCEEDED',
        `A batch may hold ${this.#limits.batchEntriesMax} entries; this one has ${items.length}. Send several.`,
        {
          details: { limit: 'batchEntriesMax', value: this.#limits.batchEntriesMax, found: items.length },
        },
      )
    }
    const outcomes: BatchOutcome[] = []
    const byPartition = new Map<number, number[]>()
    items.forEach((item, at) => {
      try {
        const partition = this.#router.partitionOf(this.#addressed(type, item).route)
        const list = byPartition.get(partition)
        if (list === undefined) byPartition.set(partition, [at])
        else list.push(at)
      } catch (error) {
        outcomes[at] = { ok: false, error: asPlenumError(error) }
      }
    })
    const { name } = this.#type(type).layout
    await Promise.all(
      [...byPartition].map(async ([partition, ats]) => {
        const commands = ats.map((at) => command(name, items[at]!))
        const settled = await this.#settled(partition, { kind: 'batch', commands }, ats.length, patience(options))
        ats.forEach((at, i) => (outcomes[at] = settled[i]!))
      }),
    )
    return outcomes
  }

  async #settled(
    partition: number,
    command: Command,
    count: number,
    options: RouteOptions | undefined,
  ): Promise<readonly BatchOutcome[]> {
    try {
      const answers = (await this.#router.send(partition, command, options)) as readonly Answer[]
      return answers.map((answer) => (answer.ok ? answer : { ok: false, error: errorFrom(answer.error) }))
    } catch (error) {
      return Array.from({ length: count }, () => ({ ok: false, error: asPlenumError(error) }))
    }
  }

  #type(type: TypeReference): ClientType {
    const name = typeof type === 'string' ? type : type.name
    const known = this.#types.get(name)
    if (known !== undefined) return known
    throw new PlenumError(
      'ENTRY_TYPE_UNKNOWN',
      `There is no entry type '${name}'. The unit has: ${[...this.#types.keys()].join(', ')}.`,
      {
        details: { type: name, known: [...this.#types.keys()] },
      },
    )
  }

  #addressed(type: TypeReference, key: KeyFields): { readonly name: string; readonly route: unknown } {
    const { layout } = this.#type(type)
    for (const field of layout.id) if (key[field] === undefined) throw incomplete(layout, field)
    for (const field of layout.route) if (key[field] === undefined) throw incomplete(layout, field)
    const [only, another] = layout.route
    return { name: layout.name, route: another === undefined ? key[only!] : layout.route.map((field) => key[field]) }
  }

  /** The partition of a query that names the whole route by equality; undefined if it fans out. */
  #partitionOf(type: TypeReference, where: StoredValue): number | undefined {
    const route = this.#type(type).layout.route.map((field) => equality(where[field]))
    if (route.includes(undefined)) return undefined
    return this.#router.partitionOf(route.length === 1 ? route[0] : route)
  }

  #identified(type: TypeReference, value: StoredValue): StoredValue {
    const { keyed } = this.#type(type)
    return keyed === undefined || value[keyed] !== undefined ? value : { ...value, [keyed]: this.#newId() }
  }
}

function equality(condition: unknown): unknown {
  if (typeof condition !== 'object' || condition === null) return condition
  return (condition as { readonly eq?: unknown }).eq
}

function patience(options: GivenOptions | undefined): RouteOptions | undefined {
  if (options === undefined) return undefined
  if (options.wait !== undefined) throw notYetError('wait')
  const { timeout, signal, key, consistency } = options
  if (timeout === undefined && signal === undefined && key === undefined && consistency === undefined) return undefined
  return {
    timeoutMs: timeout === undefined ? undefined : durationMs(timeout, 'timeout'),
    signal,
    key,
    read: consistency,
  }
}

function writeOptions(options: GivenOptions | undefined): WriteOptions {
  if (options === undefined) return noOptions
  const leaseMs = options.lease === undefined ? undefined : durationMs(options.lease, 'lease')
  return { ifStamp: options.ifStamp, leaseMs, returning: options.returning }
}

function incomplete(layout: Layout, field: string): PlenumError {
  const fields = [...new Set([...layout.id, ...layout.route])]
  return new PlenumError(
    'KEY_INCOMPLETE',
    `An entry of type '${layout.name}' is named by ${fields.join(' and ')}; '${field}' is missing.`,
    {
      details: { type: layout.name, field },
    },
  )
}

function asPlenumError(error: unknown): PlenumError {
  if (error instanceof PlenumError) return error
  return new PlenumError('INVARIANT_BROKEN', error instanceof Error ? error.message : String(error), { cause: error })
}

function notYet(what: string): Promise<never> {
  return Promise.reject(notYetError(what))
}

function notYetError(what: string): PlenumError {
  return new PlenumError('NOT_AVAILABLE_YET', `'${what}' is not part of this version yet. Nothing happened.`, {
    details: { what },
  })
}
