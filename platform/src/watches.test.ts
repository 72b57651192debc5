// Watches, as a user calls them.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { z } from 'zod'
import { embedded, entry, handler, stampOf, unit, type Client, type Token, type WatchEvent } from './index.ts'

const Seat = entry('seat', z.object({ id: z.string(), row: z.string(), state: z.enum(['free', 'held', 'sold']) }), {
  id: 'id',
  route: 'row',
})
const house = unit(
  'house',
  { entries: [Seat] },
  {
    handlers: {
      hold: handler(
        { input: z.object({ row: z.string(), ids: z.array(z.string()) }), route: 'row' },
        ({ row, ids }, { partition }) => {
          for (const id of ids) partition.write(Seat, { id, row, state: 'held' })
        },
      ),
    },
  },
)

type Event = WatchEvent<{ readonly id: string; readonly row: string; readonly state: string }>

const running: Client<typeof house>[] = []
const folders: string[] = []
async function start(options: object = { journal: 'memory' }): Promise<Client<typeof house>> {
  const client = await embedded({ unit: house, partitions: 2, ...options })
  running.push(client)
  return client
}
afterEach(async () => {
  for (const client of running.splice(0)) await client[Symbol.asyncDispose]()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

/** What a watch tells, until it has told as much as is asked for. */
class Ear {
  readonly events: Event[] = []
  readonly done: Promise<unknown>
  readonly #abort = new AbortController()
  #wake: () => void = () => {}

  constructor(client: Client<typeof house>, where: object, options: object = {}) {
    const watch = client.space.watch(Seat, where, { ...options, signal: this.#abort.signal })
    this.done = this.#listen(watch).catch((error: unknown) => error)
  }

  async until(holds: (ear: Ear) => boolean): Promise<void> {
    while (!holds(this)) await new Promise<void>((resolve) => (this.#wake = resolve))
  }

  async stop(): Promise<void> {
    this.#abort.abort()
    await this.done
  }

  /** Kinds of events, with the ids of changes. */
  get told(): readonly string[] {
    return this.events.map((event) =>
      event.kind === 'changes'
        ? event.changes.map(({ kind, entry }) => `${kind} ${entry.id}`).join(', ')
        : event.kind === 'reset'
          ? `reset ${event.reason}`
          : event.kind,
    )
  }

  get token(): Token {
    return this.events.flatMap((event) => ('token' in event ? [event.token] : [])).at(-1)!
  }

  async #listen(watch: AsyncIterable<Event>): Promise<void> {
    for await (const event of watch) {
      this.events.push(event)
      this.#wake()
    }
  }
}

const isReady = ({ events }: Ear): boolean => events.some(({ kind }) => kind === 'ready')
const heard =
  (count: number) =>
  ({ events }: Ear): boolean =>
    events.length >= count

test('[WA1] a watch tells the present state, then each commit as a whole, as its query sees it', async () => {
  const client = await start()
  const { space, handlers } = client
  await space.write(Seat, { id: 'a1', row: 'a', state: 'held' })
  await space.write(Seat, { id: 'a2', row: 'a', state: 'free' })
  const ear = new Ear(client, { row: 'a', state: 'held' })
  await ear.until(isReady)
  expect(ear.told).toEqual(['reset initial', 'added a1', 'ready'])
  await handlers.hold({ row: 'a', ids: ['a2', 'a3'] })
  await handlers.hold({ row: 'b', ids: ['b1'] })
  await space.patch(Seat, { id: 'a2', row: 'a' }, { state: 'sold' })
  await space.write(Seat, { id: 'a3', row: 'a', state: 'held' })
  await space.take(Seat, { row: 'a', id: 'a1' })
  await space.remove(Seat, { row: 'a', id: 'a3' })
  await space.write(Seat, { id: 'a9', row: 'a', state: 'held' }, { lease: '20ms' })
  await ear.until(heard(8))
  await new Promise((resolve) => setTimeout(resolve, 40))
  await space.count(Seat, {})
  await ear.until(heard(9))
  expect(ear.told.slice(3)).toEqual(
    ['added a2, added a3', 'removed a2', 'changed a3', 'removed a1', 'removed a3', 'added a9', 'removed a9'].slice(
      0,
      ear.events.length - 3,
    ),
  )
  const reasons = ear.events.flatMap((event) =>
    event.kind === 'changes' ? event.changes.flatMap((change) => ('reason' in change ? [change.reason] : [])) : [],
  )
  expect(reasons.slice(0, 3)).toEqual(['unmatched', 'taken', 'removed'])
  const [added] = ear.events.flatMap((event) => (event.kind === 'changes' ? event.changes : []))
  expect(stampOf(added!.entry)).toBe(1)
  await ear.stop()
  expect(await ear.done).toBeUndefined()
})

test('[WA2] a token resumes without gap or repetition, also after a restart; one of another journal is refused', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'plenum-watch-'))
  folders.push(folder)
  const first = await start({ folder, ack: 'os' })
  const ear = new Ear(first, {})
  await ear.until(isReady)
  await first.handlers.hold({ row: 'a', ids: ['a1', 'a2'] })
  await ear.until(heard(3))
  const { token } = ear
  await ear.stop()
  await first.handlers.hold({ row: 'a', ids: ['a3'] })
  await first.space.remove(Seat, { row: 'a', id: 'a1' })
  await first.handlers.hold({ row: 'c', ids: ['c1'] })
  const again = new Ear(first, {}, { since: token })
  await again.until(isReady)
  expect(again.told.slice(0, -1).toSorted()).toEqual(['added a3', 'added c1', 'removed a1'])
  expect(again.told.at(-1)).toBe('ready')
  await again.stop()
  await first[Symbol.asyncDispose]()
  running.length = 0

  const second = await start({ folder, ack: 'os' })
  const after = new Ear(second, {}, { since: token })
  await after.until(isReady)
  expect(after.told).toEqual(again.told)
  await second.handlers.hold({ row: 'a', ids: ['a9'] })
  await after.until(heard(5))
  expect(after.told.at(-1)).toBe('added a9')
  await after.stop()

  const other = await start()
  for (const [client, where, since] of [
    [other, {}, token],
    [second, { row: 'a' }, token],
    [second, {}, 'nonsense' as Token],
  ] as const) {
    const refused = new Ear(client, where, { since })
    expect(await refused.done).toMatchObject({ code: 'QUERY_INVALID', details: { path: 'since' } })
  }
})

test('[WA2] where the changes do not reach back to the token, there is a reset and a fresh state', async () => {
  const client = await start({ journal: 'memory', limits: { changeRingMax: 4 } })
  const ear = new Ear(client, {}, { initial: false })
  await ear.until(isReady)
  expect(ear.told).toEqual(['ready'])
  const { token } = ear
  await ear.stop()
  await client.handlers.hold({ row: 'a', ids: ['a1', 'a2', 'a3', 'a4', 'a5', 'a6'] })
  const again = new Ear(client, {}, { since: token })
  await again.until(isReady)
  expect(again.told[0]).toBe('reset history-gone')
  expect(again.told.join()).toContain('added a1, added a2, added a3, added a4, added a5, added a6')
  await again.stop()
})

test('[WA2] a token of the initial state resumes with what was not told yet', async () => {
  const client = await start({ journal: 'memory', partitions: 4 })
  await client.space.writeAll(
    Seat,
    Array.from({ length: 20 }, (_, at) => ({ id: `s${at}`, row: `r${at}`, state: 'free' })),
  )
  const told = new Set<string>()
  let token: Token | undefined
  const note = (event: Event): void => {
    if (event.kind === 'changes') for (const { entry } of event.changes) told.add(entry.id)
  }
  for await (const event of client.space.watch(Seat, {})) {
    note(event)
    if (event.kind !== 'changes') continue
    token = event.token
    break
  }
  expect(told.size).toBeLessThan(20)
  for await (const event of client.space.watch(Seat, {}, { since: token })) {
    note(event)
    if (event.kind === 'ready') break
  }
  expect(told.size).toBe(20)
})

test('[WA1] a query that cannot be understood is told before anything else', async () => {
  const client = await start()
  const first = client.space
    .watch(Seat, { colour: 'red' } as never)
    [Symbol.asyncIterator]()
    .next()
  await expect(first).rejects.toMatchObject({ code: 'QUERY_INVALID' })
})

test('[WA3] who is too slow is ended and can resume; who asks for conflation goes on from a fresh state', async () => {
  const client = await start({ journal: 'memory', limits: { changeRingMax: 4 } })
  for (const conflate of [false, true]) {
    const watch = client.space.watch(Seat, { row: 'a' }, { conflate })
    const told: Event[] = []
    const events = watch[Symbol.asyncIterator]()
    for (;;) {
      const { value } = await events.next()
      told.push(value as Event)
      if ((value as Event).kind === 'ready') break
    }
    // The first change wakes the watch, whose answer waits to be consumed while more comes than is kept.
    await client.space.write(Seat, { id: `x${conflate}`, row: 'a', state: 'free' })
    for (let n = 0; n < 20; n++) await client.space.write(Seat, { id: `a${n % 2}`, row: 'a', state: 'held' })
    told.push((await events.next()).value as Event)
    const next = events.next()
    if (conflate) {
      expect((await next).value).toMatchObject({ kind: 'reset', reason: 'history-gone' })
      await events.return?.()
    } else {
      await expect(next).rejects.toMatchObject({ code: 'WATCHER_TOO_SLOW', retry: 'same' })
    }
  }
})
