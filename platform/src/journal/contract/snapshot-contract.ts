import { describe, expect, test } from 'vitest'
import type { SnapshotName } from '../journal.ts'
import { opened, type JournalHarness, type Opened } from './harness.ts'

/** What every engine does with snapshots (JR7 at the level of the engine). */
export function snapshotContract(harness: JournalHarness): void {
  describe('snapshots', () => {
    test('[JR7] a snapshot comes back byte for byte under its name, and the hash is asked after the last chunk', async () => {
      await using at = await opened(harness)
      const parts = [bytesOf(1, 10), bytesOf(2, 70_000), bytesOf(3, 0), bytesOf(4, 1)]
      let ended = false
      async function* chunks(): AsyncGenerator<Uint8Array, void> {
        yield* parts
        ended = true
      }
      const name = await at.bench.run(at.journal.saveSnapshot(12, chunks(), () => (ended ? 'abcd' : 'too early')))
      expect(name).toEqual({ index: 12, hash: 'abcd' })
      expect(await loaded(at, name)).toEqual(Buffer.concat(parts))
    })

    test('the chunks may be used again by the writer once they are taken', async () => {
      await using at = await opened(harness)
      const scratch = new Uint8Array(8)
      async function* chunks(): AsyncGenerator<Uint8Array, void> {
        for (let i = 1; i <= 3; i++) yield scratch.fill(i)
      }
      const name = await at.bench.run(at.journal.saveSnapshot(1, chunks(), () => 'aa'))
      const expected = Buffer.concat([1, 2, 3].map((value) => Buffer.alloc(8, value)))
      expect(await loaded(at, name)).toEqual(expected)
    })

    test('snapshots are listed newest index first, and a removed one is gone', async () => {
      await using at = await opened(harness)
      for (const index of [5, 30, 7]) await at.bench.run(at.journal.saveSnapshot(index, one(index), () => `0${index}`))
      expect((await at.bench.run(at.journal.listSnapshots())).map(({ index }) => index)).toEqual([30, 7, 5])
      await at.bench.run(at.journal.removeSnapshot({ index: 7, hash: '07' }))
      expect((await at.bench.run(at.journal.listSnapshots())).map(({ index }) => index)).toEqual([30, 5])
      expect(await at.bench.run(at.journal.loadSnapshot({ index: 7, hash: '07' }))).toBeUndefined()
      await at.bench.run(at.journal.removeSnapshot({ index: 7, hash: '07' }))
    })

    test('an unknown name gives undefined', async () => {
      await using at = await opened(harness)
      expect(await at.bench.run(at.journal.loadSnapshot({ index: 1, hash: 'ff' }))).toBeUndefined()
      await at.bench.run(at.journal.saveSnapshot(1, one(1), () => 'aa'))
      expect(await at.bench.run(at.journal.loadSnapshot({ index: 1, hash: 'ff' }))).toBeUndefined()
    })

    test('a snapshot whose chunks end with an error leaves nothing', async () => {
      await using at = await opened(harness)
      async function* chunks(): AsyncGenerator<Uint8Array, void> {
        yield bytesOf(1, 100)
        throw new Error('the walk was given up')
      }
      await expect(at.bench.run(at.journal.saveSnapshot(3, chunks(), () => 'aa'))).rejects.toThrow('given up')
      expect(await at.bench.run(at.journal.listSnapshots())).toEqual([])
    })

    test('an empty snapshot is a snapshot', async () => {
      await using at = await opened(harness)
      async function* nothing(): AsyncGenerator<Uint8Array, void> {}
      const name = await at.bench.run(at.journal.saveSnapshot(2, nothing(), () => 'ee'))
      expect(await loaded(at, name)).toEqual(Buffer.alloc(0))
    })

    test(`[JR6] snapshots ${harness.keepsRecords ? 'outlive' : 'end with'} the connection`, async () => {
      await using at = await opened(harness)
      const name = await at.bench.run(at.journal.saveSnapshot(4, one(4), () => 'aa'))
      await at.bench.run(at.journal.close())
      const again = await at.bench.run(at.bench.connect(0))
      await at.bench.run(again.open())
      expect(await at.bench.run(again.listSnapshots())).toEqual(harness.keepsRecords ? [name] : [])
    })
  })
}

function bytesOf(value: number, length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (value * 41 + i) & 255)
}

async function* one(value: number): AsyncGenerator<Uint8Array, void> {
  yield bytesOf(value, 50)
}

async function loaded(at: Opened, name: SnapshotName): Promise<Buffer> {
  const chunks = await at.bench.run(at.journal.loadSnapshot(name))
  expect(chunks).toBeDefined()
  const parts: Uint8Array[] = []
  const reading = (async () => {
    for await (const chunk of chunks ?? []) parts.push(chunk.slice())
  })()
  await at.bench.run(reading)
  return Buffer.concat(parts)
}
