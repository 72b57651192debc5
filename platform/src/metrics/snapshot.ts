import { joinHistograms, type HistogramData } from './histogram.ts'
import type { Joined, MetricUnit } from './catalogue.ts'

/** Names and values of labels; a label that does not apply is missing. */
export type Labels = Readonly<Record<string, string>>

/** One series of a metric that is a number. */
export interface NumberSeries {
  readonly labels: Labels
  readonly value: number
}

/** One series of a metric that is a histogram. */
export interface HistogramSeries {
  readonly labels: Labels
  readonly histogram: HistogramData
}

interface Described {
  readonly name: string
  readonly unit: MetricUnit
  readonly text: string
}

/** One metric, and what it was. */
export type Metric = Described &
  (
    | { readonly kind: 'counter'; readonly series: readonly NumberSeries[] }
    | { readonly kind: 'gauge'; readonly joined: Joined; readonly series: readonly NumberSeries[] }
    | { readonly kind: 'histogram'; readonly series: readonly HistogramSeries[] }
  )

/** All metrics of one process at one time, as plain data that can be sent and joined. */
export interface MetricsSnapshot {
  /** Milliseconds since 1970; of several that were joined, the newest. */
  readonly at: number
  /** By name. */
  readonly metrics: readonly Metric[]
}

/**
 * What two processes have counted, as one: counters and histograms add up, gauges as the metric says. Percentiles of the
 * result are those of all values, which no average of percentiles is (SL1). The order does not matter.
 */
export function mergeMetrics(one: MetricsSnapshot, other: MetricsSnapshot): MetricsSnapshot {
  const merged = new Map(one.metrics.map((metric) => [metric.name, metric]))
  for (const metric of other.metrics) {
    const known = merged.get(metric.name)
    merged.set(metric.name, known === undefined ? metric : join(known, metric))
  }
  return { at: Math.max(one.at, other.at), metrics: inOrder([...merged.values()]) }
}

/** Metrics by their names. */
export function inOrder(metrics: readonly Metric[]): readonly Metric[] {
  return metrics.toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

function join(one: Metric, other: Metric): Metric {
  if (one.kind === 'histogram' && other.kind === 'histogram') {
    const series = joinSeries(one.series, other.series, (a, b) => ({
      labels: a.labels,
      histogram: joinHistograms(a.histogram, b.histogram),
    }))
    return { ...one, series }
  }
  if (one.kind === 'histogram' || other.kind === 'histogram') return one
  const joined = one.kind === 'gauge' ? one.joined : 'sum'
  const series = joinSeries(one.series, other.series, (a, b) => ({
    labels: a.labels,
    value: joined === 'sum' ? a.value + b.value : Math[joined](a.value, b.value),
  }))
  return { ...one, series }
}

function joinSeries<S extends { readonly labels: Labels }>(
  one: readonly S[],
  other: readonly S[],
  join: (a: S, b: S) => S,
): readonly S[] {
  const joined = new Map(one.map((series) => [labelsText(series.labels), series]))
  for (const series of other) {
    const text = labelsText(series.labels)
    const known = joined.get(text)
    joined.set(text, known === undefined ? series : join(known, series))
  }
  return [...joined].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, series]) => series)
}

/** Labels as a text that is the same whatever their order. */
export function labelsText(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}
