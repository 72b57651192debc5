import { describe, expect, test } from 'vitest'
import { ChainWriter } from './chain-writer.ts'
import { collect, journalFaults, opened, readAll, type JournalFault, type JournalHarness } from './harness.ts'
import { fill } from './read-contract.ts'

/** What an engine does when it meets the faults that it can meet, and that it does not meet the others. */
export function faultContract(harness: JournalHarness): void {
  describe('faults', () => {
    for (const fault of journalFaults) {
      if (harness.faults.includes(fault)) metContract[fault](harness)
      else absentContract[fault](harness)
    }
    for (const fault of harness.faults) settleContract(fault, harness)
  })
}

/** The pipeline waits for an outcome of each append, so that one that never came would hold up a partition for ever. */
function settleContract(fault: JournalFault, harness: JournalHarness): void {
  test(`[JR2] every append of a window settles, also when it meets: ${fault}`, async () => {
    await using at = await opened(harness, fault === 'full' ? { bytesMax: 64 << 10 } : {})
    const writer = new ChainWriter(0)
    await fill(at, 2, writer)
    if (fault !== 'full') at.bench.inject(fault)
    const bodyBytes = fault === 'full' ? 16 << 10 : 40
    const flying = Array.from({ length: 16 }, (_, i) => at.journal.append(3 + i, writer.seal('BATCH', { bodyBytes })))
    const outcomes = await at.bench.run(Promise.all(flying))
    const known = ['acked', 'refused', 'unknown', 'unavailable', 'full']
    for (const { kind } of outcomes) expect(known).toContain(kind)
    const late = [at.journal.append(19, writer.seal('BATCH')), at.journal.append(20, writer.seal('BATCH'))]
    await at.bench.run(at.journal.close())
    for (const { kind } of await at.bench.run(Promise.all(late))) expect(known).toContain(kind)
  })
}

const metContract: Readonly<Record<JournalFault, (harness: JournalHarness) => void>> = {
  'lost ack': (harness) =>
    test('[JR2] a lost ack is an unknown outcome: the record stands there, and a second copy is refused', async () => {
      await using at = await opened(harness)
      const writer = new ChainWriter(0)
      await fill(at, 2, writer)
      at.bench.inject('lost ack')
      const bytes = writer.seal('BATCH')
      expect(await at.bench.run(at.journal.append(3, bytes))).toEqual({ kind: 'unknown' })
      expect(Buffer.from((await readAll(at.bench, at.journal, 3))[0]!.bytes)).toEqual(Buffer.from(bytes))
      expect(await at.bench.run(at.journal.append(3, bytes))).toEqual({ kind: 'refused' })
    }),
  'late packet': (harness) =>
    test('[JR4] an absent record may land later: a second copy takes the place, the late one is refused', async () => {
      await using at = await opened(harness)
      const writer = new ChainWriter(0)
      await fill(at, 2, writer)
      at.bench.inject('late packet')
      const bytes = writer.seal('BATCH')
      expect(await at.bench.run(at.journal.append(3, bytes))).toEqual({ kind: 'unknown' })
      expect(await readAll(at.bench, at.journal, 3)).toEqual([])
      await at.bench.release()
      expect(Buffer.from((await readAll(at.bench, at.journal, 3))[0]!.bytes)).toEqual(Buffer.from(bytes))
      at.bench.inject('late packet')
      const next = writer.seal('BATCH')
      expect(await at.bench.run(at.journal.append(4, next))).toEqual({ kind: 'unknown' })
      expect(await at.bench.run(at.journal.append(4, next))).toEqual({ kind: 'acked', position: 4 })
      await at.bench.release()
      expect(await at.bench.run(at.journal.open())).toMatchObject({ next: 5 })
    }),
  'dropped proposal': (harness) =>
    test('[JR2] after a dropped proposal the rest of the window lands elsewhere or is refused, and no ack hides it', async () => {
      await using at = await opened(harness)
      const writer = new ChainWriter(0)
      await fill(at, 2, writer)
      at.bench.inject('dropped proposal')
      const window = [writer.seal('BATCH'), writer.seal('BATCH'), writer.seal('BATCH')]
      const outcomes = await at.bench.run(Promise.all(window.map((bytes, i) => at.journal.append(3 + i, bytes))))
      expect(outcomes[0]).toEqual({ kind: 'unknown' })
      for (const [i, outcome] of outcomes.entries()) {
        if (outcome.kind === 'acked') expect(outcome.position).not.toBe(3 + i)
      }
      const found = await readAll(at.bench, at.journal, 3)
      for (const { position, bytes } of found)
        expect(Buffer.from(bytes)).not.toEqual(Buffer.from(window[position - 3]!))
    }),
  election: (harness) =>
    test('[JR9] through an election appends have no clear outcome, and afterwards the journal goes on', async () => {
      await using at = await opened(harness)
      const writer = new ChainWriter(0)
      await fill(at, 2, writer)
      at.bench.inject('election')
      const outcome = await at.bench.run(at.journal.append(3, writer.seal('BATCH')))
      expect(['unknown', 'unavailable', 'refused']).toContain(outcome.kind)
      const tail = await at.bench.run(untilAvailable(() => at.journal.open()))
      expect([3, 4]).toContain(tail.next)
      const after = new ChainWriter(0, { ...writer.head, next: tail.next })
      await fill(at, 3, after)
    }),
  regression: (harness) =>
    test('[JR5] after a regression the engine answers normally with a lower tail, and takes the lost record again', async () => {
      await using at = await opened(harness)
      const records = await fill(at, 6)
      at.bench.inject('regression')
      expect(await at.bench.run(at.journal.open())).toMatchObject({ next: 6 })
      expect(await at.bench.run(at.journal.append(6, records[5]!))).toEqual({ kind: 'acked', position: 6 })
      expect((await readAll(at.bench, at.journal)).map(({ bytes }) => Buffer.from(bytes))).toEqual(
        records.map((bytes) => Buffer.from(bytes)),
      )
    }),
  fork: (harness) =>
    test('[JR5] a forked replica shows another record at a place where one was acked', async () => {
      await using at = await opened(harness)
      const records = await fill(at, 6)
      at.bench.inject('fork')
      const found = await readAll(at.bench, at.journal, 6)
      expect(found.map(({ position }) => position)).toEqual([6])
      expect(Buffer.from(found[0]!.bytes)).not.toEqual(Buffer.from(records[5]!))
    }),
  'lost republish': (harness) =>
    test('[JR9] a record that was not announced reaches followers all the same, in its place', async () => {
      await using at = await opened(harness)
      const writer = new ChainWriter(0)
      const following = collect(at.journal.follow(1, new AbortController().signal), 9)
      await fill(at, 3, writer)
      at.bench.inject('lost republish')
      await fill(at, 3, writer)
      await fill(at, 3, writer)
      const seen = await at.bench.run(following)
      expect(seen.map(({ position }) => position)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
      at.bench.inject('lost republish')
      const last = collect(at.journal.follow(10, new AbortController().signal), 1)
      await fill(at, 1, writer)
      expect((await at.bench.run(last)).map(({ position }) => position)).toEqual([10])
    }),
  full: (harness) =>
    test('[JR8] at 90 % there is room for small records; a full journal says so, can be read, and takes more after a trim', async () => {
      await using at = await opened(harness, { bytesMax: 64 << 10 })
      const writer = new ChainWriter(0)
      let small = 0
      let outcome = await at.bench.run(at.journal.append(1, writer.seal('OPEN')))
      while (outcome.kind === 'acked') {
        const nearlyFull = at.journal.fill() >= 0.9
        if (nearlyFull) small += 1
        outcome = await at.bench.run(
          at.journal.append(writer.next, writer.seal('BATCH', { bodyBytes: nearlyFull ? 16 : 1_000 })),
        )
      }
      expect(outcome).toEqual({ kind: 'full' })
      expect(small).toBeGreaterThan(4)
      const { next, fill: share } = await at.bench.run(at.journal.open())
      expect(share).toBeGreaterThan(0.9)
      expect(await readAll(at.bench, at.journal)).toHaveLength(next - 1)
      await at.bench.run(at.journal.trim(next))
      writer.continueFrom({ ...writer.head, next })
      expect(await at.bench.run(at.journal.append(next, writer.seal('BATCH')))).toEqual({
        kind: 'acked',
        position: next,
      })
    }),
}

const clearOutcomes = (name: JournalFault) => (harness: JournalHarness) =>
  test(`[JR9] no ${name}, by construction: every append of a long window is acked in place`, async () => {
    await using at = await opened(harness)
    const writer = new ChainWriter(0)
    for (let round = 0; round < 20; round++) await fill(at, 16, writer)
    expect(await readAll(at.bench, at.journal)).toHaveLength(320)
    expect(at.journal.shared).toBe(false)
  })

const absentContract: Readonly<Record<JournalFault, (harness: JournalHarness) => void>> = {
  'lost ack': clearOutcomes('lost ack'),
  'late packet': clearOutcomes('late packet'),
  'dropped proposal': clearOutcomes('dropped proposal'),
  election: clearOutcomes('election'),
  fork: (harness) =>
    test('[JR9] no fork, by construction: what is read at a place is what was acked there', async () => {
      await using at = await opened(harness)
      const writer = new ChainWriter(0)
      const written: Uint8Array[] = []
      for (let round = 0; round < 20; round++) written.push(...(await fill(at, 5, writer)))
      const found = await readAll(at.bench, at.journal)
      expect(found.map(({ bytes }) => Buffer.from(bytes))).toEqual(written.map((bytes) => Buffer.from(bytes)))
    }),
  'lost republish': clearOutcomes('lost republish'),
  regression: (harness) =>
    test('[JR9] no regression, by construction: the tail never goes back', async () => {
      await using at = await opened(harness)
      const writer = new ChainWriter(0)
      for (let round = 1; round <= 20; round++) {
        await fill(at, 5, writer)
        expect(await at.bench.run(at.journal.open())).toMatchObject({ next: 1 + round * 5 })
      }
    }),
  full: (harness) =>
    test('[JR8] no bound, by construction: the fill stays 0', async () => {
      await using at = await opened(harness)
      const writer = new ChainWriter(0)
      for (let round = 0; round < 20; round++) await fill(at, 16, writer)
      expect(at.journal.fill()).toBe(0)
      expect(await at.bench.run(at.journal.open())).toMatchObject({ fill: 0 })
    }),
}

async function untilAvailable<T>(ask: () => Promise<T>): Promise<T> {
  for (;;) {
    const answer = await ask().catch(() => undefined)
    if (answer !== undefined) return answer
  }
}
