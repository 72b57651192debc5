// Measures the arrangements of the file engine against each other and against the raw disk (FE5).
//
//   node benchmarks/file-engine.ts [--folder <path>] [--ms <of a slice>] [--slices <number>] [--quiet <syncs>] [--json]
//
// Contenders take turns in short slices; rates are medians over the slices. On a machine that others use, `--quiet 5500`
// counts only the rounds between two short raw runs of at least so many syncs a second.
import { cpus, tmpdir } from 'node:os'
import { parseArgs } from 'node:util'
import { pathToFileURL } from 'node:url'
import { openAppends, openRaw, runRecovery, type Arrangement, type Contender, type Slice } from './file-engine/runs.ts'

export interface RunResult {
  /** Median over the slices. */
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  /** The longest time in which the loop did not turn. */
  readonly stallMs: number
}

export interface Row extends RunResult {
  /** Rounds that count. */
  readonly rounds: number
  readonly what: string
  readonly level: 'os' | 'disk'
  readonly partitions: number
  readonly inFlight: number
  readonly workUs: number
  /** Share of the raw rate of the same bytes, by rates and by median latencies, which noise disturbs less. */
  readonly ofRaw?: { readonly rate: number; readonly p50: number }
}

export interface Size {
  readonly folder: string
  /** Milliseconds of one slice, and how many each contender gets. */
  readonly ms: number
  readonly slices: number
  /** Rounds count only between two short raw runs of at least so many syncs a second; 0 to count all. */
  readonly quietPerSecond: number
  readonly recordBytes: number
}

const triesPerSlice = 200

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
  const probe = await openRaw({ ...size, inFlight: 1 })
  for (const heat of heats) rows.push(...(await runHeat(heat, size, probe)))
  await probe.close()
  return rows
}

async function runHeat(heat: Heat, size: Size, probe: Contender): Promise<readonly Row[]> {
  const { level, partitions, inFlight, workUs } = heat
  const base = { folder: size.folder, recordBytes: size.recordBytes, level, partitions, inFlight, workUs }
  const names = [...(heat.raw ? ['raw write + fdatasync'] : []), ...heat.arrangements]
  const contenders: Contender[] = heat.raw ? [await openRaw(base)] : []
  for (const arrangement of heat.arrangements) contenders.push(await openAppends({ ...base, arrangement }))
  const rounds: Slice[][] = []
  for (let tries = 0; rounds.length < size.slices && tries < size.slices * triesPerSlice; tries += 1) {
    if (!(await isQuiet(probe, size))) continue
    const round: Slice[] = []
    for (const contender of contenders) round.push(await contender.slice(size.ms))
    if (await isQuiet(probe, size)) rounds.push(round)
  }
  for (const contender of contenders) await contender.close()
  const results = names.map((_, at) => resultOf(rounds.flatMap((round) => round.slice(at, at + 1))))
  const raw = heat.raw ? results[0] : undefined
  return results.map((result, at) => {
    const ofRaw =
      raw === undefined || at === 0
        ? {}
        : { ofRaw: { rate: result.perSecond / raw.perSecond, p50: raw.p50Ms / result.p50Ms } }
    return { what: names[at] ?? '', level, partitions, inFlight, workUs, rounds: rounds.length, ...result, ...ofRaw }
  })
}

/** True if nobody else seems to use the disk, or the processor: a short raw run is as fast as it should be. */
async function isQuiet(probe: Contender, size: Size): Promise<boolean> {
  if (size.quietPerSecond === 0) return true
  if ((await probe.slice(4)).perSecond >= size.quietPerSecond) return true
  await new Promise((resolve) => setTimeout(resolve, 20))
  return false
}

function resultOf(slices: readonly Slice[]): RunResult {
  const rates = slices.map(({ perSecond }) => perSecond).toSorted((a, b) => a - b)
  const sorted = Float64Array.from(slices.flatMap(({ latenciesMs }) => latenciesMs)).sort()
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0
  const stallMs = Math.max(0, ...slices.map((slice) => slice.stallMs))
  return { perSecond: rates[rates.length >> 1] ?? 0, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1), stallMs }
}

function table(rows: readonly Row[]): string {
  const ms = (value: number): string => value.toFixed(2)
  const percent = (share: number): string => `${Math.round(share * 100)} %`
  const lines = rows.map((row) => [
    row.what,
    row.level,
    String(row.partitions),
    String(row.inFlight),
    String(row.workUs),
    Math.round(row.perSecond).toLocaleString('en'),
    row.ofRaw === undefined ? '' : `${percent(row.ofRaw.rate)} (${percent(row.ofRaw.p50)})`,
    ms(row.p50Ms),
    ms(row.p99Ms),
    ms(row.maxMs),
    ms(row.stallMs),
    String(row.rounds),
  ])
  const head = [
    'arrangement',
    'level',
    'partitions',
    'in flight',
    'work µs',
    'records/s',
    'of raw (by p50)',
    'p50 ms',
    'p99',
    'max',
    'stall',
    'rounds',
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
      slices: { type: 'string', default: '21' },
      quiet: { type: 'string', default: '0' },
      json: { type: 'boolean', default: false },
    },
  })
  const size = {
    folder: values.folder,
    ms: Number(values.ms),
    slices: Number(values.slices),
    quietPerSecond: Number(values.quiet),
    recordBytes: 512,
  }
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
