// One seed of one scenario: everything about the run is drawn from the two.
import { PlenumError } from 'plenum'
import { SeededRandom, simulate, type Random, type SimulationReport } from 'plenum/testing'
import { ChoreLog } from './chore-log.ts'
import { LineTable } from './line-table.ts'
import { scenarios } from './scenarios/all.ts'
import { stageIn, type Counts, type Play, type Scenario } from './scenarios/scenario.ts'
import unit, { choreAttempts } from './unit.ts'

/** Which faults there are: drawn from the seed, or as told. */
export const faultKinds = ['drawn', 'none', 'all', 'regressions'] as const
export type Faults = (typeof faultKinds)[number]

/** Names a run. */
export interface SeedName {
  readonly scenario: string
  readonly seed: number
  readonly faults: Faults
}

/** The composition of a run. */
export interface Setting {
  readonly members: number
  readonly partitions: number
  readonly clients: number
  readonly faults: Exclude<Faults, 'drawn'>
}

/** A run that was drawn and not played yet. */
export interface PreparedSeed {
  readonly name: SeedName
  readonly setting: Setting
  readonly play: Play
}

/** What a run was like. */
export interface SeedReport {
  readonly name: SeedName
  readonly setting: Setting
  /** Steps that clients took. */
  readonly operations: number
  readonly counts: Counts
  readonly simulation: SimulationReport
}

/** Steps of a run, at least. */
const operationsMin = 200

/** The scenario of this name. USAGE if there is none. */
export function scenarioNamed(name: string): Scenario {
  const found = scenarios.find((scenario) => scenario.name === name)
  if (found !== undefined) return found
  const known = scenarios.map((scenario) => scenario.name).join(', ')
  throw new PlenumError('USAGE', `There is no scenario '${name}'. There are: ${known}.`)
}

/** Draws the composition of a run. */
export function drawSetting(random: Random, faults: Faults): Setting {
  const kind = random.next()
  const drawn = kind < 0.05 ? 'none' : kind < 0.2 ? 'regressions' : 'all'
  return {
    members: 1 + random.integer(5),
    partitions: 1 + random.integer(4),
    clients: 2 + random.integer(4),
    faults: faults === 'drawn' ? drawn : faults,
  }
}

/** Draws a run. */
export function prepareSeed(name: SeedName): PreparedSeed {
  const random = new SeededRandom(`${name.scenario} ${name.seed}`)
  const setting = drawSetting(random, name.faults)
  const count = operationsMin + random.integer(operationsMin / 2)
  return { name, setting, play: scenarioNamed(name.scenario).prepare(random.fork('steps'), setting.clients, count) }
}

/** Options of `playSeed`. */
export interface PlayOptions {
  /** Numbers of the turns to take; all of them if left out. */
  readonly chosen?: readonly number[] | undefined
  readonly onTrace?: ((lines: readonly string[]) => void) | undefined
}

/** Plays a run that was drawn. Throws what the scenario or the simulation finds. */
export async function playSeed({ name, setting, play }: PreparedSeed, options: PlayOptions = {}): Promise<SeedReport> {
  const { members, partitions, clients, faults } = setting
  const chosen = options.chosen ?? [...play.turns.keys()]
  const outside = {
    lines: new LineTable(new SeededRandom(`lines ${name.seed}`)),
    chores: new ChoreLog(choreAttempts),
  }
  let counts: Counts = {}
  const simulation = await simulate(
    unit,
    {
      seed: name.seed,
      members,
      partitions,
      clients,
      faults: faults === 'none' ? 'none' : 'all',
      regressions: faults === 'regressions',
      limits: play.limits,
      workers: play.workers,
      uses: outside,
      onTrace: options.onTrace,
    },
    async (world) => {
      counts = await play.play(stageIn(world, outside), chosen)
    },
  )
  return { name, setting, operations: chosen.length, counts, simulation }
}

/** The command that plays a run again. */
export function replayCommand({ scenario, seed, faults }: SeedName): string {
  const drawn = faults === 'drawn' ? '' : ` --faults ${faults}`
  return `node simulation/replay.ts --scenario ${scenario} --seed ${seed}${drawn}`
}
