import type { Counter, Histogram, Metrics } from '../metrics/index.ts'
import type { Clock } from '../runtime/index.ts'

/** What one worker, or schedule, counts in one process. */
export class WorkerMeters {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #duration: Histogram
  readonly #succeeded: Counter
  readonly #failed: Counter
  readonly #givenBack: Counter

  /** `label` is what errors and logs call it, such as `worker pay`. */
  constructor(metrics: Metrics, label: string, clock: Pick<Clock, 'monotonic'>) {
    const labels = { 'plenum.worker': label }
    const outcome = (outcome: string): Counter =>
      metrics.counter('workerAttempts', { ...labels, 'plenum.outcome': outcome })
    this.#clock = clock
    this.#duration = metrics.histogram('workerDuration', labels)
    this.#succeeded = outcome('succeeded')
    this.#failed = outcome('failed')
    this.#givenBack = outcome('given back')
  }

  /** Monotonic time at which an attempt begins. */
  began(): number {
    return this.#clock.monotonic()
  }

  /** Its commit is acked. */
  succeeded(beganAt: number): void {
    this.#succeeded.value += 1
    this.#duration.record(this.#clock.monotonic() - beganAt)
  }

  failed(beganAt: number): void {
    this.#failed.value += 1
    this.#duration.record(this.#clock.monotonic() - beganAt)
  }

  /** It says nothing about the entry, and is made again. */
  givenBack(): void {
    this.#givenBack.value += 1
  }
}
