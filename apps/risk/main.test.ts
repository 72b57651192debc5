import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'
import { freePort, hasServer, throwawayServer } from './testing/throwaway-server.ts'
import { runMain, type Ended } from './testing/run-main.ts'

const root = mkdtempSync(join(tmpdir(), 'plenum-risk-main-'))
afterAll(() => rmSync(root, { recursive: true, force: true }), 180_000)

const expected = readFileSync(new URL('report.expected.txt', import.meta.url), 'utf8')

/** What the tests read of the part about the run; figures are compared as text. */
const JsonReport = z.object({
  figures: z.unknown(),
  run: z.object({
    partitions: z.int(),
    use: z.union([z.literal('unopened'), z.object({ here: z.int(), ever: z.int() })]),
    rates: z.array(z.object({ ratePercent: z.int(), firstMs: z.number(), warmMs: z.number() })),
  }),
})

const facts = (ended: Ended) => JsonReport.parse(JSON.parse(ended.stdout)).run
describe('the command', () => {
  const first = join(root, 'first')
  const ran: { first?: Ended } = {}
  // Without its journal, it is a folder that never ran, beside a database that is full: filling one takes seconds.
  const forgetJournal = (): void => rmSync(join(first, 'journal'), { recursive: true })
  beforeAll(async () => {
    ran.first = await runMain(['--folder', first, '--json'])
  }, 180_000)

  test('loads by eight statements in the first run, and by none in the second', async () => {
    expect(ran.first).toMatchObject({ code: 0, stderr: '' })
    if (ran.first === undefined) return
    expect(facts(ran.first)).toMatchObject({ partitions: 8, use: { here: 8, ever: 8 } })
    const second = await runMain(['--folder', first, '--json'])
    expect(second).toMatchObject({ code: 0, stderr: '' })
    expect(facts(second)).toMatchObject({ partitions: 8, use: 'unopened' })
    expect(JSON.parse(second.stdout).figures).toEqual(JSON.parse(ran.first.stdout).figures)
  }, 180_000)

  test.each([1, 2, 4, 8])(
    'prints the same bytes over %i partitions, in the first run and in the second',
    async (partitions) => {
      forgetJournal()
      const args = ['--folder', first, '--partitions', String(partitions), '--no-times']
      expect(await runMain(args)).toMatchObject({ code: 0, stdout: expected, stderr: '' })
      expect(await runMain(args)).toMatchObject({ code: 0, stdout: expected, stderr: '' })
      const { use } = facts(await runMain(['--folder', first, '--partitions', String(partitions), '--json']))
      expect(use).toBe('unopened')
    },
    180_000,
  )

  test('writes to a file as it would to standard output', async () => {
    const output = join(root, 'reports', 'risk.txt')
    expect(await runMain(['--folder', first, '--no-times', '--output', output])).toMatchObject({ code: 0, stdout: '' })
    expect(readFileSync(output, 'utf8')).toBe(expected)
  }, 180_000)

  test('stops cleanly when interrupted, and goes on in the next run', async () => {
    forgetJournal()
    const args = ['--folder', first, '--no-times', '--progress']
    const stopped = await runMain(args, {
      onLine: (line, child) => {
        if (line.startsWith('risk: loading')) child.kill('SIGINT')
      },
    })
    expect(stopped).toMatchObject({ code: 130, signal: null, stdout: '' })
    expect(stopped.stderr).toContain('stopped; the next run goes on')
    expect(await runMain(args)).toMatchObject({ code: 0, stdout: expected })
  }, 180_000)

  test('leaves a folder alone that another run works in', async () => {
    forgetJournal()
    const others: Promise<Ended>[] = []
    const one = await runMain(['--folder', first, '--no-times', '--progress'], {
      onLine: (line) => {
        if (line.startsWith('risk: loading')) others.push(runMain(['--folder', first, '--progress']))
      },
    })
    expect(one).toMatchObject({ code: 0, stdout: expected })
    expect(others).toHaveLength(1)
    const other = await others[0]
    // The other may find the folder free again, if it started slowly; then it has nothing to load.
    if (other?.code === 1) expect(other.stderr).toContain('risk: FOLDER_IN_USE: ')
    else expect(other?.stderr).not.toContain('PGlite')
  }, 180_000)

  test('says when the folder has another number of partitions', async () => {
    const refused = await runMain(['--folder', first, '--partitions', '4'])
    expect(refused).toMatchObject({ code: 1, stdout: '' })
    expect(refused.stderr).toContain('risk: FOLDER_OF_ANOTHER_GRID: ')
  }, 180_000)
})

test('a database that is down ends the run with its name, the reason and the next step, and the next run works', async () => {
  const folder = join(root, 'down')
  const env = { DATABASE_URL: `postgres://risk:secret@127.0.0.1:${await freePort()}/books` }
  const down = await runMain(['--folder', folder], { env })
  expect(down).toMatchObject({ code: 1, signal: null, stdout: '' })
  expect(down.stderr).toMatch(
    /^risk: SOURCE_UNAVAILABLE: Cannot use PostgreSQL at .*\/books: .*ECONNREFUSED.*DATABASE_URL/,
  )
  expect(down.stderr).not.toContain('secret')
  expect(await runMain(['--folder', folder, '--no-times'])).toMatchObject({ code: 0, stdout: expected })
}, 180_000)

test.skipIf(!hasServer())(
  'a PostgreSQL server serves as well (skipped without postgres and initdb on the PATH)',
  async () => {
    await using server = await throwawayServer()
    const env = { DATABASE_URL: server.url }
    const folder = join(root, 'server')
    const first = await runMain(['--folder', folder, '--json'], { env })
    expect(first).toMatchObject({ code: 0, stderr: '' })
    expect(facts(first).use).toMatchObject({ here: 8, ever: 8 })
    expect(existsSync(join(folder, 'database'))).toBe(false)
    await server.stop()
    // The journal has everything: that the server is gone is not even noticed.
    expect(await runMain(['--folder', folder, '--no-times'], { env })).toMatchObject({
      code: 0,
      stdout: expected,
      stderr: '',
    })
  },
  180_000,
)

test('wrong usage is told and nothing is made', async () => {
  const folder = join(root, 'never')
  const wrong = await runMain(['--folder', folder, '--partitions', 'many'])
  expect(wrong).toMatchObject({ code: 2, stdout: '' })
  expect(wrong.stderr).toContain('risk: USAGE: ')
  expect(existsSync(folder)).toBe(false)
})

test('help is printed and nothing is made', async () => {
  expect(await runMain(['--help'])).toMatchObject({ code: 0, stdout: expect.stringContaining('Usage:'), stderr: '' })
})
