import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { lstat, rename } from 'node:fs/promises'
import { dirname, resolve, sep } from 'node:path'
import { defaultLimits, isPlenumError, PlenumError } from '../kernel/index.ts'
import { openFolder, type InspectedFolder } from '../journal/file/index.ts'
import { forkJournal } from '../partition/index.ts'
import { NodeDisk, nodeRuntime } from '../runtime/node/index.ts'
import { parseArguments, usage } from './arguments.ts'
import { writeForkFile, type ForkedPartition } from './fork-file.ts'
import { foldTo, newestUpTo, readHistory, type LogPoint, type PartitionHistory, type Tools } from './history.ts'
import { unitTables } from './inspect-journal.ts'
import { isGone, lookInto } from './look-into.ts'
import { json, progress, table, type Output } from './output.ts'
import { pointOf, pointText, timeText } from './point.ts'

export const forkHelp = `plenum fork <folder> <new folder>: copy an application as it was at a point of time

Writes the state of every partition as of then into a new folder, as a grid of its own that knows nothing of what came
later, to run changed code against. All partitions are cut at one place of the log they share, so that no partition has
what another one has not sent; transactions that were under way are finished by the first start, as after a kill. The
folder is read and not changed. Its application may be running; then the fork has what was written so far.

  --at <point>       a time such as 2026-11-30T14:05:00Z (without the Z it is local time), 1764511500000, or 5m (ago);
                     or the index of a record, which is counted in each partition. The end if left out
  --partition <n>    whose record the index counts; needed where there is more than one
  --json             what was written, as JSON
  --help             this text

Exit codes: 0 done, 1 failed and nothing left behind, 2 wrong usage.
`

/** Runs `plenum fork`; the exit code. */
export async function fork(args: readonly string[], output: Output): Promise<number> {
  const { values, positionals } = parseArguments('fork', args, {
    at: { type: 'string' },
    partition: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  })
  if (values.help) {
    output.out(forkHelp)
    return 0
  }
  const [path, target, more] = positionals
  if (path === undefined || target === undefined || more !== undefined)
    throw usage('fork', 'it takes a folder and the name of a new one')
  if (await isThere(target)) throw usage('fork', `'${target}' exists already, and a fork is written into a new folder`)
  if (resolve(target).startsWith(`${resolve(path)}${sep}`))
    throw usage('fork', `'${target}' lies within ${path}, which is not changed`)
  const runtime = nodeRuntime()
  const tools = { runtime, limits: defaultLimits }
  progress(output, 'reading')
  return lookInto(path, async (folder) => {
    const point = logPointOf('fork', folder, values, runtime.clock.wall())
    if (folder.damage !== undefined && point === undefined) throw damaged(folder.damage)
    const onRecords = (records: number): void => progress(output, `reading ${records} records`)
    const histories = await readHistory(folder, tools, point, onRecords)
    const { grid, partitions } = await writeFork({ path, target, folder, histories, at: values.at }, tools, output)
    progress(output, '')
    const found = { folder: target, grid, of: path, ofGrid: folder.grid, at: values.at, partitions }
    output.out(values.json ? `${json(found)}\n` : text(found, values.partition))
    return 0
  })
}

/** Where `--at` and `--partition` cut the log; undefined for its end. */
function logPointOf(
  command: string,
  folder: Pick<InspectedFolder, 'partitions'>,
  values: { readonly at?: string | undefined; readonly partition?: string | undefined },
  now: number,
): LogPoint | undefined {
  const point = values.at === undefined ? undefined : pointOf(command, values.at, now)
  const count = folder.partitions.length
  const partition = values.partition === undefined ? undefined : Number(values.partition)
  if (partition !== undefined && !(Number.isInteger(partition) && partition >= 0 && partition < count)) {
    const known = `a whole number from 0 to ${count - 1}, not '${values.partition}'`
    throw usage(command, `--partition is ${known}`, '--partition')
  }
  if (partition !== undefined && point?.kind !== 'index')
    throw usage(command, '--partition says whose record --at counts, and needs --at with an index', '--partition')
  if (point?.kind !== 'index') return point
  if (partition === undefined && count > 1)
    throw usage(command, 'each partition counts its own records: with an index, --at needs --partition', '--at')
  return { partition: partition ?? 0, index: point.index }
}

interface Work {
  readonly path: string
  readonly target: string
  readonly folder: InspectedFolder
  readonly histories: readonly PartitionHistory[]
  readonly at: string | undefined
}

/** Writes beside the new folder's name, and gives it that name once everything is there and durable. */
async function writeFork(work: Work, tools: Tools, output: Output) {
  const target = resolve(work.target)
  const unfinished = `${target}.unfinished-${randomBytes(4).toString('hex')}`
  const clean = (): void => rmSync(unfinished, { recursive: true, force: true })
  const onInterrupt = (): void => {
    clean()
    process.exit(130)
  }
  process.once('SIGINT', onInterrupt)
  process.once('SIGTERM', onInterrupt)
  try {
    const written = await writeInto(unfinished, work, tools, output)
    if (await isThere(target)) throw usage('fork', `'${work.target}' was made by somebody else meanwhile`)
    await rename(unfinished, target)
    await new NodeDisk().syncFolder(dirname(target))
    return written
  } catch (error) {
    clean()
    throw isPlenumError(error) || isGone(error) ? error : notWritten(work.target, error)
  } finally {
    process.off('SIGINT', onInterrupt)
    process.off('SIGTERM', onInterrupt)
  }
}

async function writeInto(path: string, { path: of, folder, histories, at }: Work, tools: Tools, output: Output) {
  const disk = new NodeDisk()
  const { runtime } = tools
  const made = await openFolder({ disk, path, create: true, partitions: histories.length, level: 'disk', ...runtime })
  const partitions: ForkedPartition[] = []
  try {
    for (const history of histories) {
      const { partition, cut, end } = history
      progress(output, `writing partition ${partition} of ${histories.length}`)
      const { replica } = await newestUpTo(history, cut.index, tools)
      await foldTo(replica, history.journal, cut.index)
      const entries = Object.fromEntries(unitTables(replica).map((one) => [one.layout.name, one.size]))
      const { id: journalId, journal } = made.partitions[partition]!
      const { index, hash } = await forkJournal({ ...tools, replica, journal, journalId })
      const time = timeText(replica.machine.time)
      partitions.push({ partition, index, time, hash, entries, leftOut: end.index - cut.index })
    }
    await writeForkFile(disk, path, { of: resolve(of), grid: folder.grid, at, partitions })
  } finally {
    await made.close()
  }
  return { grid: made.grid, partitions }
}

async function isThere(path: string): Promise<boolean> {
  try {
    await lstat(path)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return false
    throw error
  }
}

function damaged(damage: PlenumError): PlenumError {
  const message = `${damage.message} A fork of what was before can be made: name a time before the damage with --at.`
  return new PlenumError(damage.code, message, { details: damage.details, cause: damage })
}

function notWritten(target: string, cause: unknown): PlenumError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new PlenumError(
    'JOURNAL_FAILED',
    `The fork ${target} could not be written, and nothing of it was left: ${why}.`,
    {
      details: { folder: target },
      cause,
    },
  )
}

interface Written {
  readonly folder: string
  readonly of: string
  readonly at: string | undefined
  readonly partitions: readonly ForkedPartition[]
}

function text({ folder, of, at, partitions }: Written, asked: string | undefined): string {
  const types = [...new Set(partitions.flatMap(({ entries }) => Object.keys(entries)))]
  const rows = partitions.map((one) => [
    String(one.partition),
    one.index,
    one.time,
    one.leftOut,
    ...types.map((type) => one.entries[type] ?? 0),
    one.hash,
  ])
  return [
    `${folder} is a fork of ${of}, ${at === undefined ? 'of its end' : `as of ${pointText(at, asked)}`}\n\n`,
    table(['partition', 'index', 'of', 'left out', ...types, 'state hash'], rows),
    `\nRun it with: plenum run <unit.ts> --folder ${folder}\n`,
  ].join('')
}
