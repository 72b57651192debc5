import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { DevView } from './dev-view.ts'
import { LiveText } from './live-text.ts'

const main = fileURLToPath(new URL('main.ts', import.meta.url))

test(
  '[DV1, DV2] plenum dev tells of each change in a line where it is piped, and ends in order with Ctrl-C',
  { timeout: 120_000 },
  async () => {
    const home = mkdtempSync(join(tmpdir(), 'plenum-dev-'))
    const unit = (factor: string): string => `import { z } from ${JSON.stringify(import.meta.resolve('zod'))}
import { entry, unit } from ${JSON.stringify(new URL('../index.ts', import.meta.url).href)}
const Counter = entry('counter', z.object({ id: z.string() }), { id: 'id' })
export default unit('counters', { entries: [Counter] }, {})
export const factor = ${factor}
`
    const file = join(home, 'counters.ts')
    writeFileSync(file, unit('1'))
    const child = spawn(process.execPath, [main, 'dev', 'counters.ts', '--partitions', '2'], { cwd: home })
    let [out, err] = ['', '']
    child.stdout.on('data', (chunk) => (out += String(chunk)))
    child.stderr.on('data', (chunk) => (err += String(chunk)))
    try {
      const options = { timeout: 60_000 }
      const runs = 'counters runs on 2 partitions, journal in .plenum/counters; 1 file is watched\n'
      await expect.poll(() => out, options).toBe(runs)
      writeFileSync(file, unit('2'))
      await expect.poll(() => out, options).toMatch(/counters\.ts changed: the unit is replaced, in \d+ ms\n$/)
      writeFileSync(file, unit('= 3'))
      await expect
        .poll(() => err, options)
        .toMatch(/^counters\.ts changed, and the unit of before goes on\. UNIT_NOT_LOADED: .*counters\.ts:5\n$/)
      child.kill('SIGINT')
      expect(await once(child, 'exit')).toEqual([130, null])
      expect(out + err).not.toContain('\u001b')
    } finally {
      child.kill('SIGKILL')
      rmSync(home, { recursive: true })
    }
  },
)

test('the view shows what went to each partition since it was last asked, and the newest errors', async () => {
  let now = 0
  const view = new DevView(() => now)
  view.head('bank runs')
  view.role(0, 'primary')
  const channel = view.through({
    partition: 0,
    sharesFate: false,
    send: async ({ command }) => {
      if (command.kind === 'register') throw new Error('no')
      return command.kind
    },
  })
  const caller = { kind: 'unit', subject: '', claims: {} } as const
  for (let n = 0; n < 4; n++) await channel.send({ command: { kind: 'call', handler: 'h', input: {}, caller } })
  await channel.send({ command: { kind: 'get', type: 't', key: {} } })
  await channel.send({ command: { kind: 'task', task: 't', input: {}, caller } })
  await expect(channel.send({ command: { kind: 'register', session: 's' } })).rejects.toThrow('no')
  for (const error of ['first', 'second', 'third', 'fourth\nline']) view.error(error)
  now = 2_000
  expect(view.text().split('\n')).toEqual([
    'bank runs',
    'partition  role     calls/s  writes/s  reads/s  fan-outs/s  errors/s',
    '0          primary        2         1        1           1         1',
    'last errors',
    '  second',
    '  third',
    '  fourth line',
    '',
  ])
  now = 3_000
  expect(view.text()).toContain('primary        0         0        0           0         0')
})

test('live text is drawn in the place of the one before, and lines that are too long do not wrap', () => {
  let written = ''
  const live = new LiveText(
    (text) => (written += text),
    () => 10,
  )
  live.draw('0123456789abc\nb\n')
  expect(written).toBe('012345678\nb\n')
  written = ''
  live.draw('c\n')
  live.clear()
  live.clear()
  expect(written).toBe('\u001b[2A\u001b[0Jc\n\u001b[1A\u001b[0J')
})
