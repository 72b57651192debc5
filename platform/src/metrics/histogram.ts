/** Buckets of one power of two: a value is told to within a sixty-fourth of itself. */
const perOctave = 32
const perOctaveBits = 5
/** Values from here on count in the last bucket; sum, least and greatest stay exact. */
const valueMax = 2 ** 31
const bucketsMax = (31 - perOctaveBits + 1) * perOctave

/** A histogram as plain data. Values are in the metric's unit; buckets are pairs of number and count, lowest first. */
export interface HistogramData {
  readonly count: number
  readonly sum: number
  readonly min: number
  readonly max: number
  /** The width of the first buckets, in the metric's unit: `0.000001` where seconds are counted in microseconds. */
  readonly resolution: number
  readonly buckets: readonly (readonly [bucket: number, count: number])[]
}

/**
 * Counts values in buckets whose bounds are the same everywhere, so that histograms are joined by adding (SL1). The first
 * 32 are one step wide; from there on each power of two has 32, the upper bound included.
 *
 * The structure is that of HdrHistogram: http://hdrhistogram.org.
 */
export class Histogram {
  readonly #resolution: number
  readonly #stepsPerUnit: number
  #counts: Float64Array | undefined
  #count = 0
  #sum = 0
  #min = Infinity
  #max = -Infinity

  /** `resolution` is one step in the unit of what is told; `stepsPerUnit` are the steps of one in what is recorded. */
  constructor(resolution: number, stepsPerUnit: number) {
    this.#resolution = resolution
    this.#stepsPerUnit = stepsPerUnit
  }

  get count(): number {
    return this.#count
  }

  /** Counts a value, or as many values as it stands for. */
  record(value: number, times = 1): void {
    // Most histograms of most applications stay empty.
    this.#counts ??= new Float64Array(bucketsMax)
    this.#counts[bucketOf(value * this.#stepsPerUnit)]! += times
    this.#count += times
    this.#sum += value * times
    if (value < this.#min) this.#min = value
    if (value > this.#max) this.#max = value
  }

  data(): HistogramData {
    const scale = this.#stepsPerUnit * this.#resolution
    const buckets: [number, number][] = []
    for (const [bucket, count] of (this.#counts ?? []).entries()) if (count > 0) buckets.push([bucket, count])
    const [min, max] = this.#count === 0 ? [0, 0] : [this.#min * scale, this.#max * scale]
    return { count: this.#count, sum: this.#sum * scale, min, max, resolution: this.#resolution, buckets }
  }
}

function bucketOf(steps: number): number {
  // Upper bounds are included, so that whole numbers such as 1 and 16 are told as what they are.
  const below = steps <= 1 ? 0 : steps > valueMax ? valueMax - 1 : Math.ceil(steps) - 1
  if (below < perOctave) return below
  const shift = 31 - Math.clz32(below) - perOctaveBits
  return shift * perOctave + (below >>> shift)
}

/** The greatest value that counts in a bucket, in steps. */
function upperBound(bucket: number): number {
  if (bucket < 2 * perOctave) return bucket + 1
  const shift = Math.floor(bucket / perOctave) - 1
  return ((bucket % perOctave) + perOctave + 1) * 2 ** shift
}

/** Two histograms of one metric as one. */
export function joinHistograms(one: HistogramData, other: HistogramData): HistogramData {
  if (one.count === 0) return other
  if (other.count === 0) return one
  const counts = new Map(one.buckets)
  for (const [bucket, count] of other.buckets) counts.set(bucket, (counts.get(bucket) ?? 0) + count)
  return {
    count: one.count + other.count,
    sum: one.sum + other.sum,
    min: Math.min(one.min, other.min),
    max: Math.max(one.max, other.max),
    resolution: one.resolution,
    buckets: [...counts].toSorted(([a], [b]) => a - b),
  }
}

/**
 * The value below or at which a share of the values lies, from 0 to 1; within a sixty-fourth of one that was recorded, or
 * half a step. NaN where nothing was.
 */
export function quantile(histogram: HistogramData, share: number): number {
  const { count, min, max, resolution, buckets } = histogram
  if (count === 0) return NaN
  let left = Math.max(1, Math.ceil(share * count))
  for (const [bucket, held] of buckets) {
    left -= held
    if (left > 0) continue
    const [from, to] = [bucket === 0 ? 0 : upperBound(bucket - 1), upperBound(bucket)]
    // A bucket of one step has one whole number.
    const middle = to - from === 1 ? to : (from + to) / 2
    return Math.min(Math.max(middle * resolution, min), max)
  }
  return max
}

/** How many values are at most so many steps, of a power of two: exact, because buckets end there. */
export function countUpTo(histogram: HistogramData, exponent: number): number {
  let count = 0
  for (const [bucket, held] of histogram.buckets) if (upperBound(bucket) <= 2 ** exponent) count += held
  return count
}

/** The power of two, in steps, from which on everything counts. */
export const exponentMax = 31
