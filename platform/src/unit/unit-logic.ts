// A unit's logic on one partition: data commands, handlers and tasks, executed beside the data.
//
// Owns the contexts that handlers and tasks get. Does not own what is stored, when it is acked, or who may call.
// Called by `partition/` with one command at a time.
//
// I1 A handler runs to its end at once; what it returns is plain, and a promise is refused (UN2).
// I2 Whatever a handler throws, nothing happened: the machine rolls back (UN2); a refusal keeps its reason (UN2b).
// I3 The unit's code meets the world only through its context: time, randomness and ids come from it (UN1).
import { PlenumError, type ErrorCode, type Limits } from '../kernel/index.ts'
import type {
  Execution,
  Logic,
  LogicCommand,
  ProjectionRule,
  ProjectionStates,
  ScheduleRule,
  SinkRule,
  TellLine,
  WorkerRule,
} from '../partition/index.ts'
import type { LogFields, LogLevel, Random } from '../runtime/index.ts'
import {
  Executor,
  type Caller,
  type EntryUpgrades,
  type Layout,
  type Machine,
  type ReadObserver,
  type RecordedCall,
  type Rules,
  type SentMessage,
  type StoredValue,
  type Table,
} from '../space/index.ts'
import { BesideData, type Outside, type ServicePart, type TaskPart } from './beside-data.ts'
import { CallRecorder } from './call-recorder.ts'
import { projectionRules, type ProjectionPart } from './projection.ts'
import { partLog, type PartLine, type PartLog } from './part-log.ts'
import type { UnitEntryUpgrade } from './entry-upgrade.ts'
import { plainResult } from './plain-result.ts'
import { PartitionOperations, type TypeReference } from './partition-operations.ts'
import { RefusalSignal } from './refusal-signal.ts'
import { sinkRule, type SinkPart } from './sink.ts'
import { sentMessage } from './sent-message.ts'
import type { WorkerPart } from './worker-run.ts'

/** A handler, resolved from its declaration. */
export interface HandlerPart {
  readonly name: string
  /** What errors and logs call it: `handler transfer`. */
  readonly label: string
  readonly routeField: string
  /** What a token of the handler has, by which it is found. */
  readonly token: unknown
  /** Checks and copies an input; VALUE_INVALID names what is wrong. */
  readonly admit: (input: unknown) => StoredValue
  /** Checks the data of a declared refusal. */
  readonly admitRefusal: (reason: string, data: unknown) => unknown
  readonly run: (input: StoredValue, context: unknown) => unknown
}

/** What the logic needs to know of a unit. */
export interface UnitParts {
  readonly name: string
  readonly hash: string
  readonly layouts: readonly Layout[]
  /** What becomes of entries of earlier shapes (UN10). */
  readonly upgrades: ReadonlyMap<string, UnitEntryUpgrade>
  readonly rules: ReadonlyMap<string, Rules>
  /** The fields whose value is made where it is missing: entry type to id field. */
  readonly keyed: ReadonlyMap<string, string>
  readonly handlers: ReadonlyMap<string, HandlerPart>
  readonly tasks: ReadonlyMap<string, TaskPart>
  readonly services: ReadonlyMap<string, ServicePart>
  /** Workers, and what runs the due times of schedules. */
  readonly workers: ReadonlyMap<string, WorkerPart>
  readonly schedules: readonly ScheduleRule[]
  readonly projections: readonly ProjectionPart[]
  readonly sinks: readonly SinkPart[]
}

/** Is told when a function of the unit begins and ends; calls do not nest. */
export interface Watch {
  enter(label: string): void
  leave(): void
}

export interface UnitLogicOptions {
  readonly parts: UnitParts
  readonly limits: Limits
  readonly random: Random
  readonly newId: () => string
  /** Number of the partition, as tasks see it. */
  readonly partition: number
  /** The partition of a route (ID3). */
  readonly partitionOf: (route: unknown) => number
  /** Whether what is due is noted, and what is kept is written: only where workers run. */
  readonly runsWork: boolean
  /** What services have beside their partition; undefined before the member has started. */
  readonly outside: () => Outside | undefined
  /** Show what a handler threw to its caller: for development and tests only (UN2b). */
  readonly showFaults: boolean
  /** Whether each call of a handler is told with all that it depends on (TT3); no if left out. */
  readonly recordsCalls?: boolean | undefined
  /** Told of every fault that is hidden from callers. */
  readonly onFault: (part: string, error: unknown) => void
  /** Told of what the unit's functions log, of handlers once their calls are acked; nothing is logged if left out. */
  readonly onLine?: ((line: PartLine) => void) | undefined
  /** Tests catch impurity by it, a supervisor counts (UN13, PA9). */
  readonly watch?: Watch | undefined
}

export class UnitLogic implements Logic {
  readonly workers: readonly WorkerRule[]
  readonly schedules: readonly ScheduleRule[] | undefined
  readonly projections: readonly ProjectionRule[]
  readonly sinks: readonly SinkRule[]
  readonly upgrades: EntryUpgrades
  readonly #options: UnitLogicOptions

  constructor(options: UnitLogicOptions) {
    this.#options = options
    this.workers = [...options.parts.workers.values()]
    this.schedules = options.runsWork ? options.parts.schedules : undefined
    this.projections = projectionRules(options)
    const { parts, outside } = options
    this.sinks = parts.sinks.map((part) => sinkRule(part, options.runsWork ? outside : undefined))
    this.upgrades = new Map(
      [...options.parts.upgrades].map(([name, upgrade]) => [name, upgrade.watched(options.watch)]),
    )
  }

  get hash(): string {
    return this.#options.parts.hash
  }

  get layouts(): readonly Layout[] {
    return this.#options.parts.layouts
  }

  bind(machine: Machine, projections?: ProjectionStates): Execution {
    return new UnitExecution(this.#options, machine, projections)
  }
}

class UnitExecution implements Execution {
  readonly #options: UnitLogicOptions
  readonly #machine: Machine
  readonly #executor: Executor
  readonly #beside: BesideData
  readonly #operations: PartitionOperations
  readonly #context: HandlerContextObject
  readonly takeCall: (() => RecordedCall | undefined) | undefined
  readonly #recorder: CallRecorder | undefined

  constructor(given: UnitLogicOptions, machine: Machine, projections: ProjectionStates | undefined) {
    const recorder = given.recordsCalls === true ? new CallRecorder(given) : undefined
    const options = recorder === undefined ? given : { ...given, random: recorder.random, newId: recorder.newId }
    this.#recorder = recorder
    this.takeCall = recorder?.take
    this.#options = options
    this.#machine = machine
    this.#executor = new Executor(machine, options.limits, (type) => this.#rules(type))
    this.#operations = this.#newOperations(this.#executor)
    this.#context = new HandlerContextObject(this.#operations, machine, options)
    this.#beside = new BesideData({
      ...options,
      machine,
      rules: (type) => this.#rules(type),
      newOperations: (executor) => this.#newOperations(executor),
      stateOf: (projection) => projections?.stateOf(this.#nameOf(projection)),
      fault: (part, code, error) => this.#fault(part, code, error),
      watch: options.watch,
    })
  }

  get dependency(): number {
    return Math.max(this.#executor.dependency, this.#beside.dependency)
  }

  set dependency(index: number) {
    this.#executor.dependency = index
    this.#beside.dependency = index
  }

  get observer(): ReadObserver | undefined {
    return this.#executor.observer
  }

  set observer(observer: ReadObserver | undefined) {
    this.#executor.observer = observer
  }

  takeSent(): readonly SentMessage[] {
    return this.#context.takeSent()
  }

  takeLines(): readonly TellLine[] {
    return this.#context.takeLines()
  }

  execute(command: LogicCommand): unknown {
    switch (command.kind) {
      case 'call':
        return this.#recorder === undefined ? this.#call(command) : this.#recorder.record(() => this.#call(command))
      case 'task':
        return this.#beside.task(partOf('task', command.task, this.#options.parts.tasks), command)
      case 'service':
        return this.#beside.service(partOf('service', command.service, this.#options.parts.services), command)
      default:
        return this.#executor.execute(command)
    }
  }

  #call({ handler: name, input: given, caller, route }: Extract<LogicCommand, { kind: 'call' }>): unknown {
    const handler = partOf('handler', name, this.#options.parts.handlers)
    const input = handler.admit(given)
    if (route !== undefined && route !== input[handler.routeField]) throw sentElsewhere(handler)
    this.#operations.enterRoute(input[handler.routeField])
    this.#context.begin(caller, handler)
    this.#executor.trust(true)
    this.#recorder?.begin(name, input, caller, this.#machine.time)
    try {
      return this.#run(handler, input)
    } catch (error) {
      // Stopped by a lock it runs again, and logs again.
      this.#context.drop(this.#executor.observer?.hasStopped !== true)
      throw this.#fault(handler.label, 'HANDLER_FAILED', error)
    } finally {
      this.#executor.trust(false)
      this.#operations.leave()
      this.#context.leave()
    }
  }

  #nameOf(projection: { readonly '~': unknown }): string {
    const { projections } = this.#options.parts
    const part = projections.find(({ token }) => token === projection['~'])
    if (part !== undefined) return part.name
    throw unknownPart(
      'projection',
      'this',
      projections.map(({ name }) => name),
    )
  }

  /** Whoever is told of a fault, or of a line, has the world again. */
  #run({ label, run }: HandlerPart, input: StoredValue): unknown {
    const { watch } = this.#options
    watch?.enter(label)
    try {
      return plainResult(run(input, this.#context), label)
    } finally {
      watch?.leave()
    }
  }

  #newOperations(executor: Executor): PartitionOperations {
    return new PartitionOperations(
      executor,
      (type) => this.#table(type),
      (table, value) => this.#identified(table, value),
    )
  }

  /** What the caller gets to see of a throw: refusals and the platform's own errors as they are, faults as a code. */
  #fault(part: string, code: ErrorCode, error: unknown): PlenumError {
    // Stopped by a lock: it runs again, whatever it made of that.
    if (this.#executor.observer?.hasStopped === true && error instanceof Error)
      return new PlenumError('TRANSACTION_CONFLICT', 'A prepared transaction is in the way.', { cause: error })
    if (error instanceof RefusalSignal) return error.toError()
    if (error instanceof PlenumError) return error
    this.#options.onFault(part, error)
    const details = { part }
    // A task changes nothing anyway.
    const undone = code === 'HANDLER_FAILED' ? ' Nothing happened.' : ''
    if (!this.#options.showFaults) {
      return new PlenumError(code, `The ${part} failed; the fault event says why.${undone}`, { details })
    }
    const message = (error instanceof Error ? error.message : String(error)).replace(/\.$/, '')
    return new PlenumError(code, `The ${part} threw: ${message}.${undone}`, { details, cause: error })
  }

  #table(type: TypeReference): Table {
    return this.#machine.table(typeof type === 'string' ? type : type.name)
  }

  #identified(table: Table, value: StoredValue): StoredValue {
    const field = this.#options.parts.keyed.get(table.layout.name)
    if (field === undefined || value[field] !== undefined) return value
    return { ...value, [field]: this.#options.newId() }
  }

  #rules(type: string): Rules {
    const rules = this.#options.parts.rules.get(type)
    if (rules === undefined)
      throw new PlenumError('ENTRY_TYPE_UNKNOWN', `There is no entry type '${type}' in this unit.`)
    return rules
  }
}

/** What a handler gets as its second argument; one for each partition, because handlers never overlap. */
class HandlerContextObject {
  readonly partition: PartitionOperations
  readonly #machine: Machine
  readonly #options: UnitLogicOptions
  #caller: Caller = nobody
  #handler: HandlerPart | undefined
  /** What the call at hand has sent. */
  #sent: SentMessage[] = []
  /** What it has logged. */
  #lines: PartLine[] = []
  #isActive = false
  readonly log: PartLog

  constructor(partition: PartitionOperations, machine: Machine, options: UnitLogicOptions) {
    this.partition = partition
    this.#machine = machine
    this.#options = options
    this.log = partLog(options.onLine && ((level, text, fields) => this.#log(level, text, fields)))
    // A handler takes its context apart, `({ refuse, newId }) => …`, so its functions must not need `this`.
    this.random = this.random.bind(this)
    this.newId = this.newId.bind(this)
    this.refuse = this.refuse.bind(this)
    this.send = this.send.bind(this)
  }

  begin(caller: Caller, handler: HandlerPart): void {
    this.#caller = caller
    this.#handler = handler
    if (this.#lines.length > 0) this.#lines = []
    this.#isActive = true
  }

  /** The handler has returned. */
  leave(): void {
    this.#isActive = false
  }

  /** Forgets what a handler that has failed has sent, and tells what it has logged as undone. */
  drop(isTold: boolean): void {
    this.#sent = []
    if (this.#lines.length === 0) return
    const lines = this.#lines
    this.#lines = []
    if (isTold) for (const line of lines) this.#options.onLine?.({ ...line, undone: true })
  }

  takeLines(): readonly TellLine[] {
    if (this.#lines.length === 0) return noLines
    const lines = this.#lines
    this.#lines = []
    return lines.map((line) => (epoch, index) => this.#options.onLine?.({ ...line, epoch, index }))
  }

  #log(level: LogLevel, text: string, fields: LogFields | undefined): void {
    const { limits, partition } = this.#options
    // What is logged later would belong to a call that has nothing to do with it.
    if (!this.#isActive || this.#lines.length >= limits.logLinesMax) return
    const part = this.#handler?.label ?? ''
    this.#lines.push({ part, level, text, fields: fields && { ...fields }, partition })
  }

  takeSent(): readonly SentMessage[] {
    if (this.#sent.length === 0) return noMessages
    const sent = this.#sent
    this.#sent = []
    return sent
  }

  get caller(): Caller {
    return this.#caller
  }

  get now(): number {
    return this.#machine.time
  }

  random(): number {
    return this.#options.random.next()
  }

  newId(): string {
    return this.#options.newId()
  }

  refuse(reason: string, data: unknown): Error {
    return new RefusalSignal(reason, this.#handler?.admitRefusal(reason, data))
  }

  send(to: { readonly '~': unknown }, given: unknown, options: { readonly after?: string | undefined } = {}): void {
    if (!this.#isActive) {
      throw new PlenumError('HANDLER_FAILED', 'A message was sent after its handler had returned. It is not sent.')
    }
    this.#sent.push(sentMessage(this.#options, to, given, options))
  }
}

const noMessages: readonly SentMessage[] = Object.freeze([])
const noLines: readonly TellLine[] = Object.freeze([])

const nobody: Caller = Object.freeze({ kind: 'unit', subject: '', claims: Object.freeze({}) })

/** A message that was sent when its handler had another route: this partition may not have its entries. */
function sentElsewhere({ label, routeField }: HandlerPart): PlenumError {
  return new PlenumError(
    'OUTSIDE_ROUTE',
    `The ${label} had another route when this message was sent; now it is '${routeField}', which another partition may have. Nothing happened.`,
    { details: { part: label, route: routeField } },
  )
}

/** The part of this name; HANDLER_UNKNOWN if there is none. */
function partOf<T>(kind: string, name: string, parts: ReadonlyMap<string, T>): T {
  const part = parts.get(name)
  if (part !== undefined) return part
  throw unknownPart(kind, name, [...parts.keys()])
}

function unknownPart(kind: string, name: string, known: readonly string[]): PlenumError {
  return new PlenumError(
    'HANDLER_UNKNOWN',
    `The unit has no ${kind} '${name}'. It has: ${known.join(', ') || 'none'}.`,
    { details: { kind, name, known } },
  )
}
