// Runs every benchmark at its small size, so that none can rot. Nothing here is timed.
import { tmpdir } from 'node:os'
import { describe, expect, test } from 'vitest'
import { environmentOf } from './harness/environment.ts'
import { benchOptions } from './harness/options.ts'
import { runSuites, type SuiteRun } from './harness/run-suites.ts'
import type { Suite } from './harness/suite.ts'
import { markdown } from './harness/table.ts'
import { missingServers } from './servers/find-servers.ts'
import { missingRestate } from './servers/restate-server.ts'
import { suites } from './suites/index.ts'
import { peersOf } from './suites/peers.ts'
import { workersOf } from './suites/workers.ts'
import { workflowsOf } from './suites/workflows.ts'

const options = { ...benchOptions(['--small']), progress: () => {} }

/** Those that need only what npm brings. */
const everywhere = [
  ...suites.filter(({ onlyNamed }) => onlyNamed !== true),
  peersOf(['embedded']),
  workersOf(false),
  workflowsOf(false),
]

describe('each benchmark at its small size', () => {
  test.each(everywhere.map((suite) => [suite.name, suite] as const))('%s', async (_, suite) => {
    await runSmall(suite)
  })
})

test('what runs only where it is named is in the list', () => {
  expect(suites.filter(({ onlyNamed }) => onlyNamed === true).map(({ name }) => name)).toEqual([
    'peers',
    'workers',
    'workflows',
  ])
})

describe.skipIf(missingServers().length > 0)('servers (optional: this machine has no Redis or PostgreSQL)', () => {
  // PostgreSQL makes a few thousand transfers a second, and the proof alone is 20,000 for each bank.
  test('peers behind a socket', { timeout: 240_000 }, async () => {
    const { rows, notes } = await runSmall(peersOf(['behind a socket']))
    expect(new Set(rows.map(({ subject }) => subject))).toEqual(
      new Set([
        'raw disk',
        'plenum',
        'redis, 1 connection',
        'redis, 64 connections',
        'postgresql, 64 connections',
        'postgresql, arrays of 100',
      ]),
    )
    expect(notes?.join()).toMatch(/appendonly yes, appendfsync always.*fsync = on, synchronous_commit = on/)
  })

  test('workers beside job queues', { timeout: 240_000 }, async () => {
    const { rows, notes } = await runSmall(workersOf(true))
    expect(new Set(rows.map(({ subject }) => subject))).toEqual(
      new Set(['raw disk', 'plenum', 'bullmq', 'graphile-worker']),
    )
    expect(notes?.join()).toMatch(/appendonly yes, appendfsync always.*fsync = on, synchronous_commit = on/)
  })
})

describe.skipIf(missingRestate().length > 0)('Restate (optional: npm has no program of it for this machine)', () => {
  test('workflows beside it', { timeout: 240_000 }, async () => {
    const { rows, notes } = await runSmall(workflowsOf(true))
    expect(new Set(rows.map(({ subject }) => subject))).toEqual(new Set(['raw disk', 'plenum', 'restate']))
    expect(notes?.join()).toMatch(/rocksdb-disable-wal-fsync = false/)
  })
})

async function runSmall(suite: Suite): Promise<SuiteRun> {
  const [run] = await runSuites([suite], options)
  expect(run?.rows.length).toBeGreaterThan(0)
  for (const row of run?.rows ?? [])
    expect(row.value, row.work).toBeGreaterThan(row.work === 'and zeros before them' ? -1 : 0)
  const hashes = new Set(run?.rows.flatMap(({ hash }) => hash ?? []))
  expect(hashes.size, 'the same work leads to the same balances, whoever does it').toBeLessThanOrEqual(1)
  expect(markdown(environmentOf(tmpdir()), [run!])).toContain(suite.name)
  return run!
}
