import { Bench } from './bench.ts'
import { endOnInterrupt } from './interrupt.ts'
import { suiteOptions, type RunOptions } from './options.ts'
import type { Row, Suite } from './suite.ts'
import type { Target } from './targets.ts'

/** What a suite found, with what it needs to be read on its own. */
export interface SuiteRun {
  readonly name: string
  readonly measures: string
  readonly leavesOut: string
  /** The one command that does it again. */
  readonly command: string
  readonly small: boolean
  readonly seconds: number
  readonly rounds: number
  readonly rows: readonly Row[]
  readonly targets: readonly Target[]
  readonly notes?: readonly string[] | undefined
}

/** Runs suites one after the other. Rejects with the first failure, with the suite's name. */
export async function runSuites(suites: readonly Suite[], options: RunOptions): Promise<readonly SuiteRun[]> {
  const runs: SuiteRun[] = []
  for (const suite of suites) {
    options.progress(`${suite.name} …`)
    runs.push(await runSuite(suite, options))
  }
  return runs
}

async function runSuite(suite: Suite, given: RunOptions): Promise<SuiteRun> {
  const options = suiteOptions(given, suite.seconds)
  const { small, seconds, rounds } = options
  await using bench = new Bench(options)
  using _interrupt = endOnInterrupt(() => bench.end())
  const { name, measures, leavesOut } = suite
  const command = `npm run bench -- ${name}${small ? ' --small' : ''} --seconds ${seconds} --rounds ${rounds}`
  return { name, measures, leavesOut, command, small, seconds, rounds, ...(await suite.run(bench)) }
}
