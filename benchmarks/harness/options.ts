import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'

/** How one suite runs. */
export interface BenchOptions {
  /** Names of suites; all of them if there are none. */
  readonly names: readonly string[]
  /** Tiny sizes and times: tests that everything runs, measures nothing. */
  readonly small: boolean
  /** JSON on the standard output instead of tables. */
  readonly json: boolean
  /** Folder for the JSON and the table of this run, beside what is printed. */
  readonly save: string | undefined
  /** Seconds of one measurement. */
  readonly seconds: number
  /** Measurements of each figure, taken in turn with those of the peers; the median counts. */
  readonly rounds: number
  /** Folder in which the measured files lie. */
  readonly folder: string
  readonly progress: (text: string) => void
}

/** How a run of suites was asked for: each suite has its own time where none was given. */
export interface RunOptions extends Omit<BenchOptions, 'seconds'> {
  readonly seconds: number | undefined
}

/** Seconds of one measurement, unless the suite or the command line says otherwise. */
const secondsDefault = 2
const secondsSmall = 0.05

export const usage = `Usage: npm run bench -- [name…] [options]

  --small        tiny sizes: shows that everything runs, measures nothing
  --json         print JSON instead of tables
  --save FOLDER  also write FOLDER/<date>.json and FOLDER/<date>.md
  --seconds N    seconds of one measurement (2; peers 10)
  --rounds N     measurements of each figure, taken in turn with the peers' (3)
  --folder PATH  where the measured files lie (the temporary folder)
  --list         name the suites
`

/** Reads the command line. Throws an Error that says what is wrong with it. */
export function benchOptions(
  given: readonly string[],
): RunOptions & { readonly list: boolean; readonly help: boolean } {
  const { values, positionals } = parseArgs({
    args: [...given],
    allowPositionals: true,
    options: {
      small: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
      save: { type: 'string' },
      seconds: { type: 'string' },
      rounds: { type: 'string' },
      folder: { type: 'string', default: tmpdir() },
    },
  })
  const { small, json, list, help, save, folder } = values
  return {
    names: positionals,
    small,
    json,
    list,
    help,
    save,
    folder,
    seconds: values.seconds === undefined ? undefined : positive('seconds', values.seconds),
    rounds: values.rounds === undefined ? (small ? 1 : 3) : positive('rounds', values.rounds),
    progress: (text) => process.stderr.write(`  ${text}\n`),
  }
}

/** The options of one suite, whose own time counts where none was given. */
export function suiteOptions(options: RunOptions, suiteSeconds = secondsDefault): BenchOptions {
  return { ...options, seconds: options.seconds ?? (options.small ? secondsSmall : suiteSeconds) }
}

function positive(name: string, text: string): number {
  const number = Number(text)
  if (Number.isFinite(number) && number > 0) return number
  throw new Error(`--${name} takes a number above 0, not '${text}'.`)
}
