import { describe, expect, test } from 'vitest'
import { isPlenumError } from '../../kernel/index.ts'
import { Fold } from '../fold.ts'
import { ChainWriter, contractDigest, contractJournal } from './chain-writer.ts'
import { opened, readAll, type JournalHarness } from './harness.ts'
import { fill } from './read-contract.ts'

/** What a second writer meets. */
export function sharingContract(harness: JournalHarness): void {
  if (harness.secondConnection === 'shared') sharedContract(harness)
  else {
    test('[JR9] this engine has one writer, by construction', async () => {
      await using at = await opened(harness)
      await fill(at, 3)
      expect(at.journal.shared).toBe(false)
      const second = at.bench.connect(1).then(async (journal) => ({ tail: await journal.open() }))
      if (harness.secondConnection === 'separate') {
        expect((await at.bench.run(second)).tail).toMatchObject({ next: 1 })
      } else {
        const error: unknown = await at.bench.run(second).catch((reason: unknown) => reason)
        expect(isPlenumError(error, 'FOLDER_IN_USE')).toBe(true)
      }
      expect(await at.bench.run(at.journal.open())).toMatchObject({ next: 4 })
    })
  }
}

function sharedContract(harness: JournalHarness): void {
  describe('several writers', () => {
    test('[JR9] of three that append at one position one is acked and two are refused', async () => {
      await using at = await opened(harness)
      const journals = [at.journal, await at.bench.run(at.bench.connect(1)), await at.bench.run(at.bench.connect(2))]
      await at.bench.run(Promise.all(journals.map((journal) => journal.open())))
      for (let position = 1; position <= 10; position++) {
        const records = journals.map((_, member) => {
          const writer = new ChainWriter(member)
          writer.continueFrom({ ...writer.head, next: position })
          return writer.seal('OPEN')
        })
        const outcomes = await at.bench.run(
          Promise.all(journals.map((journal, member) => journal.append(position, records[member]!))),
        )
        const winners = outcomes.flatMap((outcome, member) => (outcome.kind === 'acked' ? [member] : []))
        expect(winners).toHaveLength(1)
        expect(outcomes.filter(({ kind }) => kind === 'refused')).toHaveLength(2)
        const found = await readAll(at.bench, at.journal, position)
        expect(found.map(({ bytes }) => Buffer.from(bytes))).toEqual([Buffer.from(records[winners[0]!]!)])
      }
    })

    test("[JR4] an OPEN in the middle of a deposed writer's window: its next append is refused, the ones after it are acked, and all of them are void", async () => {
      await using at = await opened(harness)
      const rival = await at.bench.run(at.bench.connect(1))
      await at.bench.run(rival.open())
      const deposed = new ChainWriter(0)
      await fill(at, 2, deposed)
      const opener = new ChainWriter(1, deposed.head)
      const open = opener.seal('OPEN')
      // The deposed writer has stamped three records for the positions 3, 4 and 5; the OPEN takes position 3.
      const [c, d, e] = [deposed.seal('BATCH'), deposed.seal('BATCH'), deposed.seal('BATCH')]
      expect(await at.bench.run(rival.append(3, open))).toEqual({ kind: 'acked', position: 3 })
      expect(await at.bench.run(at.journal.append(3, c))).toEqual({ kind: 'refused' })
      expect(await at.bench.run(at.journal.append(4, d))).toEqual({ kind: 'acked', position: 4 })
      expect(await at.bench.run(at.journal.append(5, e))).toEqual({ kind: 'acked', position: 5 })
      // The new primary's first batch is refused in turn, and goes to the place behind the void records.
      expect(await at.bench.run(rival.append(4, opener.seal('BATCH')))).toEqual({ kind: 'refused' })
      const fold = new Fold(contractJournal, contractDigest)
      const verdicts = (await readAll(at.bench, rival)).map((found) => fold.offer(found).kind)
      expect(verdicts).toEqual(['accepted', 'accepted', 'accepted', 'void', 'void'])
      const after = new ChainWriter(1, fold.head)
      const batch = after.seal('BATCH', { acked: 3 })
      expect(await at.bench.run(rival.append(6, batch))).toEqual({ kind: 'acked', position: 6 })
      expect(fold.offer({ position: 6, bytes: batch }).kind).toBe('accepted')
    })

    test('[JR9] followers of other members see the same records at the same positions', async () => {
      await using at = await opened(harness)
      const others = [await at.bench.run(at.bench.connect(1)), await at.bench.run(at.bench.connect(2))]
      await at.bench.run(Promise.all(others.map((journal) => journal.open())))
      const abort = new AbortController()
      const followed = others.map(async (journal) => {
        const seen: number[] = []
        for await (const { position } of journal.follow(1, abort.signal)) {
          seen.push(position)
          if (seen.length === 30) break
        }
        return seen
      })
      const writer = new ChainWriter(0)
      for (let round = 0; round < 6; round++) await fill(at, 5, writer)
      const expected = Array.from({ length: 30 }, (_, i) => i + 1)
      expect(await at.bench.run(Promise.all(followed))).toEqual([expected, expected])
      abort.abort()
    })
  })
}
