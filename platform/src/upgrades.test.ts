import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { embedded, type EmbeddedEvent, type EmbeddedProgress } from './embedded.ts'
import {
  entry,
  handler,
  stampOf,
  unit,
  upgrade,
  type Client,
  type Of,
  type Token,
  type Unit,
  type WatchEvent,
} from './index.ts'
import { Before, during, Old, people } from './unit/contract/people-unit.ts'

let root = ''
let folders = 0

beforeAll(async () => void (root = await mkdtemp(join(tmpdir(), 'plenum-upgrades-'))))
afterAll(() => rm(root, { recursive: true, force: true }))

const starts = (declared: Unit, folder: string): Promise<void> => during(declared, folder, async () => {})
const failure = (code: string, details: object) =>
  expect.objectContaining({ code, details: expect.objectContaining(details) })

const old = unit('people', { entries: [Old] }, {})
const [ann, , cid] = people
const byId = { orderBy: { id: 'asc' } } as const

/** A folder in which the old unit has written the people, one of them twice. */
async function oldFolder(): Promise<string> {
  const folder = join(root, String((folders += 1)))
  await during(old, folder, async ({ space }) => {
    for (const person of people) await space.insert(Old, person)
    await space.write(Old, ann)
  })
  return folder
}

/** The old unit still finds what it wrote: whoever was refused has changed nothing. */
async function isAsBefore(folder: string): Promise<void> {
  const found = await during(old, folder, ({ space }) => space.readAll(Old, {}, byId))
  expect(found).toEqual(people)
}

/** A unit with another schema of the type; types stay out of the way, as in plain JavaScript. */
const unitOf = (schema: z.ZodObject, options: object = {}): Unit =>
  unit('people', { entries: [entry('person', schema as typeof Before, { id: 'id', route: 'desk', ...options })] }, {})

test('[UN10] add: an optional field needs no upgrade, and entries keep their versions and stamps', async () => {
  const folder = await oldFolder()
  const before = await during(old, folder, ({ space }) => space.readAll(Old, {}, byId))
  const Wider = entry('person', Before.extend({ age: z.int().optional() }), { id: 'id', route: 'desk' })
  await during(unit('people', { entries: [Wider] }, {}), folder, async ({ space }) => {
    const found = await space.readAll(Wider, {}, byId)
    expect(found).toEqual(people)
    expect(found.map(stampOf)).toEqual(before.map(stampOf))
    expect(await space.patch(Wider, { id: 'a', desk: 'x' }, { age: 40 })).toMatchObject({ version: 3 })
  })
})

test('[UN10] default: a new field with one is there for reads, queries, indexes and changes, and stored with the next write', async () => {
  const folder = await oldFolder()
  const Ranked = entry('person', Before.extend({ rank: z.int().default(7) }), {
    id: 'id',
    route: 'desk',
    indexes: [['last', 'rank']],
  })
  const ranked = unit('people', { entries: [Ranked] }, {})
  await during(ranked, folder, async ({ space }) => {
    expect(await space.readAll(Ranked, {}, byId)).toEqual(people.map((person) => ({ ...person, rank: 7 })))
    expect(await space.explain(Ranked, { last: 'Lee', rank: { gte: 7 } })).toMatchObject({ matches: 2 })
    await space.change(Ranked, { id: 'b', desk: 'y' }, { add: { rank: 1 } })
  })
  const another = entry('person', Before.extend({ rank: z.int().default(9) }), { id: 'id', route: 'desk' })
  await during(unit('people', { entries: [another] }, {}), folder, async ({ space }) => {
    const ranks = (await space.readAll(another, {}, byId)).map(({ rank }) => rank)
    expect(ranks).toEqual([9, 8, 9])
  })
})

const After = z.object({ id: z.string(), desk: z.string(), name: z.string(), note: z.string().default('') })
const renamed = upgrade(Before, ({ first, last, ...rest }) => ({ ...rest, name: `${first} ${last}` }))
const New = entry('person', After, { id: 'id', route: 'desk', indexes: [['name']], upgrades: [renamed] })
const renaming = unit('people', { entries: [New] }, {})
const asNew = people.map(({ first, last, ...rest }) => ({ note: '', ...rest, name: `${first} ${last}` }))

test('[UN10] rename: an upgrade gives every entry its new shape, unchanged in version and stamp, after each start', async () => {
  const folder = await oldFolder()
  const stamps = await during(old, folder, async ({ space }) => (await space.readAll(Old, {}, byId)).map(stampOf))
  const progress: EmbeddedProgress[] = []
  await during(
    renaming,
    folder,
    async ({ space }) => {
      const found = await space.readAll(New, {}, byId)
      expect(found).toEqual(asNew)
      expect(found.map(stampOf)).toEqual(stamps)
      expect(await space.explain(New, { name: 'Bob Ray' })).toMatchObject({
        matches: 1,
        partitions: expect.arrayContaining([expect.objectContaining({ by: 'name', visited: 1 })]),
      })
    },
    { onProgress: (told) => progress.push(told) },
  )
  expect(progress).toContainEqual({ step: 'upgrading', share: 1 })
  await during(renaming, folder, async ({ space }) => {
    expect(await space.take(New, { name: 'Cid Lee' })).toEqual(asNew[2])
    const options = { ifStamp: stamps[1]!, returning: 'previous' } as const
    expect(await space.patch(New, { id: 'b', desk: 'y' }, { note: 'seen' }, options)).toMatchObject({
      version: 2,
      previous: asNew[1],
    })
  })
  await during(renaming, folder, async ({ space }) => {
    expect(await space.readAll(New, {}, byId)).toEqual([asNew[0], { ...asNew[1], note: 'seen' }])
  })
})

test('[UN10] split: one field becomes two, of entries old and new, over two upgrades', async () => {
  const folder = await oldFolder()
  await during(renaming, folder, ({ space }) => space.insert(New, { id: 'd', desk: 'x', name: 'Dan Fox' }))
  const Split = entry('person', Before.omit({ note: true }).extend({ note: z.string() }), {
    id: 'id',
    route: 'desk',
    upgrades: [
      renamed,
      upgrade(After, ({ name, ...rest }) => {
        const [first, last] = name.split(' ')
        return { ...rest, first, last }
      }),
    ],
  })
  await during(unit('people', { entries: [Split] }, {}), folder, async ({ space }) => {
    const found = await space.readAll(Split, {}, byId)
    expect(found.map(({ first, last }) => `${first}-${last}`)).toEqual(['Ann-Lee', 'Bob-Ray', 'Cid-Lee', 'Dan-Fox'])
  })
})

test('[UN10] narrow: an entry that does not fit the new schema refuses the start, by type, key and field', async () => {
  const folder = await oldFolder()
  const narrow = unitOf(Before.extend({ last: z.enum(['Lee', 'Fox']) }))
  await expect(starts(narrow, folder)).rejects.toEqual(
    failure('UPGRADE_REFUSED', { type: 'person', key: { id: 'b', desk: 'y' }, field: 'last', code: 'VALUE_INVALID' }),
  )
  await isAsBefore(folder)
  const required = unitOf(Before.required())
  await expect(starts(required, folder)).rejects.toEqual(failure('UPGRADE_REFUSED', { field: 'note' }))
  await isAsBefore(folder)
  await expect(starts(unitOf(Before.extend({ last: z.enum(['Lee', 'Ray']) })), folder)).resolves.toBeUndefined()
})

test('[UN10] remove: a field that entries have goes only with a word', async () => {
  const folder = await oldFolder()
  const Bare = Before.omit({ note: true })
  const refused = failure('UPGRADE_REFUSED', { key: { id: 'b', desk: 'y' }, field: 'note', code: 'UNKNOWN_FIELD' })
  await expect(starts(unitOf(Bare), folder)).rejects.toEqual(refused)
  const copying = upgrade(Before, (before) => ({ ...before }))
  await expect(starts(unitOf(Bare, { upgrades: [copying] }), folder)).rejects.toEqual(refused)
  const forgetting = upgrade(Before, ({ id, desk, first, last }) => ({ id, desk, first, last }))
  await expect(starts(unitOf(Bare, { upgrades: [forgetting] }), folder)).rejects.toEqual(
    failure('UPGRADE_REFUSED', { field: 'note', reason: 'LOST', entries: 1, key: { id: 'b', desk: 'y' } }),
  )
  await isAsBefore(folder)
  const naming = upgrade(Before, ({ note, ...rest }) => (note === 'vip' ? { ...rest, last: 'Very' } : rest))
  await during(unitOf(Bare, { upgrades: [naming] }), folder, async ({ space }) => {
    expect(await space.readAll('person' as never, {}, byId as object)).toEqual([
      ann,
      { id: 'b', desk: 'y', first: 'Bob', last: 'Very' },
      cid,
    ])
  })
})

test('[UN10] remove: `drops` is a word as well, and takes the field out of what the step makes', async () => {
  const folder = await oldFolder()
  const Bare = entry('person', Before.omit({ note: true }), {
    id: 'id',
    route: 'desk',
    upgrades: [upgrade(Before, (before) => before, { drops: ['note'] })],
  })
  await during(unit('people', { entries: [Bare] }, {}), folder, async ({ space }) => {
    expect(await space.get(Bare, { id: 'b', desk: 'y' })).toEqual({ id: 'b', desk: 'y', first: 'Bob', last: 'Ray' })
  })
})

test('[UN10] route and id: neither the declaration nor a step can change them', async () => {
  const folder = await oldFolder()
  await expect(starts(unitOf(Before, { route: 'last' }), folder)).rejects.toEqual(
    failure('UNIT_MISMATCH', { type: 'person', part: 'route' }),
  )
  for (const field of ['id', 'desk'] as const) {
    const moving = upgrade(Before, (before) => ({ ...before, [field]: `${before[field]}2` }))
    await expect(starts(unitOf(Before, { upgrades: [moving] }), folder)).rejects.toEqual(
      failure('UPGRADE_REFUSED', { type: 'person', field, reason: 'KEY_CHANGED' }),
    )
  }
  await isAsBefore(folder)
})

let count = 0
const failing: readonly [string, (before: z.infer<typeof Before>) => unknown, object][] = [
  ['throws', (before) => (before as never as { more: string[] }).more.length, { reason: 'STEP_THREW', upgrade: 1 }],
  ['returns a promise', (before) => Promise.resolve(before), { reason: 'DOES_NOT_FIT', code: 'VALUE_NOT_PLAIN' }],
  ['returns nothing', () => undefined, { reason: 'DOES_NOT_FIT', code: 'VALUE_INVALID' }],
  ['asks the clock', (before) => ({ ...before, note: String(Date.now()) }), { reason: 'STEP_THREW' }],
  ['counts', (before) => ({ ...before, note: String((count += 1)) }), { reason: 'IMPURE' }],
  ['changes what it is given', (before) => Object.assign(before, { note: 'x' }), { reason: 'STEP_THREW' }],
]

test.each(failing)('[UN10] a step that %s refuses the start, and nothing is changed', async (_, step, details) => {
  const folder = await oldFolder()
  const broken = unitOf(Before, { upgrades: [upgrade(Before, step as never)] })
  await expect(starts(broken, folder)).rejects.toEqual(failure('UPGRADE_REFUSED', { type: 'person', ...details }))
  await isAsBefore(folder)
})

test('[UN10] an upgrade begins at the schema that the journal has, and is never left out later', async () => {
  const folder = await oldFolder()
  const wrong = upgrade(Before.omit({ note: true }), (before) => before)
  await expect(starts(unitOf(Before, { upgrades: [wrong] }), folder)).rejects.toEqual(
    failure('UNIT_MISMATCH', { type: 'person', part: 'upgrade', upgrade: 1, missing: ['note'] }),
  )
  await starts(renaming, folder)
  await expect(starts(unitOf(After), folder)).rejects.toEqual(
    failure('UNIT_MISMATCH', { type: 'person', part: 'upgrades', journal: 1, unit: 0 }),
  )
  await expect(starts(old, folder)).rejects.toEqual(failure('UNIT_MISMATCH', { part: 'upgrades' }))
  await during(renaming, folder, async ({ space }) => expect(await space.readAll(New, {}, byId)).toEqual(asNew))
})

test('[UN10] an upgrade may change what values mean and not their schema, once', async () => {
  const folder = await oldFolder()
  const louder = upgrade(Before, (before) => ({ ...before, last: before.last.toUpperCase() + '!' }))
  const Loud = entry('person', Before, { id: 'id', route: 'desk', upgrades: [louder] })
  const loud = unit('people', { entries: [Loud] }, {})
  for (let start = 0; start < 2; start++) {
    await during(loud, folder, async ({ space }) => {
      await space.write(Loud, { ...ann, last: 'quiet' })
      const found = await space.readAll(Loud, {}, byId)
      expect(found.map(({ last }) => last)).toEqual(['quiet', 'RAY!', 'LEE!'])
    })
  }
})

test('[UN10] a snapshot after the upgrade keeps what was stored, and each start reads it in its new shape', async () => {
  const folder = await oldFolder()
  const { promise, resolve } = Promise.withResolvers<number>()
  const onEvent = ({ event }: EmbeddedEvent): void => void (event.kind === 'snapshot' && resolve(event.rows))
  const client = await embedded({ unit: renaming, folder, limits: { snapshotEveryBytes: 4_096 }, onEvent })
  for (let n = 0; n < 200; n++) await client.space.write(New, { id: `n${n % 5}`, desk: 'x', name: 'N N' })
  expect(await promise).toBeGreaterThan(0)
  await client[Symbol.asyncDispose]()
  await during(renaming, folder, async ({ space }) => {
    expect((await space.readAll(New, {}, byId)).slice(0, 3)).toEqual(asNew)
  })
})

/** What a watch tells from a place on, until it is ready. */
async function told(client: Client<typeof renaming>, since: Token | undefined) {
  const events: WatchEvent<Of<typeof New>>[] = []
  for await (const event of client.space.watch(New, {}, { initial: since === undefined, since })) {
    events.push(event)
    if (event.kind === 'ready' || (event.kind === 'changes' && since !== undefined && events[0]?.kind !== 'reset'))
      break
  }
  const last = events.at(-1)
  return { events, token: last !== undefined && 'token' in last ? last.token : undefined }
}

test('[UN10] a watch begins anew at the upgrade, and goes on over later starts with entries of before in their new shape', async () => {
  const folder = await oldFolder()
  const early = await during(old, folder, (client) => told(client as never, undefined))
  const late = await during(renaming, folder, async (client) => {
    const found = await told(client, early.token)
    expect(found.events.map(({ kind }) => kind)).toContain('reset')
    await client.space.remove(New, { id: 'c', desk: 'z' })
    return found
  })
  const { events } = await during(renaming, folder, (client) => told(client, late.token))
  expect(events).toMatchObject([{ kind: 'changes', changes: [{ kind: 'removed', entry: asNew[2] }] }])
})

test('[UN10] values of any fields, bytes in them, and entries that are everywhere, go over as well', async () => {
  const folder = join(root, String((folders += 1)))
  const options = { id: 'id', placement: 'everywhere' } as const
  const First = z.looseObject({ id: z.string(), data: z.instanceof(Uint8Array) })
  const Loose = entry('loose', First, options)
  const data = new Uint8Array([1, 2, 3])
  await during(unit('loose', { entries: [Loose] }, {}), folder, ({ space }) =>
    space.write(Loose, { id: 'a', data, more: 1 }),
  )
  const Later = entry('loose', z.looseObject({ id: z.string(), data: z.instanceof(Uint8Array), size: z.int() }), {
    ...options,
    upgrades: [upgrade(First, (before) => ({ ...before, size: before.data.length }))],
  })
  const sizeOf = handler({ input: z.object({ route: z.string() }), route: 'route' }, (_, { partition }) =>
    partition.get(Later, { id: 'a' }),
  )
  const later = unit('loose', { entries: [Later] }, { handlers: { sizeOf } })
  await during(later, folder, async ({ handlers }) => {
    for (const route of ['a', 'b', 'c', 'd', 'e', 'f'])
      expect(await handlers.sizeOf({ route })).toEqual({ id: 'a', data, more: 1, size: 3 })
  })
})

test('[UN10] [UN12] a message that waited and does not fit its handler any more becomes a dead letter', async () => {
  const folder = join(root, String((folders += 1)))
  const talking = (loud: z.ZodBoolean | z.ZodInt, seen: unknown[]) => {
    const tell = handler({ input: z.object({ id: z.string(), loud }), route: 'id' }, (input) => void seen.push(input))
    const ask = handler({ input: z.object({ id: z.string() }), route: 'id' }, ({ id }, { send }) =>
      send(tell, { id, loud: true }, { after: '1s' }),
    )
    return unit('talk', { entries: [] }, { handlers: { ask, tell } })
  }
  await during(talking(z.boolean(), []), folder, ({ handlers }) => handlers.ask({ id: 'a' }))
  const seen: unknown[] = []
  const dead = Promise.withResolvers<unknown>()
  const onEvent = ({ event }: EmbeddedEvent): void => void (event.kind === 'dead-message' && dead.resolve(event))
  const limits = { messageAttemptsMax: 1 }
  await using client = await embedded({ unit: talking(z.int(), seen), folder, onEvent, limits })
  expect(await dead.promise).toMatchObject({ handler: 'tell', message: expect.stringContaining("invalid at 'loud'") })
  expect(seen).toEqual([])
  expect(await client.messages.deadLetters()).toMatchObject([{ handler: 'tell', input: { id: 'a', loud: true } }])
})

test('[UN10] entries that are gone at each start have nothing to upgrade, and a declaration that is none is refused', () => {
  const declare = (options: object) => () => entry('spot', Before, { id: 'id', ...options })
  const invalid = { code: 'UNIT_INVALID', details: { option: 'upgrades' } }
  expect(declare({ durable: false, upgrades: [renamed] })).toThrow(expect.objectContaining(invalid))
  for (const wrong of [{}, undefined, { kind: 'upgrade', from: Before }])
    expect(declare({ upgrades: [wrong] })).toThrow(failure('UNIT_INVALID', { option: 'upgrades', upgrade: 1 }))
  const dropping = upgrade(Before, (before) => before, { drops: ['gone' as 'note'] })
  expect(declare({ upgrades: [dropping] })).toThrow(failure('ENTRY_FIELD_UNKNOWN', { option: 'drops', field: 'gone' }))
})

test('[UN10] a schema that only lets more in is tried once, and later starts do not look at the entries again', async () => {
  const folder = await oldFolder()
  const wider = unitOf(Before.extend({ age: z.int().optional() }))
  const told: string[] = []
  const listen = { onProgress: ({ step }: EmbeddedProgress) => void told.push(step) }
  await during(wider, folder, async () => {}, listen)
  expect(told).toContain('upgrading')
  told.length = 0
  await during(wider, folder, async () => {}, listen)
  expect(told).not.toContain('upgrading')
})
