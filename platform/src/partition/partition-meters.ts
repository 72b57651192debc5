import type { Counter, Histogram, Metrics } from '../metrics/index.ts'
import { isPlenumError } from '../kernel/index.ts'
import type { Command } from '../space/index.ts'

/**
 * Whether a command has a reading of the clock of its own, or shares the one of its turn of the loop: reading a clock costs
 * as much as a small command.
 */
export type Timing = 'turn' | 'exact'

/** Every kind of command that is executed. */
const timings: Readonly<Record<Exclude<Command['kind'], 'cancel' | 'watch' | 'outputs' | Claiming>, Timing>> = {
  get: 'exact',
  read: 'exact',
  readAll: 'exact',
  count: 'exact',
  explain: 'exact',
  aggregate: 'exact',
  task: 'exact',
  service: 'exact',
  projection: 'exact',
  sink: 'exact',
  'source-state': 'exact',
  'dead-letters': 'exact',
  messages: 'exact',
  draft: 'exact',
  validate: 'exact',
  insert: 'turn',
  write: 'turn',
  update: 'turn',
  patch: 'turn',
  change: 'turn',
  remove: 'turn',
  take: 'turn',
  takeAll: 'turn',
  clear: 'turn',
  renew: 'turn',
  call: 'turn',
  batch: 'turn',
  register: 'turn',
  end: 'turn',
  'source-loaded': 'turn',
  prepare: 'turn',
  commit: 'turn',
  outcome: 'turn',
  informed: 'turn',
  inquire: 'turn',
  'work-failed': 'turn',
  'send-back': 'turn',
  'schedules-due': 'turn',
  deliver: 'turn',
  delivered: 'turn',
  'messages-due': 'turn',
  bury: 'turn',
  discard: 'turn',
  'send-again': 'turn',
  project: 'turn',
  'sink-written': 'turn',
}

/** What is asked by workers, and told by the metrics of theirs. */
type Claiming = 'await-work' | 'claim' | 'keep-claims' | 'release'

/** What is counted of one kind of command, or of one function of the unit. */
export interface OperationSeries {
  readonly timing: Timing
  readonly answered: Counter
  readonly refused: Counter
  readonly failed: Counter
  readonly duration: Histogram
}

/** The functions of a unit that callers name. */
export interface NamedParts {
  readonly handlers: readonly string[]
  readonly tasks: readonly string[]
  readonly services: readonly string[]
  readonly schedules: readonly string[]
}

/**
 * What one partition counts, its series taken once. All partitions of a process share the series of operations: there
 * would be too many of them otherwise.
 */
export class PartitionMeters {
  readonly appendDuration: Histogram
  readonly records: Counter
  readonly journalBytes: Counter
  readonly batchCommands: Histogram
  readonly batchBytes: Histogram
  readonly slow: Counter
  readonly deliveryDuration: Histogram
  readonly linesDropped: Counter
  /** What is counted of reads by id. */
  readonly get: OperationSeries
  /** Monotonic time of the last snapshot; undefined before the first of this process. */
  snapshotAt: number | undefined
  readonly #metrics: Metrics
  readonly #snapshotDuration: Histogram
  readonly #kinds: ReadonlyMap<string, OperationSeries>
  readonly #handlers: ReadonlyMap<string, OperationSeries>
  readonly #tasks: ReadonlyMap<string, OperationSeries>
  readonly #services: ReadonlyMap<string, OperationSeries>
  readonly #sent: ReadonlyMap<string, Counter>
  readonly #delivered: ReadonlyMap<string, Counter>
  readonly #lateness: ReadonlyMap<string, Histogram>

  constructor(metrics: Metrics, partition: number, parts: NamedParts) {
    const labels = { 'plenum.partition': String(partition) }
    this.#metrics = metrics
    this.appendDuration = metrics.histogram('appendDuration')
    this.records = metrics.counter('records', labels)
    this.journalBytes = metrics.counter('journalBytes', labels)
    this.batchCommands = metrics.histogram('batchCommands')
    this.batchBytes = metrics.histogram('batchBytes')
    this.#snapshotDuration = metrics.histogram('snapshotDuration')
    this.slow = metrics.counter('operationsSlow')
    this.linesDropped = metrics.counter('linesDropped', labels)
    this.deliveryDuration = metrics.histogram('deliveryDuration')
    const series = (kind: keyof typeof timings, part?: string): OperationSeries => seriesOf(metrics, kind, part)
    this.#kinds = new Map((Object.keys(timings) as (keyof typeof timings)[]).map((kind) => [kind, series(kind)]))
    this.get = this.#kinds.get('get')!
    this.#handlers = named(parts.handlers, (name) => series('call', name))
    this.#tasks = named(parts.tasks, (name) => series('task', name))
    this.#services = named(parts.services, (name) => series('service', name))
    const destination = (name: string) => ({ 'messaging.system': 'plenum', 'messaging.destination.name': name })
    this.#sent = named(parts.handlers, (name) => metrics.counter('messagesSent', destination(name)))
    this.#delivered = named(parts.handlers, (name) => metrics.counter('messagesDelivered', destination(name)))
    this.#lateness = named(parts.schedules, (name) =>
      metrics.histogram('scheduleLateness', { 'plenum.schedule': name }),
    )
  }

  /** What is counted of a command; undefined for one that nobody knows. */
  seriesOf(command: Command): OperationSeries | undefined {
    switch (command.kind) {
      case 'call':
        return this.#handlers.get(command.handler)
      case 'task':
        return this.#tasks.get(command.task)
      case 'service':
        return this.#services.get(command.service)
      default:
        return this.#kinds.get(command.kind)
    }
  }

  /** An answer was an error: declared refusals are no faults (UN2b). */
  failed(series: OperationSeries, error: unknown): void {
    if (isPlenumError(error, 'REFUSED')) {
      series.refused.value += 1
      return
    }
    series.failed.value += 1
    const code = isPlenumError(error) ? error.code : '_OTHER'
    this.#metrics.counter('operationErrors', { 'error.type': code }).value += 1
  }

  /** A snapshot was taken and named; both times are monotonic. */
  snapshotTaken(beganAt: number, at: number): void {
    this.#snapshotDuration.record(at - beganAt)
    this.snapshotAt = at
  }

  /** A handler has sent a message to another one. */
  sent(handler: string): void {
    add(this.#sent.get(handler))
  }

  /** A message has arrived, so many milliseconds after it might have. */
  delivered(handler: string, ms: number): void {
    add(this.#delivered.get(handler))
    this.deliveryDuration.record(Math.max(0, ms))
  }

  /** A due time was noted, so many milliseconds after it. */
  noted(schedule: string, ms: number): void {
    this.#lateness.get(schedule)?.record(Math.max(0, ms))
  }
}

function seriesOf(metrics: Metrics, kind: keyof typeof timings, part: string | undefined): OperationSeries {
  const labels = { 'db.operation.name': kind, ...(part === undefined ? {} : { 'plenum.part': part }) }
  const outcome = (outcome: string): Counter => metrics.counter('operations', { ...labels, 'plenum.outcome': outcome })
  return {
    timing: timings[kind],
    answered: outcome('answered'),
    refused: outcome('refused'),
    failed: outcome('failed'),
    duration: metrics.histogram('operationDuration', { 'db.system.name': 'plenum', ...labels }),
  }
}

function named<T>(names: readonly string[], create: (name: string) => T): ReadonlyMap<string, T> {
  return new Map(names.map((name) => [name, create(name)]))
}

function add(counter: Counter | undefined): void {
  if (counter !== undefined) counter.value += 1
}
