import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { z } from 'zod'
import { openPglite } from './pglite.ts'
import { runMain, type Ended } from './testing/run-main.ts'

// A life: a run is killed at a random moment and started again until one ends by itself. There are as many lives as it
// takes to have 20 kills. PLENUM_RISK_KILL_SEED repeats the moments, as far as a machine repeats its own speed.
const kills = 20
const partitions = 8
const seed = Number(process.env['PLENUM_RISK_KILL_SEED'] ?? Date.now() % 1_000_000)

const root = mkdtempSync(join(tmpdir(), 'plenum-risk-kill-'))
afterAll(() => rmSync(root, { recursive: true, force: true }), 180_000)
const expected = readFileSync(new URL('report.expected.txt', import.meta.url), 'utf8')

/** Numbers in [0, 1) that depend on the seed only (mulberry32). */
function randomFrom(start: number): () => number {
  let state = start >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let word = Math.imul(state ^ (state >>> 15), state | 1)
    word ^= word + Math.imul(word ^ (word >>> 7), word | 61)
    return ((word ^ (word >>> 14)) >>> 0) / 2 ** 32
  }
}

/** One run of the application, killed `delayMs` after its start unless it ended before. */
async function runKilled(delayMs?: number): Promise<Ended & { readonly ms: number }> {
  const start = performance.now()
  const ended = await runMain(['--folder', folder, '--no-times', '--progress'], {
    onStart: (child) => {
      if (delayMs === undefined) return
      const timer = setTimeout(() => child.kill('SIGKILL'), delayMs)
      child.once('exit', () => clearTimeout(timer))
    },
  })
  return { ...ended, ms: performance.now() - start }
}

/** How many partitions a run said that it has the trades of; said only after the journal has them. */
const held = (ended: Ended): number =>
  Math.max(0, ...[...ended.stderr.matchAll(/trades: (\d) of 8 partitions/g)].map((match) => Number(match[1])))
/** The name of a run in the database's count, if it came so far as to open it. */
const runName = (ended: Ended): string | undefined => / as run (\S+)/.exec(ended.stderr)?.[1]

const LogRows = z.array(z.object({ run: z.string(), slot: z.int() }))
async function statementLog(): Promise<z.infer<typeof LogRows>> {
  const connection = await openPglite(join(folder, 'database'))
  try {
    const rows = await connection.query(
      'SELECT run, slots_from[1] AS slot FROM plenum_risk.load_statement ORDER BY number',
    )
    return LogRows.parse(rows)
  } finally {
    await connection.close()
  }
}

/** What the database counted, against what each run said to hold before the next one began. */
async function checkStatements(runs: readonly Ended[]): Promise<void> {
  const names = runs.map(runName)
  const log = (await statementLog()).filter(({ run }) => names.includes(run))
  expect(new Set(log.map(({ slot }) => slot)).size).toBe(partitions)
  let before = 0
  for (const run of runs) {
    const asked = log.filter((row) => row.run === runName(run)).map(({ slot }) => slot)
    // No run asks twice for a partition, and none asks for a partition that a run before it held.
    expect(new Set(asked).size).toBe(asked.length)
    expect(asked.length).toBeLessThanOrEqual(partitions - before)
    before = Math.max(before, held(run))
  }
  expect(before).toBe(partitions)
}

// One folder for all lives: without its journal it is a folder that never ran, beside a database that is full, and
// filling one takes seconds where loading from it takes milliseconds.
const folder = join(root, 'risk')
const forgetJournal = (): void => rmSync(join(folder, 'journal'), { recursive: true, force: true })

/** Checks the statements of all runs of a life, and that one more run has nothing to load. */
async function checkLife(runs: readonly Ended[]): Promise<void> {
  await checkStatements(runs)
  const again = await runMain(['--folder', folder, '--no-times', '--progress'])
  expect(again).toMatchObject({ code: 0, stdout: expected })
  expect(runName(again)).toBeUndefined()
}

test(`a run that is killed at any moment goes on where it was (seed ${seed})`, async () => {
  const random = randomFrom(seed)
  let killed = 0
  // The first life begins without a database, so that making and filling it is killed too.
  let lifeMs = 4000
  while (killed < kills) {
    forgetJournal()
    const runs: (Ended & { readonly ms: number })[] = []
    let longestMs = lifeMs
    while (runs.at(-1)?.code !== 0) {
      const run = await runKilled(killed < kills ? random() * longestMs : undefined)
      runs.push(run)
      if (run.signal === 'SIGKILL') killed += 1
      else expect(run).toMatchObject({ code: 0, signal: null, stdout: expected })
      // Later runs of a life have less to do; a delay much longer than they take would never hit them.
      longestMs = Math.max(300, longestMs * 0.9)
    }
    lifeMs = (runs.at(-1)?.ms ?? lifeMs) * 1.5
    await checkLife(runs)
  }
  expect(killed).toBe(kills)
}, 600_000)

test.each([
  ['trades: 1 of 8', 1],
  ['trades: 5 of 8', 5],
  ['trades: 8 of 8', 8],
  ['days: 3 of 8', 8],
])(
  'a run that is killed when it has said "%s" asks only for the rest',
  async (step, holds) => {
    forgetJournal()
    const killed = await runMain([folder, step], { script: 'killed-at-step' })
    expect(killed).toMatchObject({ signal: 'SIGKILL', stdout: '' })
    expect(held(killed)).toBe(holds)
    const next = await runKilled()
    expect(next).toMatchObject({ code: 0, stdout: expected })
    await checkLife([killed, next])
  },
  180_000,
)
