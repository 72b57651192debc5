import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { embedded } from './embedded.ts'
import { stampOf } from './index.ts'
import { entry } from './space/index.ts'
import { unit } from './unit/index.ts'
import { isPlenumError } from './kernel/index.ts'

const Account = entry('account', z.object({ id: z.string(), owner: z.string(), balance: z.int() }), {
  id: 'id',
  indexes: [['owner']],
})
const bank = unit('bank', { entries: [Account] }, {})

/** A bank of so many accounts with 100 each, on four partitions. */
async function openBank(accounts = 8) {
  const client = await embedded({ unit: bank, ack: 'memory', partitions: 4 })
  for (let at = 0; at < accounts; at++) {
    await client.space.insert(Account, { id: `a${at}`, owner: at % 2 === 0 ? 'ann' : 'bob', balance: 100 })
  }
  return client
}

type Bank = Awaited<ReturnType<typeof openBank>>

async function total({ space }: Bank): Promise<number> {
  return (await space.aggregate(Account, {}, { sum: ['balance'] })).sum.balance
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise
    return 'nothing'
  } catch (error) {
    if (isPlenumError(error)) return error.code
    throw error
  }
}

describe('transactions', () => {
  test('[TX1] all of it is committed, on however many partitions it is', async () => {
    await using client = await openBank()
    const { space } = client
    const seen = await space.transaction(async (tx) => {
      const [a, b] = await Promise.all([tx.get(Account, { id: 'a0' }), tx.get(Account, { id: 'a1' })])
      await tx.patch(Account, { id: 'a0' }, { balance: a!.balance - 30 })
      await tx.patch(Account, { id: 'a1' }, { balance: b!.balance + 30 })
      await tx.insert(Account, { id: 'c', owner: 'cid', balance: 0 })
      // Its own changes are there for it, and for nobody else.
      expect((await tx.get(Account, { id: 'a0' }))?.balance).toBe(70)
      expect(await tx.count(Account, { owner: 'cid' })).toBe(1)
      expect((await space.get(Account, { id: 'a0' }))?.balance).toBe(100)
      return (await tx.aggregate(Account, {}, { sum: ['balance'] })).sum.balance
    })
    expect(seen).toBe(800)
    expect((await space.get(Account, { id: 'a0' }))?.balance).toBe(70)
    expect((await space.get(Account, { id: 'a1' }))?.balance).toBe(130)
    expect(await total(client)).toBe(800)
  })

  test('[TX1] an error leaves nothing behind', async () => {
    await using client = await openBank()
    const outcome = client.space.transaction(async (tx) => {
      await tx.change(Account, { id: 'a0' }, { add: { balance: -50 } })
      await tx.change(Account, { id: 'a1' }, { add: { balance: 50 } })
      throw new Error('changed my mind')
    })
    await expect(outcome).rejects.toThrow('changed my mind')
    expect((await client.space.get(Account, { id: 'a0' }))?.balance).toBe(100)
  })

  test('[TX1] a conflict runs the function again; after so many runs it is told', async () => {
    await using client = await openBank()
    const { space } = client
    let runs = 0
    await space.transaction(async (tx) => {
      runs += 1
      const a = await tx.get(Account, { id: 'a0' })
      if (runs === 1) await space.patch(Account, { id: 'a0' }, { balance: 1 })
      await tx.patch(Account, { id: 'a0' }, { balance: a!.balance + 1 })
    })
    expect([runs, (await space.get(Account, { id: 'a0' }))?.balance]).toEqual([2, 2])
    let conflicts = 0
    const never = space.transaction(
      async (tx) => {
        conflicts += 1
        const a = await tx.get(Account, { id: 'a0' })
        await space.change(Account, { id: 'a0' }, { add: { balance: 1 } })
        await tx.patch(Account, { id: 'a1' }, { balance: a!.balance })
      },
      { attempts: 3 },
    )
    expect(await codeOf(never)).toBe('TRANSACTION_CONFLICT')
    expect(conflicts).toBe(3)
  })

  test('[TX1] what begins to match a query is a conflict: there are no phantoms', async () => {
    await using client = await openBank()
    const { space } = client
    let runs = 0
    const count = await space.transaction(async (tx) => {
      runs += 1
      const found = await tx.count(Account, { owner: 'ann' })
      if (runs === 1) await space.insert(Account, { id: 'new', owner: 'ann', balance: 0 })
      await tx.insert(Account, { id: `sum`, owner: 'sum', balance: found })
      return found
    })
    expect([runs, count, (await space.get(Account, { id: 'sum' }))?.balance]).toEqual([2, 5, 5])
  })

  test('[TX1] transfers from all sides leave the total as it is', async () => {
    await using client = await openBank(6)
    const { space } = client
    const transfers = Array.from({ length: 200 }, (_, at) =>
      space.transaction(
        async (tx) => {
          const [from, to] = [{ id: `a${at % 6}` }, { id: `a${(at * 5 + 1) % 6}` }]
          const account = await tx.get(Account, from)
          if (account!.balance < at) return
          await tx.change(Account, from, { add: { balance: -at } })
          await tx.change(Account, to, { add: { balance: at } })
        },
        { attempts: 1_000 },
      ),
    )
    await Promise.all(transfers)
    expect(await total(client)).toBe(600)
  })

  test('[TX5] nobody sees what is not committed; entries written in a transaction have no stamp yet', async () => {
    await using client = await openBank()
    const { space } = client
    await space.transaction(async (tx) => {
      const made = await tx.insert(Account, { id: 'x', owner: 'x', balance: 1 })
      expect(stampOf(made)).toBeUndefined()
      const { stamp, version } = await tx.patch(Account, { id: 'x' }, { balance: 2 })
      expect([stamp, version]).toEqual([0, 2])
      expect(stampOf((await tx.get(Account, { id: 'a0' }))!)).toBe(stampOf((await space.get(Account, { id: 'a0' }))!))
      expect(await space.get(Account, { id: 'x' })).toBeUndefined()
      expect(await tx.take(Account, { owner: 'x' })).toMatchObject({ balance: 2 })
      expect(await tx.get(Account, { id: 'x' })).toBeUndefined()
    })
    expect(await space.get(Account, { id: 'x' })).toBeUndefined()
  })
})
