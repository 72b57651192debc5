import { defaultLimits } from '../kernel/index.ts'
import type { InspectedFolder } from '../journal/file/index.ts'
import { nodeRuntime } from '../runtime/node/index.ts'
import { parseArguments, usage } from './arguments.ts'
import { readHistory, requireIndex, type Tools } from './history.ts'
import {
  inspectJournal,
  unitTables,
  type EffectLine,
  type InspectOptions,
  type JournalReport,
  type TransactionReport,
} from './inspect-journal.ts'
import { lookInto } from './look-into.ts'
import { errorText, json, progress, styled, table, type Output } from './output.ts'
import { pointOf, pointText } from './point.ts'

export const inspectHelp = `plenum inspect <folder>: verify and show the journals of an embedded application

Reads every record, verifies the chain, and folds it to the state at its end, or at a point before. Changes nothing.
Of an application that is running it shows what it has written so far. Of a damaged journal it shows what can be read before the damage.

  --at <point>       the state as of then: the index of a record, which is counted in each partition, or a time
                     such as 2026-11-30T14:05:00Z (without the Z it is local time), 1764511500000, or 5m (ago)
  --entries <type>   list the entries of a type, one JSON line each
  --effects          list every effect in journal order, one JSON line each
  --partition <n>    only this partition
  --json             the report as JSON
  --help             this text

With a time all partitions are shown as they stood together, each at its own index.

Exit codes: 0 sound, 1 damaged or unreadable, 2 wrong usage.
`

/** Runs `plenum inspect`; the exit code. */
export async function inspect(args: readonly string[], output: Output): Promise<number> {
  const { values, positionals } = parseArguments('inspect', args, {
    at: { type: 'string' },
    entries: { type: 'string' },
    effects: { type: 'boolean', default: false },
    partition: { type: 'string' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  })
  if (values.help) {
    output.out(inspectHelp)
    return 0
  }
  const [path, more] = positionals
  if (path === undefined || more !== undefined) throw usage('inspect', 'it takes one folder')
  return lookInto(path, (folder) => inspectFolderOf(path, folder, values, output))
}

/** What is asked of a folder. */
interface Asked {
  readonly at?: string | undefined
  readonly entries?: string | undefined
  readonly effects: boolean
  readonly partition?: string | undefined
  readonly json: boolean
}

async function inspectFolderOf(path: string, folder: InspectedFolder, asked: Asked, output: Output): Promise<number> {
  const tools = { runtime: nodeRuntime(), limits: defaultLimits }
  const only = partitionOf(asked.partition, folder.partitions.length)
  const at = await pastOf(folder, asked.at, only, tools, output)
  const reports: JournalReport[] = []
  const types = new Set<string>()
  // Where an application runs, a look may have to begin anew, and nothing must be told twice.
  const lines: string[] = []
  const tell = folder.isRunning ? (line: string) => void lines.push(line) : output.out
  for (const [partition, { id, journal }] of folder.partitions.entries()) {
    if (only !== undefined && partition !== only) continue
    progress(output, `verifying partition ${partition}`)
    const onEffects = asked.effects ? printLines(tell) : undefined
    const { isRunning } = folder
    const of = { ...tools, journal, id, partition, isRunning, at: at?.get(partition), onEffects }
    const { report, replica } = await inspectJournal(of)
    reports.push(report)
    for (const { layout } of unitTables(replica)) types.add(layout.name)
    if (asked.entries !== undefined) {
      const found = unitTables(replica).find((one) => one.layout.name === asked.entries)
      for (const row of found?.rows() ?? []) tell(`${json(row.value)}\n`)
    }
  }
  progress(output, '')
  for (const line of lines) output.out(line)
  // Of a damaged folder the types may not be readable any more; then the damage is what there is to say.
  if (asked.entries !== undefined && !types.has(asked.entries) && folder.damage === undefined) {
    const known = [...types].join(', ') || 'none'
    throw usage('inspect', `the folder has no entry type '${asked.entries}'. There are: ${known}`, '--entries')
  }
  if (!asked.effects && asked.entries === undefined) {
    const { grid, damage, torn, isRunning } = folder
    const sound = damage === undefined
    const found = {
      folder: path,
      grid,
      at: asked.at,
      isRunning,
      sound,
      damage: damage?.message,
      torn,
      partitions: reports,
    }
    output.out(asked.json ? `${json(found)}\n` : text(found))
  } else if (folder.damage !== undefined) {
    output.err(`${errorText(folder.damage)}\n`)
  }
  return folder.damage === undefined ? 0 : 1
}

/** Where each partition is to be shown; undefined for the end. An index counts the records of one partition. */
async function pastOf(
  folder: InspectedFolder,
  given: string | undefined,
  only: number | undefined,
  tools: Tools,
  output: Output,
): Promise<ReadonlyMap<number, InspectOptions['at']> | undefined> {
  if (given === undefined) return undefined
  const point = pointOf('inspect', given, tools.runtime.clock.wall())
  const onRecords = (records: number): void => progress(output, `reading ${records} records`)
  if (point.kind === 'time') {
    const histories = await readHistory(folder, tools, point, onRecords)
    return new Map(histories.map((history) => [history.partition, { history, index: history.cut.index }]))
  }
  const partition = only ?? (folder.partitions.length === 1 ? 0 : undefined)
  if (partition === undefined)
    throw usage('inspect', 'each partition counts its own records: with an index, --at needs --partition', '--at')
  const history = (await readHistory(folder, tools, undefined, onRecords))[partition]!
  requireIndex(history, point.index)
  return new Map([[partition, { history, index: point.index }]])
}

function partitionOf(given: string | undefined, partitions: number): number | undefined {
  if (given === undefined) return undefined
  const partition = Number(given)
  if (Number.isInteger(partition) && partition >= 0 && partition < partitions) return partition
  throw usage('inspect', `--partition is a whole number from 0 to ${partitions - 1}, not '${given}'`, '--partition')
}

function printLines(tell: (line: string) => void): (lines: readonly EffectLine[]) => void {
  return (lines) => lines.forEach((line) => tell(`${json(line)}\n`))
}

/** What was found, as the report shows it. */
interface Found {
  readonly folder: string
  readonly grid: string
  /** The point as it was given; undefined for the end. */
  readonly at: string | undefined
  /** True where an application has the folder. */
  readonly isRunning: boolean
  readonly sound: boolean
  readonly damage: string | undefined
  readonly torn: { readonly file: string; readonly offset: number; readonly bytes: number } | undefined
  readonly partitions: readonly JournalReport[]
}

function text({ folder, grid, at, isRunning, damage, torn, partitions: reports }: Found): string {
  const types = [...new Set(reports.flatMap(({ entries }) => Object.keys(entries)))]
  const head = ['partition', 'epoch', 'index', 'records', 'bytes', 'void', ...types, 'ended', 'state hash']
  const rows = reports.map((report) => [
    String(report.partition),
    report.epoch,
    report.index,
    report.records,
    report.bytes,
    report.voids,
    ...types.map((type) => report.entries[type] ?? 0),
    report.closed ? 'closed' : 'open',
    report.hash,
  ])
  const snapshots = reports.flatMap(({ partition, snapshots: found }) =>
    found.map(({ index, hash, named }) => [
      String(partition),
      index,
      hash,
      named ? 'named in the journal' : 'not named: does not count',
    ]),
  )
  const pending = reports.flatMap(({ partition, transactions }) =>
    transactions.map((one) => [String(partition), one.transaction, one.state, standingOf(one)]),
  )
  const parts = [
    `Journals of grid ${grid} in ${folder}${at === undefined ? '' : `, as of ${pointText(at, reports[0]?.partition)}`}\n\n`,
    table(head, rows),
    at === undefined ? '' : `\n${headsText(reports)}`,
    snapshots.length === 0 ? '' : `\n${table(['partition', 'snapshot', 'state hash', 'standing'], snapshots)}`,
    pending.length === 0 ? '' : `\n${table(['partition', 'transaction', 'state', 'next start'], pending)}`,
    isRunning
      ? '\nThe application is running: this is what it had written. What is newest may not be acked yet.\n'
      : '',
    torn === undefined
      ? ''
      : `
${tornText(torn)}
`,
    damage === undefined
      ? `
${styled('green', 'The chain of every partition is sound.')}
`
      : `
${styled('red', `JOURNAL_CORRUPT: ${damage}`)}
What is shown above is what can be read before the damage.
`,
  ]
  return parts.join('')
}

/** The last record of each partition that counts, and who had sessions. */
function headsText(reports: readonly JournalReport[]): string {
  return table(
    ['partition', 'last record', 'of', 'hash', 'sessions', 'opened from'],
    reports.map(({ partition, index, time, record, sessions, from }) => [
      String(partition),
      index,
      time,
      record,
      sessions,
      from === 'zero' ? 'the first record' : `the snapshot of ${from.toLocaleString('en-US')}`,
    ]),
  )
}

function standingOf(one: TransactionReport): string {
  switch (one.state) {
    case 'prepared':
      return `asks partition ${one.coordinator} for the outcome of ${one.effects} changes`
    case 'committed':
      return `tells partitions ${one.partitions.join(', ')}`
    case 'aborted':
      return 'keeps it until it could not be committed any more'
  }
}

function tornText({ file, offset, bytes }: NonNullable<Found['torn']>): string {
  return `A write of ${bytes} bytes was under way at byte ${offset} of ${file} when the process or the power went. It was never acked; the next start cuts it.`
}
