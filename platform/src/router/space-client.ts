// The operations of a space from anywhere: each becomes one command, or one for each partition.
//
// Owns the translation of calls to commands and of answers to results. Does not own what a command does.
import { assert, durationMs, PlenumError, type Limits } from '../kernel/index.ts'
import {
  errorFrom,
  keyFieldsOf,
  stampOf,
  type Aggregate,
  type AggregateRequest,
  type Answer,
  type Command,
  type KeyFields,
  type Layout,
  type MutationSet,
  type ReadCommand,
  type StoredValue,
  type WatchEvent,
  type WriteCommand,
} from '../space/index.ts'
import { copied } from './copied.ts'
import { Copies, type Transact } from './copies.ts'
import { noOptions, notInTransaction, patience, writeOptions, type GivenOptions } from './given-options.ts'
import { Queries, type Explained, type Page, type PageOptions } from './queries.ts'
import { Router, type RouteOptions } from './router.ts'
import type { Sender } from './sender.ts'
import { runTransaction, TransactionScope, type ClaimToEnd, type TransactionOptions } from './transaction.ts'
import { View } from './view.ts'
import { Watch, type WatchOptions } from './watch.ts'

/** An entry type by its token or its name. */
type TypeReference = string | { readonly name: string }

/** What a client needs to know of an entry type. */
export interface ClientType {
  readonly layout: Layout
  /** The id field whose value is made where it is missing. */
  readonly keyed: string | undefined
}

/** The outcome of one entry of a batch (SP10). */
export type BatchOutcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: PlenumError }

export class SpaceClient {
  readonly #router: Sender
  readonly #types: ReadonlyMap<string, ClientType>
  readonly #limits: Limits
  readonly #newId: () => string
  readonly #queries: Queries
  /** For the types that every partition has; made when the first of them is used. */
  #everywhere: { readonly sender: Copies; readonly queries: Queries } | undefined

  constructor(router: Sender, types: ReadonlyMap<string, ClientType>, limits: Limits, newId: () => string) {
    this.#router = router
    this.#types = types
    this.#limits = limits
    this.#newId = newId
    this.#queries = new Queries(router, limits)
  }

  get(type: TypeReference, key: KeyFields, options?: GivenOptions): Promise<unknown> {
    try {
      const { name, route } = this.#addressed(type, key)
      if (options?.wait !== undefined) return this.#queriesOf(type).read(this.#type(type), key, options)
      return this.#senderOf(type).route(route, { kind: 'get', type: name, key }, patience(options))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  read(type: TypeReference, where: StoredValue, options?: GivenOptions): Promise<unknown> {
    return this.#queriesOf(type).read(this.#type(type), where, options)
  }

  async readAll(type: TypeReference, where: StoredValue, options?: GivenOptions): Promise<readonly StoredValue[]> {
    return this.#queriesOf(type).readAll(this.#type(type), where, options)
  }

  async readPage(type: TypeReference, where: StoredValue, options?: PageOptions): Promise<Page> {
    return this.#queriesOf(type).readPage(this.#type(type), where, options)
  }

  async count(type: TypeReference, where: StoredValue, options?: GivenOptions): Promise<number> {
    return this.#queriesOf(type).count(this.#type(type), where, options)
  }

  async aggregate(
    type: TypeReference,
    where: StoredValue,
    request: AggregateRequest,
    options?: GivenOptions,
  ): Promise<Aggregate | readonly Aggregate[]> {
    return this.#queriesOf(type).aggregate(this.#type(type), where, request, options)
  }

  async explain(type: TypeReference, where: StoredValue, options?: GivenOptions): Promise<Explained> {
    return this.#queriesOf(type).explain(this.#type(type), where, options)
  }

  async take(type: TypeReference, where: StoredValue, options?: GivenOptions): Promise<StoredValue | undefined> {
    return this.#queriesOf(type).take(this.#type(type), where, options)
  }

  async takeAll(type: TypeReference, where: StoredValue, options?: GivenOptions): Promise<readonly StoredValue[]> {
    return this.#queriesOf(type).takeAll(this.#type(type), where, options)
  }

  async clear(type: TypeReference, where: StoredValue, options?: GivenOptions): Promise<number> {
    return this.#queriesOf(type).clear(this.#type(type), where, options)
  }

  renew(type: TypeReference, key: KeyFields, lease: string, options?: GivenOptions): Promise<unknown> {
    return this.#write(type, key, options, (name) => ({
      kind: 'renew',
      type: name,
      key,
      leaseMs: lease === 'forever' ? undefined : durationMs(lease, 'lease'),
    }))
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

  /** Runs a function whose reads and changes count together or not at all (TX1). */
  async transaction<R>(run: (tx: SpaceClient) => Promise<R>, options: TransactionGiven = {}): Promise<R> {
    if (typeof run !== 'function')
      throw new PlenumError('TRANSACTION_INVALID', 'A transaction is given a function: `transaction(async (tx) => …)`.')
    return this.#transact((scope) => run(this.#in(scope)), transactionOptions(options))
  }

  /** Runs a worker's function once: what it changes counts together with the end of its claim, or not at all (UN3). */
  async work(claim: ClaimToEnd, run: (tx: SpaceClient) => Promise<void>): Promise<void> {
    const options = { deadline: undefined, signal: undefined, claim }
    const scope = new TransactionScope(this.#outside(), this.#limits, this.#keyFieldsOf, options)
    return scope.run((within) => run(this.#in(within)))
  }

  /**
   * A transaction in one request: inserts an entry if another one of the same route, which was read before, is as it was.
   * TRANSACTION_CONFLICT if it is not.
   */
  async insertBeside(type: TypeReference, value: StoredValue, other: TypeReference, read: object): Promise<void> {
    const router = this.#outside()
    const { name, route } = this.#addressed(type, value)
    const client = this.#type(other)
    const key = Object.fromEntries(keyFieldsOf(client).map((field) => [field, Reflect.get(read, field)]))
    const stamp = stampOf(read)
    assert(stamp !== undefined, 'what was read has its stamp')
    const partition = router.partitionOf(route)
    const seen = { entries: [{ type: client.layout.name, key, stamp }], queries: [] }
    const part = { seen, commands: [{ kind: 'insert', type: name, value, options: noOptions }] } as const
    const transaction = { id: router.newName(), coordinator: partition, until: 0 }
    await router.send(partition, { kind: 'commit', transaction, part, partitions: [] })
  }

  watch(type: TypeReference, where: StoredValue, options: WatchOptions = {}): AsyncGenerator<WatchEvent<StoredValue>> {
    return new Watch(this.#senderOf(type), this.#type(type), where, options).events()
  }

  async view(
    type: TypeReference,
    where: StoredValue,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<View> {
    const router = this.#outside()
    const { layout } = this.#type(type)
    const watch = (options: WatchOptions): Watch => new Watch(this.#senderOf(type), this.#type(type), where, options)
    return View.open({ layout, limits: this.#limits, pause: (ms) => router.pause(ms), watch, signal })
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
      return this.#senderOf(type).route(route, command(name), patience(options))
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

  /** The same space inside a transaction. */
  #in(scope: Sender): SpaceClient {
    return new SpaceClient(scope, this.#types, this.#limits, this.#newId)
  }

  /** Runs a function whose commands are tried first and then made together. */
  async #transact<R>(run: (scope: TransactionScope) => Promise<R>, options: TransactionOptions): Promise<R> {
    return runTransaction(this.#outside(), this.#limits, this.#keyFieldsOf, run, options)
  }

  readonly #keyFieldsOf = (name: string): readonly string[] => keyFieldsOf(this.#type(name))

  /** The router itself. TRANSACTION_INVALID in a transaction. */
  #outside(): Router {
    if (this.#router instanceof Router) return this.#router
    throw new PlenumError(
      'TRANSACTION_INVALID',
      'A transaction in a transaction is not possible; use the one there is.',
    )
  }

  /** One command for each partition concerned, and the outcomes in the order of the items (SP10). */
  async #batch(
    type: TypeReference,
    items: readonly KeyFields[],
    options: GivenOptions | undefined,
    command: (name: string, item: KeyFields) => ReadCommand | WriteCommand,
  ): Promise<readonly BatchOutcome[]> {
    if (this.#router.inTransaction) throw notInTransaction('a batch')
    if (items.length > this.#limits.batchEntriesMax) {
      throw new PlenumError(
        'LIMIT_EXCEEDED',
        `A batch may hold ${this.#limits.batchEntriesMax} entries; this one has ${items.length}. Send several.`,
        {
          details: { limit: 'batchEntriesMax', value: this.#limits.batchEntriesMax, found: items.length },
        },
      )
    }
    const { name } = this.#type(type).layout
    checkAtomic(options)
    if (options?.atomic === true) return this.#together(type, items, options, (item) => command(name, item))
    const sender = this.#senderOf(type)
    const outcomes: BatchOutcome[] = []
    const byPartition = new Map<number, number[]>()
    items.forEach((item, at) => {
      try {
        const partition = sender.partitionOf(this.#addressed(type, item).route)
        const list = byPartition.get(partition)
        if (list === undefined) byPartition.set(partition, [at])
        else list.push(at)
      } catch (error) {
        outcomes[at] = { ok: false, error: asPlenumError(error) }
      }
    })
    await Promise.all(
      [...byPartition].map(async ([partition, ats]) => {
        const commands = ats.map((at) => command(name, items[at]!))
        const settled = await this.#settled(
          sender,
          partition,
          { kind: 'batch', commands },
          ats.length,
          patience(options),
        )
        ats.forEach((at, i) => (outcomes[at] = settled[i]!))
      }),
    )
    return outcomes
  }

  /** A batch as one transaction: the first item that fails is its error (SP10). */
  #together(
    type: TypeReference,
    given: readonly KeyFields[],
    options: GivenOptions,
    command: (item: KeyFields) => Command,
  ): Promise<readonly BatchOutcome[]> {
    if (options.key !== undefined) throw notInTransaction('a key')
    // It may run again, and what the caller gave may be another by then.
    const items = copied(given)
    return this.#transact(async (scope) => {
      const sender = this.#in(scope).#senderOf(type)
      const tried = items.map(async (item) => sender.route(this.#addressed(type, item).route, command(item)))
      return (await Promise.allSettled(tried)).map((outcome, at) => {
        if (outcome.status === 'rejected') throw placed(asPlenumError(outcome.reason), at)
        return { ok: true, value: outcome.value }
      })
    }, transactionOptions(options))
  }

  async #settled(
    sender: Sender,
    partition: number,
    command: Command,
    count: number,
    options: RouteOptions | undefined,
  ): Promise<readonly BatchOutcome[]> {
    try {
      const answers = (await sender.send(partition, command, options)) as readonly Answer[]
      return answers.map((answer) => (answer.ok ? answer : { ok: false, error: errorFrom(answer.error) }))
    } catch (error) {
      return Array.from({ length: count }, () => ({ ok: false, error: asPlenumError(error) }))
    }
  }

  /** Where the commands of a type go. */
  #senderOf(type: TypeReference): Sender {
    return this.#type(type).layout.everywhere === true ? this.#copies().sender : this.#router
  }

  #queriesOf(type: TypeReference): Queries {
    return this.#type(type).layout.everywhere === true ? this.#copies().queries : this.#queries
  }

  #copies(): { readonly sender: Copies; readonly queries: Queries } {
    if (this.#everywhere !== undefined) return this.#everywhere
    const router = this.#router
    const transact: Transact = (run, options) =>
      router instanceof TransactionScope
        ? run(router)
        : this.#transact(run, { attempts: usualAttempts, timeoutMs: options?.timeoutMs, signal: options?.signal })
    const sender = new Copies(router, transact)
    this.#everywhere = { sender, queries: new Queries(sender, this.#limits) }
    return this.#everywhere
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

  #identified(type: TypeReference, value: StoredValue): StoredValue {
    const { keyed } = this.#type(type)
    return keyed === undefined || value[keyed] !== undefined ? value : { ...value, [keyed]: this.#newId() }
  }
}

interface TransactionGiven {
  readonly timeout?: string | undefined
  readonly signal?: AbortSignal | undefined
  readonly attempts?: number | undefined
}

/** Runs of a transaction's function before a conflict is told, unless something else is asked for. */
const usualAttempts = 20

function transactionOptions({ timeout, signal, attempts = usualAttempts }: TransactionGiven): TransactionOptions {
  if (!(Number.isInteger(attempts) && attempts > 0)) {
    throw new PlenumError('TRANSACTION_INVALID', `attempts is a whole number above 0, not ${String(attempts)}.`, {
      details: { field: 'attempts' },
    })
  }
  return { timeoutMs: timeout === undefined ? undefined : durationMs(timeout, 'timeout'), signal, attempts }
}

/** Anything but true and false would be taken for false, which is less than was asked for. */
function checkAtomic(options: GivenOptions | undefined): void {
  const atomic: unknown = options?.atomic
  if (atomic === undefined || typeof atomic === 'boolean') return
  throw new PlenumError('VALUE_INVALID', `atomic is true or false, not ${JSON.stringify(atomic)}.`, {
    details: { field: 'atomic' },
  })
}

/** The error of one entry of a batch that is all or nothing. */
function placed(error: PlenumError, at: number): PlenumError {
  const details = { ...error.details, at }
  return new PlenumError(error.code, `Entry ${at} of the batch: ${error.message}`, {
    retry: error.retry,
    details,
    cause: error,
  })
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
