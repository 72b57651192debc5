// What one process, or thread, has counted.
//
// Owns the series of every metric. Does not own what they mean (`catalogue.ts`), or when something is counted. Whoever
// counts takes a series once, when it is constructed, and adds to it in place: a number, without a look-up.
//
// I1 A metric has no more series than `metricSeriesMax`; what comes beyond them counts in one that says so (A8).
// I2 Nothing that is counted decides anything: metrics can be left out, and a run is the same.
import { catalogue, type MetricDefinition, type MetricName } from './catalogue.ts'
import { Histogram } from './histogram.ts'
import { inOrder, labelsText, type Labels, type Metric, type MetricsSnapshot } from './snapshot.ts'

/** A number that only grows. */
export interface Counter {
  value: number
}

/** Tells the value of a gauge, or of a counter that somebody else keeps, when it is asked for. */
export type Tell = (name: MetricName, value: number, labels?: Labels) => void

/** The label of the series that takes what has no room, as OpenTelemetry names it. */
const overflow: Labels = { 'otel.metric.overflow': 'true' }

/** The series of one metric, by their labels. */
type AllSeries<S> = Map<string, { readonly labels: Labels; readonly series: S }>

export class Metrics {
  readonly #seriesMax: number
  readonly #counters = new Map<MetricName, AllSeries<Counter>>()
  readonly #histograms = new Map<MetricName, AllSeries<Histogram>>()
  readonly #tellers = new Set<(tell: Tell) => void>()

  constructor({ metricSeriesMax }: { readonly metricSeriesMax: number }) {
    this.#seriesMax = metricSeriesMax
  }

  /** A counter's series; the same one for the same labels. */
  counter(name: MetricName, labels: Labels = {}): Counter {
    return this.#series(this.#counters, name, labels, () => ({ value: 0 }))
  }

  /** A histogram's series. Seconds are recorded in milliseconds, everything else in its unit. */
  histogram(name: MetricName, labels: Labels = {}): Histogram {
    return this.#series(this.#histograms, name, labels, () =>
      catalogue[name].unit === 's' ? new Histogram(1e-6, 1_000) : new Histogram(1, 1),
    )
  }

  /** Has `teller` asked for what it knows with each snapshot, until the returned function is called. */
  ask(teller: (tell: Tell) => void): () => void {
    this.#tellers.add(teller)
    return () => void this.#tellers.delete(teller)
  }

  /** Everything that was counted so far; `at` in milliseconds since 1970. A series appears once it has counted something. */
  snapshot(at: number): MetricsSnapshot {
    const told = this.#told()
    const metrics: Metric[] = []
    for (const [name, definition] of Object.entries(catalogue) as [MetricName, MetricDefinition][]) {
      const metric = definition.kind === 'histogram' ? this.#histogramOf(name) : this.#numbersOf(name, told.get(name))
      if (metric.series.length > 0) metrics.push(metric)
    }
    return { at, metrics: inOrder(metrics) }
  }

  /** What was told of gauges: of one that is told several times, as its joining says. */
  #told(): ReadonlyMap<MetricName, AllSeries<Counter>> {
    const told = new Map<MetricName, AllSeries<Counter>>()
    const tell: Tell = (name, value, labels = {}) => {
      let isNew = false
      const series = this.#series(told, name, labels, () => ((isNew = true), { value }))
      if (isNew) return
      const { joined } = catalogue[name]
      series.value = joined === 'sum' ? series.value + value : Math[joined](series.value, value)
    }
    for (const teller of this.#tellers) teller(tell)
    return told
  }

  #histogramOf(name: MetricName): Metric {
    const { name: full, unit, text } = catalogue[name]
    const series = [...(this.#histograms.get(name)?.values() ?? [])]
      .filter(({ series: { count } }) => count > 0)
      .map(({ labels, series: histogram }) => ({ labels, histogram: histogram.data() }))
    return { name: full, unit, text, kind: 'histogram', series }
  }

  #numbersOf(name: MetricName, told: AllSeries<Counter> | undefined): Metric {
    const { name: full, kind, unit, text, joined } = catalogue[name]
    const counted = [...(this.#counters.get(name)?.values() ?? [])].filter(({ series: { value } }) => value > 0)
    const series = [...counted, ...(told?.values() ?? [])].map(({ labels, series: { value } }) => ({ labels, value }))
    return kind === 'gauge'
      ? { name: full, unit, text, kind, joined, series }
      : { name: full, unit, text, kind: 'counter', series }
  }

  #series<S>(all: Map<MetricName, AllSeries<S>>, name: MetricName, labels: Labels, create: () => S): S {
    let known = all.get(name)
    if (known === undefined) all.set(name, (known = new Map()))
    const text = labelsText(labels)
    const found = known.get(text)
    if (found !== undefined) return found.series
    if (known.size < this.#seriesMax) {
      const series = create()
      known.set(text, { labels, series })
      return series
    }
    // One beyond the limit, so that nothing that was given out loses its labels.
    const last = known.get('') ?? { labels: overflow, series: create() }
    known.set('', last)
    return last.series
  }
}
