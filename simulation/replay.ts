// Plays one seed of one scenario again: `node simulation/replay.ts --scenario bank --seed 7 [--faults all] [--trace]`.
import { parseArgs } from 'node:util'
import { failureOf, failureText } from './outcome.ts'
import { faultKinds, playSeed, prepareSeed, type SeedName } from './run-seed.ts'
import { scenarios } from './scenarios/all.ts'

const help = `node simulation/replay.ts --scenario <name> --seed <number>

  --scenario <name>   ${scenarios.map(({ name }) => name).join(', ')}
  --seed <number>     the seed that a check or a campaign printed
  --faults <kind>     drawn (default), none, all, regressions
  --trace             print what happened, the last lines of it
`

async function replay(name: SeedName, trace: boolean): Promise<number> {
  const onTrace = trace ? (lines: readonly string[]) => console.log(lines.join('\n')) : undefined
  try {
    const { setting, operations, simulation } = await playSeed(prepareSeed(name), { onTrace })
    console.log(JSON.stringify({ name, setting, operations, simulation }, undefined, 2))
    return 0
  } catch (error) {
    console.log(failureText(name, failureOf(error), 200))
    return 1
  }
}

const { values } = parseArgs({
  options: {
    scenario: { type: 'string' },
    seed: { type: 'string' },
    faults: { type: 'string', default: 'drawn' },
    trace: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
const faults = faultKinds.find((kind) => kind === values.faults)
if (values.help || values.scenario === undefined || values.seed === undefined || faults === undefined) {
  console.log(help)
  process.exitCode = values.help ? 0 : 2
} else {
  process.exitCode = await replay({ scenario: values.scenario, seed: Number(values.seed), faults }, values.trace)
}
