import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const child = fileURLToPath(new URL('threads/contract/develop-child.ts', import.meta.url))

test(
  '[DV1, DV2] a unit that is edited while callers go on: no call fails, no change is missed, and what does not fit changes nothing',
  { timeout: 240_000 },
  () => {
    const home = mkdtempSync(join(tmpdir(), 'plenum-develop-'))
    try {
      const { status, stdout, stderr } = spawnSync(process.execPath, [child, home], {
        encoding: 'utf8',
        timeout: 200_000,
      })
      expect([status, stderr]).toEqual([0, ''])
      const { done, failed, factors, files, gaps, resets, seen, last } = JSON.parse(stdout)
      expect(failed).toEqual([])
      expect(done).toEqual([
        1,
        { reloaded: ['rates.ts'] },
        2,
        { refused: 'UNIT_NOT_LOADED', message: expect.stringMatching(/Expression expected, at .*rates\.ts:1/) },
        { reloaded: ['rates.ts'] },
        { refused: 'UNIT_MISMATCH', message: expect.stringContaining("entry type 'item' has the id key") },
        { refused: 'UPGRADE_REFUSED', message: expect.stringContaining('must') },
        4,
        { reloaded: ['shop.ts'] },
        5,
        { reloaded: ['extra.ts'] },
        6,
        { refused: 'UNIT_MISMATCH', message: expect.stringContaining("from 'shop' to 'store'") },
        { reloaded: ['shop.ts'] },
        4,
      ])
      expect(factors).toEqual([1, 2, 4])
      expect(files).toEqual(['rates.ts', 'shop.ts'])
      // One at the beginning, and one where the schema of what is watched has changed: its entries look otherwise (WA2).
      expect([gaps, resets]).toEqual([[], 2])
      expect(seen).toBeLessThanOrEqual(last)
      expect(seen).toBeGreaterThan(0)
    } finally {
      rmSync(home, { recursive: true })
    }
  },
)
