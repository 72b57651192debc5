import { defaultLimits, isPlenumError, PlenumError, type Limits } from '../../kernel/index.ts'
import {
  Executor,
  type Identity,
  type Layout,
  type Machine,
  type Request,
  type StoredValue,
} from '../../space/index.ts'
import {
  askNobody,
  Partition,
  type PartitionMeters,
  Replica,
  type AskPartition,
  type Execution,
  type Logic,
  type LogicCommand,
  type ScheduleRule,
  type ProjectionRule,
  type SinkRule,
  type WorkerRule,
  type PartitionEvent,
} from '../index.ts'
import { FaultJournal, FaultStream } from './fault-stream.ts'
import { ManualRuntime, turns } from './manual-runtime.ts'

export const itemLayout: Layout = { name: 'item', fields: ['id', 'n'], open: false, id: ['id'], route: ['id'] }

/** The plain data operations over one entry type, and a call that throws: all that a partition needs of a unit. */
export class DataLogic implements Logic {
  readonly hash: string
  readonly layouts: readonly Layout[]
  readonly workers: readonly WorkerRule[]
  readonly schedules: readonly ScheduleRule[] | undefined
  readonly projections: readonly ProjectionRule[]
  readonly sinks: readonly SinkRule[]
  readonly #limits: Limits

  constructor(
    hash: string,
    limits: Limits,
    layouts: readonly Layout[] = [itemLayout],
    workers: readonly WorkerRule[] = [],
    schedules?: readonly ScheduleRule[],
    projections: readonly ProjectionRule[] = [],
    sinks: readonly SinkRule[] = [],
  ) {
    this.hash = hash
    this.layouts = layouts
    this.workers = workers
    this.schedules = schedules
    this.projections = projections
    this.sinks = sinks
    this.#limits = limits
  }

  bind(machine: Machine): Execution {
    const admit = (value: StoredValue): StoredValue => ({ ...value })
    const executor = new Executor(machine, this.#limits, () => ({ admit, leaseMs: undefined }))
    return {
      get dependency() {
        return executor.dependency
      },
      set dependency(index: number) {
        executor.dependency = index
      },
      get observer() {
        return executor.observer
      },
      set observer(observer) {
        executor.observer = observer
      },
      takeSent: () => [],
      execute(command: LogicCommand): unknown {
        if (command.kind === 'task' || command.kind === 'service')
          throw new PlenumError('TASK_FAILED', 'There are no tasks here.')
        if (command.kind === 'call') return command.input
        return executor.execute(command)
      },
    }
  }
}

/** A member's partition over a stream, with what it told. */
export interface Member {
  readonly partition: Partition
  readonly journal: FaultJournal
  readonly events: PartitionEvent[]
}

/** What a promise came to: its value, the code of its error, or that it still waits. */
export type Outcome = { readonly value: unknown } | { readonly code: string } | 'waits'

/** One partition's stream and its members, on one manual clock. */
export class PartitionBench {
  readonly runtime = new ManualRuntime()
  readonly stream = new FaultStream()
  readonly limits: Limits
  readonly shared: boolean
  readonly journalId = new Uint8Array(16).fill(5)
  /** How the members ask other partitions about transactions. */
  ask: AskPartition = askNobody
  /** What the members count. */
  meters: PartitionMeters | undefined
  /** Median wall time of the members. */
  reference = (): number => this.runtime.clock.wall()

  constructor(options: { readonly shared: boolean; readonly limits?: Partial<Limits> }) {
    this.shared = options.shared
    this.limits = { ...defaultLimits, ...options.limits }
  }

  member(number: number, logic: Logic = new DataLogic('unit-1', this.limits)): Member {
    const events: PartitionEvent[] = []
    const journal = new FaultJournal(this.stream, this.shared)
    const partition = new Partition({
      number: 0,
      journal,
      journalId: this.journalId,
      logic,
      member: number,
      incarnation: 1,
      runtime: this.runtime,
      limits: this.limits,
      reference: () => this.reference(),
      ask: (partition, command) => this.ask(partition, command),
      onEvent: (event) => void events.push(event),
      meters: this.meters,
    })
    return { partition, journal, events }
  }

  /** A member that reigns already. */
  async primary(number = 1, logic?: Logic): Promise<Member> {
    const member = this.member(number, logic)
    if (this.shared) void member.partition.run()
    else await member.partition.startAlone()
    await turns()
    return member
  }

  /** A member that follows. */
  async follower(number = 2, logic?: Logic): Promise<Member> {
    const member = this.member(number, logic)
    void member.partition.run()
    await turns()
    return member
  }

  /** The fold over all that is stored, from the first record. */
  async fold(): Promise<Replica> {
    const digest = (parts: readonly Uint8Array[]): Uint8Array => this.runtime.digest(parts)
    const replica = new Replica({ journal: this.journalId, digest, limits: this.limits, keepRecent: false })
    for (const found of await this.stream.found()) replica.offer(found)
    return replica
  }

  /** The item of this id in that fold. */
  async stored(id: string): Promise<StoredValue | undefined> {
    return (await this.fold()).machine.table('item').find({ id })?.value
  }
}

export const write = (id: string, n: number): Request => ({
  command: { kind: 'write', type: 'item', value: { id, n }, options: {} },
})
export const insert = (id: string, n: number): Request => ({
  command: { kind: 'insert', type: 'item', value: { id, n }, options: {} },
})
export const remove = (id: string): Request => ({ command: { kind: 'remove', type: 'item', key: { id }, options: {} } })
export const get = (id: string): Request => ({ command: { kind: 'get', type: 'item', key: { id } } })
export const count: Request = { command: { kind: 'count', type: 'item', where: {}, options: {} } }
export const readAll: Request = { command: { kind: 'readAll', type: 'item', where: { n: { gt: 1_000 } }, options: {} } }
export const register = (session: string): Request => ({ command: { kind: 'register', session } })

/** The same request with a number of a session. */
export function numbered(request: Request, session: string, number: number, lowest = number): Request {
  return { ...request, identity: { kind: 'numbered', session, number, lowest } satisfies Identity }
}

/** Watches promises, so that a test can say which have been settled, how, and in which order. */
export class Answers {
  readonly order: string[] = []
  readonly #outcomes = new Map<string, Outcome>()

  watch(name: string, answer: Promise<unknown>): void {
    this.#outcomes.set(name, 'waits')
    answer.then(
      (value) => this.#settle(name, { value }),
      (error: unknown) => this.#settle(name, { code: isPlenumError(error) ? error.code : String(error) }),
    )
  }

  of(name: string): Outcome | undefined {
    return this.#outcomes.get(name)
  }

  #settle(name: string, outcome: Outcome): void {
    this.#outcomes.set(name, outcome)
    this.order.push(name)
  }
}
