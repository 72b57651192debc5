// Plays new seeds for as long as it is told; `npm run campaign -- --help` says how. Each seed plays the next scenario of
// the list. Sums at the end; a failure, or a fault or probe that was never met, is exit code 1.
import { campaignHelp, readCampaignOptions, type CampaignOptions } from './campaign-options.ts'
import { playAll } from './crew.ts'
import { killCampaign } from './kills.ts'
import { unmet } from './must-meet.ts'
import { failureText, type Outcome } from './outcome.ts'
import { replayCommand, type SeedName } from './run-seed.ts'
import { scenarios } from './scenarios/all.ts'
import { noSums, sumsText, withReport } from './sums.ts'
import { tryMutants } from './mutants.ts'

/** Real milliseconds between two lines of progress. */
const progressEveryMs = 15_000

/** The next scenario for each seed, and what a seed is called. */
function* namesFrom({ from, seeds, faults, scenarios: chosen }: CampaignOptions): Generator<SeedName> {
  const names = chosen.length === 0 ? scenarios.map(({ name }) => name) : chosen
  for (let seed = from; seed < from + seeds; seed++) {
    yield { scenario: names[seed % names.length]!, seed, faults }
  }
}

/** Plays the seeds and prints what came of them; the number of failures. */
async function playSeeds(options: CampaignOptions): Promise<number> {
  const { seeds, from, minutes, workers, json, first, patience } = options
  const begun = performance.now()
  const until = begun + minutes * 60_000
  let sums = noSums
  let stopped = false
  let played = 0
  const failures: Extract<Outcome, { kind: 'failed' }>[] = []
  const onOutcome = (outcome: Outcome): void => {
    played += 1
    if (outcome.kind === 'passed') sums = withReport(sums, outcome.report)
    else {
      failures.push(outcome)
      console.error(failureText(outcome.name, outcome.failure))
    }
  }
  const progress = setInterval(() => {
    const rate = (played / (performance.now() - begun)) * 1_000
    const minutesLeft = Math.round((seeds - played) / rate / 60)
    const left = Number.isFinite(minutesLeft) ? `, about ${minutesLeft} minutes left` : ''
    console.error(`${played} of ${seeds} seeds, ${failures.length} failed, ${rate.toFixed(1)} a second${left}`)
  }, progressEveryMs)
  const onInterrupt = (): void => void (stopped = true)
  process.once('SIGINT', onInterrupt)
  // Seeds are handed out in order, and those that were handed out are played to their end.
  const isOver = (): boolean => stopped || performance.now() > until || (first && failures.length > 0)
  await playAll(namesFrom(options), { workers, onOutcome, isOver, seedMsMax: patience * 1_000 })
  clearInterval(progress)
  process.off('SIGINT', onInterrupt)
  const missed = options.scenarios.length === 0 ? unmet(sums) : []
  const next = from + played
  const unplayed = seeds - played
  if (json) {
    const failed = failures.map(({ name, failure }) => ({ ...name, ...failure, replay: replayCommand(name) }))
    console.log(JSON.stringify({ from, next, minutes: minutesSince(begun), sums, failed, unmet: missed }, undefined, 2))
    return failures.length + missed.length
  }
  console.log(sumsText(sums))
  for (const { name, failure } of failures) console.log(failureText(name, failure))
  for (const sentence of missed) console.log(`FAILED  ${sentence}`)
  if (unplayed > 0) console.log(`Go on with: npm run campaign -- --from ${next} --seeds ${unplayed}`)
  console.log(`${played} seeds from ${from} on in ${minutesSince(begun)} minutes`)
  console.log(`${played - failures.length} passed, ${failures.length + missed.length} failed`)
  return failures.length + missed.length
}

function minutesSince(begun: number): number {
  return Math.round((performance.now() - begun) / 6_000) / 10
}

async function campaign(args: readonly string[]): Promise<number> {
  const options = readCampaignOptions(args)
  if (options.help) {
    console.log(campaignHelp)
    return 0
  }
  let failed = options.seeds > 0 ? await playSeeds(options) : 0
  if (options.kills > 0) failed += await killCampaign(options.kills)
  if (options.mutants) failed += await tryMutants({ workers: options.workers, only: [] })
  return failed
}

try {
  process.exitCode = (await campaign(process.argv.slice(2))) > 0 ? 1 : 0
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 2
}
