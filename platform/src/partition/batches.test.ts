import { expect, test } from 'vitest'
import { get, insert, PartitionBench, remove, write } from './contract/partition-bench.ts'
import type { Request } from '../space/index.ts'

const batch = (...requests: readonly Request[]): Request => ({
  command: { kind: 'batch', commands: requests.map(({ command }) => command) as never },
})

test('[SP10] a batch of one partition reports for each entry, in order; what fails leaves the others alone', async () => {
  const bench = new PartitionBench({ shared: false })
  const { partition } = await bench.primary()
  await partition.submit(write('b', 0))
  const outcomes = await partition.submit(
    batch(
      insert('a', 1),
      insert('b', 1),
      get('a'),
      remove('missing'),
      { command: { kind: 'get', type: 'nothing', key: {} } },
      write('c', 1),
    ),
  )
  expect(outcomes).toMatchObject([
    { ok: true, value: { id: 'a' } },
    { ok: false, error: { code: 'ENTRY_EXISTS' } },
    { ok: true, value: { id: 'a', n: 1 } },
    { ok: true, value: false },
    { ok: false, error: { code: 'ENTRY_TYPE_UNKNOWN' } },
    { ok: true, value: { id: 'c' } },
  ])
  expect(await partition.submit(batch(get('a'), get('b'), get('c')))).toMatchObject([
    { value: { n: 1 } },
    { value: { n: 0 } },
    { value: { n: 1 } },
  ])
  expect(await bench.stream.kinds()).toEqual(['OPEN', 'UPGRADE', 'BATCH', 'BATCH'])
})

test('[SP10] [SP12] a batch under a key is one request: it runs once and gets all its outcomes again', async () => {
  const bench = new PartitionBench({ shared: false })
  const { partition } = await bench.primary()
  const request: Request = { ...batch(insert('a', 1), insert('a', 2)), identity: { kind: 'keyed', key: 'k' } }
  const first = await partition.submit(request)
  expect(first).toMatchObject([{ ok: true }, { ok: false, error: { code: 'ENTRY_EXISTS' } }])
  expect(await partition.submit(request)).toEqual(first)
})
