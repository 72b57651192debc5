import { describe, expect, test } from 'vitest'
import { isPlenumError } from '../../kernel/index.ts'
import { Fold } from '../fold.ts'
import type { Found } from '../journal.ts'
import { ChainWriter, contractDigest, contractJournal } from './chain-writer.ts'
import { collect, opened, readAll, type JournalHarness, type Opened } from './harness.ts'

/** What every engine gives to readers and followers, and what is left after a trim. */
export function readContract(harness: JournalHarness): void {
  describe('read and follow', () => {
    test('[JR3] what is read from any position on is the tail of what was written, and the fold accepts it', async () => {
      await using at = await opened(harness)
      const records = await fill(at, 20)
      const fold = new Fold(contractJournal, contractDigest)
      for (const found of await readAll(at.bench, at.journal)) expect(fold.offer(found).kind).toBe('accepted')
      expect(fold.head.index).toBe(20)
      for (const from of [1, 2, 10, 20]) {
        const found = await readAll(at.bench, at.journal, from)
        expect(found.map(({ position }) => position)).toEqual(records.map((_, i) => i + 1).slice(from - 1))
        expect(Buffer.from(found[0]!.bytes)).toEqual(Buffer.from(records[from - 1]!))
      }
    })

    test('reading from the next position gives nothing', async () => {
      await using at = await opened(harness)
      await fill(at, 3)
      expect(await readAll(at.bench, at.journal, 4)).toEqual([])
    })

    test('a read that is aborted ends', async () => {
      await using at = await opened(harness)
      await fill(at, 20)
      const abort = new AbortController()
      const seen: Found[] = []
      await at.bench.run(
        (async () => {
          for await (const found of at.journal.read(1, abort.signal)) {
            seen.push(found)
            if (seen.length === 3) abort.abort()
          }
        })(),
      )
      expect(seen.length).toBeGreaterThanOrEqual(3)
      expect(seen.length).toBeLessThan(20)
    })

    test('[JR9] follow gives what is there and then what comes, in order and without a gap, until it is aborted', async () => {
      await using at = await opened(harness)
      const writer = new ChainWriter(0)
      await fill(at, 5, writer)
      const abort = new AbortController()
      const seen: number[] = []
      const following = (async () => {
        for await (const { position } of at.journal.follow(2, abort.signal)) {
          seen.push(position)
          if (position === 40) abort.abort()
        }
      })()
      for (let round = 0; round < 7; round++) await fill(at, 5, writer)
      await at.bench.run(following)
      expect(seen).toEqual(Array.from({ length: 39 }, (_, i) => i + 2))
    })

    test('two followers at different places see the same records', async () => {
      await using at = await opened(harness)
      const writer = new ChainWriter(0)
      const abort = new AbortController()
      const early = collect(at.journal.follow(1, abort.signal), 12)
      await fill(at, 6, writer)
      const late = collect(at.journal.follow(4, abort.signal), 9)
      await fill(at, 6, writer)
      const [all, rest] = await at.bench.run(Promise.all([early, late]))
      expect(rest).toEqual(all.slice(3))
      abort.abort()
    })

    test('following ends when the journal is closed', async () => {
      await using at = await opened(harness)
      await fill(at, 2)
      const following = collect(at.journal.follow(1, new AbortController().signal))
      await at.bench.run(at.journal.append(3, new ChainWriter(0).seal('BATCH')))
      await at.bench.run(at.journal.close())
      expect((await at.bench.run(following)).length).toBeLessThanOrEqual(3)
    })
  })

  describe('trim', () => {
    test('[JR7] trim forgets only what lies below, and appends go on', async () => {
      await using at = await opened(harness)
      const writer = new ChainWriter(0)
      await fill(at, 20, writer)
      await at.bench.run(at.journal.trim(11))
      const tail = await at.bench.run(at.journal.open())
      expect(tail.next).toBe(21)
      expect(tail.first).toBeLessThanOrEqual(11)
      if (harness.trimsExactly) expect(tail.first).toBe(11)
      expect((await readAll(at.bench, at.journal, 11)).map(({ position }) => position)).toEqual(
        Array.from({ length: 10 }, (_, i) => i + 11),
      )
      expect(await at.bench.run(at.journal.append(21, writer.seal('BATCH')))).toEqual({ kind: 'acked', position: 21 })
      await at.bench.run(at.journal.trim(5))
      expect((await at.bench.run(at.journal.open())).first).toBe(tail.first)
    })

    test('a trim of everything leaves the next position where it was', async () => {
      await using at = await opened(harness)
      const writer = new ChainWriter(0)
      await fill(at, 4, writer)
      await at.bench.run(at.journal.trim(5))
      expect((await at.bench.run(at.journal.open())).next).toBe(5)
      expect(await at.bench.run(at.journal.append(5, writer.seal('BATCH')))).toEqual({ kind: 'acked', position: 5 })
    })

    test('reading from below what is kept is an error and never a silent gap', async () => {
      await using at = await opened(harness)
      await fill(at, 20)
      await at.bench.run(at.journal.trim(11))
      const { first } = await at.bench.run(at.journal.open())
      if (!harness.trimsExactly && first === 1) {
        // An engine that keeps whole segments may still have everything; then all of it must be readable.
        expect(await readAll(at.bench, at.journal)).toHaveLength(20)
        return
      }
      const error: unknown = await readAll(at.bench, at.journal, first - 1).catch((reason: unknown) => reason)
      expect(isPlenumError(error, 'JOURNAL_CORRUPT')).toBe(true)
      const following = collect(at.journal.follow(first - 1, new AbortController().signal), 1)
      const followed: unknown = await at.bench.run(following).catch((reason: unknown) => reason)
      expect(isPlenumError(followed, 'JOURNAL_CORRUPT')).toBe(true)
    })
  })

  if (harness.keepsRecords) {
    test('[JR6] records are there again after close and a new connection', async () => {
      await using at = await opened(harness)
      const writer = new ChainWriter(0)
      const records = await fill(at, 8, writer)
      await at.bench.run(at.journal.close())
      const again = await at.bench.run(at.bench.connect(0))
      expect(await at.bench.run(again.open())).toMatchObject({ first: 1, next: 9 })
      expect((await readAll(at.bench, again)).map(({ bytes }) => Buffer.from(bytes))).toEqual(
        records.map((bytes) => Buffer.from(bytes)),
      )
      expect(await at.bench.run(again.append(9, writer.seal('BATCH')))).toEqual({ kind: 'acked', position: 9 })
    })
  } else {
    test('[JR6] nothing is left after close: a new connection finds an empty journal', async () => {
      await using at = await opened(harness)
      await fill(at, 8)
      await at.bench.run(at.journal.close())
      const again = await at.bench.run(at.bench.connect(0))
      expect(await at.bench.run(again.open())).toMatchObject({ first: 1, next: 1 })
    })
  }
}

/** Appends `count` records of one chain, all in flight at once. */
export async function fill(at: Opened, count: number, writer = new ChainWriter(0)): Promise<readonly Uint8Array[]> {
  const first = writer.next
  const records = Array.from({ length: count }, () => writer.seal(writer.next === 1 ? 'OPEN' : 'BATCH'))
  const outcomes = await at.bench.run(Promise.all(records.map((bytes, i) => at.journal.append(first + i, bytes))))
  expect(outcomes).toEqual(records.map((_, i) => ({ kind: 'acked', position: first + i })))
  return records
}
