import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { emptyFolder, openHere } from './contract/folder-bench.ts'
import { testRecord } from './contract/log-bench.ts'
import type { LogEvent } from './recover-log.ts'

/** Kills in each test; the campaign sets more. */
const kills = Number(process.env['PLENUM_KILLS'] ?? 10)
const child = join(import.meta.dirname, 'contract/kill-child.ts')

/** Runs the child until it dies, by itself before a sync or killed after some lines, and adds what it was acked. */
async function runAndKill(
  path: string,
  how: { readonly level: 'os' | 'disk'; readonly inFlight: number; readonly deathAt: number; readonly lines: number },
  acked: Set<string>,
): Promise<void> {
  const { level, inFlight, deathAt } = how
  const process_ = spawn(process.execPath, [child, path, level, String(inFlight), String(deathAt)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  process_.stdout.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1')
    // At a moment that the load decides: after so many answers, or at once if the child is to end itself.
    if (deathAt === 0 && text.length > 5 + how.lines * 6) process_.kill('SIGKILL')
  })
  const [code, signal] = (await once(process_, 'close')) as [number | null, string | null]
  expect({ code, signal }).toEqual({ code: null, signal: 'SIGKILL' })
  // The kill may have cut the last line.
  for (const line of text.slice(0, text.lastIndexOf('\n')).split('\n')) if (line !== 'open') acked.add(line)
}

/** Every record that is there, after a recovery, each as it was written. */
async function recovered(path: string, level: 'os' | 'disk', events: LogEvent[]): Promise<Set<string>> {
  const folder = await openHere(path, { level, create: false, onEvent: (event) => events.push(event) })
  const found = new Set<string>()
  for (const [number, { journal }] of folder.partitions.entries()) {
    let expected = 1
    for await (const { position, bytes } of journal.read(1)) {
      expect(position).toBe(expected)
      expected += 1
      const record = testRecord(number, position, (position * 37) % 300)
      if (Buffer.compare(bytes, record) !== 0) throw new Error(`record ${number} ${position} differs`)
      found.add(`${number} ${position}`)
    }
  }
  await folder.close()
  return found
}

for (const level of ['os', 'disk'] as const) {
  test(
    `[JR6] [JR9] level ${level}: what was acked before a kill -9 is there again, ${kills} kills on one folder`,
    { timeout: 60_000 + kills * 5_000 },
    async () => {
      await using at = await emptyFolder()
      const acked = new Set<string>()
      const events: LogEvent[] = []
      for (let kill = 0; kill < kills; kill += 1) {
        // In flight: one, a few, many. At level disk every other death falls between a write and its sync.
        const inFlight = [1, 16, 256][kill % 3]!
        const deathAt = level === 'disk' && kill % 2 === 1 ? 3 + kill : 0
        await runAndKill(at.path, { level, inFlight, deathAt, lines: 20 + ((kill * 97) % 700) }, acked)
        const found = await recovered(at.path, level, events)
        const missing = [...acked].filter((line) => !found.has(line))
        expect(missing).toEqual([])
      }
      expect(acked.size).toBeGreaterThan(kills * 10)
      expect(events.filter(({ kind }) => kind === 'recovered')).toHaveLength(kills)
    },
  )
}
