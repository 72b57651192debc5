// Queries over all partitions: each becomes one command, or one for each partition, and the parts become one answer.
//
// I1 A query that names the whole route by equality goes to one partition; any other to all of them (ID1).
// I2 What several partitions answer is sorted, cut and summed here as each of them would have done it alone (SP3).
// I3 A take asks one partition after the other, each with a request of its own: nothing is taken and put back (SP4).
import { durationMs, PlenumError, type Limits } from '../kernel/index.ts'
import {
  Aggregation,
  arrange,
  keyFieldsOf,
  pageOrder,
  placeOf,
  project,
  type Aggregate,
  type AggregatePart,
  type AggregateRequest,
  type Command,
  type Explanation,
  type OrderBy,
  type SelectOptions,
  type StoredValue,
  type Wait,
} from '../space/index.ts'
import { cursorOf, placeIn } from './cursor.ts'
import { notInTransaction, patience, waitMsOf, type GivenOptions } from './given-options.ts'
import type { Sender } from './sender.ts'
import type { ClientType } from './space-client.ts'

export interface PageOptions extends GivenOptions {
  /** Where the page before ended. */
  readonly cursor?: string | undefined
}

/** Some of what matches, in the order of pages, and where to go on; no cursor at the end. */
export interface Page {
  readonly entries: readonly StoredValue[]
  readonly cursor: string | undefined
}

/** How a query was answered: on which partitions, and what each of them did. */
export interface Explained {
  /** True if the query names no route, so that every partition is asked. */
  readonly fanOut: boolean
  readonly matches: number
  readonly visited: number
  readonly partitions: readonly (Explanation & { readonly partition: number })[]
}

/** Entries of a page where nothing else is said. */
const pageEntries = 100
/** Entries that one command of a `clear` removes: small enough for a record, and for the others to get their turn. */
const clearStep = 10_000

export class Queries {
  readonly #router: Sender
  readonly #limits: Limits
  /** The partition that the next take begins with, so that they do not all crowd the first. */
  #turn = 0

  constructor(router: Sender, limits: Limits) {
    this.#router = router
    this.#limits = limits
  }

  async read(type: ClientType, where: StoredValue, options: GivenOptions = {}): Promise<StoredValue | undefined> {
    const waitMs = this.#waitMsOf(options)
    if (waitMs === undefined) {
      const [first] = await this.readAll(type, where, { ...options, limit: 1 })
      return first
    }
    const one = this.#partitionOf(type, where)
    if (one !== undefined)
      return this.#ask(one, waiting('read', type, where, options, this.#router.newWait(waitMs)), options) as Promise<
        StoredValue | undefined
      >
    const now = await this.read(type, where, { ...options, wait: undefined })
    return now ?? (await this.#offered(type, where, options, waitMs))?.value
  }

  async readAll(type: ClientType, where: StoredValue, options: GivenOptions = {}): Promise<readonly StoredValue[]> {
    const selected = selectOptions(options)
    const { limit, offset = 0, orderBy, select } = selected
    const one = this.#partitionOf(type, where)
    if (one !== undefined) return (await this.#ask(one, readAll(type, where, selected), options)) as StoredValue[]
    // Every partition may hold all of the page, so each is asked for everything up to its end.
    const upTo = {
      ...selected,
      ...(select === undefined ? {} : { select: [...new Set([...select, ...fieldsOf(orderBy)])] }),
      offset: undefined,
      limit: limit === undefined ? undefined : offset + limit,
    }
    const parts = await this.#askAll(readAll(type, where, upTo), options)
    const values = (parts as readonly (readonly StoredValue[])[]).flat()
    return arrange(values, { orderBy, limit, offset }, this.#limits.readEntriesMax).map((value) =>
      project(value, select),
    )
  }

  async readPage(type: ClientType, where: StoredValue, options: PageOptions = {}): Promise<Page> {
    const { orderBy, limit: wanted = pageEntries, select } = selectOptions(options)
    if (!(Number.isInteger(wanted) && wanted > 0)) throw badLimit(wanted)
    const limit = Math.min(wanted, this.#limits.readEntriesMax - 1)
    const keyFields = keyFieldsOf(type)
    const asked = { type: type.layout.name, where, orderBy }
    const after = options.cursor === undefined ? undefined : placeIn(options.cursor, asked)
    // One more than the page tells whether another follows.
    const command = readAll(type, where, { orderBy, limit: limit + 1, paged: true, after })
    const one = this.#partitionOf(type, where)
    const parts = one === undefined ? await this.#askAll(command, options) : [await this.#ask(one, command, options)]
    const values = (parts as readonly (readonly StoredValue[])[]).flat()
    if (parts.length > 1) values.sort(pageOrder(orderBy, keyFields))
    const entries = values.slice(0, limit)
    const last = values.length > limit ? entries.at(-1) : undefined
    return {
      entries: entries.map((value) => project(value, select)),
      cursor: last === undefined ? undefined : cursorOf(placeOf(last, orderBy, keyFields), asked),
    }
  }

  async count(type: ClientType, where: StoredValue, options: GivenOptions = {}): Promise<number> {
    const command: Command = { kind: 'count', type: type.layout.name, where, options: {} }
    const parts = (await this.#parts(type, where, command, options)) as readonly number[]
    return parts.reduce((sum, part) => sum + part, 0)
  }

  async aggregate(
    type: ClientType,
    where: StoredValue,
    request: AggregateRequest,
    options: GivenOptions = {},
  ): Promise<Aggregate | readonly Aggregate[]> {
    const command: Command = { kind: 'aggregate', type: type.layout.name, where, request }
    const aggregation = new Aggregation(request, this.#limits.aggregateGroupsMax)
    const parts = (await this.#parts(type, where, command, options)) as readonly (readonly AggregatePart[])[]
    for (const part of parts.flat()) aggregation.merge(part)
    return request.groupBy === undefined ? aggregation.results()[0]! : aggregation.results()
  }

  async explain(type: ClientType, where: StoredValue, options: GivenOptions = {}): Promise<Explained> {
    const command: Command = { kind: 'explain', type: type.layout.name, where, options: selectOptions(options) }
    const one = this.#partitionOf(type, where)
    const parts = (await this.#parts(type, where, command, options)) as readonly Explanation[]
    const partitions = parts.map((part, at) => ({ partition: one ?? at, ...part }))
    return {
      fanOut: one === undefined && this.#router.partitions > 1,
      matches: parts.reduce((sum, { matches }) => sum + matches, 0),
      visited: parts.reduce((sum, { visited }) => sum + visited, 0),
      partitions,
    }
  }

  async take(type: ClientType, where: StoredValue, options: GivenOptions = {}): Promise<StoredValue | undefined> {
    const waitMs = this.#waitMsOf(options)
    // Copies wait as many partitions do: a take from them is a transaction, which never waits.
    const one = type.layout.everywhere === true ? undefined : this.#partitionOf(type, where)
    if (one !== undefined) return this.#takeAt(one, type, where, options, waitMs)
    refuseKey(type, options, 'take')
    const until = this.#router.now() + (waitMs ?? 0)
    const deadline = deadlineOf(options, this.#router)
    for (const partition of this.#inTurn(type, where)) {
      const taken = await this.#takeAt(partition, type, where, within(options, this.#router, deadline), undefined)
      if (taken !== undefined) return taken
    }
    while (waitMs !== undefined) {
      const left = Math.max(0, until - this.#router.now())
      const offer = await this.#offered(type, where, within(options, this.#router, deadline), left)
      if (offer === undefined) return undefined
      // By the query, not by what was offered, which need not be the first in order; if somebody was faster, it waits on.
      const own = within(options, this.#router, deadline)
      const taken = await this.#takeAt(offer.partition, type, where, own, undefined)
      if (taken !== undefined) return taken
    }
    return undefined
  }

  /** Milliseconds that a call waits for a match; a transaction never waits for one. */
  #waitMsOf(options: GivenOptions): number | undefined {
    const waitMs = waitMsOf(options, this.#limits)
    if (waitMs !== undefined && this.#router.inTransaction) throw notInTransaction('waiting for a match')
    return waitMs
  }

  async #takeAt(
    partition: number,
    type: ClientType,
    where: StoredValue,
    options: GivenOptions,
    waitMs: number | undefined,
  ): Promise<StoredValue | undefined> {
    const command: Command =
      waitMs === undefined
        ? { kind: 'take', type: type.layout.name, where, options: selectOptions(options) }
        : waiting('take', type, where, options, this.#router.newWait(waitMs))
    return ((await this.#ask(partition, command, options)) ?? undefined) as StoredValue | undefined
  }

  /** The first match that appears on any partition: interest only, nothing is taken by it (SP5). */
  #offered(
    type: ClientType,
    where: StoredValue,
    options: GivenOptions,
    ms: number,
  ): Promise<{ readonly partition: number; readonly value: StoredValue } | undefined> {
    const waits = Array.from({ length: this.#router.partitions }, () => this.#router.newWait(ms))
    return new Promise((resolve, reject) => {
      let left = waits.length
      let over = false
      const end = (): void => {
        over = true
        for (const [partition, wait] of waits.entries()) void this.#router.cancel(partition, wait)
      }
      for (const [partition, wait] of waits.entries()) {
        this.#ask(partition, waiting('read', type, where, options, wait), options).then(
          (value) => {
            left -= 1
            if (over || (value === undefined && left > 0)) return
            end()
            resolve(value === undefined ? undefined : { partition, value: value as StoredValue })
          },
          (error: unknown) => {
            if (over) return
            end()
            reject(error)
          },
        )
      }
    })
  }

  async takeAll(type: ClientType, where: StoredValue, options: GivenOptions = {}): Promise<readonly StoredValue[]> {
    const { limit, ...selected } = selectOptions(options)
    const until = deadlineOf(options, this.#router)
    const taken: StoredValue[] = []
    refuseKey(type, options, 'takeAll')
    for (const partition of this.#inTurn(type, where)) {
      const left = limit === undefined ? undefined : limit - taken.length
      if (left === 0) break
      const command: Command = { kind: 'takeAll', type: type.layout.name, where, options: { ...selected, limit: left } }
      try {
        for (const value of (await this.#ask(
          partition,
          command,
          within(options, this.#router, until),
        )) as readonly StoredValue[])
          taken.push(value)
      } catch (error) {
        // What was taken already is taken: it must not be lost behind the error, which the next call meets first.
        if (taken.length === 0 || this.#router.inTransaction) throw error
        break
      }
    }
    return taken
  }

  /** In steps, each of them one commit: what is written meanwhile may be removed as well. */
  async clear(type: ClientType, where: StoredValue, options: GivenOptions = {}): Promise<number> {
    const { commandEffectsMax, readEntriesMax, transactionReadsMax } = this.#limits
    // Of copies each step is a transaction, which looks at what it removes.
    const stepMax = type.layout.everywhere === true ? Math.ceil(transactionReadsMax / 2) : clearStep
    const limit = Math.min(stepMax, commandEffectsMax, readEntriesMax)
    const command: Command = { kind: 'clear', type: type.layout.name, where, options: { limit } }
    const until = deadlineOf(options, this.#router)
    refuseKey(type, options, 'clear')
    let removed = 0
    for (const partition of this.#inTurn(type, where)) {
      for (let step = limit; step === limit; removed += step) {
        step = (await this.#ask(partition, command, within(options, this.#router, until))) as number
      }
    }
    return removed
  }

  async #parts(
    type: ClientType,
    where: StoredValue,
    command: Command,
    options: GivenOptions,
  ): Promise<readonly unknown[]> {
    const one = this.#partitionOf(type, where)
    return one === undefined ? this.#askAll(command, options) : [await this.#ask(one, command, options)]
  }

  #ask(partition: number, command: Command, options: GivenOptions): Promise<unknown> {
    return this.#router.send(partition, command, patience(options))
  }

  #askAll(command: Command, options: GivenOptions): Promise<readonly unknown[]> {
    return this.#router.all(command, patience(options))
  }

  /** The partitions that a query may find something on, another first each time. */
  #inTurn(type: ClientType, where: StoredValue): readonly number[] {
    const one = this.#partitionOf(type, where)
    if (one !== undefined) return [one]
    const { partitions } = this.#router
    const first = this.#turn++ % partitions
    return Array.from({ length: partitions }, (_, at) => (first + at) % partitions)
  }

  /** The partition of a query that names the whole route by equality; undefined if it fans out. */
  #partitionOf({ layout }: ClientType, where: StoredValue): number | undefined {
    const route = layout.route.map((field) => equality(where[field]))
    if (route.includes(undefined)) return undefined
    return this.#router.partitionOf(route.length === 1 ? route[0] : route)
  }
}

function readAll({ layout }: ClientType, where: StoredValue, options: SelectOptions): Command {
  return { kind: 'readAll', type: layout.name, where, options }
}

function waiting(
  kind: 'read' | 'take',
  { layout }: ClientType,
  where: StoredValue,
  options: GivenOptions,
  wait: Wait,
): Command {
  return { kind, type: layout.name, where, options: selectOptions(options), wait }
}

function selectOptions({
  orderBy,
  limit,
  offset,
  select,
  fifo,
}: GivenOptions): SelectOptions & { readonly orderBy?: OrderBy } {
  return {
    ...(orderBy === undefined ? {} : { orderBy }),
    ...(limit === undefined ? {} : { limit }),
    ...(offset === undefined ? {} : { offset }),
    ...(select === undefined ? {} : { select }),
    ...(fifo === undefined ? {} : { fifo }),
  }
}

/** The fields that sorting needs. */
function fieldsOf(orderBy: OrderBy | undefined): readonly string[] {
  return Object.keys(orderBy ?? {}).map((path) => path.split('.')[0]!)
}

/** The moment at which a call of several requests has to be over; undefined if it may take as long as it takes. */
function deadlineOf({ timeout }: GivenOptions, router: Sender): number | undefined {
  return timeout === undefined ? undefined : router.now() + durationMs(timeout, 'timeout')
}

/** The options of one request of a call: what is left of its time. */
function within(options: GivenOptions, router: Sender, until: number | undefined): GivenOptions {
  return until === undefined ? options : { ...options, timeout: `${Math.max(1, until - router.now())}ms` }
}

/** A key makes one request the same; a call of several has none. */
function refuseKey({ layout }: ClientType, { key }: GivenOptions, call: string): void {
  // Copies have their own word for it.
  if (layout.everywhere === true) return
  if (key === undefined) return
  throw new PlenumError('QUERY_INVALID', `A ${call} over several partitions is several requests and has no key.`, {
    details: { path: 'key' },
  })
}

function equality(condition: unknown): unknown {
  if (typeof condition !== 'object' || condition === null) return condition
  return (condition as { readonly eq?: unknown }).eq
}

function badLimit(limit: unknown): PlenumError {
  return new PlenumError(
    'QUERY_INVALID',
    `A page has one entry at least: limit is a whole number above 0, not ${String(limit)}.`,
    {
      details: { path: 'limit' },
    },
  )
}
