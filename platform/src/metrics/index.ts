export type { MetricUnit } from './catalogue.ts'
export { Histogram, quantile, type HistogramData } from './histogram.ts'
export { Metrics, type Counter, type Tell } from './metrics.ts'
export {
  mergeMetrics,
  type HistogramSeries,
  type Labels,
  type Metric,
  type MetricsSnapshot,
  type NumberSeries,
} from './snapshot.ts'
export { metricsContentType, metricsText } from './text.ts'
