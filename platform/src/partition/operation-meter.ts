// Counts and times what a partition answers, in one reign.
//
// Owns which command is being executed, and when it came. Does not own the series, which outlive the reign, or answers.
// Called by `primary.ts` around each command, and by `held-replies.ts`. Decides nothing.
//
// I1 A command counts once: when its answer leaves, or when it is known that none will.
import { waitOf, type Command, type Request } from '../space/index.ts'
import type { OperationSeries, PartitionMeters } from './partition-meters.ts'
import type { PrimaryOptions } from './primary-options.ts'
import { SlowOperations } from './slow-operations.ts'

/** One of so many reads by id is timed, and stands for all of them. */
const sampleEvery = 16

/** A command whose answer waits for its ack. */
export interface MeteredOperation {
  readonly series: OperationSeries
  /** Undefined of one that was not timed. */
  readonly command: Command | undefined
  readonly startedAt: number
  /** How many commands it stands for; 0 if it was not timed. */
  readonly times: number
  readonly waitMs: number
}

/** The meter of a reign; undefined where nobody asks for what is counted. */
export function meterOf({ meters, runtime, limits, onEvent }: PrimaryOptions): OperationMeter | undefined {
  if (meters === undefined) return undefined
  const now = (): number => runtime.clock.monotonic()
  return new OperationMeter(meters, now, new SlowOperations({ ...limits, now, counter: meters.slow, onEvent }))
}

export class OperationMeter {
  readonly slow: SlowOperations
  readonly #meters: PartitionMeters
  readonly #now: () => number
  /** The command that is executed; undefined once it has its answer. */
  #series: OperationSeries | undefined
  #command: Command | undefined
  #startedAt = 0
  #times = 0
  #waitMs = 0
  readonly #get: OperationSeries
  #gets = 0
  #turnAt: number | undefined
  readonly #endTurn = (): void => void (this.#turnAt = undefined)
  /** When requests came that could not be executed at once. */
  readonly #cameAt = new WeakMap<Request, number>()
  #came = 0

  /** Commands that the open batch holds. */
  #batched = 0

  /** `now` gives milliseconds of a clock that never goes back. */
  constructor(meters: PartitionMeters, now: () => number, slow: SlowOperations) {
    this.#meters = meters
    this.#get = meters.get
    this.#now = now
    this.slow = slow
  }

  /** A command is about to be executed. */
  begin(request: Request): void {
    if (this.#came === 0 && request.command.kind === 'get' && this.#isUntimed()) {
      // Nothing is looked up and no clock read: this is the smallest of all, and most of what many applications do.
      this.#series = this.#get
      this.#times = 0
      return
    }
    const series = this.#meters.seriesOf(request.command)
    this.#series = series
    if (series === undefined) return
    this.#command = request.command
    this.#times = series === this.#get ? sampleEvery : 1
    this.#waitMs = 0
    this.#startedAt = series.timing === 'turn' ? this.#turn() : this.#now()
    if (this.#came > 0) this.#lookFor(request)
  }

  #isUntimed(): boolean {
    this.#gets = (this.#gets + 1) % sampleEvery
    return this.#gets > 0
  }

  /** It was executed. Whoever has no answer yet waits for something: a lock, room, or a match. */
  end(request: Request): void {
    if (this.#series === undefined) return
    this.#series = undefined
    this.waits(request)
  }

  /** A request cannot be executed yet. Waits for a match are asked for, and do not count. */
  waits(request: Request): void {
    if (this.#cameAt.has(request) || waitOf(request.command) !== undefined) return
    this.#cameAt.set(request, this.#now())
    this.#came += 1
  }

  /** A command whose answer took its time has one now: a service has ended. */
  resume(operation: MeteredOperation | undefined): void {
    if (operation === undefined) return
    this.#series = operation.series
    this.#command = operation.command
    this.#startedAt = operation.startedAt
    this.#times = operation.times
    this.#waitMs = operation.waitMs
  }

  /** The command at hand was answered at once. */
  answered(failed: boolean, error: unknown): void {
    const series = this.#series
    if (series === undefined) return
    this.#series = undefined
    this.#count(series, failed, error)
    if (this.#times === 0) return
    const ms = this.#now() - this.#startedAt
    series.duration.record(ms, this.#times)
    if (ms >= this.slow.limitMs) this.#tell(this.#command!, ms, this.#waitMs, 0)
  }

  /** The answer to the command at hand waits for its ack; undefined if nobody asked for what is answered. */
  holding(): MeteredOperation | undefined {
    const series = this.#series
    if (series === undefined) return undefined
    this.#series = undefined
    const command = this.#times === 0 ? undefined : this.#command
    return { series, command, startedAt: this.#startedAt, times: this.#times, waitMs: this.#waitMs }
  }

  /** An answer that was held leaves now; its record was sent at `sentAt`. */
  released(operation: MeteredOperation, failed: boolean, error: unknown, now: number, sentAt: number): void {
    const { series, startedAt, times } = operation
    this.#count(series, failed, error)
    if (times === 0) return
    const ms = now - startedAt
    series.duration.record(ms, times)
    if (ms >= this.slow.limitMs) this.#tell(operation.command!, ms, operation.waitMs, now - sentAt)
  }

  /** The reign has ended before the answer could leave. */
  abandoned({ series }: MeteredOperation, error: unknown): void {
    this.#meters.failed(series, error)
  }

  /** A command has changed something. */
  changed(): void {
    this.#batched += 1
  }

  /** The open batch was sealed. */
  sealed(bytes: number): void {
    const { batchBytes, batchCommands } = this.#meters
    batchBytes.record(bytes)
    // What a timer or a waiter has changed is no command of its own.
    batchCommands.record(Math.max(1, this.#batched))
    this.#batched = 0
  }

  #count(series: OperationSeries, failed: boolean, error: unknown): void {
    if (failed) this.#meters.failed(series, error)
    else series.answered.value += 1
  }

  /** The time at which the present turn of the loop asked first: commands of one turn share it. */
  #turn(): number {
    if (this.#turnAt === undefined) {
      this.#turnAt = this.#now()
      queueMicrotask(this.#endTurn)
    }
    return this.#turnAt
  }

  #lookFor(request: Request): void {
    const at = this.#cameAt.get(request)
    if (at === undefined) return
    this.#cameAt.delete(request)
    this.#came -= 1
    this.#waitMs = this.#now() - at
    this.#startedAt = at
    this.#times = 1
  }

  #tell(command: Command, ms: number, waitMs: number, sinceSentMs: number): void {
    const ackMs = Math.min(sinceSentMs, ms - waitMs)
    const executeMs = ms - waitMs - ackMs
    this.slow.add({ operation: command.kind, of: subjectOf(command), ms, waitMs, executeMs, ackMs })
  }
}

/** What a command is about: a function of the unit, or an entry type. Never what was given to it. */
function subjectOf(command: Command): string | undefined {
  switch (command.kind) {
    case 'call':
      return command.handler
    case 'task':
      return command.task
    case 'service':
      return command.service
    default:
      return 'type' in command ? command.type : undefined
  }
}
