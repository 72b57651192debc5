import type { Environment } from './environment.ts'
import type { Latency } from './latency.ts'
import type { SuiteRun } from './run-suites.ts'
import type { Measure, Row } from './suite.ts'
import type { Target } from './targets.ts'

/** A whole run as Markdown, which reads well in a terminal too. */
export function markdown(environment: Environment, runs: readonly SuiteRun[]): string {
  return [environmentLines(environment), ...runs.map(suiteLines)].flat().join('\n') + '\n'
}

function environmentLines(environment: Environment): readonly string[] {
  const { date, commit, node, flags, cpu, cores, memoryGB, kernel, fileSystem, load } = environment
  return [
    `${date.slice(0, 16).replace('T', ' ')} UTC, commit ${commit}, Node ${node} ${flags.join(' ')}, ${cores} × ${cpu}, ` +
      `${memoryGB} GB, ${kernel}, ${fileSystem}, load ${load} at the start.`,
    '',
  ]
}

function suiteLines(run: SuiteRun): readonly string[] {
  const { name, measures, leavesOut, command, rows, notes, targets, small } = run
  return [
    `## ${name}`,
    '',
    measures,
    '',
    `Not measured: ${leavesOut}`,
    '',
    `Again: \`${command}\``,
    '',
    ...(notes ?? []).map((note) => `- ${note}`),
    ...(notes === undefined ? [] : ['']),
    ...[...new Set(rows.map(({ table }) => table))].flatMap((table) => tableLines(table, rows)),
    ...targetLines(targets, small),
  ]
}

/** The rows of one table, under its heading if it has one. */
function tableLines(table: string | undefined, rows: readonly Row[]): readonly string[] {
  return [
    ...(table === undefined ? [] : [`### ${table}`, '']),
    ...grid(
      ['subject', 'work', 'ack', 'in flight', 'figure', 'samples', 'p50', 'p99', 'p99.9', 'p99.99', 'max ms', 'hash'],
      rows.filter((row) => row.table === table).map(rowCells),
    ),
    '',
  ]
}

function rowCells(row: Row): readonly string[] {
  return [
    row.subject,
    row.work,
    row.ack,
    row.inFlight === undefined ? '' : text(row.inFlight),
    figure(row.value, row.measure),
    row.samples.length < 2 ? '' : row.samples.map((sample) => plain(sample, row.measure)).join(' '),
    ...latencyCells(row.latency),
    row.hash ?? '',
  ]
}

function latencyCells(latency: Latency | undefined): readonly string[] {
  if (latency === undefined) return ['', '', '', '', '']
  return [latency.p50, latency.p99, latency.p999, latency.p9999, latency.max].map((ms) => ms.toFixed(ms < 1 ? 3 : 2))
}

function targetLines(targets: readonly Target[], small: boolean): readonly string[] {
  if (targets.length === 0) return []
  if (small) return ['Small size: the targets are not judged.', '']
  return [
    ...grid(
      ['target', 'bound', 'measured', ''],
      targets.map(({ text: of, bound, measured, measure, met }) => [
        of,
        figure(bound, measure),
        figure(measured, measure),
        met ? 'met' : 'MISSED',
      ]),
    ),
    '',
  ]
}

/** A figure with its measure, in as many digits as a measurement is good for. */
function figure(value: number, measure: Measure): string {
  return measure === 'ratio' ? `${plain(value, measure)} ×` : `${plain(value, measure)} ${measure}`
}

function plain(value: number, measure: Measure): string {
  if (measure === 'ratio' || Math.abs(value) < 10) return value.toFixed(value < 0.1 && value > 0 ? 4 : 2)
  return text(value)
}

function text(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

function grid(head: readonly string[], lines: readonly (readonly string[])[]): readonly string[] {
  const used = head.map((_, column) => column === 0 || lines.some((line) => (line[column] ?? '') !== ''))
  const kept = (cells: readonly string[]): readonly string[] => cells.filter((_, column) => used[column])
  const all = [kept(head), ...lines.map(kept)]
  const widths = kept(head).map((_, column) => Math.max(...all.map((line) => (line[column] ?? '').length)))
  const drawn = all.map((line) => `| ${line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`)
  return [drawn[0]!, `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`, ...drawn.slice(1)]
}
