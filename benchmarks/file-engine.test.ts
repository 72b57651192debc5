import { rm, mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runRecovery } from './file-engine/runs.ts'
import { measure } from './file-engine.ts'

test('[FE5] every arrangement of the file engine is measured, small', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'plenum-bench-'))
  const rows = await measure({ folder, ms: 3, slices: 2, quietPerSecond: 0, recordBytes: 100 })
  expect(new Set(rows.map(({ what }) => what))).toEqual(
    new Set(['raw write + fdatasync', 'adaptive', 'pool', 'thread', 'log each']),
  )
  for (const row of rows) expect(row.perSecond).toBeGreaterThan(0)
  expect((await runRecovery({ folder, recordBytes: 20, partitions: 3, records: 5_000 })).bytes).toBeGreaterThan(
    5_000 * 20,
  )
  await rm(folder, { recursive: true })
})
