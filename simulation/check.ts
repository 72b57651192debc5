// The check's part of simulation: fixed seeds, fresh seeds and one seed twice, within a minute on two busy cores.
// `npm run campaign` plays as many as it is told to.
import { execFileSync } from 'node:child_process'
import { playAll } from './crew.ts'
import { unmet } from './must-meet.ts'
import { failureText, type Outcome } from './outcome.ts'
import { playSeed, prepareSeed, type SeedName } from './run-seed.ts'
import { scenarios } from './scenarios/all.ts'
import { fixedSeeds } from './seeds.ts'
import { noSums, sumsText, withReport } from './sums.ts'

/** Seeds that every scenario plays beside the named ones: those from 1 on, and as many that nobody has seen. */
const oldSeeds = 6
const freshSeeds = 8
const workers = 2

/** The day and the commit decide the fresh seeds, so that two runs of one day and commit are the same run. */
function firstFreshSeed(): number {
  const day = Number(new Date().toISOString().slice(0, 10).replaceAll('-', ''))
  return day * 100_000 + (Number.parseInt(commit().slice(0, 6), 16) % 100_000)
}

/** Where there is no git, as in an unpacked archive, the day alone decides. */
function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', 'HEAD'], { encoding: 'utf8', cwd: import.meta.dirname })
  } catch {
    return '000000'
  }
}

function seedsFrom(first: number, count: number): readonly SeedName[] {
  return Array.from({ length: count }, (_, at) => first + at).flatMap((seed) =>
    scenarios.map(({ name }): SeedName => ({ scenario: name, seed, faults: 'drawn' })),
  )
}

/** One seed of each of two scenarios twice (A2); a sentence if the runs differ. */
async function whatDiffers(name: SeedName): Promise<string | undefined> {
  const [first, second] = [await playSeed(prepareSeed(name)), await playSeed(prepareSeed(name))]
  const [one, other] = [first.simulation.trace, second.simulation.trace]
  return one === other ? undefined : `One seed gave two runs, with the traces ${one} and ${other}.`
}

const fresh = firstFreshSeed()
console.log(
  `${fixedSeeds.length} named seeds, seeds 1 to ${oldSeeds} and fresh seeds ${fresh} to ${fresh + freshSeeds - 1} ` +
    `of the scenarios ${scenarios.map(({ name }) => name).join(', ')}`,
)
let sums = noSums
let passed = 0
const problems: string[] = []
const onOutcome = (outcome: Outcome): void => {
  if (outcome.kind === 'failed') {
    problems.push(failureText(outcome.name, outcome.failure))
    return
  }
  passed += 1
  sums = withReport(sums, outcome.report)
}
await playAll([...fixedSeeds, ...seedsFrom(1, oldSeeds), ...seedsFrom(fresh, freshSeeds)], { workers, onOutcome })

for (const name of [seedsFrom(fresh, 1)[0]!, seedsFrom(fresh, 1)[3]!]) {
  try {
    const difference = await whatDiffers(name)
    if (difference === undefined) passed += 1
    else problems.push(failureText(name, { code: 'CHECK_FAILED', message: difference, evidence: '' }))
  } catch {
    // It failed above already, where it is told.
  }
}
console.log(sumsText(sums))
for (const sentence of unmet(sums)) problems.push(`FAILED  ${sentence}`)
for (const problem of problems) console.log(problem)
console.log(`${passed} passed, ${problems.length} failed`)
process.exitCode = problems.length > 0 ? 1 : 0
