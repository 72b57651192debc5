// Plays one seed of one scenario again: `node simulation/replay.ts --scenario bank --seed 7 [--faults all] [--trace]`.
// With `--shrink` it leaves out turns of the clients while the run still fails, and prints those that are left.
import { parseArgs } from 'node:util'
import { failureOf, failureText } from './outcome.ts'
import { faultKinds, playSeed, prepareSeed, type SeedName } from './run-seed.ts'
import { scenarios } from './scenarios/all.ts'
import { shrinkSeed } from './shrink-seed.ts'

const help = `node simulation/replay.ts --scenario <name> --seed <number>

  --scenario <name>   ${scenarios.map(({ name }) => name).join(', ')}
  --seed <number>     the seed that a check or a campaign printed
  --faults <kind>     ${faultKinds.join(', ')}; drawn if left out
  --trace             print what happened, the last lines of it
  --shrink            leave out turns while the run still fails, and print the shortest list
  --tries <n>         how often the run may be played for that (200)
`

/** Lines of evidence that are printed. */
const evidenceLinesMax = 200

async function replay(name: SeedName, trace: boolean): Promise<number> {
  const onTrace = trace ? (lines: readonly string[]) => console.log(lines.join('\n')) : undefined
  try {
    const { setting, operations, counts, simulation } = await playSeed(prepareSeed(name), { onTrace })
    console.log(JSON.stringify({ name, setting, operations, counts, simulation }, undefined, 2))
    return 0
  } catch (error) {
    console.log(failureText(name, failureOf(error), evidenceLinesMax))
    return 1
  }
}

async function shrunk(name: SeedName, triesMax: number): Promise<number> {
  const { play } = prepareSeed(name)
  const result = await shrinkSeed(name, triesMax)
  if (result === undefined) {
    console.log(`Scenario ${name.scenario}, seed ${name.seed}, does not fail.`)
    return 0
  }
  for (const at of result.chosen) {
    const { client, pauseMs, timeout, step } = play.turns[at]!
    const waits = pauseMs > 0 ? `after ${pauseMs} ms ` : ''
    const within = timeout === undefined ? '' : ` within ${timeout}`
    console.log(`client ${client} ${waits}${JSON.stringify(step)}${within}`)
  }
  const shortest = result.minimal ? 'none of them can be left out' : 'perhaps more can be left out'
  console.log(`${result.chosen.length} of ${play.turns.length} turns are left after ${result.tries} runs; ${shortest}.`)
  console.log(failureText(name, result.failure, evidenceLinesMax))
  return 1
}

const { values } = parseArgs({
  options: {
    scenario: { type: 'string' },
    seed: { type: 'string' },
    faults: { type: 'string', default: 'drawn' },
    trace: { type: 'boolean', default: false },
    shrink: { type: 'boolean', default: false },
    tries: { type: 'string', default: '200' },
    help: { type: 'boolean', default: false },
  },
})
const faults = faultKinds.find((kind) => kind === values.faults)
if (values.help || values.scenario === undefined || values.seed === undefined || faults === undefined) {
  console.log(help)
  process.exitCode = values.help ? 0 : 2
} else {
  const name: SeedName = { scenario: values.scenario, seed: Number(values.seed), faults }
  process.exitCode = values.shrink ? await shrunk(name, Number(values.tries)) : await replay(name, values.trace)
}
