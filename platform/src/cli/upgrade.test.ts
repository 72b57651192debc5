import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { embedded } from '../embedded.ts'
import { isUnit, type Unit } from '../unit/index.ts'

const main = fileURLToPath(new URL('main.ts', import.meta.url))
const platform = new URL('../index.ts', import.meta.url).href
const zod = import.meta.resolve('zod')
const home = mkdtempSync(join(tmpdir(), 'plenum-upgrade-'))
const files = {
  old: join(home, 'old.ts'),
  new: join(home, 'new.ts'),
  wrong: join(home, 'wrong.ts'),
  other: join(home, 'other.ts'),
  moved: join(home, 'moved.ts'),
}

const old = `import { z } from ${JSON.stringify(zod)}
import { entry, handler, port, unit, upgrade } from ${JSON.stringify(platform)}
const Before = z.object({ id: z.string(), cents: z.int() })
const Account = entry('account', Before, { id: 'id' })
const Note = entry('note', z.object({ id: z.string() }), { id: 'id' })
const tell = handler({ input: z.object({ id: z.string(), loud: z.boolean() }), route: 'id' }, () => {})
export default unit('bank', { entries: [Account, Note], uses: { clerk: port() } }, {
  handlers: {
    tell,
    open: handler({ input: Before, route: 'id' }, (account, { partition, send }) => {
      partition.insert(Account, account)
      if (account.cents < 0) send(tell, { id: account.id, loud: true }, { after: '1d' })
    }),
  },
})
`
/** The same with euros instead of cents, and without the notes. */
const later = old
  .replace(
    "entry('account', Before, { id: 'id' })",
    "entry('account', z.object({ id: z.string(), euros: z.number() }), { id: 'id', upgrades: [upgrade(Before, ({ id, cents }) => ({ id, euros: cents / 100 }))] })",
  )
  .replace('[Account, Note]', '[Account]')
  .replace('z.boolean()', 'z.enum(["yes"])')
const wrong = later.replace('z.number()', 'z.number().min(0)')
const other = old.replace("Before, { id: 'id' }", "Before, { id: 'id', route: 'cents' }")
/** The same as the old one, but for the route of the messages. */
const moved = old.replace("loud: z.boolean() }), route: 'id'", "loud: z.boolean() }), route: 'loud'")

function plenum(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    cwd: home,
    encoding: 'utf8',
    timeout: 60_000,
  })
  return { code: status, out: stdout, err: stderr }
}

/** A folder with three accounts of the old unit, and a message that waits. */
async function oldFolder(): Promise<string> {
  const folder = mkdtempSync(join(home, 'data-'))
  const { default: unit } = (await import(pathToFileURL(files.old).href)) as { readonly default: unknown }
  if (!isUnit(unit)) throw new Error('The unit file has no unit.')
  const uses = { clerk: {} }
  await using client = await embedded<Unit>({ unit, folder, partitions: 2, uses })
  for (const [id, cents] of [
    ['a', 150],
    ['b', -50],
    ['c', -1],
  ] as const)
    await client.handlers['open']?.({ id, cents })
  return folder
}

beforeAll(() => {
  for (const [name, source] of Object.entries({ old, new: later, wrong, other, moved }))
    writeFileSync(files[name as 'old'], source)
})
afterAll(() => rmSync(home, { recursive: true, force: true }))

test('[UN10] a dry run says what would be, and changes nothing', async () => {
  const folder = await oldFolder()
  for (let time = 0; time < 2; time++) {
    const { code, out, err } = plenum('upgrade', files.new, '--folder', folder, '--dry-run')
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toMatch(/account +3 +3 +3 +0\n/)
    expect(out).toContain('All fit: the next start goes over to this unit.')
    expect(out).toContain('does not declare; their entries stay: note.')
    expect(out).toMatch(/tell +2 +2 +The input of handler tell is invalid at 'loud'/)
  }
  expect(plenum('upgrade', files.old, '--folder', folder, '--dry-run').out).toContain('is under this unit already')
  expect(plenum('upgrade', files.moved, '--folder', folder, '--dry-run').out).toMatch(
    /tell +2 +2 +its route is 'loud' now/,
  )
})

test('[UN10] what does not fit is listed by entry and reason, with exit code 1, and nothing is changed', async () => {
  const folder = await oldFolder()
  for (const options of [['--dry-run'], []]) {
    const { code, out } = plenum('upgrade', files.wrong, '--folder', folder, ...options)
    expect(code).toBe(1)
    expect(out).toMatch(/account +3 +3 +1 +2\n/)
    expect(out).toContain('account: 2 do not fit')
    expect(out).toContain(
      `{"id":"b"}: what upgrade 1 makes of it does not fit the schema that comes next. An entry of type 'account' is invalid at 'euros'`,
    )
    expect(out).toContain('Nothing was changed.')
  }
  const { code, out } = plenum('upgrade', files.wrong, '--folder', folder, '--json')
  expect(code).toBe(1)
  expect(JSON.parse(out)).toMatchObject({
    folder,
    unit: 'bank',
    fits: false,
    done: false,
    partitions: 2,
    behind: 2,
    left: ['note'],
    types: [
      { type: 'account', entries: 3, earlier: 3, changed: 1, refused: 2, refusals: [{ code: 'UPGRADE_REFUSED' }, {}] },
    ],
    messages: [{ handler: 'tell', waiting: 2, refused: 2 }],
  })
  expect(plenum('upgrade', files.old, '--folder', folder, '--dry-run').out).toContain('is under this unit already')
})

test('[UN10] without --dry-run the folder goes over, and earlier code does not open it again', async () => {
  const folder = await oldFolder()
  expect(plenum('upgrade', files.new, '--folder', folder).out).toContain('The folder is under this unit now.')
  const again = plenum('upgrade', files.new, '--folder', folder, '--json')
  expect(again.code).toBe(0)
  expect(JSON.parse(again.out)).toMatchObject({
    behind: 0,
    done: false,
    types: [{ entries: 3, earlier: 3, refused: 0 }],
  })
  expect(plenum('upgrade', files.old, '--folder', folder)).toMatchObject({
    code: 1,
    out: '',
    err: expect.stringContaining('UNIT_MISMATCH'),
  })
  const { out } = plenum('inspect', folder, '--entries', 'account')
  expect(out).toContain('{"id":"b","cents":-50}')
})

test('a unit that cannot follow at all is refused, and so are a folder in use, one that is none, and wrong usage', async () => {
  const folder = await oldFolder()
  expect(plenum('upgrade', files.other, '--folder', folder)).toMatchObject({
    code: 1,
    err: expect.stringContaining('UNIT_MISMATCH'),
  })
  expect(plenum('upgrade', files.new, '--folder', join(home, 'none'))).toMatchObject({
    code: 2,
    err: expect.stringContaining('There is no grid'),
  })
  for (const args of [[], [files.new, files.old], [files.new, '--dry']])
    expect(plenum('upgrade', ...args)).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining('USAGE: plenum upgrade: '),
    })
  expect(plenum('upgrade', '--help')).toMatchObject({ code: 0, out: expect.stringContaining('--dry-run') })
  const { default: unit } = (await import(pathToFileURL(files.old).href)) as { readonly default: Unit }
  await using client = await embedded<Unit>({ unit, folder, uses: { clerk: {} } })
  expect(client.partitions).toBe(2)
  expect(plenum('upgrade', files.new, '--folder', folder, '--dry-run')).toMatchObject({
    code: 1,
    err: expect.stringContaining('FOLDER_IN_USE'),
  })
})
