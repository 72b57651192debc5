import { embedded } from '../embedded.ts'
import { defaultLimits, isPlenumError, PlenumError } from '../kernel/index.ts'
import { requireGrid } from '../journal/file/index.ts'
import { NodeDisk } from '../runtime/node/index.ts'
import { ownLayouts } from '../space/index.ts'
import { unitDefinition, type Client, type DeadLetter, type Unit } from '../unit/index.ts'
import { parseArguments, usage } from './arguments.ts'
import { json, oneLine, progress, styled, table, type Output } from './output.ts'
import { loadUnit } from './run.ts'

export const deadLettersHelp = `plenum dead-letters <unit.ts>: show what a unit's workers and schedules have given up, and send it back

Opens the folder of the application as a start does, but runs no worker and loads no source, and lists the dead
letters of each worker and each schedule: the entries, or the due times, at which all attempts have failed. The
application must not be running; where it runs, it tells the same by \`client.workers.<name>.deadLetters()\`, and by
\`client.schedules.<name>.deadLetters()\`.

  --folder <path>    where the journal lives (default .plenum/<unit name>)
  --worker <name>    only this worker
  --schedule <name>  only this schedule
  --send-back        have what is listed worked on again, from the next start on, with all its attempts
  --json             the dead letters as JSON, with their values and the errors that are kept
  --help             this text

Exit codes: 0 done, 1 failed, 2 wrong usage.
`

/** Runs `plenum dead-letters`; the exit code. */
export async function deadLetters(args: readonly string[], output: Output): Promise<number> {
  const { values, positionals } = parseArguments('dead-letters', args, {
    folder: { type: 'string' },
    worker: { type: 'string' },
    schedule: { type: 'string' },
    'send-back': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  })
  if (values.help) {
    output.out(deadLettersHelp)
    return 0
  }
  const [file, more] = positionals
  if (file === undefined || more !== undefined) throw usage('dead-letters', 'it takes one unit file')
  const unit = await loadUnit(file)
  const { workers, schedules } = chosenOf(unit, values)
  const folder = values.folder ?? `.plenum/${unit.name}`
  await using client = await opened(unit, folder, output)
  const handles = [...workers.map((name) => client.workers[name]!), ...schedules.map((name) => client.schedules[name]!)]
  const letters: DeadLetter[] = []
  // As many as a partition can have.
  for (const handle of handles) letters.push(...(await handle.deadLetters({ limit: defaultLimits.failuresMax })))
  let sentBack: number | undefined
  if (values['send-back']) {
    sentBack = 0
    for (const handle of handles) sentBack += await handle.sendBack()
  }
  progress(output, '')
  output.out(
    values.json
      ? `${json({ folder, workers, schedules, deadLetters: letters, sentBack })}\n`
      : text(folder, letters, sentBack),
  )
  return 0
}

type Kind = 'worker' | 'schedule'

/** The names of the workers and schedules that are asked for: all, or what the options name. */
function chosenOf(unit: Unit, asked: { readonly [K in Kind]?: string | undefined }) {
  const { workers, schedules } = unitDefinition(unit)
  const isAll = asked.worker === undefined && asked.schedule === undefined
  const chosen = (kind: Kind, names: readonly string[]): readonly string[] => {
    const name = asked[kind]
    if (name === undefined) return isAll ? names : []
    if (names.includes(name)) return [name]
    const known = names.join(', ') || 'none'
    throw usage('dead-letters', `unit '${unit.name}' has no ${kind} '${name}'. There are: ${known}`, `--${kind}`)
  }
  return { workers: chosen('worker', [...workers.keys()]), schedules: chosen('schedule', [...schedules.keys()]) }
}

/** The unit over its folder, at rest. USAGE where the folder is none of an application: nothing is made there. */
async function opened(unit: Unit, folder: string, output: Output): Promise<Client<Unit>> {
  await requireGrid(new NodeDisk(), folder)
  try {
    return await embedded({
      unit,
      folder,
      workers: false,
      uses: standIns(unit),
      onProgress: ({ step, share }) => progress(output, `${step} ${Math.floor(share * 100)} %`),
    })
  } catch (error) {
    if (!isPlenumError(error, 'FOLDER_IN_USE')) throw error
    throw new PlenumError(
      'FOLDER_IN_USE',
      `The folder ${folder} is held by an application that runs. Stop it first, or have it say itself what its workers and schedules have given up: \`client.workers.<name>.deadLetters()\`, and \`sendBack()\`.`,
      { details: error.details, cause: error },
    )
  }
}

/** What is given for the unit's ports: nothing that uses them runs here. */
function standIns(unit: Unit): Readonly<Record<string, object>> {
  return Object.fromEntries(unitDefinition(unit).uses.map((name) => [name, standIn(name)]))
}

function standIn(name: string): object {
  return new Proxy(
    {},
    {
      get() {
        throw new PlenumError('NOT_HOSTED', `plenum dead-letters gives a unit nothing for its port '${name}'.`, {
          details: { port: name },
        })
      },
    },
  )
}

function text(folder: string, letters: readonly DeadLetter[], sentBack: number | undefined): string {
  const rows = letters.map(({ worker, type, key, attempts, errors }) => {
    const last = errors.at(-1)
    const dueAt = type === ownLayouts.due.name ? Number(key['at']) : undefined
    return [
      worker,
      type,
      dueAt === undefined ? json(key) : new Date(dueAt).toISOString(),
      attempts,
      last === undefined ? '' : new Date(last.at).toISOString(),
      last === undefined ? '' : oneLine(last.message),
    ]
  })
  const list =
    letters.length === 0 ? '' : `${table(['worker', 'type', 'key', 'attempts', 'last at', 'last error'], rows)}\n`
  return `${list}${endOf(folder, letters.length, sentBack)}\n`
}

function endOf(folder: string, count: number, sentBack: number | undefined): string {
  if (count === 0) return styled('green', `No dead letters in ${folder}.`)
  if (sentBack !== undefined)
    return styled('green', `${counted(sentBack)} sent back: the next start works on them again.`)
  return styled('yellow', `${counted(count)} in ${folder}. --send-back has them worked on again.`)
}

function counted(count: number): string {
  return count === 1 ? '1 dead letter' : `${count.toLocaleString('en-US')} dead letters`
}
