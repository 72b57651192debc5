// Measures the arrangements of the file engine against each other and against the raw disk (FE5).
//
//   node benchmarks/file-engine.ts [--folder <path>] [--ms <of a slice>] [--slices <number>] [--json]
//
// Contenders take turns in short slices; rates are medians over the slices.
import { cpus, tmpdir } from 'node:os'
import { parseArgs } from 'node:util'
import { pathToFileURL } from 'node:url'
import {
  openAppends,
  openRaw,
  runRecovery,
  type Arrangement,
  type Contender,
  type RunResult,
} from './file-engine/runs.ts'

export interface Row extends RunResult {
  readonly what: string
  readonly level: 'os' | 'disk'
  readonly partitions: number
  readonly inFlight: number
  readonly workUs: number
  /** Share of the raw rate of the same bytes. */
  readonly ofRaw?: number
}

export interface Size {
  readonly folder: string
  /** Milliseconds of one slice, and how many each contender gets. */
  readonly ms: number
  readonly slices: number
  readonly recordBytes: number
}

interface Heat {
  readonly level: 'os' | 'disk'
  readonly partitions: number
  readonly inFlight: number
  readonly workUs: number
  readonly raw: boolean
  readonly arrangements: readonly Arrangement[]
}

const writers: readonly Arrangement[] = ['adaptive', 'pool', 'thread']
const heats: readonly Heat[] = [
  ...[1, 64, 1_024].map(
    (inFlight) => ({ level: 'disk', partitions: 1, inFlight, workUs: 0, raw: true, arrangements: writers }) as const,
  ),
  ...[1, 64, 1_024].map(
    (inFlight) => ({ level: 'disk', partitions: 1, inFlight, workUs: 3, raw: false, arrangements: writers }) as const,
  ),
  ...[8, 64, 1_024].map(
    (inFlight) =>
      ({
        level: 'disk',
        partitions: 8,
        inFlight,
        workUs: 0,
        raw: false,
        arrangements: ['adaptive', 'log each'],
      }) as const,
  ),
  ...[1, 1_024].map(
    (inFlight) =>
      ({ level: 'os', partitions: 1, inFlight, workUs: 0, raw: false, arrangements: ['adaptive', 'pool'] }) as const,
  ),
]

/** Every heat: its contenders take turns in short slices, so that they meet the same noise. */
export async function measure(size: Size): Promise<readonly Row[]> {
  const rows: Row[] = []
  for (const heat of heats) rows.push(...(await runHeat(heat, size)))
  return rows
}

async function runHeat(heat: Heat, size: Size): Promise<readonly Row[]> {
  const { level, partitions, inFlight, workUs } = heat
  const base = { folder: size.folder, recordBytes: size.recordBytes, level, partitions, inFlight, workUs }
  const contenders: { readonly what: string; readonly contender: Contender }[] = []
  if (heat.raw) contenders.push({ what: 'raw write + fdatasync', contender: await openRaw(base) })
  for (const arrangement of heat.arrangements) {
    contenders.push({ what: arrangement, contender: await openAppends({ ...base, arrangement }) })
  }
  for (let slice = 0; slice < size.slices; slice += 1) {
    for (const { contender } of contenders) await contender.slice(size.ms)
  }
  const raw = heat.raw ? contenders[0]?.contender.result().perSecond : undefined
  const rows: Row[] = []
  for (const { what, contender } of contenders) {
    const result = contender.result()
    const ofRaw = raw === undefined || rows.length === 0 ? {} : { ofRaw: result.perSecond / raw }
    rows.push({ what, level, partitions, inFlight, workUs, ...result, ...ofRaw })
    await contender.close()
  }
  return rows
}

function table(rows: readonly Row[]): string {
  const ms = (value: number): string => value.toFixed(2)
  const lines = rows.map((row) => [
    row.what,
    row.level,
    String(row.partitions),
    String(row.inFlight),
    String(row.workUs),
    Math.round(row.perSecond).toLocaleString('en'),
    row.ofRaw === undefined ? '' : `${Math.round(row.ofRaw * 100)} %`,
    ms(row.p50Ms),
    ms(row.p99Ms),
    ms(row.maxMs),
    ms(row.stallMs),
  ])
  const head = [
    'arrangement',
    'level',
    'partitions',
    'in flight',
    'work µs',
    'records/s',
    'of raw',
    'p50 ms',
    'p99',
    'max',
    'stall',
  ]
  const all = [head, head.map(() => '---'), ...lines]
  const widths = head.map((_, column) => Math.max(...all.map((line) => (line[column] ?? '').length)))
  return all.map((line) => `| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`).join('\n')
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      folder: { type: 'string', default: tmpdir() },
      ms: { type: 'string', default: '30' },
      slices: { type: 'string', default: '20' },
      json: { type: 'boolean', default: false },
    },
  })
  const size = { folder: values.folder, ms: Number(values.ms), slices: Number(values.slices), recordBytes: 512 }
  const rows = await measure(size)
  const recovery = await runRecovery({ ...size, recordBytes: 64, partitions: 8, records: 1_000_000 })
  if (values.json) {
    console.log(JSON.stringify({ node: process.version, cpus: cpus().length, ...size, rows, recovery }, null, 2))
    return
  }
  console.log(
    `Node ${process.version}, ${cpus().length} × ${cpus()[0]?.model}, records of ${size.recordBytes} bytes.\n`,
  )
  console.log(table(rows))
  const { openMs, readMs, bytes } = recovery
  console.log(
    `\nRecovery of 1,000,000 records of 64 bytes in 8 partitions (${(bytes / 1e6).toFixed(0)} MB of segments): ` +
      `opened in ${openMs.toFixed(0)} ms, read in ${readMs.toFixed(0)} ms.`,
  )
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main()
