import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const childFile = new URL('./ack-times-child.ts', import.meta.url).pathname
const syncs = 'fdatasync,fsync,msync'
/** Each sync is made so much longer, after the disk did it: a floor for every honest answer, not a measurement. */
const delayMs = 100
const slower = ['-f', '-o', '/dev/null', '-e', `trace=${syncs}`, '-e', `inject=${syncs}:delay_exit=${delayMs * 1_000}`]

const canTrace = spawnSync('strace', [...slower, 'true']).status === 0

describe.skipIf(!canTrace)('with slow syncs (optional: this machine has no strace that may make calls slower)', () => {
  test.each(['lmdb', 'sqlite'])('%s answers no transfer before its sync, alone or in a group', (name) => {
    const folder = mkdtempSync(join(tmpdir(), 'plenum-bench-'))
    const ran = spawnSync('strace', [...slower, process.execPath, childFile, name, folder], { encoding: 'utf8' })
    rmSync(folder, { recursive: true, force: true })
    expect(ran.stderr).toBe('')
    const took: readonly number[] = JSON.parse(ran.stdout)
    expect(took).toHaveLength(4)
    for (const ms of took) expect(ms).toBeGreaterThanOrEqual(delayMs)
  })
})
