import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { defaultLimits } from '../kernel/index.ts'
import { openFolder } from '../journal/file/index.ts'
import { askNobody, Partition } from '../partition/index.ts'
import { DataLogic } from '../partition/contract/partition-bench.ts'
import { NodeDisk, nodeRuntime } from '../runtime/node/index.ts'
import type { Command } from '../space/index.ts'
import { inspect } from './inspect.ts'

/** A folder whose application was killed between the steps of two transactions. */
async function killedFolder(path: string): Promise<void> {
  const runtime = nodeRuntime()
  const folder = await openFolder({
    disk: new NodeDisk(),
    path,
    create: true,
    partitions: 1,
    level: 'disk',
    ...runtime,
  })
  const { id, journal } = folder.partitions[0]!
  const partition = new Partition({
    number: 0,
    journal,
    journalId: id,
    logic: new DataLogic('unit-1', defaultLimits),
    member: 1,
    incarnation: 1,
    runtime,
    limits: defaultLimits,
    reference: () => runtime.clock.wall(),
    ask: askNobody,
    onEvent: () => {},
  })
  await partition.startAlone()
  const part = (item: string) => ({
    seen: { entries: [], queries: [] },
    commands: [{ kind: 'write', type: 'item', value: { id: item, n: 1 }, options: {} } as const],
  })
  const named = (transaction: string, coordinator: number) => ({ id: transaction, coordinator, until: 1e15 })
  const commands: readonly Command[] = [
    { kind: 'prepare', transaction: named('waits', 3), part: part('a') },
    { kind: 'commit', transaction: named('decided', 0), part: part('b'), partitions: [1, 2] },
  ]
  for (const command of commands) await partition.submit({ command })
  partition.drop()
  await folder.close()
}

async function printed(...args: readonly string[]): Promise<string> {
  let text = ''
  const code = await inspect(args, {
    out: (more: string) => (text += more),
    err: () => {},
    colours: false,
    live: false,
  } as never)
  expect(code).toBe(0)
  return text
}

test('[TX4] inspect shows the transactions that were not over, and what the next start does about them', async () => {
  const path = mkdtempSync(join(tmpdir(), 'plenum-transactions-'))
  try {
    await killedFolder(path)
    const report = JSON.parse(await printed(path, '--json')) as { partitions: { transactions: unknown }[] }
    expect(report.partitions[0]!.transactions).toEqual([
      { transaction: 'waits', state: 'prepared', coordinator: 3, effects: 1 },
      { transaction: 'decided', state: 'committed', partitions: [1, 2] },
    ])
    const text = await printed(path)
    expect(text).toMatch(/waits +prepared +asks partition 3 for the outcome of 1 changes/)
    expect(text).toMatch(/decided +committed +tells partitions 1, 2/)
  } finally {
    rmSync(path, { recursive: true })
  }
})
