import type { SeedReport } from './run-seed.ts'

/** Numbers by name. */
export type Numbers = Readonly<Record<string, number>>

/** What a number of runs did, added up. */
export interface Sums {
  readonly seeds: number
  readonly operations: number
  readonly replies: number
  readonly records: number
  readonly voids: number
  readonly events: number
  readonly virtualMs: number
  /** What the scenarios counted. */
  readonly counts: Numbers
  readonly faults: Numbers
  readonly probes: Numbers
}

/** The sums of no run. */
export const noSums: Sums = {
  seeds: 0,
  operations: 0,
  replies: 0,
  records: 0,
  voids: 0,
  events: 0,
  virtualMs: 0,
  counts: {},
  faults: {},
  probes: {},
}

/** The sums with one more run in them. */
export function withReport(sums: Sums, { operations, counts, simulation }: SeedReport): Sums {
  const { replies, records, voids, events, virtualMs, faults, probes } = simulation
  return {
    seeds: sums.seeds + 1,
    operations: sums.operations + operations,
    replies: sums.replies + replies,
    records: sums.records + records,
    voids: sums.voids + voids,
    events: sums.events + events,
    virtualMs: sums.virtualMs + virtualMs,
    counts: added(sums.counts, counts),
    faults: added(sums.faults, faults),
    probes: added(sums.probes, probes),
  }
}

function added(sums: Numbers, more: Numbers): Numbers {
  const all: Record<string, number> = { ...sums }
  for (const [name, count] of Object.entries(more)) all[name] = (all[name] ?? 0) + count
  return all
}

/** The sums as text for a person, `must` first by name where a count is missing. */
export function sumsText(sums: Sums): string {
  const { seeds, operations, replies, records, voids, events, virtualMs } = sums
  const lines = [
    `${number(seeds)} seeds, ${number(operations)} operations, ${number(replies)} replies judged by the journal, ` +
      `${number(records)} records of history, ${number(voids)} void, ${number(events)} events, ` +
      `${number(Math.round(virtualMs / 60_000))} virtual minutes`,
    `checked: ${list(sums.counts)}`,
    `faults: ${list(sums.faults)}`,
    `probes: ${list(sums.probes)}`,
  ]
  return lines.join('\n')
}

function list(numbers: Numbers): string {
  const sorted = Object.entries(numbers).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return sorted.map(([name, count]) => `${name} ${number(count)}`).join(', ')
}

function number(value: number): string {
  return value.toLocaleString('en')
}
