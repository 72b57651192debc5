import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { embedded } from './embedded.ts'
import { entry } from './space/index.ts'
import { unit } from './unit/index.ts'

const Seat = entry('seat', z.object({ id: z.string(), row: z.int().min(1) }), { id: 'id' })
const hall = unit('hall', { entries: [Seat] }, {})

const seats = (...ids: readonly string[]) => ids.map((id) => ({ id, row: 1 }))
const ids = Array.from({ length: 20 }, (_, at) => `s${at}`)

async function open(limits = {}) {
  return embedded({ unit: hall, ack: 'memory', partitions: 4, limits })
}

describe('atomic batches', () => {
  test('[SP10] all entries are there, or none, on however many partitions they are', async () => {
    await using client = await open()
    const { space } = client
    const outcomes = await space.insertAll(Seat, seats(...ids), { atomic: true })
    expect(outcomes.map((outcome) => outcome.ok && outcome.value.id)).toEqual(ids)
    const again = space.insertAll(Seat, seats('new', 's7', 'newer'), { atomic: true })
    await expect(again).rejects.toMatchObject({ code: 'ENTRY_EXISTS', details: { at: 1 } })
    expect(await space.count(Seat, {})).toBe(ids.length)
    // Without `atomic` the others are written.
    await space.insertAll(Seat, seats('new', 's7', 'newer'))
    expect(await space.count(Seat, {})).toBe(ids.length + 2)
  })

  test('[SP10] what no entry can be is refused before anything happens', async () => {
    await using client = await open({ batchEntriesMax: 3 })
    const { space } = client
    const wrong = space.writeAll(Seat, [...seats('a'), { id: 'b', row: 0 }], { atomic: true })
    await expect(wrong).rejects.toMatchObject({ code: 'VALUE_INVALID', details: { at: 1 } })
    const nameless = space.writeAll(Seat, [{ row: 1 } as unknown as { id: string; row: number }], { atomic: true })
    await expect(nameless).rejects.toMatchObject({ code: 'KEY_INCOMPLETE', details: { at: 0 } })
    const large = space.writeAll(Seat, seats('a', 'b', 'c', 'd'), { atomic: true })
    await expect(large).rejects.toMatchObject({ code: 'LIMIT_EXCEEDED', details: { limit: 'batchEntriesMax' } })
    const options: object = { atomic: true, key: 'click' }
    const keyed = space.writeAll(Seat, seats('a'), options)
    await expect(keyed).rejects.toMatchObject({ code: 'TRANSACTION_INVALID' })
    expect(await space.count(Seat, {})).toBe(0)
    expect(await space.writeAll(Seat, [], { atomic: true })).toEqual([])
  })

  test('[SP10] an entry that is named twice is there as it was named last', async () => {
    await using client = await open()
    const { space } = client
    await space.writeAll(
      Seat,
      [
        { id: 'a', row: 1 },
        { id: 'b', row: 1 },
        { id: 'a', row: 2 },
      ],
      { atomic: true },
    )
    expect(await space.get(Seat, { id: 'a' })).toEqual({ id: 'a', row: 2 })
  })

  test('[SP10] reads of one batch are of one moment, and removals are all or none', async () => {
    await using client = await open()
    const { space } = client
    await space.writeAll(Seat, seats(...ids), { atomic: true })
    const keys = ids.map((id) => ({ id }))
    let torn = 0
    let over = false
    const reading = (async () => {
      while (!over) {
        const seen = await space.readByIds(Seat, keys, { atomic: true })
        const rows = new Set(seen.map((outcome) => (outcome.ok ? outcome.value?.row : undefined)))
        if (rows.size > 1) torn += 1
      }
    })()
    for (let row = 2; row < 40; row++)
      await space.writeAll(
        Seat,
        ids.map((id) => ({ id, row })),
        { atomic: true },
      )
    over = true
    await reading
    expect(torn).toBe(0)
    const removed = await space.removeAll(Seat, keys, { atomic: true })
    expect(removed.every((outcome) => outcome.ok && outcome.value)).toBe(true)
    expect(await space.count(Seat, {})).toBe(0)
  })

  test('[SP10] the first entry in order that fails is told, whichever fails first', async () => {
    await using client = await open()
    const { space } = client
    await space.insert(Seat, { id: 'a', row: 1 })
    const batch = space.insertAll(Seat, [...seats('b', 'a'), { row: 1 } as unknown as { id: string; row: number }], {
      atomic: true,
    })
    await expect(batch).rejects.toMatchObject({ code: 'ENTRY_EXISTS', details: { at: 1 } })
    const options: object = { atomic: 1 }
    await expect(space.insertAll(Seat, seats('c', 'a'), options)).rejects.toMatchObject({
      code: 'VALUE_INVALID',
      details: { field: 'atomic' },
    })
    expect(await space.count(Seat, {})).toBe(1)
  })

  test('[SP10] a batch that runs again writes what it was called with', async () => {
    for (let ticks = 0; ticks < 20; ticks++) {
      await using client = await open()
      const { space } = client
      await space.write(Seat, { id: 'a', row: 1 })
      const value = { id: 'a', row: 2 }
      const batch = space.writeAll(Seat, [value], { atomic: true })
      value.row = 777
      for (let tick = 0; tick < ticks; tick++) await Promise.resolve()
      await Promise.all([batch, space.write(Seat, { id: 'a', row: 5 })])
      expect((await space.get(Seat, { id: 'a' }))?.row).not.toBe(777)
    }
  })

  test('[SP10] [TX1] what is answered is what is stored, also where the schema fills it in', async () => {
    let made = 0
    const Order = entry('order', z.object({ id: z.string(), at: z.number().default(() => ++made) }), { id: 'id' })
    await using client = await embedded({ unit: unit('u', { entries: [Order] }, {}), ack: 'memory', partitions: 2 })
    const { space } = client
    const [outcome] = await space.insertAll(Order, [{ id: 'a' }], { atomic: true })
    expect(outcome).toEqual({ ok: true, value: await space.get(Order, { id: 'a' }) })
    const seen = await space.transaction(async (tx) => {
      await tx.write(Order, { id: 'b' })
      return tx.get(Order, { id: 'b' })
    })
    expect(await space.get(Order, { id: 'b' })).toEqual(seen)
  })
})
