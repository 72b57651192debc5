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

  test('[TX1] an error that follows from what is no longer so does not count', async () => {
    await using client = await openBank()
    const { space } = client
    let runs = 0
    const balance = await space.transaction(async (tx) => {
      runs += 1
      const a = await tx.get(Account, { id: 'a0' })
      if (runs === 1) await space.patch(Account, { id: 'a0' }, { balance: 500 })
      await tx.get(Account, { id: 'a1' })
      if (a!.balance < 200) throw new Error('too poor')
      return a!.balance
    })
    expect([runs, balance]).toEqual([2, 500])
  })

  test('[TX1] what is read at several moments and partitions was so at one', async () => {
    await using client = await openBank()
    const { space } = client
    let runs = 0
    const sum = await space.transaction(async (tx) => {
      runs += 1
      const a = await tx.get(Account, { id: 'a0' })
      if (runs === 1) {
        await space.change(Account, { id: 'a0' }, { add: { balance: -10 } })
        await space.change(Account, { id: 'a1' }, { add: { balance: 10 } })
      }
      return a!.balance + (await tx.get(Account, { id: 'a1' }))!.balance
    })
    expect([runs, sum]).toEqual([2, 200])
  })

  test('[TX1] what is not awaited belongs to it; what comes after its end is refused, and so is what it cannot do', async () => {
    await using client = await openBank()
    const { space } = client
    let kept: typeof space | undefined
    await space.transaction(async (tx) => {
      kept = tx as typeof space
      void tx.insert(Account, { id: 'later', owner: 'x', balance: 1 })
      expect(await codeOf(tx.take(Account, {}, { wait: '1s' }))).toBe('TRANSACTION_INVALID')
      expect(await codeOf(tx.insert(Account, { id: 'k', owner: 'x', balance: 1 }, { key: 'k' }))).toBe(
        'TRANSACTION_INVALID',
      )
      expect(await codeOf((tx as typeof space).explain(Account, {}))).toBe('TRANSACTION_INVALID')
      expect(await codeOf((tx as typeof space).transaction(async () => {}))).toBe('TRANSACTION_INVALID')
      expect(await codeOf((tx as typeof space).watch(Account, {})[Symbol.asyncIterator]().next())).toBe(
        'TRANSACTION_INVALID',
      )
    })
    expect(await space.get(Account, { id: 'later' })).toBeDefined()
    expect(await codeOf(kept!.get(Account, { id: 'a0' }))).toBe('TRANSACTION_INVALID')
    expect(await codeOf(space.transaction(async () => {}, { attempts: 0 }))).toBe('TRANSACTION_INVALID')
    expect(await codeOf(space.transaction(undefined as never))).toBe('TRANSACTION_INVALID')
  })

  test('[TX1] [A8] its size and its time have limits, with their names', async () => {
    const limits = { transactionCommandsMax: 3, transactionReadsMax: 20, transactionMsMax: 50 }
    await using client = await embedded({ unit: bank, ack: 'memory', partitions: 1, limits })
    const { space } = client
    const limitOf = (promise: Promise<unknown>): Promise<unknown> =>
      promise.then(
        () => 'none',
        (error: unknown) => (isPlenumError(error, 'LIMIT_EXCEEDED') ? error.details['limit'] : error),
      )
    const inserts = (count: number) =>
      space.transaction(async (tx) => {
        for (let at = 0; at < count; at++) await tx.insert(Account, { id: `i${at}`, owner: 'x', balance: 1 })
      })
    expect(await limitOf(inserts(4))).toBe('transactionCommandsMax')
    expect(await space.count(Account, {})).toBe(0)
    await inserts(3)
    const reads = space.transaction(async (tx) => {
      for (let at = 0; at < 21; at++) await tx.get(Account, { id: `r${at}` })
    })
    expect(await limitOf(reads)).toBe('transactionReadsMax')
    const slow = space.transaction(async (tx) => {
      await tx.get(Account, { id: 'i0' })
      await new Promise((resolve) => setTimeout(resolve, 80))
      await tx.get(Account, { id: 'i1' })
    })
    expect(await limitOf(slow)).toBe('transactionMsMax')
  })

  test('[TX1] a deadline and a signal end it, and it says that nothing happened', async () => {
    await using client = await openBank()
    const { space } = client
    const controller = new AbortController()
    const given = space.transaction(
      async (tx) => {
        await tx.patch(Account, { id: 'a0' }, { balance: 0 })
        controller.abort()
        await tx.patch(Account, { id: 'a1' }, { balance: 0 })
      },
      { signal: controller.signal },
    )
    expect(await codeOf(given)).toBe('ABORTED')
    expect((await space.get(Account, { id: 'a0' }))?.balance).toBe(100)
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
