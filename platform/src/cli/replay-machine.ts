// Makes recorded calls again on other code, each on the state that it was made on (TT3).
//
// Owns a machine of the other unit's entry types that follows the recorded effects, and what a call draws. Does not own
// the journal or what is told of it. Called by `replay-partition.ts`.
//
// I1 The machine's rows, stamps and versions are those of the recorded history: a call is made, looked at, and taken back.
// I2 What a call gets is what it got then: input, caller, time, random numbers and ids.
import { PlenumError, uuid7, type Limits } from '../kernel/index.ts'
import { ByteWriter } from '../codec/index.ts'
import type { Execution, Replica } from '../partition/index.ts'
import { partitionerOf } from '../router/index.ts'
import type { Random } from '../runtime/index.ts'
import { PurityGuard } from '../runtime/node/index.ts'
import {
  errorData,
  firstUnitTable,
  laterLayout,
  Machine,
  ownLayouts,
  readEffects,
  writeEffect,
  type Answer,
  type Effect,
  type Layout,
  type RecordedCall,
  type SentMessage,
  type Table,
} from '../space/index.ts'
import { UnitLogic, type ResolvedUnit } from '../unit/index.ts'

/** What a call came to. */
export interface Outcome {
  readonly answer: Answer
  /** Changes of entries, in order. */
  readonly changes: readonly ChangeMade[]
  readonly messages: readonly MessageSent[]
}

/** A change of an entry, without what the platform keeps beside it. */
export interface ChangeMade {
  readonly kind: 'added' | 'changed' | 'removed' | 'taken' | 'expired' | 'renewed'
  readonly type: string
  readonly key?: unknown
  readonly value?: unknown
  readonly expiresAt?: number | undefined
}

/** A message that a call has sent. */
export interface MessageSent {
  readonly handler: string
  readonly input: unknown
  readonly to: number
  /** Partition time from which on it is delivered. */
  readonly dueAt: number
}

export interface ReplayMachineOptions {
  readonly unit: ResolvedUnit
  readonly limits: Limits
  readonly partition: number
  readonly partitions: number
  /** The state to begin with. */
  readonly replica: Replica
}

export class ReplayMachine {
  readonly #machine: Machine
  readonly #unit: ResolvedUnit
  readonly #execution: Execution
  readonly #draws = new Draws()
  readonly #writer = new ByteWriter(64 << 10)
  #index = 0
  /** True once a call has used entries of which the journal knows nothing. */
  #usedVolatile = false

  /** UNIT_MISMATCH if the unit cannot follow the journal, NOT_AVAILABLE_YET if it upgrades entries of it. */
  constructor({ unit, limits, partition, partitions, replica }: ReplayMachineOptions) {
    this.#machine = new Machine(limits)
    this.#unit = unit
    this.declare(replica.layouts)
    this.#copyRows(replica.machine)
    const logic = new UnitLogic({
      parts: unit,
      limits,
      random: this.#draws.random,
      newId: this.#draws.newId,
      partition,
      partitionOf: partitionerOf(partitions),
      outside: () => undefined,
      runsWork: false,
      showFaults: true,
      onFault: () => {},
      watch: new PurityGuard(),
    })
    this.#execution = logic.bind(this.#machine)
    const note = (table: Table): void => {
      this.#usedVolatile ||= table.isVolatile
    }
    this.#execution.observer = { hasStopped: false, entry: note, query: note }
    this.#machine.guard = note
  }

  /** The recorded history goes on with these entry types, and the unit with those that it makes of them. */
  declare(layouts: readonly Layout[]): void {
    const later = new Map(this.#unit.layouts.map((layout) => [layout.name, layout]))
    for (const layout of layouts) {
      this.#refuseUpgrades(layout)
      const own = later.get(layout.name)
      this.#machine.declare(own === undefined ? layout : laterLayout(layout, own, 0))
      later.delete(layout.name)
    }
    for (const layout of later.values()) this.#machine.declare(layout)
  }

  /** Rows are copied as they are stored: a handler that reads them otherwise would seem to have changed. */
  #refuseUpgrades({ name, shapes = [0] }: Layout): void {
    const count = this.#unit.upgrades.get(name)?.count ?? 0
    if (count === 0 || (shapes.length === 1 && shapes[0] === count)) return
    throw new PlenumError(
      'NOT_AVAILABLE_YET',
      `The journal has entries of type '${name}' that the unit upgrades when it reads them, and replay shows them as they are stored. ` +
        'Replay on the unit as it was before that upgrade, with the handlers changed alone.',
      { details: { type: name, option: 'upgrades' } },
    )
  }

  /** An OPEN record was found. */
  renewLeases(time: number): void {
    this.#machine.advance(time)
    this.#machine.renewLeases()
  }

  /** Moves time to that of a record. */
  advance(time: number): void {
    this.#machine.advance(time)
  }

  /** Makes recorded effects; `tables` are those of the journal. They come with no time of their own. */
  follow(effects: readonly Effect[], tables: (number: number) => Table, index: number): void {
    this.#index = index
    const writer = this.#writer
    writer.at = 0
    for (const effect of effects) {
      if (effect.kind === 'snapshot-begins') continue
      writeEffect(writer, this.#machine.table(tables(effect.table).layout.name), effect)
    }
    this.#machine.apply(writer.written(), index, this.#machine.time)
  }

  /** Makes a call again, and takes it back; undefined where it used entries that are not durable. */
  call({ handler, input, caller, now, random, ids }: RecordedCall): Outcome | undefined {
    const [machine, execution, writer] = [this.#machine, this.#execution, this.#writer]
    this.#draws.begin(random, ids, now)
    this.#usedVolatile = false
    writer.at = 0
    machine.begin(writer, this.#index + 1, now)
    try {
      let answer: Answer
      try {
        answer = { ok: true, value: execution.execute({ kind: 'call', handler, input, caller }) }
      } catch (error) {
        // What a handler has changed before it throws has not happened.
        return this.#usedVolatile
          ? undefined
          : { answer: { ok: false, error: errorData(error) }, changes: [], messages: [] }
      }
      const effects = readEffects(writer.written(), (number) => machine.tables[number]!)
      const messages = execution.takeSent().map((sent) => messageOf(sent, now))
      return this.#usedVolatile ? undefined : { answer, changes: changesOf(effects, this.#tables), messages }
    } finally {
      machine.rollback()
      execution.takeSent()
    }
  }

  readonly #tables = (number: number): Table => this.#machine.tables[number]!

  #copyRows(from: Machine): void {
    for (const { layout, rows } of from.tables.map((table) => ({ layout: table.layout, rows: table.rows() }))) {
      const table = this.#machine.table(layout.name)
      for (const { value, version, stamp, born, lease } of rows)
        this.#machine.restore(table, { ...value }, version, stamp, born, lease)
    }
    this.#machine.restoreCounters(from.change, from.time)
  }
}

/** The changes of entries among effects; `tables` by their number there. */
export function changesOf(effects: readonly Effect[], tables: (number: number) => Table): readonly ChangeMade[] {
  return effects.flatMap((effect): ChangeMade[] => {
    if (effect.kind === 'snapshot-begins' || effect.table < firstUnitTable) return []
    const type = tables(effect.table).layout.name
    if (effect.kind === 'remove') return [{ kind: effect.reason, type, key: effect.key }]
    const expiresAt = effect.lease?.expiresAt
    if (effect.kind === 'lease') return [{ kind: 'renewed', type, key: effect.key, expiresAt }]
    const leased = expiresAt === undefined ? {} : { expiresAt }
    return [{ kind: effect.version === 1 ? 'added' : 'changed', type, value: effect.value, ...leased }]
  })
}

const messageTable = Object.keys(ownLayouts).indexOf('message')

/** The messages among the effects of a call. */
export function messagesOf(effects: readonly Effect[]): readonly MessageSent[] {
  return effects.flatMap((effect): MessageSent[] => {
    if (effect.kind !== 'put' || effect.table !== messageTable) return []
    const { to, call, dueAt } = effect.value as { to: number; call: SentMessage['call']; dueAt: number }
    return [{ handler: call.handler, input: call.input, to, dueAt }]
  })
}

function messageOf({ to, call, afterMs }: SentMessage, now: number): MessageSent {
  return { handler: call.handler, input: call.input, to, dueAt: now + afterMs }
}

/** What calls draw: what they drew when they were recorded, and behind that what is the same on each replay. */
class Draws {
  #random: readonly number[] = []
  #ids: readonly string[] = []
  #now = 0
  #drawn = 0
  #made = 0

  begin(random: readonly number[], ids: readonly string[], now: number): void {
    this.#random = random
    this.#ids = ids
    this.#now = now
    this.#drawn = 0
    this.#made = 0
  }

  readonly random: Random = {
    next: () => this.#random[this.#drawn++] ?? (this.#drawn * 0.618_033_988_749_894_9) % 1,
    integer: (below) => Math.floor(this.random.next() * below),
    bytes: (length) => new Uint8Array(length),
  }

  readonly newId = (): string => {
    const id = this.#ids[this.#made++]
    if (id !== undefined) return id
    const bytes = new Uint8Array(10)
    new DataView(bytes.buffer).setUint32(6, this.#made)
    return uuid7(Math.max(0, Math.floor(this.#now)), bytes)
  }
}
