import { parseArgs } from 'node:util'
import { defaultLimits, PlenumError } from '../kernel/index.ts'
import { openFolder } from '../journal/file/index.ts'
import { NodeDisk, nodeRuntime } from '../runtime/node/index.ts'
import { inspectJournal, unitTables, type EffectLine, type JournalReport } from './inspect-journal.ts'
import { progress, styled, table, type Output } from './output.ts'

export const inspectHelp = `plenum inspect <folder>: verify and show the journals of an embedded application

Reads every record, verifies the chain, and folds it to the state at its end. Changes nothing but a torn tail,
which is cut as on any start. The application must not be running.

  --entries <type>   list the entries of a type, one JSON line each
  --effects          list every effect in journal order, one JSON line each
  --partition <n>    only this partition
  --json             the report as JSON
  --help             this text

Exit codes: 0 sound, 1 damaged or unreadable, 2 wrong usage.
`

/** Runs `plenum inspect`; the exit code. */
export async function inspect(args: readonly string[], output: Output): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      entries: { type: 'string' },
      effects: { type: 'boolean', default: false },
      partition: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    output.out(inspectHelp)
    return 0
  }
  const [path, more] = positionals
  if (path === undefined || more !== undefined) {
    throw new PlenumError('USAGE', 'plenum inspect takes one folder. See plenum inspect --help.')
  }
  const only = values.partition === undefined ? undefined : Number(values.partition)
  const runtime = nodeRuntime()
  const folder = await openFolder({
    disk: new NodeDisk(),
    path,
    create: false,
    level: 'disk',
    ...runtime,
    onProgress: ({ bytes, bytesTotal }) => progress(output, `reading ${percent(bytes, bytesTotal)}`),
    onEvent: (event) => {
      if (event.kind === 'torn tail') output.err(`a torn tail of ${event.bytes} bytes, never acked, was cut\n`)
    },
  })
  try {
    const reports: JournalReport[] = []
    for (const [partition, { id, journal }] of folder.partitions.entries()) {
      if (only !== undefined && partition !== only) continue
      progress(output, `verifying partition ${partition}`)
      const onEffects = values.effects ? printLines(output) : undefined
      const { report, replica } = await inspectJournal({
        journal,
        journalId: id,
        partition,
        runtime,
        limits: defaultLimits,
        onEffects,
      })
      reports.push(report)
      if (values.entries !== undefined) {
        const found = unitTables(replica).find((one) => one.layout.name === values.entries)
        for (const row of found?.rows() ?? []) output.out(`${json(row.value)}\n`)
      }
    }
    progress(output, '')
    if (values.effects || values.entries !== undefined) return 0
    output.out(
      values.json
        ? `${json({ folder: path, grid: folder.grid, sound: true, partitions: reports })}\n`
        : text(path, folder.grid, reports),
    )
    return 0
  } finally {
    await folder.close()
  }
}

function printLines(output: Output): (lines: readonly EffectLine[]) => void {
  return (lines) => lines.forEach((line) => output.out(`${json(line)}\n`))
}

function text(path: string, grid: string, reports: readonly JournalReport[]): string {
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
  const parts = [
    `Journals of grid ${grid} in ${path}\n\n`,
    table(head, rows),
    snapshots.length === 0 ? '' : `\n${table(['partition', 'snapshot', 'state hash', 'standing'], snapshots)}`,
    `\n${styled('green', 'The chain of every partition is sound.')}\n`,
  ]
  return parts.join('')
}

/** JSON with bigints as text and bytes as hexadecimal, which JSON has no form for. */
function json(value: unknown): string {
  return JSON.stringify(value, (_, item: unknown) => {
    if (typeof item === 'bigint') return `${item}n`
    return item instanceof Uint8Array ? Buffer.from(item).toString('hex') : item
  })
}

function percent(part: number, total: number): string {
  return `${total === 0 ? 100 : Math.floor((part / total) * 100)} %`
}
