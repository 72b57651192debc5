import { expect, test } from 'vitest'
import { turns } from './contract/manual-runtime.ts'
import { get, PartitionBench, write } from './contract/partition-bench.ts'

test('[PA8] recovery tells how far it is, up to its total', async () => {
  const bench = new PartitionBench({ shared: false, limits: { batchBytes: 1 } })
  const { partition } = await bench.primary()
  for (let n = 0; n < 5_000; n++) await partition.submit(write('a', n))
  await partition.close()
  const again = await bench.primary()
  const reports = again.events.filter((event) => event.kind === 'recovery')
  const records = (await bench.stream.found()).length - 1
  expect(reports.map((report) => report.records)).toEqual([4_096, records])
  const [first, last] = reports
  expect(first!.bytes).toBeLessThan(last!.bytes)
  expect(first!.bytesTotal).toBeGreaterThan(first!.bytes)
  expect(last!.bytes).toBe(last!.bytesTotal)
})

test('[PA8] nothing is served before the chain is verified, and nothing at all where it is not sound', async () => {
  const bench = new PartitionBench({ shared: false })
  const first = await bench.primary()
  await first.partition.submit(write('a', 1))
  await first.partition.close()
  const again = bench.member(1)
  again.journal.silent = true
  const started = again.partition.startAlone()
  await turns()
  await expect(again.partition.submit(get('a'))).rejects.toMatchObject({ code: 'NOT_PRIMARY' })
  again.journal.silent = false
  await started
  expect(await again.partition.submit(get('a'))).toEqual({ id: 'a', n: 1 })
  await again.partition.close()
  await bench.stream.fork((bytes) => bytes.with(100, bytes[100]! ^ 1))
  const damaged = bench.member(1)
  await expect(damaged.partition.startAlone()).rejects.toMatchObject({ code: 'JOURNAL_CORRUPT' })
  await expect(damaged.partition.submit(get('a'))).rejects.toMatchObject({
    code: expect.stringMatching(/NOT_PRIMARY|JOURNAL_CORRUPT/),
  })
})
