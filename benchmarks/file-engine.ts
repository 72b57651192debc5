// Measures the arrangements of the file engine against each other and against the raw disk (FE5).
//
//   node benchmarks/file-engine.ts [--folder <path>] [--ms <of each run>] [--rounds <number>] [--json]
//
// The runs of a round are interleaved, and the table shows medians over the rounds.
import { cpus, tmpdir } from 'node:os'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { pathToFileURL } from 'node:url'
import {
  runAppends,
  runRaw,
  runRecovery,
  type Arrangement,
  type RunOptions,
  type RunResult,
} from './file-engine/runs.ts'

export interface Row extends Partial<Omit<RunResult, 'perSecond'>> {
  readonly what: string
  readonly level: 'os' | 'disk'
  readonly partitions: number
  readonly inFlight: number
  readonly workUs: number
  readonly perSecond: number
  /** Share of the raw rate of the same bytes in the same round. */
  readonly ofRaw?: number
}

export interface Size {
  readonly folder: string
  readonly ms: number
  readonly rounds: number
  readonly recordBytes: number
}

/** All runs; medians over the rounds. */
export async function measure(size: Size): Promise<readonly Row[]> {
  const rounds: Row[][] = []
  for (let round = 0; round < size.rounds; round += 1) rounds.push(await measureRound(size))
  return (rounds[0] ?? []).map((row, at) => {
    const median = (of: (row: Row) => number | undefined): number =>
      rounds.map((rows) => of(rows[at] ?? row) ?? 0).toSorted((a, b) => a - b)[rounds.length >> 1] ?? 0
    return {
      ...row,
      perSecond: median((one) => one.perSecond),
      ...(row.ofRaw === undefined ? {} : { ofRaw: median((one) => one.ofRaw) }),
      ...(row.p50Ms === undefined
        ? {}
        : {
            p50Ms: median((one) => one.p50Ms),
            p99Ms: median((one) => one.p99Ms),
            maxMs: median((one) => one.maxMs),
            stallMs: median((one) => one.stallMs),
          }),
    }
  })
}

async function measureRound(size: Size): Promise<Row[]> {
  const rows: Row[] = []
  const run = async (arrangement: Arrangement, options: Partial<RunOptions>, raw?: number): Promise<void> => {
    const base = { folder: size.folder, ms: size.ms, recordBytes: size.recordBytes }
    const whole: RunOptions = { ...base, arrangement, level: 'disk', partitions: 1, inFlight: 1, workUs: 0, ...options }
    const result = await runAppends(whole)
    const { level, partitions, inFlight, workUs } = whole
    const ofRaw = raw === undefined ? {} : { ofRaw: result.perSecond / raw }
    rows.push({ what: arrangement, level, partitions, inFlight, workUs, ...result, ...ofRaw })
  }
  for (const inFlight of [1, 64, 1_024]) {
    const path = join(size.folder, `plenum-raw-${process.pid}`)
    const raw = runRaw({ ...size, inFlight }, path)
    rmSync(path)
    rows.push({ what: 'raw write + fdatasync', level: 'disk', partitions: 1, inFlight, workUs: 0, perSecond: raw })
    for (const arrangement of ['adaptive', 'pool', 'thread'] as const) await run(arrangement, { inFlight }, raw)
  }
  for (const inFlight of [64, 1_024]) {
    for (const arrangement of ['adaptive', 'pool', 'thread'] as const) await run(arrangement, { inFlight, workUs: 3 })
  }
  for (const inFlight of [8, 64, 1_024]) {
    for (const arrangement of ['adaptive', 'log each'] as const) await run(arrangement, { inFlight, partitions: 8 })
  }
  for (const inFlight of [1, 1_024]) await run('adaptive', { inFlight, level: 'os' })
  return rows
}

function table(rows: readonly Row[]): string {
  const ms = (value: number | undefined): string => (value === undefined ? '' : value.toFixed(2))
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
      ms: { type: 'string', default: '700' },
      rounds: { type: 'string', default: '3' },
      json: { type: 'boolean', default: false },
    },
  })
  const size = { folder: values.folder, ms: Number(values.ms), rounds: Number(values.rounds), recordBytes: 512 }
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
