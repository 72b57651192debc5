// Which seeds a test runs, and what tells of one that failed.
import { PlenumError } from '../kernel/index.ts'
import { askedSeed, nodeRuntime } from '../runtime/node/index.ts'

/** The options of a simulation that decide about seeds. */
export interface SeedOptions {
  readonly seed?: number | undefined
  readonly runs?: number | undefined
}

/** True where the environment has no say: one run, of a seed that was given. */
export function isFixed({ seed, runs = 1 }: SeedOptions): boolean {
  return seed !== undefined && runs === 1
}

/** The seeds to run, in their order: PLENUM_SEED's alone, those that were given, or drawn ones. USAGE for what is none. */
export function seedsOf(options: SeedOptions): readonly number[] {
  const { seed, runs = 1 } = options
  if (seed !== undefined && !isSeed(seed)) throw usage(`seed is a whole number from 0 on, not ${seed}`, 'seed')
  if (!(Number.isInteger(runs) && runs >= 1)) throw usage(`runs is a whole number from 1 on, not ${runs}`, 'runs')
  const asked = isFixed(options) ? undefined : askedSeed()
  if (asked === undefined) {
    const { random } = nodeRuntime()
    return Array.from({ length: runs }, (_, at) => (seed === undefined ? random.integer(2 ** 31) : seed + at))
  }
  const number = Number(asked)
  if (asked.trim() === '' || !isSeed(number))
    throw usage(`PLENUM_SEED is a whole number from 0 on, not '${asked}'`, 'PLENUM_SEED')
  return [number]
}

/** Adds what replays a run to the error that it has ended with; the trace shows that two runs were the same. */
export function withSeed(error: unknown, seed: number, trace: string, command: string | undefined): unknown {
  if (!(error instanceof Error)) return error
  const mark = `Seed ${seed}, trace ${trace}`
  const { message } = error
  if (message.includes(mark)) return error
  const hint =
    command === undefined ? `${mark}. The seed is given, so each run is this one.` : `${mark}. Replay it: ${command}`
  error.message = `${message}\n${hint}`
  // Test runners print the stack, which has a copy of the message.
  if (error.stack !== undefined) error.stack = error.stack.replace(message, () => error.message)
  return error
}

function isSeed(seed: number): boolean {
  return Number.isSafeInteger(seed) && seed >= 0
}

function usage(what: string, option: string): PlenumError {
  return new PlenumError('USAGE', `simulate(…): ${what}.`, { details: { option } })
}
