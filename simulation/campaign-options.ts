import { parseArgs } from 'node:util'
import { PlenumError } from 'plenum'
import { faultKinds, scenarioNamed, type Faults } from './run-seed.ts'

/** What a campaign is told. */
export interface CampaignOptions {
  readonly seeds: number
  readonly from: number
  readonly minutes: number
  readonly workers: number
  readonly faults: Faults
  /** Names of the scenarios to play in turn; all of them if empty. */
  readonly scenarios: readonly string[]
  /** A run that takes longer counts as hanging, in seconds. */
  readonly patience: number
  /** Whether to end at the first failure. */
  readonly first: boolean
  readonly json: boolean
  /** Kills of a real process over the file engine; 0 for none. */
  readonly kills: number
  /** Whether to try the protocol's mutants. */
  readonly mutants: boolean
  readonly help: boolean
}

/** The help of `npm run campaign`. */
export const campaignHelp = `npm run campaign -- [options]

  --seeds <n>      play so many seeds (1000; 0 where only kills or mutants are asked for)
  --from <n>       the first of them (1000); a campaign that was ended says where to go on
  --minutes <n>    end after so many minutes at the latest
  --workers <n>    threads (2)
  --faults <kind>  drawn (default), none, all, regressions
  --scenario <s>   only these scenarios, separated by commas; nothing has to be met then
  --patience <n>   a run that takes longer than so many seconds has failed (300)
  --first          end at the first failure
  --json           the sums and failures as JSON on standard output; progress goes to standard error
  --kills <n>      kill a real process over the file engine so often
  --mutants        have the simulator find each mutant of the protocol`

/** Reads the arguments of a campaign. USAGE where they cannot be understood. */
export function readCampaignOptions(args: readonly string[]): CampaignOptions {
  const { values } = parsed(args)
  const kills = wholeNumber('kills', values.kills ?? '0')
  const isOther = kills > 0 || values.mutants === true
  return {
    seeds: wholeNumber('seeds', values.seeds ?? (isOther ? '0' : '1000')),
    from: wholeNumber('from', values.from ?? '1000'),
    minutes: values.minutes === undefined ? Infinity : wholeNumber('minutes', values.minutes),
    faults: faultsOf(values.faults ?? 'drawn'),
    scenarios: values.scenario === undefined ? [] : values.scenario.split(',').map((name) => scenarioNamed(name).name),
    patience: wholeNumber('patience', values.patience ?? '300'),
    first: values.first === true,
    workers: Math.max(1, wholeNumber('workers', values.workers ?? '2')),
    json: values.json === true,
    kills,
    mutants: values.mutants === true,
    help: values.help === true,
  }
}

function parsed(args: readonly string[]) {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  const numbers = { seeds: text, from: text, minutes: text, workers: text, patience: text, kills: text }
  const options = { ...numbers, faults: text, scenario: text, first: flag, json: flag, mutants: flag, help: flag }
  try {
    return parseArgs({ args: [...args], options })
  } catch (error) {
    throw new PlenumError('USAGE', `${error instanceof Error ? error.message : String(error)}\n\n${campaignHelp}`)
  }
}

function faultsOf(text: string): Faults {
  const found = faultKinds.find((kind) => kind === text)
  if (found !== undefined) return found
  throw new PlenumError('USAGE', `--faults needs one of ${faultKinds.join(', ')}, not '${text}'.`)
}

function wholeNumber(name: string, text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  throw new PlenumError('USAGE', `--${name} needs a whole number, not '${text}'.`)
}
