// What an embedded application counts: its partitions, its workers, its events and its process.
import type { Options } from './embedded-options.ts'
import type { Limits } from './kernel/index.ts'
import { Metrics, type MetricsSnapshot } from './metrics/index.ts'
import { PartitionMeters, tellPartition, type Partition } from './partition/index.ts'
import { ProcessGauges } from './runtime/node/index.ts'
import type { Clock } from './runtime/index.ts'
import type { ResolvedUnit, WorkerHost } from './unit/index.ts'

export class EmbeddedMetrics {
  readonly metrics: Metrics
  #gauges: ProcessGauges | undefined
  readonly #clock: Clock
  readonly #unit: ResolvedUnit

  constructor(unit: ResolvedUnit, limits: Limits, clock: Clock) {
    this.metrics = new Metrics(limits)
    this.#clock = clock
    this.#unit = unit
  }

  /** What a partition counts. */
  ofPartition(number: number): PartitionMeters {
    const { handlers, tasks, services, schedules } = this.#unit
    return new PartitionMeters(this.metrics, number, {
      handlers: [...handlers.keys()],
      tasks: [...tasks.keys()],
      services: [...services.keys()],
      schedules: schedules.map(({ name }) => name),
    })
  }

  /** The application has started: partitions, workers and the process tell what they keep, with each snapshot. */
  start(partitions: readonly Partition[], host: WorkerHost | undefined): void {
    this.#gauges = new ProcessGauges(this.metrics)
    this.metrics.ask((tell) => {
      for (const partition of partitions) tellPartition(partition, tell)
      for (const { label, running } of host?.runs.values() ?? [])
        tell('workerRunning', running, { 'plenum.worker': label })
    })
  }

  /** The same options, with each event counted (A9). */
  counting(options: Options): Options {
    const onEvent: Options['onEvent'] = (told) => {
      this.metrics.counter('events', { 'plenum.event': told.event.kind }).value += 1
      options.onEvent?.(told)
    }
    return { ...options, onEvent }
  }

  readonly snapshot = (): MetricsSnapshot => this.metrics.snapshot(this.#clock.wall())

  close(): void {
    this.#gauges?.close()
  }
}
