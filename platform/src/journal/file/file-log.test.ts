import { readdir } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { isPlenumError } from '../../kernel/index.ts'
import { contents, LogBench, testRecord } from './contract/log-bench.ts'
import type { RecoveryProgress } from './recover-log.ts'

test('records of any size, from none to many segments, come back from the log that wrote them and from the next one', async () => {
  await using bench = await LogBench.make({ groupBytesMax: 4 << 10 })
  const log = await bench.open()
  const sizes = [0, 1, 7, 8, 9, 3_000, 8_000, 8_192, 20_000, 0, 70_000, 5]
  const records = sizes.map((size, i) => Buffer.alloc(size, i + 1))
  const outcomes = await Promise.all(records.map((record, i) => log.append(0, i + 1, record)))
  expect(outcomes).toEqual(records.map((_, i) => ({ kind: 'acked', position: i + 1 })))
  expect(await contents(log, 0)).toEqual(records)
  await log.close()
  expect(await contents(await bench.open(), 0)).toEqual(records)
})

test('[JR2] acks come in the order of the appends, whatever the sizes and the way they are written', async () => {
  for (const quickMsMax of [0, 1e9]) {
    await using bench = await LogBench.make({ quickMsMax, groupBytesMax: 2 << 10 })
    const log = await bench.open()
    const order: string[] = []
    const appends = Array.from({ length: 200 }, (_, i) => {
      const [journal, position] = [i % 2, (i >> 1) + 1]
      return log.append(journal, position, testRecord(journal, position, (i * 53) % 900)).then(() => order.push(`${i}`))
    })
    await Promise.all(appends)
    expect(order).toEqual(appends.map((_, i) => `${i}`))
  }
})

test('the caller may use its buffer again as soon as append returned', async () => {
  await using bench = await LogBench.make()
  const log = await bench.open()
  const scratch = testRecord(0, 1)
  const expected = Buffer.from(scratch)
  const appended = log.append(0, 1, scratch)
  scratch.fill(0)
  await appended
  expect(await contents(log, 0)).toEqual([expected])
})

test('[JR7] a segment goes only when no journal needs it, and what is left reads the same after a new start', async () => {
  await using bench = await LogBench.make()
  const log = await bench.open()
  await bench.append(log, 80, 700)
  const before = (await readdir(bench.folder)).length
  await log.trim(0, 41)
  expect((await readdir(bench.folder)).length).toBe(before)
  expect(log.tail(0)).toMatchObject({ first: 41, next: 41 })
  await log.trim(1, 21)
  const after = await readdir(bench.folder)
  expect(after.length).toBeLessThan(before)
  expect((await contents(log, 1)).map((bytes) => bytes[0])).toEqual(Array.from({ length: 20 }, (_, i) => i + 21))
  await bench.append(log, 4, 700)
  await log.close()
  const again = await bench.open()
  const { first, next } = again.tail(1)
  expect(first).toBeGreaterThan(1)
  expect(first).toBeLessThanOrEqual(21)
  expect(next).toBeGreaterThanOrEqual(41)
  expect((await contents(again, 1)).map((bytes) => bytes[0])).toEqual(
    Array.from({ length: next - first }, (_, i) => i + first),
  )
  const error: unknown = await again
    .read(1, first - 1)
    .next()
    .catch((reason: unknown) => reason)
  expect(isPlenumError(error, 'JOURNAL_CORRUPT')).toBe(true)
})

test('[JR7] a reader that a trim overtakes ends with an error, never with a gap', async () => {
  await using bench = await LogBench.make()
  const log = await bench.open()
  await bench.append(log, 80, 700)
  const seen: number[] = []
  const error: unknown = await (async () => {
    for await (const { position } of log.read(0, 1)) {
      seen.push(position)
      if (position === 2) await Promise.all([log.trim(0, 41), log.trim(1, 41)])
    }
  })().catch((reason: unknown) => reason)
  expect(isPlenumError(error, 'JOURNAL_CORRUPT') && error.details).toMatchObject({ reason: 'trimmed' })
  expect(seen).toEqual(seen.map((_, i) => i + 1))
  expect(seen.length).toBeLessThan(40)
})

test('[PA8] recovery reports bytes, records and an estimate, and ends at the total', async () => {
  await using bench = await LogBench.make()
  const log = await bench.open()
  await bench.append(log, 40, 700)
  await log.close()
  const progress: RecoveryProgress[] = []
  await bench.open({ onProgress: (one) => progress.push(one) })
  const { bytesTotal } = progress[0]!
  expect(progress.map(({ bytes }) => bytes)).toEqual(progress.map(({ bytes }) => bytes).toSorted((a, b) => a - b))
  expect(progress.at(-1)!.records).toBe(40)
  expect(progress.at(-1)!.bytes).toBeLessThanOrEqual(bytesTotal)
  expect(progress.every(({ remainingMs }) => remainingMs >= 0)).toBe(true)
  expect(bench.events).toMatchObject([{ kind: 'recovered', records: 40, bytes: bytesTotal, rewrittenBytes: 40 }])
})

test('[JR9] what rots after the log was opened is found when it is read', async () => {
  await using bench = await LogBench.make()
  const log = await bench.open()
  await bench.append(log, 40, 700)
  const file = await bench.options.disk.open(`${bench.folder}/00000002.log`)
  const [byte] = await file.read(2_000, 1)
  file.writeNow([Buffer.from([byte! ^ 4])], 2_000)
  await file.close()
  const error: unknown = await contents(log, 0).catch((reason: unknown) => reason)
  expect(isPlenumError(error, 'JOURNAL_CORRUPT') && error.details).toMatchObject({
    file: `${bench.folder}/00000002.log`,
  })
})

test('journals take turns in one log, and each reads only its own', async () => {
  await using bench = await LogBench.make({ journals: 5 })
  const log = await bench.open()
  await Promise.all(
    Array.from({ length: 500 }, (_, i) =>
      log.append(i % 5, Math.floor(i / 5) + 1, testRecord(i % 5, Math.floor(i / 5) + 1)),
    ),
  )
  await log.close()
  const again = await bench.open()
  for (let journal = 0; journal < 5; journal += 1) {
    expect(await contents(again, journal)).toEqual(
      Array.from({ length: 100 }, (_, i) => Buffer.from(testRecord(journal, i + 1))),
    )
  }
})

test('closing twice is closing once, and a closed log takes nothing', async () => {
  await using bench = await LogBench.make()
  const log = await bench.open()
  const flying = log.append(0, 1, testRecord(0, 1))
  await Promise.all([log.close(), log.close()])
  expect(await flying).toEqual({ kind: 'acked', position: 1 })
  expect(await log.append(0, 2, testRecord(0, 2))).toEqual({ kind: 'unavailable' })
})
