/** One bar of a histogram: how many values lie in [from, to), in the values' unit. */
export interface Bin {
  readonly from: number
  readonly to: number
  readonly count: number
}

/** Counts values in bins of `width`, from the bin of the smallest value to that of the largest; empty for no values. */
export function histogram(values: readonly number[], width: number): readonly Bin[] {
  if (!(width > 0)) throw new RangeError(`a bin of width ${width} holds nothing`)
  const counts = new Map<number, number>()
  for (const value of values) {
    const bin = Math.floor(value / width)
    counts.set(bin, (counts.get(bin) ?? 0) + 1)
  }
  if (counts.size === 0) return []
  const first = Math.min(...counts.keys())
  const last = Math.max(...counts.keys())
  return Array.from({ length: last - first + 1 }, (_, index) => {
    const bin = first + index
    return { from: bin * width, to: (bin + 1) * width, count: counts.get(bin) ?? 0 }
  })
}

/** What a chart may look like: `width` in columns; `colour` only where the reader is a terminal. */
export interface ChartOptions {
  readonly width: number
  readonly colour: boolean
  /** A line across the chart at this value, with this label. */
  readonly mark: { readonly at: number; readonly label: string }
  /** How a bin's edge is written, all with the same number of characters at most. */
  readonly edge: (value: number) => string
}

const red = '\u001B[31m'
const plain = '\u001B[39m'

/**
 * Draws bins as horizontal bars, smallest value on top, in ASCII. A bin that holds anything has at least one mark, and
 * its count stands behind it, so that the tail can be read although its bars are all short.
 */
export function drawHistogram(bins: readonly Bin[], options: ChartOptions): readonly string[] {
  const { width, colour, mark, edge } = options
  const largest = Math.max(1, ...bins.map((bin) => bin.count))
  const countWidth = String(largest).length
  const edgeWidth = Math.max(0, ...bins.flatMap((bin) => [edge(bin.from).length, edge(bin.to).length]))
  const barWidth = width - (edgeWidth * 2 + ' to  | '.length + countWidth + 1)
  return bins.flatMap((bin) => {
    const length = bin.count === 0 ? 0 : Math.max(1, Math.round((bin.count / largest) * barWidth))
    const bar = '#'.repeat(length)
    const line = `${edge(bin.from).padStart(edgeWidth)} to ${edge(bin.to).padStart(edgeWidth)} | ${bar} ${bin.count || ''}`
    const drawn = colour && bin.from < mark.at ? `${red}${line.trimEnd()}${plain}` : line.trimEnd()
    if (!(bin.from <= mark.at && mark.at < bin.to)) return [drawn]
    const label = `${'-'.repeat(edgeWidth * 2 + ' to '.length)}-+-- ${mark.label} `
    return [drawn, label.padEnd(width, '-').slice(0, width)]
  })
}
