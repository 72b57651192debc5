// Tasks and services, run beside the data of a partition (UN4, UN5): they read it at once, and may go on for long.
//
// I1 Each run reads through an executor of its own, so that what its answer depends on is known at its end (PA3).
// I2 The operations work until the run has ended, and no transaction is in their way.
import { isPlenumError, PlenumError, type ErrorCode, type Limits } from '../kernel/index.ts'
import { Deferred } from '../partition/index.ts'
import type { SpaceClient } from '../router/index.ts'
import type { Timers } from '../runtime/index.ts'
import { Executor, type Machine, type Rules, type UnitCommand } from '../space/index.ts'
import type { PartitionOperations } from './partition-operations.ts'
import { logAtOnce, type PartLine } from './part-log.ts'
import { plainResult } from './plain-result.ts'

/** A task, resolved from its declaration. */
export interface TaskPart {
  readonly name: string
  readonly label: string
  readonly admit: (input: unknown) => unknown
  readonly map: (input: unknown, context: unknown) => unknown
}

/** A service, resolved from its declaration. */
export interface ServicePart {
  readonly name: string
  readonly label: string
  /** The field of the input that decides the partition; undefined where any will do, or all are asked. */
  readonly routeField: string | undefined
  readonly timeoutMs: number
  readonly admit: (input: unknown) => unknown
  readonly run: (input: unknown, context: unknown) => unknown
  /** Joins what all partitions have answered; undefined where one is asked. */
  readonly reduce: ((left: unknown, right: unknown) => unknown) | undefined
}

/** What services have beside their partition. */
export interface Outside {
  readonly space: SpaceClient
  readonly uses: Readonly<Record<string, unknown>>
  readonly timers: Timers
  /** Aborted when the application closes: no service is waited for then. */
  readonly closing: AbortSignal
}

/** What runs beside the data need of the logic that they belong to. */
export interface BesideDataOptions {
  readonly machine: Machine
  readonly limits: Limits
  readonly rules: (type: string) => Rules
  readonly newOperations: (executor: Executor) => PartitionOperations
  /** Number of the partition. */
  readonly partition: number
  readonly outside: () => Outside | undefined
  /** The state of a projection of the unit. */
  readonly stateOf: (projection: { readonly '~': unknown }) => unknown
  /** What the caller gets to see of a throw. */
  readonly fault: (part: string, code: ErrorCode, error: unknown) => PlenumError
  readonly onLine?: ((line: PartLine) => void) | undefined
  readonly watch: { enter(label: string): void; leave(): void } | undefined
}

type Of<K extends UnitCommand['kind']> = Extract<UnitCommand, { kind: K }>

export class BesideData {
  /** Index that the answer of the last run depends on, where it has ended at once. */
  dependency = 0
  /** Services that have not ended. */
  #services = 0
  readonly #options: BesideDataOptions

  constructor(options: BesideDataOptions) {
    this.#options = options
  }

  task(task: TaskPart, command: Of<'task'>): unknown {
    const { partition: index, stateOf: state, watch, onLine, limits } = this.#options
    const input = task.admit(command.input)
    return this.#run(task.label, 'TASK_FAILED', (partition) => {
      // Told once the map has ended: until then the world is closed to whoever logs them.
      const lines: PartLine[] = []
      const keep = (line: PartLine): void => void (lines.length < limits.logLinesMax && lines.push(line))
      const log = logAtOnce(task.label, onLine && keep, index)
      watch?.enter(task.label)
      try {
        return task.map(input, { partition, index, log, state, signal: new AbortController().signal })
      } finally {
        watch?.leave()
        for (const line of lines) onLine?.(line)
      }
    })
  }

  service(service: ServicePart, { input: given, caller, key, timeoutMs }: Of<'service'>): unknown {
    const outside = this.#options.outside()
    if (outside === undefined) throw new PlenumError('NOT_PRIMARY', 'This member has not started yet.')
    const { servicesMax } = this.#options.limits
    if (this.#services >= servicesMax) throw tooMany(servicesMax)
    const { space, uses, timers, closing } = outside
    const input = service.admit(given)
    const { label } = service
    return this.#run(label, 'SERVICE_FAILED', async (partition) => {
      const controller = new AbortController()
      const { promise: ended, reject } = Promise.withResolvers<never>()
      const end = (error: PlenumError): void => {
        controller.abort(error)
        reject(error)
      }
      const timer = timers.after(timeoutMs, () => end(tooLong(label, timeoutMs)))
      const onClosing = (): void => end(closed(label))
      closing.addEventListener('abort', onClosing)
      const { stateOf: state, onLine, partition: index } = this.#options
      const log = logAtOnce(label, onLine, index)
      const context = { space, uses, caller, key, partition, log, state, signal: controller.signal }
      const run = async (): Promise<unknown> => service.run(input, context)
      this.#services += 1
      try {
        return plainResult(await Promise.race([run(), ended]), label)
      } finally {
        this.#services -= 1
        timer.stop()
        closing.removeEventListener('abort', onClosing)
      }
    })
  }

  #run(label: string, code: ErrorCode, run: (operations: PartitionOperations) => unknown): unknown {
    const { machine, limits, rules, newOperations, fault } = this.#options
    const executor = new Executor(machine, limits, rules)
    const operations = newOperations(executor)
    operations.enterPartition()
    const fail = (error: unknown): never => {
      operations.leave()
      throw isPlenumError(error, 'TIMEOUT') ? error : fault(label, code, error)
    }
    let result: unknown
    try {
      result = run(operations)
    } catch (error) {
      this.dependency = executor.dependency
      return fail(error)
    }
    if (!(result instanceof Promise)) {
      operations.leave()
      this.dependency = executor.dependency
      return result
    }
    const value = result.then((it: unknown) => (operations.leave(), it), fail)
    return new Deferred(value, () => executor.dependency)
  }
}

function tooLong(label: string, timeoutMs: number): PlenumError {
  return new PlenumError('TIMEOUT', `The ${label} did not return within ${timeoutMs} ms.`, {
    details: { part: label, timeoutMs },
  })
}

function closed(label: string): PlenumError {
  return new PlenumError('CLOSED', `The application closes, and the ${label} with it.`, { details: { part: label } })
}

function tooMany(servicesMax: number): PlenumError {
  return new PlenumError(
    'OVERLOADED',
    `${servicesMax} services run at this partition, which is the limit servicesMax. Nothing happened; try again later.`,
    { details: { limit: 'servicesMax', value: servicesMax } },
  )
}
