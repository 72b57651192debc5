// Runs every benchmark at its small size, so that none can rot. Nothing here is timed.
import { tmpdir } from 'node:os'
import { describe, expect, test } from 'vitest'
import { environmentOf } from './harness/environment.ts'
import { benchOptions } from './harness/options.ts'
import { runSuites } from './harness/run-suites.ts'
import { markdown } from './harness/table.ts'
import { suites } from './suites/index.ts'

const options = { ...benchOptions(['--small']), progress: () => {} }

describe('each benchmark at its small size', () => {
  test.each(suites.map((suite) => [suite.name, suite] as const))('%s', async (_, suite) => {
    const [run] = await runSuites([suite], options)
    expect(run?.rows.length).toBeGreaterThan(0)
    for (const row of run?.rows ?? [])
      expect(row.value, row.work).toBeGreaterThan(row.work === 'and zeros before them' ? -1 : 0)
    const hashes = new Set(run?.rows.flatMap(({ hash }) => hash ?? []))
    expect(hashes.size, 'the same work leads to the same balances, whoever does it').toBeLessThanOrEqual(1)
    expect(markdown(environmentOf(tmpdir()), [run!])).toContain(suite.name)
  })
})
