import { countUpTo, exponentMax, type HistogramData } from './histogram.ts'
import type { Labels, Metric, MetricsSnapshot } from './snapshot.ts'

/** What a door serves this text as. */
export const metricsContentType = 'application/openmetrics-text; version=1.0.0; charset=utf-8'

/**
 * A snapshot in the OpenMetrics text format, as Prometheus reads it. Dots of names become underscores, the unit stands at
 * the end of a name. Bounds of buckets are powers of two; the snapshot itself is sixteen times as fine and more.
 *
 * The format: https://github.com/prometheus/OpenMetrics/blob/main/specification/OpenMetrics.md
 */
export function metricsText({ metrics }: MetricsSnapshot): string {
  return [...metrics.flatMap(linesOf), '# EOF', ''].join('\n')
}

function linesOf(metric: Metric): readonly string[] {
  const name = nameOf(metric)
  const unit = unitWords[metric.unit]
  const head = [
    `# TYPE ${name} ${metric.kind}`,
    ...(unit === undefined ? [] : [`# UNIT ${name} ${unit}`]),
    `# HELP ${name} ${escaped(metric.text)}`,
  ]
  if (metric.kind === 'histogram') {
    return [...head, ...metric.series.flatMap(({ labels, histogram }) => histogramLines(name, labels, histogram))]
  }
  const sample = metric.kind === 'counter' ? `${name}_total` : name
  return [...head, ...metric.series.map(({ labels, value }) => `${sample}${labelsOf(labels)} ${value}`)]
}

function histogramLines(name: string, labels: Labels, histogram: HistogramData): readonly string[] {
  const lines: string[] = []
  for (let exponent = 0; exponent < exponentMax; exponent++) {
    const le = String(Number((2 ** exponent * histogram.resolution).toPrecision(12)))
    lines.push(`${name}_bucket${labelsOf({ ...labels, le })} ${countUpTo(histogram, exponent)}`)
  }
  lines.push(`${name}_bucket${labelsOf({ ...labels, le: '+Inf' })} ${histogram.count}`)
  lines.push(`${name}_count${labelsOf(labels)} ${histogram.count}`)
  lines.push(`${name}_sum${labelsOf(labels)} ${histogram.sum}`)
  return lines
}

const unitWords: Readonly<Record<string, string>> = { s: 'seconds', By: 'bytes', '1': 'ratio' }

/** Its name, with its unit behind it if it has one. */
function nameOf({ name, unit }: Metric): string {
  const plain = name.replaceAll(/[^a-zA-Z0-9_:]/g, '_')
  const word = unitWords[unit]
  return word === undefined ? plain : `${plain}_${word}`
}

function labelsOf(labels: Labels): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name.replaceAll(/[^a-zA-Z0-9_]/g, '_')}="${escaped(value)}"`,
  )
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')
}
