import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const main = fileURLToPath(new URL('main.ts', import.meta.url))

test('[TH1] plenum run --threads runs a unit on threads, with what its file says that it uses, over the folder of before', () => {
  const home = mkdtempSync(join(tmpdir(), 'plenum-run-threads-'))
  const file = join(home, 'counters.ts')
  const plenum = (...args: readonly string[]): readonly [number | null, string, string] => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, 'run', file, ...args], {
      cwd: home,
      encoding: 'utf8',
      timeout: 60_000,
    })
    return [status, stdout, stderr]
  }
  writeFileSync(
    file,
    `import { z } from ${JSON.stringify(import.meta.resolve('zod'))}
import { entry, port, source, unit } from ${JSON.stringify(new URL('../index.ts', import.meta.url).href)}
const Counter = entry('counter', z.object({ id: z.string(), n: z.int() }), { id: 'id' })
export const uses = () => ({ first: 7 })
export default unit('counters', { entries: [Counter], uses: { first: port() } }, {
  sources: { first: source(Counter, { load: async function* ({ partition, uses }) { if (partition === 0) yield [{ id: 'c', n: uses.first }] } }) },
})
`,
  )
  try {
    const loaded = 'source first: 1 rows into 2 partitions, 0 had theirs\n'
    const runs = 'counters runs on 2 partitions'
    const ending = ', journal in .plenum/counters, acks mean disk\n'
    expect(plenum('--once', '--partitions', '2', '--threads', '2')).toEqual([
      0,
      `${loaded}${runs} in 2 threads${ending}`,
      '',
    ])
    const again = 'source first: 0 rows into 0 partitions, 2 had theirs\n'
    expect(plenum('--once')).toEqual([0, `${again}${runs}${ending}`, ''])
    expect(plenum('--once', '--threads', '9')).toEqual([0, `${again}${runs} in 2 threads${ending}`, ''])
  } finally {
    rmSync(home, { recursive: true })
  }
})
