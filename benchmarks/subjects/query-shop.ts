import { embedded, entry, handler, task, unit, type Client } from 'plenum'
import { z } from 'zod'
import { closedLoop, type Reading } from '../harness/closed-loop.ts'
import type { Subject } from '../harness/remote.ts'

/** How many entries share a `kind`. */
const kindSize = 10
/** Queries of one task: long enough that its call does not count. */
const stretch = 50_000
/** Pairs of write and take in one call of the handler. */
const pairs = 1_000
/** Ids of what is written and taken begin here, beyond those of the entries that stay. */
const firstPassing = 1_000_000_000

const Item = entry('item', z.object({ id: z.int(), shop: z.int(), kind: z.int(), n: z.int() }), {
  id: 'id',
  route: 'shop',
  indexes: [['n'], ['kind']],
})
const shop = 1

const Count = z.object({ from: z.int(), count: z.int(), entries: z.int() })

const queryUnit = unit(
  'queries',
  { entries: [Item] },
  {
    handlers: {
      writeAndTake: handler(
        { input: z.object({ shop: z.int(), from: z.int() }), route: 'shop' },
        ({ shop: route, from }, { partition }) => {
          let taken = 0
          for (let n = from; n < from + pairs; n++) {
            partition.write(Item, { id: n, shop: route, kind: -1, n })
            if (partition.take(Item, { shop: route, n }) !== undefined) taken += 1
          }
          return taken
        },
      ),
    },
    tasks: {
      one: task(
        { input: Count },
        ({ from, count, entries }, { partition }) => {
          let found = 0
          for (let at = from; at < from + count; at++)
            found += partition.readAll(Item, { n: drawn(at, entries) }).length
          return found
        },
        (left, right) => left + right,
      ),
      ten: task(
        { input: Count },
        ({ from, count, entries }, { partition }) => {
          const kinds = entries / kindSize
          let found = 0
          for (let at = from; at < from + count; at++)
            found += partition.readAll(Item, { kind: drawn(at, kinds) }).length
          return found
        },
        (left, right) => left + right,
      ),
      range: task(
        { input: Count },
        ({ from, count, entries }, { partition }) => {
          let found = 0
          for (let at = from; at < from + count; at++) {
            const low = drawn(at, entries - kindSize)
            found += partition.readAll(Item, { n: { gte: low, lt: low + kindSize } }).length
          }
          return found
        },
        (left, right) => left + right,
      ),
    },
  },
)

/** A number below `below`, spread by a prime. */
function drawn(at: number, below: number): number {
  return (at * 7_919) % below
}

/** Entries with two indexes, queried, taken and watched. */
export class QueryShop implements Subject {
  readonly #client: Client<typeof queryUnit>
  readonly #entries: number
  #passing = firstPassing

  constructor(client: Client<typeof queryUnit>, entries: number) {
    this.#client = client
    this.#entries = entries
  }

  /** Queries by an index inside a task: of one match, of ten by equality, or of ten by a range. */
  async queries(kind: 'one' | 'ten' | 'range', seconds: number): Promise<Reading> {
    const expected = stretch * (kind === 'one' ? 1 : kindSize)
    const began = performance.now()
    let operations = 0
    let now = began
    for (; now < began + seconds * 1_000; now = performance.now()) {
      const input = { from: operations, count: stretch, entries: this.#entries }
      const total = await this.#client.tasks[kind](input).total()
      if (!total.complete || total.value !== expected)
        throw new Error(`The task found ${total.value}, not ${expected}.`)
      operations += stretch
    }
    return { operations, seconds: (now - began) / 1_000 }
  }

  /** Writes and takes by an indexed field, inside a handler. */
  async writeAndTake(seconds: number): Promise<Reading> {
    const began = performance.now()
    let operations = 0
    let now = began
    for (; now < began + seconds * 1_000; now = performance.now()) {
      const taken = await this.#client.handlers.writeAndTake({ shop, from: this.#passing })
      if (taken !== pairs) throw new Error(`Only ${taken} of ${pairs} were taken.`)
      this.#passing += pairs
      operations += pairs
    }
    return { operations, seconds: (now - began) / 1_000 }
  }

  /** The same through the client: so many callers, each of which writes and then takes. */
  takes(callers: number, seconds: number): Promise<Reading> {
    const { space } = this.#client
    return closedLoop(callers, seconds, async () => {
      const n = this.#passing++
      await space.write(Item, { id: n, shop, kind: -1, n })
      if ((await space.take(Item, { shop, n })) === undefined) throw new Error('What was written was not there.')
    })
  }

  /** Declared mutations of entries in turn. */
  changes(callers: number, seconds: number): Promise<Reading> {
    const { space } = this.#client
    return closedLoop(callers, seconds, (number) =>
      space.change(Item, { id: drawn(number, this.#entries), shop }, { add: { kind: 0 } }),
    )
  }

  /** Deliveries to so many watchers of everything that one caller changes. */
  async deliveries(watchers: number, seconds: number): Promise<Reading> {
    const abort = new AbortController()
    let heard = 0
    let ready = 0
    const watching = Array.from({ length: watchers }, async () => {
      const watch = this.#client.space.watch(
        Item,
        { shop, kind: -2 },
        { initial: false, signal: abort.signal, conflate: false },
      )
      for await (const event of watch) {
        if (event.kind === 'ready') ready += 1
        if (event.kind === 'changes') heard += event.changes.length
      }
    })
    while (ready < watchers) await new Promise((resolve) => setTimeout(resolve, 1))
    const began = performance.now()
    let written = 0
    while (performance.now() < began + seconds * 1_000) {
      await this.#client.space.write(Item, { id: firstPassing - 1 - (written % 100), shop, kind: -2, n: -1 })
      written += 1
      while (heard < (written - 200) * watchers) await new Promise((resolve) => setImmediate(resolve))
    }
    while (heard < written * watchers) await new Promise((resolve) => setImmediate(resolve))
    const took = (performance.now() - began) / 1_000
    abort.abort()
    await Promise.all(watching)
    await this.#client.space.clear(Item, { shop, kind: -2 })
    return { operations: heard, seconds: took }
  }

  async close(): Promise<void> {
    await this.#client[Symbol.asyncDispose]()
  }
}

export interface QueryShopOptions {
  readonly entries: number
}

/** Opens it in memory, on one partition, with so many entries. */
export async function openQueryShop({ entries }: QueryShopOptions): Promise<QueryShop> {
  const client = await embedded({ unit: queryUnit, partitions: 1, journal: 'memory', development: false })
  for (let from = 0; from < entries; from += 5_000) {
    const outcomes = await client.space.writeAll(
      Item,
      Array.from({ length: Math.min(5_000, entries - from) }, (_, at) => {
        const id = from + at
        return { id, shop, kind: Math.floor(id / kindSize), n: id }
      }),
    )
    for (const outcome of outcomes) if (!outcome.ok) throw outcome.error
  }
  return new QueryShop(client, entries)
}
