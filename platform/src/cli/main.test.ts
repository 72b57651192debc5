import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const main = fileURLToPath(new URL('main.ts', import.meta.url))
const platform = new URL('../index.ts', import.meta.url).href
const zod = import.meta.resolve('zod')
const home = mkdtempSync(join(tmpdir(), 'plenum-cli-'))
const unitFile = join(home, 'counters.ts')

interface Ended {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

function plenum(...args: readonly string[]): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    cwd: home,
    encoding: 'utf8',
    timeout: 60_000,
  })
  return { code: status, out: stdout, err: stderr }
}

/** A folder of its own with two partitions and one loaded counter. */
function loadedFolder(): string {
  const folder = mkdtempSync(join(home, 'data-'))
  expect(plenum('run', unitFile, '--folder', folder, '--partitions', '2', '--once').code).toBe(0)
  return folder
}

/** Runs the unit and waits for its first line: by then it serves. */
async function running(
  folder: string,
  ...more: readonly string[]
): Promise<{ readonly end: (signal: NodeJS.Signals) => Promise<number | null>; readonly out: () => string }> {
  const child = spawn(process.execPath, [main, 'run', unitFile, '--folder', folder, ...more], {
    cwd: home,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let out = ''
  child.stdout.setEncoding('utf8')
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    out += String(chunk)
    if (out.includes(' runs on ')) break
  }
  child.stdout.on('data', (chunk) => (out += String(chunk)))
  return {
    out: () => out,
    end: async (signal) => {
      child.kill(signal)
      const [code] = (await once(child, 'exit')) as [number | null]
      return code
    },
  }
}

beforeAll(() => {
  writeFileSync(
    unitFile,
    `import { z } from ${JSON.stringify(zod)}
import { entry, handler, source, unit } from ${JSON.stringify(platform)}
const Counter = entry('counter', z.object({ id: z.string(), n: z.int() }), { id: 'id' })
export default unit('counters', { entries: [Counter] }, {
  handlers: { add: handler({ input: z.object({ id: z.string(), n: z.int() }), route: 'id' }, ({ id, n }, { partition }) => {
    partition.write(Counter, { id, n: partition.get(Counter, { id }).n + n })
  }) },
  sources: { first: source(Counter, { load: async function* ({ partition }) { if (partition === 0) yield [{ id: 'c', n: 7 }] } }) },
})
`,
  )
  writeFileSync(join(home, 'broken.ts'), 'export default nothing.at.all\n')
  writeFileSync(join(home, 'other.ts'), 'export default { name: "no unit" }\n')
})

afterAll(() => rmSync(home, { recursive: true }))

describe('usage', () => {
  test.each([
    [['--help'], /plenum run <unit\.ts>/],
    [['help', 'run'], /--partitions <n>/],
    [['run', '--help'], /Exit codes: 0 ended in order/],
    [['inspect', '--help'], /Exit codes: 0 sound, 1 damaged/],
    [['--help'], /plenum dead-letters <unit\.ts>/],
    [['fork', '--help'], /Exit codes: 0 done, 1 failed and nothing left behind/],
    [['replay', '--help'], /Exit codes: 0 no difference, 1 a difference/],
    [['help', 'dead-letters'], /--send-back/],
    [['--help'], /plenum dev <unit\.ts>/],
    [['dev', '--help'], /Exit codes: 1 failed, 2 wrong usage/],
    [['dead-letters', '--help'], /Exit codes: 0 done, 1 failed/],
  ])('plenum %j tells how it is used', (args, text) => {
    const { code, out, err } = plenum(...args)
    expect([code, err]).toEqual([0, ''])
    expect(out).toMatch(text)
  })

  test('plenum --version prints the version of the package', () => {
    const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
    expect(plenum('--version')).toEqual({ code: 0, out: `${manifest.version}\n`, err: '' })
  })

  test('plenum alone tells how it is used, and that this was not', () => {
    const { code, out } = plenum()
    expect(code).toBe(2)
    expect(out).toContain('plenum run <unit.ts>')
  })

  test.each([
    [['walk'], "no command 'walk'"],
    [['--sideways'], "no option '--sideways'"],
    [['run'], 'it takes one unit file'],
    [['run', 'a.ts', 'b.ts'], 'it takes one unit file'],
    [['run', 'counters.ts', '--ack', 'maybe'], "not 'maybe'"],
    [['run', 'counters.ts', '--partitions', '0'], "from 1 to 1024, not '0'"],
    [['run', 'counters.ts', '--log', 'loud'], "--log is json or pretty, not 'loud'"],
    [['run', 'counters.ts', '--log', 'json', '--log-level', 'all'], "one of debug, info, warn, error, not 'all'"],
    [['run', 'counters.ts', '--log-level', 'info'], 'give --log too'],
    [['run', 'counters.ts', '--metrics', 'here'], "from 0 to 65535, not 'here'"],
    [['run', 'counters.ts', '--threads', 'all'], "--threads is a whole number from 1 to 1024, not 'all'"],
    [['run', 'counters.ts', '--sideways'], "no option '--sideways'. There are: --folder"],
    [['run', 'counters.ts', '-x'], "no option '-x'"],
    [['run', 'counters.ts', '--folder'], 'the option --folder lacks its value'],
    [['run', 'counters.ts', '--folder', '--once'], 'the option --folder lacks its value'],
    [['run', 'counters.ts', '--folder='], 'the option --folder lacks its value'],
    [['run', 'counters.ts', '--once=yes'], 'the option --once takes no value'],
    [['dev'], 'it takes one unit file'],
    [['dev', 'counters.ts', '--ack', 'maybe'], "not 'maybe'"],
    [['dev', 'counters.ts', '--threads', '-1'], 'the option --threads lacks its value'],
    [['dev', 'counters.ts', '--partitions', 'x'], "from 1 to 1024, not 'x'"],
    [['inspect'], 'it takes one folder'],
    [['inspect', '.', '--constructor'], "no option '--constructor'"],
    [['inspect', '.', '--entries'], 'the option --entries lacks its value'],
    [['inspect', '.', '--at'], 'the option --at lacks its value'],
    [['fork'], 'it takes a folder and the name of a new one'],
    [['fork', 'a', 'b', 'c'], 'it takes a folder and the name of a new one'],
    [['fork', 'a', '.'], "'.' exists already"],
    [['replay', 'a'], 'it needs the unit file to run, by --on'],
    [['replay', '--on', 'counters.ts'], 'it takes one folder'],
    [['dead-letters'], 'it takes one unit file'],
    [['dead-letters', 'counters.ts', '--worker'], 'the option --worker lacks its value'],
    [['dead-letters', 'counters.ts', '--worker', 'pay'], "no worker 'pay'. There are: none"],
    [['dead-letters', 'counters.ts', '--schedule', 'daily'], "no schedule 'daily'. There are: none"],
    [['dead-letters', 'counters.ts', '--sideways'], "no option '--sideways'. There are: --folder, --worker"],
  ])('[SP13] plenum %j is wrong usage, which is named and leads to --help', (args, what) => {
    const { code, out, err } = plenum(...args)
    expect([code, out]).toEqual([2, ''])
    expect(err).toMatch(/^USAGE: .*--help\.\n$/)
    expect(err).toContain(what)
  })

  test.each([
    ['missing.ts', 'UNIT_NOT_LOADED'],
    ['broken.ts', 'UNIT_NOT_LOADED'],
    ['other.ts', 'UNIT_NOT_LOADED'],
  ])('[SP13] [UN1] a unit file that does not load: %s', (file, code) => {
    const ended = plenum('run', file, '--folder', join(home, 'none'))
    expect(ended.code).toBe(1)
    expect(ended.err).toContain(`${code}: The `)
    expect(ended.err).toContain(file)
    expect(ended.err).not.toMatch(/ {4}at /)
  })
})

describe('a folder', () => {
  test('[UN1] [UN7] run --once loads the sources, ends in order, and asks no source a second time', () => {
    const folder = join(home, 'once')
    const first = plenum('run', unitFile, '--folder', folder, '--partitions', '2', '--once')
    expect([first.code, first.err]).toEqual([0, ''])
    expect(first.out).toContain('source first: 1 rows into 2 partitions, 0 had theirs')
    const second = plenum('run', unitFile, '--folder', folder, '--once')
    expect(second.out).toContain('source first: 0 rows into 0 partitions, 2 had theirs')
  })

  test('[JR3] inspect verifies the chain, in plain text without colours where it is piped', () => {
    const folder = loadedFolder()
    const { code, out, err } = plenum('inspect', folder)
    expect([code, err]).toEqual([0, ''])
    expect(out).toContain('The chain of every partition is sound.')
    expect(out).toMatch(/partition +epoch +index/)
    expect(out.includes('\u001b')).toBe(false)
  })

  test('inspect --json, --entries and --effects are JSON that programs read', () => {
    const folder = loadedFolder()
    const report = JSON.parse(plenum('inspect', folder, '--json').out)
    expect(report).toMatchObject({
      sound: true,
      partitions: [{ partition: 0, epoch: 1, closed: true }, { partition: 1 }],
    })
    expect(report.partitions[0].entries).toEqual({ counter: 1 })
    const entries = plenum('inspect', folder, '--entries', 'counter', '--partition', '0').out.trim()
    expect(JSON.parse(entries)).toEqual({ id: 'c', n: 7 })
    const effects = plenum('inspect', folder, '--effects')
      .out.trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(effects).toContainEqual(expect.objectContaining({ kind: 'added', type: 'counter', key: 'c', version: 1 }))
  })

  test.each([
    [['--partition', '2'], "from 0 to 1, not '2'"],
    [['--partition', 'first'], "from 0 to 1, not 'first'"],
    [['--entries', 'nosuch'], "no entry type 'nosuch'. There are: counter"],
  ])('[SP13] inspect %j asks for what is not there, and hears what there is', (args, what) => {
    const { code, out, err } = plenum('inspect', loadedFolder(), ...args)
    expect([code, out]).toEqual([2, ''])
    expect(err).toMatch(/^USAGE: .*--help\.\n$/)
    expect(err).toContain(what)
  })

  test('[TT1] [TT2] a folder is looked back into, and forked', () => {
    const folder = loadedFolder()
    const at = plenum('inspect', folder, '--at', '3', '--partition', '0')
    expect([at.code, at.err]).toEqual([0, ''])
    expect(at.out).toMatch(/as of record 3 of partition 0/)
    expect(at.out).toMatch(/partition +last record +of +hash +sessions +opened from/)
    const beyond = plenum('inspect', folder, '--at', '99', '--partition', '0')
    expect([beyond.code, beyond.out]).toEqual([1, ''])
    expect(beyond.err).toMatch(
      /^HISTORY_NOT_KEPT: Partition 0 has no record at index 99\. It can be opened from index 1 to /,
    )
    const forked = plenum('fork', folder, `${folder}-fork`, '--at', '0s')
    expect([forked.code, forked.err]).toEqual([0, ''])
    expect(plenum('inspect', `${folder}-fork`, '--entries', 'counter').out).toBe('{"id":"c","n":7}\n')
  })

  test('[TT3] recorded calls are made again on changed code, and what comes out differently is shown', () => {
    const folder = loadedFolder()
    writeFileSync(
      join(home, 'calls.ts'),
      `import { embedded } from ${JSON.stringify(platform)}
import counters from './counters.ts'
await using client = await embedded({ unit: counters, folder: process.argv[2], record: true })
for (const n of [1, 2]) await client.handlers.add({ id: 'c', n })
`,
    )
    expect(spawnSync(process.execPath, ['calls.ts', folder], { cwd: home }).status).toBe(0)
    const same = plenum('replay', folder, '--on', 'counters.ts')
    expect([same.code, same.err]).toEqual([0, ''])
    expect(same.out).toContain('2 the same, 0 different')
    writeFileSync(join(home, 'doubled.ts'), readFileSync(unitFile, 'utf8').replace('+ n', '+ 2 * n'))
    const different = plenum('replay', folder, '--on', 'doubled.ts', '--all')
    expect([different.code, different.err]).toEqual([1, ''])
    expect(different.out).toMatch(
      /recorded {2}changed counter \{"id":"c","n":8\}\n {2}now {7}changed counter \{"id":"c","n":9\}/,
    )
    expect(different.out).toContain('2 calls come out differently.')
  })

  test.each([
    ['a file', unitFile],
    ['a place below a file', join(unitFile, 'a/b')],
    ['a place where no folder can be made', '/proc/plenum/a'],
    ['a folder that takes no files', '/proc'],
  ])('[FE4] %s is FOLDER_REFUSED at once, with a sentence', (_, folder) => {
    const { code, err } = plenum('run', unitFile, '--folder', folder, '--once')
    expect(code).toBe(1)
    expect(err).toMatch(/^FOLDER_REFUSED: '.*' cannot be the folder of a journal: .*\.\n$/)
  })

  test('[FE4] a file is no folder to inspect', () => {
    for (const path of [unitFile, join(unitFile, 'a')]) {
      const { code, err } = plenum('inspect', path)
      expect([code, err.slice(0, 15)]).toEqual([1, 'FOLDER_REFUSED:'])
    }
  })

  test('[DG3] run --metrics serves what is counted while it runs', async () => {
    const held = await running(mkdtempSync(join(home, 'data-')), '--metrics', '0')
    const url = (): string | undefined => /^metrics at (http:\S+)$/m.exec(held.out())?.[1]
    await expect.poll(url).toBeDefined()
    const text = await (await fetch(url()!)).text()
    expect(text).toContain('plenum_partitions{plenum_role="primary"} 4\n')
    expect(await held.end('SIGINT')).toBe(130)
  })

  test('[FE4] [TT1] a folder in use is FOLDER_IN_USE, but may be looked at; SIGINT ends in order, a kill loses nothing', async () => {
    const folder = loadedFolder()
    const held = await running(folder)
    const { code, err } = plenum('run', unitFile, '--folder', folder, '--once')
    expect([code, err.slice(0, 14)]).toEqual([1, 'FOLDER_IN_USE:'])
    const look = plenum('inspect', folder)
    expect([look.code, look.err]).toEqual([0, ''])
    expect(look.out).toMatch(/The application is running: this is what it had written/)
    expect(plenum('fork', folder, `${folder}-fork`).code).toBe(0)
    expect(await held.end('SIGINT')).toBe(130)
    expect(JSON.parse(plenum('inspect', folder, '--json').out).partitions[0].closed).toBe(true)
    const killed = await running(folder)
    expect(await killed.end('SIGKILL')).toBe(null)
    const report = JSON.parse(plenum('inspect', folder, '--json').out)
    expect(report.partitions[0]).toMatchObject({ closed: false, entries: { counter: 1 } })
  })

  test('[JR3] [JR1] a flipped byte in the journal is JOURNAL_CORRUPT, with its place, for inspect and for run', () => {
    const folder = loadedFolder()
    const [segment] = readdirSync(join(folder, 'log')).toSorted()
    const path = join(folder, 'log', segment!)
    const bytes = readFileSync(path)
    const at = bytes.indexOf('PLNR') + 100
    writeFileSync(path, bytes.with(at, bytes[at]! ^ 1))
    for (const args of [
      ['inspect', folder],
      ['run', unitFile, '--folder', folder, '--once'],
    ]) {
      const { code, err, out } = plenum(...args)
      expect(code).toBe(1)
      expect(err + out).toContain('JOURNAL_CORRUPT')
      expect(err + out).toContain(segment)
    }
  })
})
