import { expect, test } from 'vitest'
import { z } from 'zod'
import { embedded } from '../../embedded.ts'
import { SeededRandom } from '../../runtime/simulated/index.ts'
import { entry } from '../../space/index.ts'
import { handler, unit } from '../../unit/index.ts'
import { checkAckedSet } from '../checkers/acked-set.ts'
import { checkBank } from '../checkers/bank.ts'
import { HistoryRecorder } from '../checkers/history.ts'
import { checkRegisters } from '../checkers/registers.ts'
import { BankSteps, drawBankProfile, runBankStep, type BankCalls } from './bank-workload.ts'
import { RegisterClient, RegisterSteps, type RegisterCalls } from './register-workload.ts'
import { runSetStep, SetSteps, type SetCalls } from './set-workload.ts'

const Register = entry('register', z.object({ id: z.string(), value: z.int() }), { id: 'id' })
const Member = entry('member', z.object({ id: z.int() }), { id: 'id' })
const Account = entry('account', z.object({ branch: z.string(), id: z.string(), balance: z.int() }), {
  id: 'id',
  route: 'branch',
})
const Opened = z.object({ branch: z.string(), balances: z.record(z.string(), z.int()) })
const Moved = z.object({ branch: z.string(), from: z.string(), to: z.string(), amount: z.int() })

const shop = unit(
  'shop',
  { entries: [Register, Member, Account] },
  {
    handlers: {
      open: handler({ input: Opened, route: 'branch' }, ({ branch, balances }, { partition }) => {
        for (const [id, balance] of Object.entries(balances)) partition.insert(Account, { branch, id, balance })
      }),
      transfer: handler(
        { input: Moved, route: 'branch', refusals: { TOO_LITTLE: z.object({}) } },
        ({ branch, from, to, amount }, { partition, refuse }) => {
          if ((partition.get(Account, { branch, id: from })?.balance ?? 0) < amount) throw refuse('TOO_LITTLE', {})
          partition.change(Account, { branch, id: from }, { add: { balance: -amount } })
          partition.change(Account, { branch, id: to }, { add: { balance: amount } })
        },
      ),
    },
  },
)

const newClient = () => embedded({ unit: shop, journal: 'memory', partitions: 3 })
type ShopClient = Awaited<ReturnType<typeof newClient>>

/** Runs a number of clients at once, each so many steps. */
async function each(clients: number, steps: number, run: (client: number) => Promise<void>): Promise<void> {
  const one = async (client: number): Promise<void> => {
    for (let n = 0; n < steps; n++) await run(client)
  }
  await Promise.all(Array.from({ length: clients }, (_, client) => one(client)))
}

function newRecorder(): HistoryRecorder {
  let now = 0
  return new HistoryRecorder({ monotonic: () => ++now })
}

function registerCalls(client: ShopClient): RegisterCalls {
  const { space } = client
  return {
    get: async (id) => (await space.get(Register, { id }))?.value,
    write: (id, value) => space.write(Register, { id, value }),
    insert: (id, value) => space.insert(Register, { id, value }),
    patch: (id, value, ifStamp) => space.patch(Register, { id }, { value }, { ifStamp }),
    remove: (id) => space.remove(Register, { id }),
  }
}

function bankCalls(client: ShopClient): BankCalls {
  return {
    init: (branch, balances) => client.handlers.open({ branch, balances: { ...balances } }),
    transfer: (branch, from, to, amount) => client.handlers.transfer({ branch, from, to, amount }),
    balances: async (branch) => {
      const accounts = await client.space.readAll(Account, branch === undefined ? {} : { branch })
      return Object.fromEntries(accounts.map(({ id, balance }) => [id, balance]))
    },
  }
}

function setCalls(client: ShopClient): SetCalls {
  const { space } = client
  return {
    insert: (id) => space.insert(Member, { id }),
    remove: (id) => space.remove(Member, { id }),
    readAll: async () => (await space.readAll(Member, {})).map(({ id }) => id),
  }
}

test('[SP1] [SP2] registers of an embedded space are linearizable, and a client that reads its cache is found', async () => {
  await using client = await newClient()
  const run = async (calls: RegisterCalls) => {
    const recorder = newRecorder()
    const steps = new RegisterSteps(new SeededRandom('registers'), 5)
    const clients = Array.from({ length: 6 }, () => new RegisterClient(calls, recorder.client()))
    await each(clients.length, 60, (number) => clients[number]!.run(steps.next()))
    return { result: checkRegisters(recorder.events), events: recorder.events }
  }
  const { result, events } = await run(registerCalls(client))
  expect(result).toMatchObject({ ok: true, keys: 5 })
  const ends = new Set(events.filter(({ type }) => type !== 'invoke').map(({ f, type }) => `${f} ${type}`))
  expect([...ends]).toEqual(expect.arrayContaining(['cas ok', 'cas fail', 'insert fail', 'update ok', 'delete ok']))
  await using other = await newClient()
  const calls = registerCalls(other)
  const cache = new Map<string, number | undefined>()
  const get = async (key: string): Promise<number | undefined> => {
    if (!cache.has(key)) cache.set(key, await calls.get(key))
    return cache.get(key)
  }
  expect((await run({ ...calls, get })).result).toMatchObject({ ok: false, decided: true })
})

test('[UN2] a bank of an embedded unit keeps its money, and one that moves it in two steps is found', async () => {
  await using client = await newClient()
  const run = async (calls: BankCalls) => {
    const recorder = newRecorder()
    const random = new SeededRandom('bank')
    const steps = new BankSteps(random, drawBankProfile(random))
    const clients = Array.from({ length: 6 }, () => recorder.client())
    for (const step of steps.opening()) await runBankStep(step, calls, clients[0]!)
    await each(clients.length, 60, (number) => runBankStep(steps.next(), calls, clients[number]!))
    return checkBank(recorder.events)
  }
  const result = await run(bankCalls(client))
  expect(result).toMatchObject({ ok: true })
  expect(result.ok && Math.min(result.acked, result.summed)).toBeGreaterThan(60)
  await using other = await newClient()
  const calls = bankCalls(other)
  const transfer: BankCalls['transfer'] = async (branch, from, to, amount) => {
    const change = (id: string, by: number) => other.space.change(Account, { branch, id }, { add: { balance: by } })
    await change(from, -amount)
    await change(to, amount)
  }
  expect(await run({ ...calls, transfer })).toMatchObject({ ok: false, decided: true })
})

test('[A1] a set of an embedded space loses nothing, and a write that is dropped is found', async () => {
  await using client = await newClient()
  const run = async (calls: SetCalls) => {
    const recorder = newRecorder()
    const steps = new SetSteps(new SeededRandom('set'))
    const clients = Array.from({ length: 6 }, () => recorder.client())
    await each(clients.length, 50, (number) => runSetStep(steps.next(), calls, clients[number]!))
    await runSetStep({ f: 'read' }, calls, recorder.client())
    return checkAckedSet(recorder.events)
  }
  const result = await run(setCalls(client))
  expect(result).toMatchObject({ ok: true, unknown: 0 })
  expect(result.ok && result.acked).toBeGreaterThan(200)
  await using other = await newClient()
  const calls = setCalls(other)
  const insert = (value: number) => (value === 100 ? Promise.resolve() : calls.insert(value))
  expect(await run({ ...calls, insert })).toHaveProperty('why', expect.stringContaining('100'))
})
