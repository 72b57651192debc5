// Plays new seeds for as long as it is told: `npm run campaign -- --seeds 20000 [--from 1] [--minutes 60] [--workers 2]`.
// Every seed plays the next scenario of the list. Sums at the end; a fault or probe that was never met fails.
import { parseArgs } from 'node:util'
import { playAll } from './crew.ts'
import { unmet } from './must-meet.ts'
import { failureText, type Outcome } from './outcome.ts'
import type { SeedName } from './run-seed.ts'
import { scenarios } from './scenarios/all.ts'
import { noSums, sumsText, withReport } from './sums.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1000' },
    minutes: { type: 'string', default: 'Infinity' },
    workers: { type: 'string', default: '2' },
  },
})
const [seeds, from, workers] = [Number(values.seeds), Number(values.from), Number(values.workers)]
const until = performance.now() + Number(values.minutes) * 60_000

function* names(): Generator<SeedName> {
  for (let seed = from; seed < from + seeds; seed++) {
    yield { scenario: scenarios[seed % scenarios.length]!.name, seed, faults: 'drawn' }
  }
}

let sums = noSums
let passed = 0
let failed = 0
const onOutcome = (outcome: Outcome): void => {
  if (outcome.kind === 'failed') {
    failed += 1
    console.log(failureText(outcome.name, outcome.failure))
    return
  }
  passed += 1
  sums = withReport(sums, outcome.report)
  if (passed % 500 === 0) console.log(`${passed} seeds passed, ${failed} failed; the last was ${outcome.name.seed}`)
}
await playAll(names(), { workers, onOutcome, isOver: () => performance.now() > until })

console.log(sumsText(sums))
const missed = unmet(sums)
for (const sentence of missed) console.log(`FAILED  ${sentence}`)
console.log(`${passed} passed, ${failed + missed.length} failed`)
process.exitCode = failed + missed.length > 0 ? 1 : 0
