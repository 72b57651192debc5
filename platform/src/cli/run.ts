import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { embedded, type EmbeddedEvent, type EmbeddedOptions } from '../embedded.ts'
import { nodeRuntime, pinoLog } from '../runtime/node/index.ts'
import type { Log } from '../runtime/index.ts'
import { loadUnitFile, type Unit } from '../unit/index.ts'
import { parseArguments, usage } from './arguments.ts'
import { MetricsDoor } from './metrics-door.ts'
import { oneLine, progress, type Output } from './output.ts'
import { logLevels, prettyLog } from './pretty-log.ts'
import { RareWarnings } from './rare-warnings.ts'

export const runHelp = `plenum run <unit.ts>: run a unit embedded in this process, over a journal in a folder

Loads the unit file's default export, recovers its state from the journal, loads its sources, and keeps
running until Ctrl-C, which closes the journal in order. Killing it at any moment loses nothing that was acked.
What the unit uses from outside is the file's export \`uses\`, an object or a function that returns one.

  --folder <path>      where the journal lives (default .plenum/<unit name>)
  --partitions <n>     number of partitions of a new folder (default 4)
  --threads <n>        run the partitions on so many threads (default: all on one, with everything else)
  --ack <level>        what an ack means: disk (default), os or memory
  --record             keep each call of a handler in the journal, for plenum replay
  --metrics <port>     serve what is counted at http://127.0.0.1:<port>/metrics, for Prometheus; 0 takes a free one
  --log <form>         log events and what handlers log, to standard error: json, or pretty for people
  --log-level <level>  from which level on: debug, info (default), warn or error
  --once               stop when the sources are loaded
  --help               this text

Exit codes: 0 ended in order, 1 failed, 2 wrong usage, 130 ended by Ctrl-C.
`

/** Characters of a warning's reason. */
const messageCharsMax = 300

const ackLevels = ['disk', 'os', 'memory'] as const

/** Runs `plenum run`; the exit code. */
export async function run(args: readonly string[], output: Output): Promise<number> {
  const { values, positionals } = parseArguments('run', args, {
    folder: { type: 'string' },
    partitions: { type: 'string' },
    threads: { type: 'string' },
    ack: { type: 'string', default: 'disk' },
    record: { type: 'boolean', default: false },
    metrics: { type: 'string' },
    log: { type: 'string' },
    'log-level': { type: 'string' },
    once: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  })
  if (values.help) {
    output.out(runHelp)
    return 0
  }
  const [file, more] = positionals
  if (file === undefined || more !== undefined) throw usage('run', 'it takes one unit file')
  const ack = ackOf('run', values.ack)
  const { unit, uses } = await loadUnitFile(addressOf(file), file)
  const folder = values.folder ?? `.plenum/${unit.name}`
  const port = countOf('run', 'metrics', values.metrics, [0, 65_535])
  const partitions = countOf('run', 'partitions', values.partitions)
  const threads = countOf('run', 'threads', values.threads)
  const { clock } = nodeRuntime()
  const log = await logOf(values.log, values['log-level'], output)
  const rare = new RareWarnings(() => clock.monotonic(), output.err)
  const client = await embedded({
    unit,
    uses,
    partitions,
    ...(threads === undefined ? {} : { threads, module: addressOf(file) }),
    ...journalOf(ack, folder),
    ack,
    record: values.record,
    onProgress: ({ step, share }) => progress(output, `${step} ${Math.floor(share * 100)} %`),
    log,
    // What is logged is not warned about too.
    onEvent: (told) => (log === undefined ? warn(told, rare, output) : undefined),
  })
  let door: MetricsDoor | undefined
  try {
    door = port === undefined ? undefined : await MetricsDoor.open(port, () => client.metrics())
    for (const [name, source] of Object.entries(client.sources)) {
      const loaded = await source.load({ onProgress: (rows) => progress(output, `loading ${name}: ${rows} rows`) })
      progress(output, '')
      output.out(`source ${name}: ${loaded.rows} rows into ${loaded.loaded} partitions, ${loaded.skipped} had theirs\n`)
    }
    progress(output, '')
    const where = threads === undefined ? '' : ` in ${Math.min(threads, client.partitions)} threads`
    output.out(
      `${unit.name} runs on ${client.partitions} partitions${where}, ${ack === 'memory' ? 'in memory only' : `journal in ${folder}`}, acks mean ${ack}\n`,
    )
    if (door !== undefined) output.out(`metrics at ${door.url}\n`)
    if (values.once) return 0
    await untilInterrupted()
    return 130
  } finally {
    await door?.close()
    await client[Symbol.asyncDispose]()
  }
}

/** The log that was asked for; undefined for none. */
async function logOf(form: string | undefined, level: string | undefined, { err }: Output): Promise<Log | undefined> {
  const from = logLevels.find((one) => one === (level ?? 'info'))
  if (from === undefined)
    throw usage('run', `--log-level is one of ${logLevels.join(', ')}, not '${level}'`, '--log-level')
  if (form === undefined && level !== undefined)
    throw usage('run', '--log-level says what is logged: give --log too', '--log-level')
  switch (form) {
    case undefined:
      return undefined
    case 'json':
      return pinoLog(from, 2)
    case 'pretty':
      return prettyLog(from, err, () => nodeRuntime().clock.wall())
    default:
      throw usage('run', `--log is json or pretty, not '${form}'`, '--log')
  }
}

/** Says on standard error what should not pass in silence. */
export function warn({ partition, event }: EmbeddedEvent, rare: RareWarnings, { err }: Output): void {
  switch (event.kind) {
    case 'failed':
      return err(`partition ${partition} failed: ${event.error.message}\n`)
    case 'thread-ended':
      return err(`warning: ${oneLine(event.message, messageCharsMax)}; another one takes over\n`)
    case 'thread-failed':
      return err(`${event.error.message}\n`)
    case 'slow':
      return rare.slow(event.part, event.ms)
    case 'schedule-missed':
      return rare.missed(event.schedule, event.at, event.late)
    case 'dead-letter': {
      const { part, attempts, message } = event
      const what = part.startsWith('schedule ') ? 'a due time' : 'an entry'
      return err(`warning: ${what} is a dead letter, after ${attempts} attempts of the ${part}: ${oneLine(message)}\n`)
    }
    case 'fault':
      // What a handler throws is told to its caller.
      return /^(worker|schedule) /.test(event.part)
        ? rare.add(`fault of ${event.part}`, `the ${event.part} threw, and is tried again: ${reasonOf(event.error)}`)
        : undefined
    case 'sink-failed':
      return rare.add(
        event.sink,
        `the ${event.sink} did not write its batch, ${event.attempts} times by now, and tries again: ${reasonOf(event.error)}`,
      )
    case 'sink-full':
      return rare.add(
        `${event.sink} full`,
        `the ${event.sink} keeps ${event.pending} changes that its store does not have, and more of them wait. Look at the store.`,
      )
    case 'projection-failed': {
      const what = event.projection.startsWith('sink ') ? event.projection : `projection ${event.projection}`
      const then = 'Mend it and start again: it goes on from before that.'
      return err(`warning: the ${what} failed at index ${event.index}: ${reasonOf(event.error)}. ${then}\n`)
    }
    case 'sends-waiting':
      return rare.add(
        `sends of ${event.projection}`,
        `what the projection ${event.projection} sends waits: ${reasonOf(event.error)}`,
      )
    case 'snapshot-failed':
      return rare.add(`snapshot of ${partition}`, `no snapshot of partition ${partition}: ${oneLine(event.reason)}`)
    case 'dead-message':
      return err(`warning: a message to the handler ${event.handler} is a dead letter: ${oneLine(event.message)}\n`)
    default:
  }
}

function reasonOf(error: unknown): string {
  return oneLine(error instanceof Error ? error.message : String(error), messageCharsMax).replace(/\.$/, '')
}

/** The default export of a unit file; UNIT_NOT_LOADED says why there is none. */
export async function loadUnit(file: string): Promise<Unit> {
  return (await loadUnitFile(addressOf(file), file)).unit
}

/** What an ack is to mean. */
export function ackOf(command: string, given: string): (typeof ackLevels)[number] {
  const ack = ackLevels.find((level) => level === given)
  if (ack !== undefined) return ack
  throw usage(command, `--ack is one of ${ackLevels.join(', ')}, not '${given}'`, '--ack')
}

/** Where the journal is to be, for the compositions. */
export function journalOf(ack: string, folder: string | undefined): Pick<EmbeddedOptions<Unit>, 'journal'> {
  if (ack === 'memory') return { journal: 'memory' }
  return folder === undefined ? {} : { journal: { folder } }
}

/** Where a file that was named on the command line is imported from. */
export function addressOf(file: string): string {
  return pathToFileURL(resolve(file)).href
}

/** A number that an option was given, from 1 to 1,024 unless told; undefined if it was not. */
export function countOf(
  command: string,
  option: string,
  given: string | undefined,
  [from, to]: readonly [number, number] = [1, 1_024],
): number | undefined {
  if (given === undefined) return undefined
  const count = Number(given)
  if (Number.isInteger(count) && count >= from && count <= to) return count
  throw usage(command, `--${option} is a whole number from ${from} to ${to}, not '${given}'`, `--${option}`)
}

/** Resolves when Ctrl-C is pressed, or the process is told to end. */
export function untilInterrupted(): Promise<void> {
  return new Promise((done) => {
    // A unit without timers of its own must not let the process end while it waits.
    const alive = setInterval(() => {}, 60_000)
    const end = (): void => {
      clearInterval(alive)
      done()
    }
    process.once('SIGINT', end)
    process.once('SIGTERM', end)
  })
}
