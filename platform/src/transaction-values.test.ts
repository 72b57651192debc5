// What a transaction was given and what it was told must be what its commit makes.
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { embedded } from './embedded.ts'
import { entry } from './space/index.ts'
import { unit } from './unit/index.ts'

const Job = entry('job', z.object({ id: z.string(), kind: z.string(), n: z.int() }), { id: 'id' })
const Other = entry('other', z.object({ id: z.string(), n: z.int() }), { id: 'id' })
const jobs = unit('jobs', { entries: [Job, Other] }, {})

async function open(limits = {}, partitions = 1) {
  return embedded({ unit: jobs, ack: 'memory', partitions, limits })
}

describe('transactions and what they were given', () => {
  test('[TX1] [SP4] what a transaction took is what its commit removes', async () => {
    await using client = await open()
    const { space } = client
    for (const id of ['a', 'b', 'c']) await space.insert(Job, { id, kind: 'x', n: 0 })
    const taken = await space.transaction((tx) => tx.take(Job, { kind: 'x' }))
    const left = (await space.readAll(Job, {})).map(({ id }) => id)
    expect(left).not.toContain(taken!.id)
  })

  test('[TX1] [SP4] nobody else is given what a transaction took', async () => {
    await using client = await open()
    const { space } = client
    for (const id of ['a', 'b', 'c']) await space.insert(Job, { id, kind: 'x', n: 0 })
    const handed: string[] = []
    for (let at = 0; at < 3; at++) {
      const one = await space.transaction((tx) => tx.take(Job, { kind: 'x' }))
      if (one !== undefined) handed.push(one.id)
    }
    expect(handed.toSorted()).toEqual(['a', 'b', 'c'])
  })

  test('[TX1] within one transaction two takes give two entries, and both are gone in it', async () => {
    await using client = await open()
    const { space } = client
    for (const id of ['a', 'b', 'c', 'd']) await space.insert(Job, { id, kind: 'x', n: 0 })
    await space.transaction(async (tx) => {
      const one = await tx.take(Job, { kind: 'x' })
      const two = await tx.take(Job, { kind: 'x' })
      expect(two!.id).not.toBe(one!.id)
      expect(await tx.get(Job, { id: one!.id })).toBeUndefined()
    })
  })

  test('[TX1] a query object used again by the caller does not change what was asked: no phantom', async () => {
    await using client = await open()
    const { space } = client
    await space.insert(Job, { id: 'a', kind: 'x', n: 0 })
    let runs = 0
    await space.transaction(async (tx) => {
      runs += 1
      const where = { kind: 'x' }
      const x = await tx.count(Job, where)
      where.kind = 'y'
      const y = await tx.count(Job, where)
      if (runs === 1) await space.insert(Job, { id: 'phantom', kind: 'x', n: 0 })
      await tx.insert(Other, { id: 'sum', n: x + y })
    })
    expect([runs, (await space.get(Other, { id: 'sum' }))!.n]).toEqual([2, 2])
  })

  test('[TX1] a value object used again by the caller is stored as it was given', async () => {
    await using client = await open()
    const { space } = client
    await space.transaction(async (tx) => {
      const value = { id: 'a', kind: 'x', n: 1 }
      await tx.write(Job, value)
      value.n = 2
      expect((await tx.get(Job, { id: 'a' }))!.n).toBe(1)
    })
    expect((await space.get(Job, { id: 'a' }))!.n).toBe(1)
  })

  test('[TX1] the usual loop with one object', async () => {
    await using client = await open()
    const { space } = client
    await space.transaction(async (tx) => {
      const value = { id: '', kind: 'x', n: 1 }
      for (const id of ['a', 'b', 'c']) {
        value.id = id
        await tx.insert(Job, value)
      }
    })
    expect((await space.readAll(Job, {})).map(({ id }) => id)).toEqual(['a', 'b', 'c'])
  })

  test('[TX1] a takeAll in a transaction does not hide that a partition could not answer', async () => {
    await using client = await open({ readEntriesMax: 5 }, 2)
    const { space } = client
    const counts = [0, 0]
    // Two entries on the first partition, nine on the second.
    for (let at = 0; at < 200 && (counts[0]! < 2 || counts[1]! < 9); at++) {
      const id = `j${at}`
      const { partitions } = await space.explain(Job, { id })
      const partition = partitions[0]!.partition
      if (counts[partition]! >= (partition === 0 ? 2 : 9)) continue
      counts[partition]! += 1
      await space.insert(Job, { id, kind: 'x', n: at })
    }
    expect(await space.count(Job, {})).toBe(11)
    const outcome = space.transaction(async (tx) => {
      const taken = await tx.takeAll(Job, { kind: 'x' })
      // Whoever gets an answer may rely on it: there is nothing left.
      await tx.insert(Other, { id: 'taken', n: taken.length })
    })
    await outcome.catch(() => undefined)
    const said = await space.get(Other, { id: 'taken' })
    expect([said?.n, await space.count(Job, {})]).toEqual([undefined, 11])
  })

  test('[TX5] [TI2] a draft does not lose the lease of what it touches', async () => {
    await using client = await open()
    const { space } = client
    await space.insert(Job, { id: 'leased', kind: 'leased', n: 0 }, { lease: '500ms' })
    // Draft after draft leaves stale items in the queue of leases, until it is compacted in the midst of one.
    await space
      .transaction(async (tx) => {
        await tx.take(Job, { id: 'leased' })
        for (let at = 0; at < 300; at++) await tx.insert(Job, { id: `x${at}`, kind: 'y', n: 0 }, { lease: '1h' })
        throw new Error('never mind')
      })
      .catch(() => undefined)
    await new Promise((resolve) => setTimeout(resolve, 800))
    expect(await space.get(Job, { id: 'leased' })).toBeUndefined()
  })

  test('[TX1] where with undefined and several partitions', async () => {
    await using client = await open({}, 4)
    const { space } = client
    await space.transaction(async (tx) => {
      await tx.readAll(Job, { kind: undefined } as never)
      for (let at = 0; at < 8; at++) await tx.insert(Job, { id: `j${at}`, kind: 'x', n: at })
    })
    expect(await space.count(Job, {})).toBe(8)
  })

  test('[TX1] what was begun but not awaited is committed or refused, never answered and left out', async () => {
    await using client = await open({}, 1)
    const { space } = client
    let told: Promise<unknown> | undefined
    await space.insert(Job, { id: 'a', kind: 'x', n: 0 })
    await space.transaction(async (tx) => {
      await tx.insert(Other, { id: 'o', n: 1 })
      told = tx.get(Job, { id: 'a' }).then(() => tx.patch(Job, { id: 'a' }, { n: 1 }))
    })
    const answered = await told!.then(
      () => true,
      () => false,
    )
    expect([answered, (await space.get(Job, { id: 'a' }))!.n]).toEqual([true, 1])
  })

  test('[TX1] nor does another way to the same matches change what was taken: whatever others write that does not match', async () => {
    const Priced = entry('priced', z.object({ id: z.string(), kind: z.string(), price: z.int() }), {
      id: 'id',
      indexes: [['kind'], ['price']],
    })
    await using client = await embedded({
      unit: unit('priced', { entries: [Priced] }, {}),
      ack: 'memory',
      partitions: 1,
    })
    const { space } = client
    for (const [id, price] of [
      ['a', 9],
      ['b', 7],
      ['c', 8],
    ] as const)
      await space.insert(Priced, { id, kind: 'x', price })
    for (let at = 0; at < 10; at++) await space.insert(Priced, { id: `y${at}`, kind: 'y', price: 100 })
    let runs = 0
    const taken = await space.transaction(async (tx) => {
      runs += 1
      const one = await tx.take(Priced, { kind: 'x', price: { gte: 5 } })
      for (let at = 0; at < 200; at++) await space.insert(Priced, { id: `x${at}`, kind: 'x', price: 0 })
      return one
    })
    expect(runs).toBe(1)
    expect(await space.get(Priced, { id: taken!.id })).toBeUndefined()
  })

  test('[TX1] a batch in a transaction does not commit without its entries (JavaScript callers: the types do not show it)', async () => {
    await using client = await open()
    const { space } = client
    const outcome = space.transaction(async (tx) => {
      await tx.insert(Other, { id: 'o', n: 1 })
      await (tx as unknown as typeof space).writeAll(Job, [{ id: 'a', kind: 'x', n: 1 }])
    })
    await expect(outcome).rejects.toMatchObject({ code: 'TRANSACTION_INVALID' })
  })
})
