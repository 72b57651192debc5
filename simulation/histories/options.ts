import { parseArgs } from 'node:util'
import { PlenumError } from 'plenum'
import { faultKinds, type Faults } from '../run-seed.ts'
import { workloadNames } from './workloads.ts'

/** What `npm run history` is told: to make a history, or to check one. */
export type HistoryOptions =
  | { readonly kind: 'help' }
  | {
      readonly kind: 'check'
      readonly file: string
      readonly journal: string | undefined
      readonly workload: string | undefined
    }
  | {
      readonly kind: 'make'
      readonly workload: string
      readonly seed: number
      readonly operations: number
      readonly faults: Faults
      readonly real: boolean
      readonly output: string | undefined
      readonly journal: string | undefined
    }

/** The help of `npm run history`. */
export const historyHelp = `npm run --silent history -- --workload <name> --seed <n> [options]
npm run --silent history -- --check <file> [--journal <file>] [--workload <name>]

Writes what clients asked and heard as JSON lines to standard output, and progress to standard error; docs/histories.md
describes the lines. Without --silent npm writes lines of its own first.

  --workload <name>   ${workloadNames.join(', ')}
  --seed <n>          decides everything in the simulator; on a real process the operations and the kills
  --operations <n>    about so many operations (300)
  --faults <kind>     ${faultKinds.join(', ')} (all); with --real: none, all
  --real              a process over a folder, killed and started again, in place of a simulated grid
  --output <file>     write the history there and not to standard output
  --journal <file>    write what the journals say there, or read it from there to check; watch cannot be judged without
  --check <file>      judge a history by its lines

Exit codes: 0 nothing is wrong, 1 a rule was broken, or it could not be decided, 2 wrong usage.`

/** As many as one history may have: it is held in memory, and every checker looks at all of it. */
const operationsMax = 100_000

/** Reads the arguments. USAGE where they cannot be understood. */
export function readHistoryOptions(args: readonly string[]): HistoryOptions {
  const { workload, seed, check, journal, ...values } = parsed(args)
  if (values.help === true) return { kind: 'help' }
  if (check !== undefined) return { kind: 'check', file: check, journal, workload }
  if (workload === undefined) throw usage(`--workload is missing: one of ${workloadNames.join(', ')}`)
  if (seed === undefined) throw usage('--seed is missing')
  const real = values.real === true
  const faults = faultKinds.find((kind) => kind === (values.faults ?? 'all'))
  const known = real ? (['none', 'all'] as const) : faultKinds
  if (faults === undefined || !known.some((kind) => kind === faults))
    throw usage(`--faults needs one of ${known.join(', ')}${real ? ' with --real' : ''}, not '${values.faults}'`)
  const operations = wholeNumber('operations', values.operations ?? '300')
  if (operations === 0 || operations > operationsMax) throw usage(`--operations needs 1 to ${operationsMax}`)
  const number = wholeNumber('seed', seed)
  return { kind: 'make', workload, seed: number, operations, faults, real, output: values.output, journal }
}

function parsed(args: readonly string[]) {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  const make = { workload: text, seed: text, operations: text, faults: text, real: flag, output: text }
  try {
    return parseArgs({ args: [...args], options: { ...make, check: text, journal: text, help: flag } }).values
  } catch (error) {
    throw usage(error instanceof Error ? error.message : String(error))
  }
}

function wholeNumber(name: string, text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw usage(`--${name} needs a whole number, not '${text}'`)
}

function usage(what: string): PlenumError {
  return new PlenumError('USAGE', `${what}.\n\n${historyHelp}`)
}
