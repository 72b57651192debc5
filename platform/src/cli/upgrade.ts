import { embedded } from '../embedded.ts'
import type { PlenumError } from '../kernel/index.ts'
import type { Unit } from '../unit/index.ts'
import { parseArguments, usage } from './arguments.ts'
import { json, oneLine, progress, styled, table, type Output } from './output.ts'
import { loadUnit } from './run.ts'
import { standIns } from './stand-ins.ts'
import { surveyUpgrade, type UpgradeSurvey } from './survey-upgrade.ts'

export const upgradeHelp = `plenum upgrade <unit.ts>: try the entries of a folder under a unit, and go over to it

Reads the newest snapshot of each partition and what follows it, and runs every entry that was put under an earlier
schema through the unit's upgrades and its schema. If all fit, the folder goes over to the unit, as by a start, and
earlier code does not open it again behind an upgrade; no worker and no schedule runs, and messages that wait are
delivered meanwhile. If one does not fit, nothing is changed, and what does not fit is listed. The application must not
be running.

  --folder <path>  where the journal lives (default .plenum/<unit name>)
  --dry-run        only try, and change nothing in any case
  --json           what was found as JSON
  --help           this text

Exit codes: 0 all fit, 1 something does not, or failed, 2 wrong usage.
`

/** Refusals of one type that are shown, and those that are in the JSON. */
const shownMax = 5
const refusalsMax = 100
const reasonCharsMax = 400

/** Runs `plenum upgrade`; the exit code. */
export async function upgrade(args: readonly string[], output: Output): Promise<number> {
  const { values, positionals } = parseArguments('upgrade', args, {
    folder: { type: 'string' },
    'dry-run': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  })
  if (values.help) {
    output.out(upgradeHelp)
    return 0
  }
  const [file, more] = positionals
  if (file === undefined || more !== undefined) throw usage('upgrade', 'it takes one unit file')
  const unit = await loadUnit(file)
  const folder = values.folder ?? `.plenum/${unit.name}`
  const onProgress = (step: string, share: number): void => progress(output, `${step} ${Math.floor(share * 100)} %`)
  const survey = await surveyUpgrade({ unit, folder, refusalsMax, onProgress })
  const fits = survey.types.every(({ refused }) => refused === 0)
  const isDone = fits && survey.behind > 0 && !values['dry-run']
  if (isDone) await goOver(unit, folder, onProgress)
  progress(output, '')
  output.out(
    values.json
      ? `${json({ folder, unit: unit.name, dryRun: values['dry-run'], fits, done: isDone, ...plain(survey) })}\n`
      : text(folder, unit.name, survey, fits, isDone),
  )
  return fits ? 0 : 1
}

/** Starts the unit at rest and ends it again: between the two stands the barrier, in each partition. */
async function goOver(unit: Unit, folder: string, onProgress: (step: string, share: number) => void): Promise<void> {
  const client = await embedded({
    unit,
    folder,
    workers: false,
    uses: standIns(unit, 'upgrade'),
    onProgress: ({ step, share }) => onProgress(step, share),
  })
  await client[Symbol.asyncDispose]()
}

function plain(survey: UpgradeSurvey): object {
  const of = ({ code, message, details }: PlenumError): object => ({ code, message, details })
  const types = survey.types.map((type) => ({ ...type, refusals: type.refusals.map(of) }))
  return { ...survey, types }
}

function text(folder: string, unit: string, survey: UpgradeSurvey, fits: boolean, isDone: boolean): string {
  const { types, left, messages } = survey
  const rows = types.map(({ type, entries, earlier, changed, refused }) => [type, entries, earlier, changed, refused])
  const misfits = messages.filter(({ refused }) => refused > 0)
  const parts = [
    `Entries of unit ${unit} in ${folder}, ${survey.partitions} partitions\n\n`,
    rows.length === 0
      ? 'none of a type that was there before\n'
      : table(['type', 'entries', 'of before', 'changed', 'do not fit'], rows),
    left.length === 0
      ? ''
      : `\nThe folder has types that the unit does not declare; their entries stay: ${left.join(', ')}.\n`,
    misfits.length === 0
      ? ''
      : `\n${table(
          ['messages to', 'waiting', 'do not fit', 'why'],
          misfits.map(({ handler, waiting, refused, reason }) => [handler, waiting, refused, oneLine(reason ?? '')]),
        )}Messages that do not fit become dead letters: they can be sent back or thrown away.\n`,
    ...types.flatMap(({ type, refused, refusals }) => refusalsOf(type, refused, refusals)),
    `\n${endOf(survey, fits, isDone)}\n`,
  ]
  return parts.join('')
}

function refusalsOf(type: string, refused: number, refusals: readonly PlenumError[]): readonly string[] {
  if (refused === 0) return []
  const shown = refusals.slice(0, shownMax).map((error) => `  ${oneLine(reasonOf(error), reasonCharsMax)}\n`)
  const more = refused > shown.length ? `  and ${(refused - shown.length).toLocaleString('en-US')} more\n` : ''
  return [
    `\n${styled('red', `${type}: ${refused === 1 ? 'one does' : `${refused.toLocaleString('en-US')} do`} not fit`)}\n${shown.join('')}${more}`,
  ]
}

/** Which entry, and why. */
function reasonOf({ message, details: { key, why, transaction } }: PlenumError): string {
  const of = typeof transaction === 'string' ? ` in the prepared transaction ${transaction}` : ''
  return typeof why === 'string' ? `${json(key)}${of}: ${why}` : message
}

function endOf({ behind, partitions }: UpgradeSurvey, fits: boolean, isDone: boolean): string {
  if (!fits) return styled('red', 'Nothing was changed. Correct the upgrades or the entries, and try again.')
  if (behind === 0) return styled('green', 'The folder is under this unit already.')
  if (isDone) return styled('green', 'The folder is under this unit now.')
  const some = behind === partitions ? '' : ` ${partitions - behind} of ${partitions} partitions are under it already.`
  return styled('green', `All fit: the next start goes over to this unit.${some}`)
}
