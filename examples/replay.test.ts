import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, expect, test } from 'vitest'

const example = join(import.meta.dirname, '22-simulated-test')
const modules = join(import.meta.dirname, '../node_modules')
const folder = mkdtempSync(join(tmpdir(), 'plenum-replay-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Runs a command in the folder, as somebody in a terminal would. */
function shell(command: string): { readonly status: number | null; readonly output: string } {
  const { VITEST: _, PLENUM_SEED: __, ...env } = process.env
  const path = [dirname(process.execPath), process.env['PATH']].join(':')
  const { status, stdout, stderr } = spawnSync('sh', ['-c', command], {
    cwd: folder,
    encoding: 'utf8',
    env: { ...env, PATH: path, NO_COLOR: '1' },
  })
  return { status, output: `${stdout}${stderr}` }
}

test('the ten lines find the planted bug, and the command that they print replays that very run', () => {
  copyFileSync(join(example, 'bank-with-a-bug.ts'), join(folder, 'bank.ts'))
  copyFileSync(join(example, 'bank.test.ts'), join(folder, 'bank.test.ts'))
  symlinkSync(modules, join(folder, 'node_modules'))
  const found = shell('npx vitest run bank.test.ts')
  expect(found.status, found.output).toBe(1)
  const [, seed, trace, command] =
    /Seed (\d+), trace ([0-9a-f]{16})\. Replay it: (PLENUM_SEED=\d+ .*)$/m.exec(found.output) ?? []
  expect(command).toBe(`PLENUM_SEED=${seed} npx vitest run bank.test.ts`)
  for (let time = 0; time < 2; time++) {
    const again = shell(command!)
    expect(again.status, again.output).toBe(1)
    expect(again.output).toContain(`Seed ${seed}, trace ${trace}. Replay it: ${command}`)
  }
  // With the bug mended, the same seed is content.
  copyFileSync(join(example, 'bank.ts'), join(folder, 'bank.ts'))
  const mended = shell(command!)
  expect(mended.status, mended.output).toBe(0)
})
