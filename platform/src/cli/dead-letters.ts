import { embedded } from '../embedded.ts'
import { defaultLimits, isPlenumError, PlenumError } from '../kernel/index.ts'
import { requireGrid } from '../journal/file/index.ts'
import { NodeDisk } from '../runtime/node/index.ts'
import { ownLayouts } from '../space/index.ts'
import { unitDefinition, type Client, type DeadLetter, type DeadMessage, type Unit } from '../unit/index.ts'
import { parseArguments, usage } from './arguments.ts'
import { json, oneLine, progress, styled, table, type Output } from './output.ts'
import { loadUnit } from './run.ts'
import { standIns } from './stand-ins.ts'

export const deadLettersHelp = `plenum dead-letters <unit.ts>: show what a unit has given up, and send it back

Opens the folder of the application as a start does, but runs no worker and no schedule, and loads no source. It lists
the dead letters of each worker and each schedule, which are the entries, or the due times, at which all attempts have
failed, and the messages between handlers that could not be delivered. Messages that still wait are delivered meanwhile,
as by every start. The application must not be running; where it runs, it tells the same by \`deadLetters()\` of
\`client.workers.<name>\`, \`client.schedules.<name>\` and \`client.messages\`.

  --folder <path>    where the journal lives (default .plenum/<unit name>)
  --worker <name>    only this worker, and no messages
  --schedule <name>  only this schedule, and no messages
  --send-back        have what is listed worked on again, from the next start on, with all its attempts
  --json             the dead letters as JSON, with their values and the errors that are kept
  --help             this text

Exit codes: 0 done, 1 failed, 2 wrong usage.
`

/** Characters of a message's input that are shown. */
const inputCharsMax = 60

/** What is found in a folder. */
interface Found {
  /** Of workers and schedules. */
  readonly letters: readonly DeadLetter[]
  /** Not asked for where a worker or a schedule is. */
  readonly messages: readonly DeadMessage[] | undefined
}

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
  const { workers, schedules, withMessages } = chosenOf(unit, values)
  const folder = values.folder ?? `.plenum/${unit.name}`
  await using client = await opened(unit, folder, output)
  const handles = [...workers.map((name) => client.workers[name]!), ...schedules.map((name) => client.schedules[name]!)]
  const found = await foundIn(client, handles, withMessages)
  const sentBack = values['send-back'] ? await sendBack(client, handles, found) : undefined
  progress(output, '')
  const { letters, messages } = found
  output.out(
    values.json
      ? `${json({ folder, workers, schedules, deadLetters: letters, messages, sentBack })}\n`
      : text(folder, found, sentBack),
  )
  return 0
}

/** What tells of its dead letters and sends them back: each worker and each schedule. */
type Handle = Pick<Client<Unit>['workers'][string], 'deadLetters' | 'sendBack'>

async function foundIn(client: Client<Unit>, handles: readonly Handle[], withMessages: boolean): Promise<Found> {
  const { failuresMax, messagesMax } = defaultLimits
  const letters: DeadLetter[] = []
  // As many as a partition can have.
  for (const handle of handles) letters.push(...(await handle.deadLetters({ limit: failuresMax })))
  return { letters, messages: withMessages ? await client.messages.deadLetters({ limit: 2 * messagesMax }) : undefined }
}

/** How many were sent back. */
async function sendBack(client: Client<Unit>, handles: readonly Handle[], { messages }: Found): Promise<number> {
  let count = 0
  for (const handle of handles) count += await handle.sendBack()
  // Those that are listed: one may have failed for the last time since.
  return messages === undefined ? count : count + (await client.messages.sendBack(messages))
}

type Kind = 'worker' | 'schedule'

/** The names of the workers and schedules that are asked for: all, or what the options name, and then no messages. */
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
  return {
    workers: chosen('worker', [...workers.keys()]),
    schedules: chosen('schedule', [...schedules.keys()]),
    withMessages: isAll,
  }
}

/** The unit over its folder, at rest. USAGE where the folder is none of an application: nothing is made there. */
async function opened(unit: Unit, folder: string, output: Output): Promise<Client<Unit>> {
  await requireGrid(new NodeDisk(), folder)
  try {
    return await embedded({
      unit,
      folder,
      workers: false,
      uses: standIns(unit, 'dead-letters'),
      onProgress: ({ step, share }) => progress(output, `${step} ${Math.floor(share * 100)} %`),
    })
  } catch (error) {
    if (!isPlenumError(error, 'FOLDER_IN_USE')) throw error
    throw new PlenumError(
      'FOLDER_IN_USE',
      `The folder ${folder} is held by an application that runs. Stop it first, or have it say itself what it has given up: \`client.workers.<name>.deadLetters()\`, \`client.schedules.<name>.deadLetters()\`, \`client.messages.deadLetters()\`, and \`sendBack()\` of each.`,
      { details: error.details, cause: error },
    )
  }
}

function text(folder: string, { letters, messages = [] }: Found, sentBack: number | undefined): string {
  const ofParts = letters.map(({ worker, type, key, attempts, errors }) => {
    const dueAt = type === ownLayouts.due.name ? Number(key['at']) : undefined
    const what = dueAt === undefined ? json(key) : new Date(dueAt).toISOString()
    return [worker, type, what, attempts, ...lastOf(errors)]
  })
  const ofMessages = messages.map(({ handler, input, errors }) => [
    handler,
    oneLine(json(input), inputCharsMax),
    ...lastOf(errors),
  ])
  const lists = [
    listOf(['worker', 'type', 'key', 'attempts', 'last at', 'last error'], ofParts),
    listOf(['message to', 'input', 'last at', 'last error'], ofMessages),
  ]
  return `${lists.join('')}${endOf(folder, letters.length, messages.length, sentBack)}\n`
}

/** When the last error was, and what it says. */
function lastOf(errors: DeadMessage['errors']): readonly [string, string] {
  const last = errors.at(-1)
  return last === undefined ? ['', ''] : [new Date(last.at).toISOString(), oneLine(last.message)]
}

function listOf(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  return rows.length === 0 ? '' : `${table(head, rows)}\n`
}

function endOf(folder: string, letters: number, messages: number, sentBack: number | undefined): string {
  const all = letters + messages
  if (all === 0) return styled('green', `No dead letters in ${folder}.`)
  const them = (count: number): string => (count === 1 ? 'it' : 'them')
  if (sentBack !== undefined)
    return styled('green', `${counted(sentBack)} sent back: the next start works on ${them(sentBack)} again.`)
  const some = messages === 1 ? 'a message' : 'messages'
  const among = messages === 0 || letters === 0 ? '' : `, ${messages.toLocaleString('en-US')} of them ${some},`
  return styled('yellow', `${counted(all)}${among} in ${folder}. --send-back has ${them(all)} worked on again.`)
}

function counted(count: number): string {
  return count === 1 ? '1 dead letter' : `${count.toLocaleString('en-US')} dead letters`
}
