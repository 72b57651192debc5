import { describe, expect, test } from 'vitest'
import { ChainWriter } from './chain-writer.ts'
import { opened, readAll, type JournalHarness } from './harness.ts'

/** What every engine does with appends of one writer. */
export function appendContract(harness: JournalHarness): void {
  describe('append', () => {
    test('a new journal is empty and its first position is 1', async () => {
      await using at = await opened(harness)
      expect(at.tail).toEqual({ first: 1, next: 1, fill: 0 })
      expect(await readAll(at.bench, at.journal)).toEqual([])
    })

    test('[JR2] an ack names the predicted position', async () => {
      await using at = await opened(harness)
      const writer = new ChainWriter(0)
      for (let position = 1; position <= 5; position++) {
        const outcome = await at.bench.run(at.journal.append(position, writer.seal('BATCH')))
        expect(outcome).toEqual({ kind: 'acked', position })
      }
      expect(await at.bench.run(at.journal.open())).toMatchObject({ first: 1, next: 6 })
    })

    test('[JR2] a window of appends in flight is acked in place, and read back in order', async () => {
      await using at = await opened(harness)
      const writer = new ChainWriter(0)
      const records = Array.from({ length: 16 }, (_, i) => writer.seal('BATCH', { bodyBytes: 10 + i * 37 }))
      const outcomes = await at.bench.run(Promise.all(records.map((bytes, i) => at.journal.append(i + 1, bytes))))
      expect(outcomes).toEqual(records.map((_, i) => ({ kind: 'acked', position: i + 1 })))
      const found = await readAll(at.bench, at.journal)
      expect(found.map(({ position }) => position)).toEqual(records.map((_, i) => i + 1))
      found.forEach(({ bytes }, i) => expect(Buffer.from(bytes)).toEqual(Buffer.from(records[i]!)))
    })

    test.for([0, 2, 4, 9])(
      '[JR2] an append at position %i of a journal whose next is 3 is refused and leaves nothing',
      async (aim) => {
        await using at = await opened(harness)
        const writer = new ChainWriter(0)
        await at.bench.run(Promise.all([1, 2].map((position) => at.journal.append(position, writer.seal('BATCH')))))
        const outcome = await at.bench.run(at.journal.append(aim, writer.seal('BATCH')))
        expect(outcome).toEqual({ kind: 'refused' })
        expect(await at.bench.run(at.journal.open())).toMatchObject({ next: 3 })
        expect(await readAll(at.bench, at.journal)).toHaveLength(2)
      },
    )

    test('[JR2] a second copy of a record is refused, not acked: only reading tells that it is there', async () => {
      await using at = await opened(harness)
      const bytes = new ChainWriter(0).seal('OPEN')
      expect(await at.bench.run(at.journal.append(1, bytes))).toEqual({ kind: 'acked', position: 1 })
      expect(await at.bench.run(at.journal.append(1, bytes))).toEqual({ kind: 'refused' })
      expect(await readAll(at.bench, at.journal)).toHaveLength(1)
    })

    test('[JR2] after a hole in the window every later append is refused, and the hole can be filled', async () => {
      await using at = await opened(harness)
      const writer = new ChainWriter(0)
      const [a, b, c, d] = [writer.seal('OPEN'), writer.seal('BATCH'), writer.seal('BATCH'), writer.seal('BATCH')]
      const outcomes = await at.bench.run(
        Promise.all([at.journal.append(1, a), at.journal.append(3, c), at.journal.append(4, d)]),
      )
      expect(outcomes.map(({ kind }) => kind)).toEqual(['acked', 'refused', 'refused'])
      const again = await at.bench.run(
        Promise.all([at.journal.append(2, b), at.journal.append(3, c), at.journal.append(4, d)]),
      )
      expect(again.map(({ kind }) => kind)).toEqual(['acked', 'acked', 'acked'])
      const found = await readAll(at.bench, at.journal)
      expect(found.map(({ bytes }) => Buffer.from(bytes))).toEqual([a, b, c, d].map((bytes) => Buffer.from(bytes)))
    })

    test('[JR6] the engine states a level and a fill between 0 and 1', async () => {
      await using at = await opened(harness)
      expect(['memory', 'os', 'disk', 'quorum', 'quorum-disk']).toContain(at.journal.level)
      expect(at.journal.shared).toBe(harness.secondConnection === 'shared')
      expect(at.journal.fill()).toBeGreaterThanOrEqual(0)
      expect(at.journal.fill()).toBeLessThanOrEqual(1)
    })

    test('after close nothing is sent any more, and appends in flight have an outcome', async () => {
      await using at = await opened(harness)
      const writer = new ChainWriter(0)
      const flying = [1, 2, 3].map((position) => at.journal.append(position, writer.seal('BATCH')))
      await at.bench.run(at.journal.close())
      for (const outcome of await at.bench.run(Promise.all(flying)))
        expect(['acked', 'unknown']).toContain(outcome.kind)
      expect(await at.bench.run(at.journal.append(4, writer.seal('BATCH')))).toEqual({ kind: 'unavailable' })
    })
  })
}
