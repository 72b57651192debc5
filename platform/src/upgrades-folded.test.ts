import { expect, test } from 'vitest'
import { z } from 'zod'
import { embedded } from './embedded.ts'
import { entry, port, projection, sink, task, unit, upgrade, type Client } from './index.ts'
import { Before, during, Old, people } from './unit/contract/people-unit.ts'
import { simulate } from './testing/simulate.ts'
import { resources } from './unit/contract/resources.ts'

const { newFolder } = resources()

const [ann, , cid] = people

const Split = entry('person', z.object({ id: z.string(), desk: z.string(), name: z.string() }), {
  id: 'id',
  route: 'desk',
  upgrades: [
    upgrade(Before, ({ id, desk, first, last, note }) => {
      void note
      return { id, desk, name: `${first} ${last}` }
    }),
  ],
})

/** A unit whose projection keeps the fields of every entry that it sees, before and after a change. */
function noting(type: typeof Old | typeof Split) {
  const seen = projection({
    of: [type as typeof Old],
    create: (): string[] => [],
    apply(state, change): void {
      const before = change.kind === 'changed' ? `${Object.keys(change.previous).toSorted().join()} to ` : ''
      state.push(before + Object.keys(change.entry).toSorted().join())
    },
    save: (state) => state,
    load: (saved: string[]) => [...saved],
  })
  const tell = task(
    { input: z.object({}) },
    (_, { state }) => [...state(seen)],
    (one, other) => [...one, ...other],
  )
  return unit('people', { entries: [type as typeof Old] }, { projections: { seen }, tasks: { tell } })
}

type Noting = Client<ReturnType<typeof noting>>

async function toldOf(client: Pick<Noting, 'tasks'>): Promise<readonly string[]> {
  return (await client.tasks.tell({}).total()).value ?? []
}

const split = 'desk,id,name'

test('[UN10] [UN6] changes of before the upgrade that later code folds once more have its shape', async () => {
  const folder = newFolder()
  await during(noting(Old), folder, async ({ space }) => {
    await space.insert(Old, ann)
    await space.patch(Old, { id: 'a', desk: 'x' }, { note: 'x' })
    await space.insert(Old, cid)
  })
  const told = await during(noting(Split), folder, async ({ space, tasks }) => {
    await space.remove(Old, { id: 'a', desk: 'x' })
    return toldOf({ tasks })
  })
  expect(told.toSorted()).toEqual([split, split, split, `${split} to ${split}`].toSorted())
})

test('[UN10] [UN7] what earlier code has kept for a sink is written in the shape of the later code', async () => {
  const folder = newFolder()
  const seen: unknown[] = []
  const store = { write: async (changes: readonly unknown[]) => void seen.push(...changes) }
  const mirrored = (type: typeof Old | typeof Split) =>
    unit(
      'people',
      { entries: [type as typeof Old], uses: { store: port<typeof store>() } },
      {
        sinks: {
          mirror: sink({ of: [type as typeof Old], write: ({ changes }, { uses }) => uses.store.write(changes) }),
        },
      },
    )
  const options = { folder, partitions: 1, uses: { store }, limits: { snapshotEveryBytes: 200 } }
  const before = await embedded({ unit: mirrored(Old), ...options, workers: false })
  for (const person of people) await before.space.insert(Old, person)
  await before.space.patch(Old, { id: 'a', desk: 'x' }, { note: 'x' })
  await before.space.remove(Old, { id: 'b', desk: 'y' })
  await before[Symbol.asyncDispose]()
  const after = await embedded({ unit: mirrored(Split), ...options })
  await after.space.insert(Split as never, { id: 'd', desk: 'x', name: 'Dee' } as never)
  await expect.poll(async () => (await after.sinks.mirror.status()).map(({ pending }) => pending)).toEqual([0])
  await after[Symbol.asyncDispose]()
  const [lee, ray] = ['Ann Lee', 'Bob Ray']
  expect(seen.map((one) => (one as { readonly change: unknown }).change)).toMatchObject([
    { kind: 'added', entry: { id: 'a', desk: 'x', name: lee } },
    { kind: 'added', entry: { id: 'b', desk: 'y', name: ray } },
    { kind: 'added', entry: { id: 'c', desk: 'z', name: 'Cid Lee' } },
    { kind: 'changed', entry: { name: lee }, previous: { name: lee } },
    { kind: 'removed', entry: { name: ray } },
    { kind: 'added', entry: { id: 'd', name: 'Dee' } },
  ])
})

test('[UN10] [UN6] a member with later code that follows the earlier unit folds both entries of a change in its own shape', async () => {
  const options = { seed: 3, members: 3, partitions: 1, later: noting(Split), limits: { snapshotEveryBytes: 1e9 } }
  let followed = 0
  await simulate(noting(Old), options, async ({ client, upgrade: toLater, sleep, settle }) => {
    await client.space.insert(Old, ann)
    for (const member of [0, 1, 2]) {
      toLater(member)
      await sleep('20s')
      try {
        await client.space.patch(Old, { id: 'a', desk: 'x' }, { note: String(member) })
        followed += 1
      } catch (error) {
        expect(error).toMatchObject({ code: 'UNKNOWN_FIELD' })
      }
    }
    await settle()
    expect(await toldOf(client)).toEqual([split, ...Array.from({ length: followed }, () => `${split} to ${split}`)])
  })
  expect(followed).toBeGreaterThan(0)
})

test('[UN10] [UN6] [UN7] an entry that an upgrade refused, and that was mended since, is folded as it was', async () => {
  const folder = newFolder()
  const Text = entry('person', z.object({ id: z.string(), age: z.string() }), { id: 'id' })
  const Whole = entry('person', z.object({ id: z.string(), age: z.int() }), {
    id: 'id',
    upgrades: [upgrade(z.object({ id: z.string(), age: z.string() }), ({ id, age }) => ({ id, age: Number(age) }))],
  })
  const of = (type: typeof Text | typeof Whole) => {
    const ages = projection({
      of: [type as typeof Text],
      create: (): unknown[] => [],
      apply: (state, change) => void state.push(change.entry.age),
      save: (state) => state,
      load: (saved: unknown[]) => [...saved],
    })
    const tell = task(
      { input: z.object({}) },
      (_, { state }) => [...state(ages)],
      (one, other) => [...one, ...other],
    )
    return unit('people', { entries: [type as typeof Text] }, { projections: { ages }, tasks: { tell } })
  }
  const options = { folder, partitions: 1 }
  await embedded({ unit: of(Text), ...options }).then(async (client) => {
    await client.space.insert(Text, { id: 'bad', age: 'unknown' })
    await client[Symbol.asyncDispose]()
  })
  await expect(embedded({ unit: of(Whole), ...options })).rejects.toMatchObject({ code: 'UPGRADE_REFUSED' })
  await embedded({ unit: of(Text), ...options }).then(async (client) => {
    await client.space.write(Text, { id: 'bad', age: '7' })
    await client[Symbol.asyncDispose]()
  })
  await using client = await embedded({ unit: of(Whole), ...options })
  expect((await client.tasks.tell({}).total()).value).toEqual(['unknown', 7])
})

test('[UN6] [A5] members hold the same, in whatever order a later schema has its fields', async () => {
  const Narrow = entry('item', z.object({ id: z.string(), n: z.int() }), { id: 'id' })
  const Wide = entry('item', z.object({ id: z.string(), note: z.string().optional(), n: z.int() }), { id: 'id' })
  const of = (type: typeof Narrow | typeof Wide) => {
    const last = projection({
      of: [type as typeof Narrow],
      create: (): Record<string, unknown> => ({}),
      apply: (state, change) => void (state['last'] = change.entry),
      save: (state) => state,
      load: (saved: Record<string, unknown>) => ({ ...saved }),
    })
    return unit('items', { entries: [type as typeof Narrow] }, { projections: { last } })
  }
  const options = { seed: 1, members: 3, partitions: 1, later: of(Wide), limits: { snapshotEveryBytes: 400 } } as const
  await simulate(of(Narrow), options, async ({ client, upgrade: toLater, sleep, settle }) => {
    await client.space.insert(Narrow, { id: 'a', n: 1 })
    for (const member of [0, 1, 2]) {
      toLater(member)
      await sleep('20s')
    }
    const { space } = client
    for (let n = 0; n < 40; n++) {
      await space.write(Wide as never, { id: `i${n}`, note: 'x', n } as never)
      await sleep('1s')
    }
    await settle()
    expect(new Set((await client.projections.last.status()).map(({ error }) => error))).toEqual(new Set([undefined]))
  })
})
