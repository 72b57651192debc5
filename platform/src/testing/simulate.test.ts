import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { entry, stampOf } from '../space/index.ts'
import { handler, unit } from '../unit/index.ts'
import { simulate, type SimulatedWorld } from './simulate.ts'

const Account = entry('account', z.object({ id: z.string(), customer: z.string(), balance: z.int() }), {
  id: 'id',
  route: 'customer',
})

const Transfer = z.object({ customer: z.string(), amount: z.int() })

/** A bank in which `lost` of every transfer goes nowhere. */
function bankThatLoses(lost: number) {
  return unit(
    'bank',
    { entries: [Account] },
    {
      handlers: {
        transfer: handler({ input: Transfer, route: 'customer' }, ({ customer, amount }, { partition }) => {
          partition.change(Account, { customer, id: `${customer} giro` }, { add: { balance: -amount } })
          partition.change(Account, { customer, id: `${customer} savings` }, { add: { balance: amount - lost } })
        }),
      },
    },
  )
}

const bank = bankThatLoses(0)
const customers = ['ann', 'bob', 'cem', 'dora']

/** Customers transfer at once, each through a client of its own; money stays. */
async function transfers({ clients, settle, sleep }: SimulatedWorld<typeof bank>): Promise<void> {
  const clientOf = (at: number) => clients[at % clients.length]!
  await Promise.all(
    customers.map(async (customer, at) => {
      for (const id of ['giro', 'savings'])
        await clientOf(at).space.write(Account, { customer, id: `${customer} ${id}`, balance: 100 })
      for (let n = 0; n < 15; n++) {
        await clientOf(at).handlers.transfer({ customer, amount: (n % 3) - 1 })
        if (n % 5 === 0) await sleep('300ms')
      }
    }),
  )
  await settle()
  const accounts = await clientOf(0).space.readAll(Account, {})
  expect(accounts.reduce((sum, { balance }) => sum + balance, 0)).toBe(customers.length * 200)
}

test('[SP12] null is null and nothing is nothing, over the network and when an answer is given again', async () => {
  const Call = z.object({ route: z.string(), what: z.enum(['null', 'nothing']) })
  const odd = unit(
    'odd',
    { entries: [Account] },
    {
      handlers: {
        give: handler({ input: Call, route: 'route' }, ({ what }) => (what === 'null' ? null : undefined)),
      },
    },
  )
  await simulate(odd, { seed: 4, faults: 'none' }, async ({ client: { handlers } }) => {
    for (const key of [undefined, 'k']) {
      for (let time = 0; time < 2; time++) {
        expect(await handlers.give({ route: 'a', what: 'null' }, { key: key && `${key} null` })).toBeNull()
        expect(await handlers.give({ route: 'a', what: 'nothing' }, { key })).toBeUndefined()
      }
    }
  })
})

test('[SP5] [SP12] over a network, a wait holds up no other request, and none is left behind', async () => {
  const limits = { waitersMax: 3, sessionRequestsMax: 8 }
  await simulate(bank, { seed: 5, faults: 'none', partitions: 3, limits }, async ({ client: { space }, sleep }) => {
    const waiting = space.take(Account, { customer: 'zoe', balance: 1 }, { wait: '5m' })
    for (let n = 0; n < 30; n++) await space.write(Account, { customer: 'zoe', id: `${n}`, balance: 0 })
    for (let n = 0; n < 10; n++) {
      const taken = space.take(Account, { id: `next ${n}` }, { wait: '10m' })
      await sleep('100ms')
      await space.write(Account, { customer: `customer ${n}`, id: `next ${n}`, balance: 5 })
      expect((await taken)?.balance).toBe(5)
    }
    await sleep('20s')
    await space.write(Account, { customer: 'zoe', id: 'last', balance: 1 })
    expect((await waiting)?.id).toBe('last')
  })
})

test('[ID2] [SP2] an entry that was read over the network tells its stamp, and is changed under it', async () => {
  await simulate(bank, { seed: 3, faults: 'none' }, async ({ client: { space } }) => {
    const key = { customer: 'ann', id: 'giro' }
    await space.write(Account, { ...key, balance: 1 })
    const read = (await space.get(Account, key))!
    const [listed] = await space.readAll(Account, {})
    const [batched] = await space.readByIds(Account, [key])
    expect([stampOf(read), batched?.ok === true && stampOf(batched.value!)]).toEqual([
      stampOf(listed!),
      stampOf(listed!),
    ])
    await space.patch(Account, key, { balance: 2 }, { ifStamp: stampOf(read) })
    await expect(space.patch(Account, key, { balance: 3 }, { ifStamp: stampOf(read) })).rejects.toMatchObject({
      code: 'STAMP_CONFLICT',
    })
  })
})

describe('one seed', () => {
  test('[A2] gives one run, with faults and without; another seed gives another', async () => {
    for (const faults of ['none', 'all'] as const) {
      const options = { seed: 11, faults, clients: 2 }
      const first = await simulate(bank, options, transfers)
      const again = await simulate(bank, options, transfers)
      const other = await simulate(bank, { ...options, seed: 12 }, transfers)
      expect(again).toEqual(first)
      expect(other.trace).not.toBe(first.trace)
    }
  })

  test('[A5] members, snapshots and the fold from zero agree, and every answer is judged, under faults and without', async () => {
    for (const members of [1, 2, 5]) {
      const calm = await simulate(bank, { seed: members, members, clients: 2 }, transfers)
      const rough = await simulate(bank, { seed: members, members, clients: 2, faults: 'all' }, transfers)
      for (const { replies, records } of [calm, rough]) {
        expect(replies).toBeGreaterThan(60)
        expect(records).toBeGreaterThan(60)
      }
      expect(calm.voids).toBe(0)
      expect(Object.values(rough.faults).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(10)
    }
  })
})

test('[JR5] what a stream of level quorum loses comes back, also where the primary dies with the loss', async () => {
  let lost = 0
  let kills = 0
  for (let seed = 1; seed <= 3; seed++) {
    const { faults } = await simulate(bank, { seed, faults: 'all', regressions: true, clients: 2 }, async (world) => {
      await transfers(world)
    })
    lost += faults['regressions'] ?? 0
    kills += faults['kill'] ?? 0
  }
  expect(lost).toBeGreaterThan(0)
  expect(kills).toBeGreaterThan(0)
})

test('a unit that loses money is found, and the message names the seed', async () => {
  const found = await simulate(bankThatLoses(1), { seed: 4711, faults: 'all' }, async ({ client, settle }) => {
    await client.space.write(Account, { customer: 'ann', id: 'ann giro', balance: 100 })
    await client.space.write(Account, { customer: 'ann', id: 'ann savings', balance: 0 })
    await client.handlers.transfer({ customer: 'ann', amount: 30 })
    await settle()
    const accounts = await client.space.readAll(Account, {})
    const total = accounts.reduce((sum, { balance }) => sum + balance, 0)
    if (total !== 100) throw new Error(`The accounts hold ${total}.`)
  }).catch((error: unknown) => error)
  expect(String(found)).toMatch(
    /^Error: The accounts hold 99\.\nSeed 4711, trace [0-9a-f]{16}\. The seed is given, so each run is this one\.$/,
  )
})

test('[A1] [A2] an answer that does not follow from the journal is found, though the scenario is content', async () => {
  let calls = 0
  const counting = unit(
    'counting',
    { entries: [Account] },
    {
      handlers: {
        // What it answers depends on what this process did before: no other member would answer so.
        count: handler(
          { input: z.object({ customer: z.string() }), route: 'customer' },
          ({ customer }, { partition }) => {
            calls += 1
            partition.write(Account, { customer, id: customer, balance: 0 })
            return calls
          },
        ),
      },
    },
  )
  const run = simulate(counting, { seed: 5 }, async ({ client }) => {
    for (let n = 0; n < 3; n++) await client.handlers.count({ customer: 'ann' })
  })
  await expect(run).rejects.toMatchObject({
    code: 'CHECK_FAILED',
    message: expect.stringMatching(/replies: .*\nSeed 5, trace [0-9a-f]{16}\. The seed/),
  })
})
