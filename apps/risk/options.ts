import { parseArgs } from 'node:util'
import { PlenumError } from 'plenum'

/** A run, as the command line asks for it. */
export interface RunCommand {
  readonly kind: 'run'
  readonly folder: string
  readonly partitions: number
  readonly format: 'text' | 'json'
  /** A file for the report; standard output if absent. */
  readonly output: string | undefined
  /** Whether the report has the part about this run, which differs each time. */
  readonly times: boolean
  /** Whether long steps are told on standard error. */
  readonly progress: boolean
}

/** What the command line asks for. */
export type Command = { readonly kind: 'help' } | RunCommand

const partitionsMax = 256

/** The text of `--help`. */
export const help = `Values 10,000 trades at seven rates and measures a portfolio's one-day risk.

Usage: npm start -- [options]
       node apps/risk/main.ts [options]

  --folder DIR      where the journal and the embedded database live
                    (default: .plenum/risk in the working folder)
  --partitions N    number of partitions, 1 to ${partitionsMax} (default: 8); fixed once a
                    folder is in use
  --json            write the report as JSON; with npm, use "npm start --silent"
                    or --output, because npm prints lines of its own
  --output FILE     write the report to a file instead of standard output
  --no-times        leave out times and all else that differs between runs
  --progress        tell long steps on standard error (the default if that is a
                    terminal); --no-progress is silent
  --help            this text

DATABASE_URL in the environment names a PostgreSQL server to load the trades
from, for instance postgres://user:password@host:5432/name. Its schema
plenum_risk is made and filled at the first use. Without it, PGlite is used:
PostgreSQL inside this process, its files in the folder.

Ctrl-C stops at any moment, and so does a kill: the next run goes on with what
the journal has.

Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted, 143 terminated.
`

/** Reads the command line; USAGE for what it does not understand. `terminal` says whether standard error is one. */
export function commandOf(args: readonly string[], terminal: boolean): Command {
  const { values } = parse(args)
  if (values.help) return { kind: 'help' }
  const partitions = Number(values.partitions)
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > partitionsMax) {
    throw usage(`--partitions takes a whole number from 1 to ${partitionsMax}, not "${values.partitions}"`)
  }
  if (values.folder === '') throw usage('--folder takes the path of a folder')
  if (values.output === '') throw usage('--output takes the path of a file')
  return {
    kind: 'run',
    folder: values.folder,
    partitions,
    format: values.json ? 'json' : 'text',
    output: values.output,
    times: values.times,
    progress: values.progress ?? terminal,
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowNegative: true,
      strict: true,
      options: {
        folder: { type: 'string', default: '.plenum/risk' },
        partitions: { type: 'string', default: '8' },
        json: { type: 'boolean', default: false },
        output: { type: 'string' },
        times: { type: 'boolean', default: true },
        progress: { type: 'boolean' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    })
  } catch (error) {
    throw usage(error instanceof Error ? error.message : String(error), error)
  }
}

function usage(reason: string, cause?: unknown): PlenumError {
  return new PlenumError('USAGE', `${reason.replace(/\.$/, '')}. See --help.`, { cause })
}
