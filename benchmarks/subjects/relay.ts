import { embedded, entry, handler, projection, task, unit, type Client } from 'plenum'
import { z } from 'zod'
import { closedLoop, type Reading } from '../harness/closed-loop.ts'
import type { Subject } from '../harness/remote.ts'

export interface RelayOptions {
  readonly partitions: number
  /** Undefined for a journal in memory. */
  readonly folder: string | undefined
  /** Whether the unit folds what is written into a projection. */
  readonly isFolded: boolean
}

/** What one route has heard last. */
const Box = entry('box', z.object({ id: z.int(), last: z.int() }), { id: 'id' })
const Event = entry('event', z.object({ id: z.int(), amount: z.int() }), { id: 'id' })

/** Routes that messages go from and to. */
const routes = 1_024
/** Entries that are written again and again. */
const events = 10_000

const take = handler({ input: z.object({ id: z.int(), last: z.int() }), route: 'id' }, (box, { partition }) => {
  partition.write(Box, box)
})

/** How many changes there were, and what they come to. */
const sums = projection({
  of: [Event],
  create: () => ({ changes: 0, sum: 0 }),
  apply(state, change) {
    state.changes += 1
    if (change.kind === 'changed') state.sum -= change.previous.amount
    state.sum += change.kind === 'removed' ? -change.entry.amount : change.entry.amount
  },
  save: (state) => ({ ...state }),
  load: (saved: { changes: number; sum: number }) => ({ ...saved }),
})

function relayUnit(isFolded: boolean) {
  return unit(
    'relay',
    { entries: [Box, Event] },
    {
      handlers: {
        take,
        give: handler(
          { input: z.object({ from: z.int(), to: z.int(), last: z.int() }), route: 'from' },
          ({ to, last }, { send }) => send(take, { id: to, last }),
        ),
      },
      projections: (isFolded ? { sums } : {}) as { readonly sums: typeof sums },
      tasks: {
        changes: task(
          { input: z.object({}) },
          (_, { state }) => (isFolded ? state(sums).changes : 0),
          (a, b) => a + b,
        ),
      },
    },
  )
}

/** Messages from route to route, and writes that are folded. */
export class Relay implements Subject {
  readonly #client: Client<ReturnType<typeof relayUnit>>
  /** Those who wait until a message has arrived, by its number. */
  readonly #waiting = new Map<number, () => void>()
  readonly #stop = new AbortController()
  #writes = 0

  constructor(client: Client<ReturnType<typeof relayUnit>>) {
    this.#client = client
  }

  /** Hears what arrives, from now on. */
  async listen(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const listening = async (): Promise<void> => {
      const options = { initial: false, signal: this.#stop.signal }
      for await (const event of this.#client.space.watch(Box, {}, options)) {
        if (event.kind === 'ready') resolve()
        if (event.kind !== 'changes') continue
        for (const { entry: box } of event.changes) {
          this.#waiting.get(box.last)?.()
          this.#waiting.delete(box.last)
        }
      }
    }
    listening().catch(reject)
    return promise
  }

  /** Calls of a handler that sends; each is over when what its message does is seen by a watch. */
  messages(callers: number, seconds: number): Promise<Reading> {
    const { give } = this.#client.handlers
    let last = 0
    return closedLoop(callers, seconds, async () => {
      const number = ++last
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#waiting.set(number, resolve)
      await give({ from: number % routes, to: (number * 7) % routes, last: number })
      return promise
    })
  }

  writes(callers: number, seconds: number): Promise<Reading> {
    return closedLoop(callers, seconds, (number) => {
      this.#writes += 1
      return this.#client.space.write(Event, { id: number % events, amount: number % 100 })
    })
  }

  /** Rejects if a message was lost, or a change was not folded. */
  async check(isFolded: boolean): Promise<void> {
    if (this.#waiting.size > 0) throw new Error(`${this.#waiting.size} messages have not arrived.`)
    if ((await this.#client.messages.pending()) > 0) throw new Error('There are messages that are not delivered.')
    const { value } = await this.#client.tasks.changes({}).total()
    if (isFolded && value !== this.#writes) throw new Error(`${this.#writes} changes were made, and ${value} folded.`)
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await this.#client[Symbol.asyncDispose]()
  }
}

export async function openRelay({ partitions, folder, isFolded }: RelayOptions): Promise<Relay> {
  const journal = folder === undefined ? 'memory' : { folder }
  const client = await embedded({ unit: relayUnit(isFolded), partitions, journal, development: false })
  const relay = new Relay(client)
  await relay.listen()
  return relay
}
