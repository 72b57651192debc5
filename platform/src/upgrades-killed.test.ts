// Real processes that are killed while they go over to another unit.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'
import { embedded, entry, isPlenumError, unit, upgrade } from './index.ts'

const Before = z.object({ id: z.string(), cents: z.int() })
const Old = entry('account', Before, { id: 'id' })
const old = unit('bank', { entries: [Old] }, {})
const New = entry('account', z.object({ id: z.string(), euros: z.number() }), {
  id: 'id',
  upgrades: [upgrade(Before, ({ id, cents }) => ({ id, euros: cents / 100 }))],
})
const later = unit('bank', { entries: [New] }, {})

const partitions = 4
const home = mkdtempSync(join(tmpdir(), 'plenum-upgrades-killed-'))
const child = join(home, 'child.ts')
const platform = new URL('index.ts', import.meta.url).href

/** Starts the later unit and kills itself when something has been told so many times. */
const program = `import { z } from ${JSON.stringify(import.meta.resolve('zod'))}
import { embedded, entry, unit, upgrade } from ${JSON.stringify(platform)}
const [folder, told, times] = process.argv.slice(2)
const Before = z.object({ id: z.string(), cents: z.int() })
const New = entry('account', z.object({ id: z.string(), euros: z.number() }), {
  id: 'id',
  upgrades: [upgrade(Before, ({ id, cents }) => ({ id, euros: cents / 100 }))],
})
let count = 0
const client = await embedded({
  unit: unit('bank', { entries: [New] }, {}),
  folder,
  onEvent({ event }) {
    if ((event.kind === 'role' ? event.role : event.kind) !== told) return
    count += 1
    if (count === Number(times)) process.kill(process.pid, 'SIGKILL')
  },
})
if (told === 'written') {
  await client.space.insert(New, { id: 'new', euros: 1 })
  process.kill(process.pid, 'SIGKILL')
}
`

beforeAll(() => writeFileSync(child, program))
afterAll(() => rmSync(home, { recursive: true, force: true }))

test.each<[string, string, number]>([
  ['while the first entries are tried', 'upgrading', 1],
  ['once all are tried', 'upgrading', partitions],
  ['before the first partition begins', 'opening', 1],
  ['once the first partition has begun', 'primary', 1],
  ['once all but one have begun', 'primary', partitions - 1],
  ['once all have begun', 'primary', partitions],
  ['once something new is written', 'written', 1],
])(
  '[UN10] [PA10] killed %s, the next start ends what was begun, and nothing is lost',
  { timeout: 60_000 },
  async (_, told, times) => {
    const folder = mkdtempSync(join(home, 'data-'))
    {
      await using client = await embedded({ unit: old, folder, partitions })
      for (let n = 0; n < 40; n++) await client.space.insert(Old, { id: `a${n}`, cents: n * 100 })
    }
    const { signal, stderr } = spawnSync(process.execPath, [child, folder, told, String(times)], { encoding: 'utf8' })
    expect({ signal, stderr }).toEqual({ signal: 'SIGKILL', stderr: '' })
    // The old code goes on as long as no partition has gone over, and says so otherwise.
    const started = embedded({ unit: old, folder })
    const before = await started.catch((error: unknown) => error)
    if (isPlenumError(before)) {
      expect(before).toMatchObject({ code: 'UNIT_MISMATCH', details: { type: 'account', part: 'upgrades' } })
      expect(['primary', 'written']).toContain(told)
    } else {
      await using client = await started
      expect(await client.space.count(Old, { cents: { gte: 0 } })).toBe(40)
    }
    await using client = await embedded({ unit: later, folder })
    const found = await client.space.readAll(New, {}, { orderBy: { euros: 'asc' } })
    const expected = Array.from({ length: 40 }, (__, n) => ({ id: `a${n}`, euros: n }))
    if (told === 'written') expected.push({ id: 'new', euros: 1 })
    expect(new Map(found.map(({ id, euros }) => [id, euros]))).toEqual(
      new Map(expected.map(({ id, euros }) => [id, euros])),
    )
  },
)
