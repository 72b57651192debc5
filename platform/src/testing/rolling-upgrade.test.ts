import { expect, test } from 'vitest'
import { z } from 'zod'
import { isPlenumError } from '../kernel/index.ts'
import { entry, upgrade } from '../space/index.ts'
import { handler, unit, type Unit } from '../unit/index.ts'
import { simulate, type SimulatedWorld } from './simulate.ts'

const Before = z.object({ id: z.string(), customer: z.string(), euros: z.int() })
const options = { id: 'id', route: 'customer' } as const
const Deposit = z.object({ id: z.string(), customer: z.string(), amount: z.int() })

const Old = entry('account', Before, { ...options, indexes: [['euros']] })
const bank = unit(
  'bank',
  { entries: [Old] },
  {
    handlers: {
      deposit: handler({ input: Deposit, route: 'customer' }, ({ amount, ...key }, { partition }) => {
        const { euros = 0 } = partition.get(Old, key) ?? {}
        partition.write(Old, { ...key, euros: euros + amount })
      }),
    },
  },
)

/** The same in cents. */
const New = entry(
  'account',
  z.object({ id: z.string(), customer: z.string(), cents: z.int(), seen: z.int().default(7) }),
  {
    ...options,
    indexes: [['cents']],
    upgrades: [upgrade(Before, ({ euros, ...rest }) => ({ ...rest, cents: euros * 100 }))],
  },
)
const later = unit(
  'bank',
  { entries: [New] },
  {
    handlers: {
      deposit: handler({ input: Deposit, route: 'customer' }, ({ amount, ...key }, { partition }) => {
        const { cents = 0, seen = 0 } = partition.get(New, key) ?? {}
        partition.write(New, { ...key, cents: cents + amount * 100, seen: seen + 1 })
      }),
    },
  },
)

/** A session may end while its member is gone for long: a key outlives it, and says what came of the call. */
async function untilKnown(call: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await call()
      return
    } catch (error) {
      if (!isPlenumError(error, 'UNKNOWN_OUTCOME')) throw error
    }
  }
}

const customers = ['ann', 'bob', 'cem', 'dora', 'eva']
const members = 3

/** Customers pay in while the members go over to the later unit, one after the other. */
async function payIn({ client, clients, upgrade: replace, sleep, settle }: SimulatedWorld<typeof bank>): Promise<void> {
  const paying = customers.map(async (customer, at) => {
    const own = clients[at % clients.length]!
    for (let n = 0; n < 24; n++) {
      const deposit = { customer, id: n % 3 === 0 ? 'first' : 'second', amount: 1 }
      await untilKnown(() => own.handlers.deposit(deposit, { key: `${customer} ${n}` }))
      await own.space.count('account', {})
      if (n % 4 === 0) await sleep('900ms')
    }
  })
  for (let member = 0; member < members; member++) {
    await sleep('2s')
    replace(member)
  }
  await Promise.all(paying)
  await settle()
  const found = (await client.space.readAll('account', {})) as readonly object[]
  const cents = found.map((account) => ('cents' in account ? Number(account.cents) : NaN))
  expect(found).toHaveLength(2 * customers.length)
  expect(cents.reduce((sum, one) => sum + one, 0)).toBe(customers.length * 24 * 100)
}

test('[UN10] [PA10] members go over one after the other without a fault, and nothing is lost', async () => {
  const report = await simulate(bank, { seed: 1, members, clients: 2, later: later as Unit }, payIn)
  expect(report.faults['upgrade']).toBe(members)
  expect(report.replies).toBeGreaterThan(200)
})

test.each([2, 3, 4, 5, 6, 7])(
  '[UN10] [A5] under the faults of seed %i old and new code fold every record alike, and every reply is right',
  { timeout: 120_000 },
  async (seed) => {
    const report = await simulate(bank, { seed, members, faults: 'all', clients: 2, later: later as Unit }, payIn)
    expect(report.faults['upgrade']).toBe(members)
  },
)

test('a world without a later unit has none to go over to', async () => {
  const scenario = async ({ upgrade: replace }: SimulatedWorld<typeof bank>): Promise<void> => replace(0)
  await expect(simulate(bank, { seed: 1 }, scenario)).rejects.toMatchObject({ code: 'USAGE' })
})
