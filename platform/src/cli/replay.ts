import { defaultLimits, PlenumError } from '../kernel/index.ts'
import type { InspectedFolder } from '../journal/file/index.ts'
import { nodeRuntime } from '../runtime/node/index.ts'
import { resolveUnit, unitDefinition, type ResolvedUnit, type Unit } from '../unit/index.ts'
import { parseArguments, usage } from './arguments.ts'
import { readHistory, requireIndex, type PartitionHistory, type Tools } from './history.ts'
import { lookInto } from './look-into.ts'
import { json, progress, type Output } from './output.ts'
import { replayPartition } from './replay-partition.ts'
import { ReplayCounts, replayText } from './replay-report.ts'
import { loadUnit } from './run.ts'

export const replayHelp = `plenum replay <folder> --on <unit.ts>: make recorded calls again on changed code

Takes the calls of handlers that an application has recorded (record: true, or plenum run --record) and makes each one
again, by the unit file that is given, on the state that it was made on: with its input, its caller, its time, and the
random numbers and ids that it drew. What it answers, changes and sends is compared with what was recorded, and the
first difference is shown. The history goes on as it was recorded, so that one difference does not bring about others.
The folder is read and not changed. Its application may be running; then what it has written so far is replayed.

  --on <unit.ts>     the unit file to run
  --from <index>     the first record; the oldest that is kept if left out
  --to <index>       the last record; the end if left out
  --partition <n>    only this partition; needed for an index where there is more than one
  --all              count calls and differences by handler as well, and with --json list up to 1,000 differences
  --json             what was found, as JSON
  --help             this text

Exit codes: 0 no difference, 1 a difference or failed, 2 wrong usage.
`

/** Runs `plenum replay`; the exit code. */
export async function replay(args: readonly string[], output: Output): Promise<number> {
  const { values, positionals } = parseArguments('replay', args, {
    on: { type: 'string' },
    from: { type: 'string' },
    to: { type: 'string' },
    partition: { type: 'string' },
    all: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  })
  if (values.help) {
    output.out(replayHelp)
    return 0
  }
  const [path, more] = positionals
  if (path === undefined || more !== undefined) throw usage('replay', 'it takes one folder')
  if (values.on === undefined) throw usage('replay', 'it needs the unit file to run, by --on', '--on')
  return replayOn(await loadUnit(values.on), path, { ...values, on: values.on }, output)
}

/** What of a folder is replayed, and how it is told. */
export interface ReplayAsked {
  /** What the unit is called. */
  readonly on: string
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly partition?: string | undefined
  readonly all: boolean
  readonly json: boolean
}

/** Replays the calls of a folder on a unit; the exit code. */
export async function replayOn(declared: Unit, path: string, asked: ReplayAsked, output: Output): Promise<number> {
  const runtime = nodeRuntime()
  const tools = { runtime, limits: defaultLimits }
  const unit = resolveUnit(unitDefinition(declared), { ...tools, checkAll: true })
  progress(output, 'reading')
  return lookInto(path, async (folder) => {
    if (folder.damage !== undefined) throw folder.damage
    const counts = new ReplayCounts(asked.all)
    await replayFolder(folder, unit, asked, { tools, counts, output })
    progress(output, '')
    if (counts.calls === 0) throw notRecorded(path)
    const found = { folder: path, on: asked.on, ...counts.found }
    output.out(asked.json ? `${json(found)}\n` : replayText(found, asked.all))
    return found.different === 0 ? 0 : 1
  })
}

interface Parts {
  readonly tools: Tools
  readonly counts: ReplayCounts
  readonly output: Output
}

async function replayFolder(
  folder: InspectedFolder,
  unit: ResolvedUnit,
  asked: ReplayAsked,
  parts: Parts,
): Promise<void> {
  const { tools, counts, output } = parts
  const partitions = folder.partitions.length
  const only = asked.partition === undefined ? undefined : numberOf(asked.partition, '--partition', 0, partitions - 1)
  for (const name of ['from', 'to'] as const)
    if (asked[name] !== undefined && only === undefined && partitions > 1)
      throw usage('replay', `each partition counts its own records: --${name} needs --partition`, `--${name}`)
  const histories = await readHistory(folder, tools, undefined, (records) =>
    progress(output, `reading ${records} records`),
  )
  for (const history of histories) {
    const { partition } = history
    if (only !== undefined && partition !== only) continue
    const { from, to } = rangeOf(history, asked)
    await replayPartition({
      ...tools,
      history,
      unit,
      partitions,
      from,
      to,
      onReplayed: (replayed, index) => {
        counts.add(replayed)
        if (counts.calls % 1_000 === 0) progress(output, `partition ${partition}: record ${index} of ${to}`)
      },
    })
  }
}

/** The records to replay. HISTORY_NOT_KEPT where the state before them is not there any more, or they are not there yet. */
function rangeOf(history: PartitionHistory, asked: ReplayAsked): { readonly from: number; readonly to: number } {
  const { start, end } = history
  const from = asked.from === undefined ? start.index + 1 : numberOf(asked.from, '--from', 1)
  const to = asked.to === undefined ? end.index : numberOf(asked.to, '--to', 1)
  if (asked.from !== undefined || asked.to !== undefined) {
    requireIndex(history, from)
    requireIndex(history, to)
    if (from <= start.index) requireIndex(history, from - 1)
    if (from > to) throw usage('replay', `--from ${from} is behind --to ${to}`, '--from')
  }
  return { from, to }
}

function numberOf(given: string, option: string, min: number, max = Number.MAX_SAFE_INTEGER): number {
  const number = Number(given)
  if (/^\d+$/.test(given) && number >= min && number <= max) return number
  const range = max === Number.MAX_SAFE_INTEGER ? `${min} on` : `${min} to ${max}`
  throw usage('replay', `${option} is a whole number from ${range}, not '${given}'`, option)
}

function notRecorded(folder: string): PlenumError {
  return new PlenumError(
    'CALLS_NOT_RECORDED',
    `The journals in ${folder} hold no recorded calls in this range. An application records the calls of its handlers if it is started ` +
      'with record: true, or by plenum run --record; those that it has answered before cannot be made again.',
    { details: { folder } },
  )
}
