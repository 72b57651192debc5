import { build } from 'hdr-histogram-js'

/** Milliseconds. The p99.99 of fewer than a million samples says little: `count` is there to be read with it. */
export interface Latency {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly p999: number
  readonly p9999: number
  readonly max: number
}

const microsecondsMax = 600_000_000

/** The percentiles of a run's latencies in milliseconds. They are put in the histogram afterwards, off the measured path. */
export function latencyOf(samplesMs: Float64Array): Latency {
  const histogram = build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: microsecondsMax,
    numberOfSignificantValueDigits: 3,
  })
  for (const sample of samplesMs) histogram.recordValue(Math.min(Math.round(sample * 1_000), microsecondsMax))
  const at = (percentile: number): number => histogram.getValueAtPercentile(percentile) / 1_000
  return {
    count: samplesMs.length,
    p50: at(50),
    p99: at(99),
    p999: at(99.9),
    p9999: at(99.99),
    max: samplesMs.length === 0 ? 0 : histogram.maxValue / 1_000,
  }
}

/** The middle one, or the lower of the two in the middle; 0 of nothing. */
export function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor((values.length - 1) / 2)] ?? 0
}
