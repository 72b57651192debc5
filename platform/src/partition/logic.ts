import type { TellLine } from './held-lines.ts'
import type {
  EntryUpgrades,
  Layout,
  Machine,
  ReadCommand,
  ReadObserver,
  RecordedCall,
  SentMessage,
  StoredValue,
  UnitCommand,
  WriteCommand,
} from '../space/index.ts'
import type { ProjectionRule } from './projections.ts'
import type { SinkRule } from './sinks.ts'

/** The commands that a unit's logic executes. */
export type LogicCommand = ReadCommand | WriteCommand | UnitCommand

/** An answer that comes later, of a function that goes on for long. */
export class Deferred {
  readonly #value: Promise<unknown>
  readonly #dependency: () => number

  /** `dependency` tells the highest index that it has read, once it has come (PA3). */
  constructor(value: Promise<unknown>, dependency: () => number) {
    this.#value = value
    this.#dependency = dependency
  }

  /** Once it has come, has it held until the index that it depends on is acked. */
  heldBy(hold: (index: number, result: unknown, isError: boolean) => Promise<unknown>): Promise<unknown> {
    return this.#value.then(
      (value) => hold(this.#dependency(), value, false),
      (error: unknown) => hold(this.#dependency(), error, true),
    )
  }
}

/** A unit's logic bound to one machine. Synchronous; a throw means that nothing happened (UN2). */
export interface Execution {
  /** The answer, or a `Deferred`. */
  execute(command: LogicCommand): unknown
  /** Highest journal index that the reads since it was last set to 0 depend on (PA3). */
  dependency: number
  /** Is told what commands look for, tasks excepted; undefined for nobody. */
  observer: ReadObserver | undefined
  /** The messages that the last call has sent, once. */
  takeSent(): readonly SentMessage[]
  /** The last call of a handler, once; missing where calls are not recorded (TT3). */
  readonly takeCall?: (() => RecordedCall | undefined) | undefined
  /** What the last call has logged, once. */
  takeLines?(): readonly TellLine[]
}

/** Which entries a worker of the unit claims (UN3). */
export interface WorkerRule {
  readonly name: string
  readonly type: string
  readonly where: StoredValue
  /** The field of an entry that says from when on it may be claimed; at once if undefined, or where it holds no number. */
  readonly due?: string | undefined
  /** True where the end of a claim removes its entry. */
  readonly isSpent?: true | undefined
}

/** When a schedule of the unit is due (UN8); times are milliseconds since 1970. */
export interface ScheduleRule {
  readonly name: string
  /** The worker that runs its due times. */
  readonly worker: string
  /** Whether a due time that was missed is run once, late, or not at all. */
  readonly missed: 'once' | 'skip'
  /** The first due time after another time; undefined if there is none. */
  next(after: number): number | undefined
  /** The last due time after one time and not after another. */
  last(after: number, until: number): number | undefined
}

/** Gives the states of the unit's projections to those who read them. */
export interface ProjectionStates {
  /** PROJECTION_FAILED where it has failed. */
  stateOf(name: string): unknown
}

/** What a partition needs of its unit: what is stored, and how commands are executed (A6). */
export interface Logic {
  /** Hash of the unit's declaration; a different one in the journal asks for an UPGRADE record (PA10). */
  readonly hash: string
  readonly layouts: readonly Layout[]
  /** What it makes of entries that were put under earlier schemas (UN10). */
  readonly upgrades?: EntryUpgrades | undefined
  readonly workers: readonly WorkerRule[]
  /** Undefined where nobody runs them. */
  readonly schedules: readonly ScheduleRule[] | undefined
  /** Those of sinks, which keep what is to be written, among them. */
  readonly projections: readonly ProjectionRule[]
  readonly sinks: readonly SinkRule[]
  bind(machine: Machine, projections: ProjectionStates | undefined): Execution
}
