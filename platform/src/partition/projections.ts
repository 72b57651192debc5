// The projections of a partition: state of the unit's own that is folded from the journal's changes (UN6).
//
// Owns each projection's state and its last outputs. Does not own the unit's functions, nor who reads what.
// Called by the replica, which says up to where the journal is history: on the primary that is what is acked.
//
// I1 A change is folded once, in journal order, on every member alike; nothing else changes a projection's state.
// I2 What a function threw ends its projection at that change, on every member alike: half a fold is no state.
// I3 An output has the number of the record and its place among the record's outputs, whoever folds it.
import { assert, PlenumError, type Limits } from '../kernel/index.ts'
import { ByteWriter, writeValue } from '../codec/index.ts'
import {
  ChangeLog,
  inLayoutOrder,
  ownLayouts,
  presentValue,
  type Change,
  type EntryUpgrades,
  type KeptChange,
  type LoggedChange,
  type Machine,
  type ProjectedSend,
  type ProjectionTold,
  type SentMessage,
  type StoredValue,
  type Table,
} from '../space/index.ts'
import type { Logic } from './logic.ts'
import { Backlog } from './backlog.ts'
import { noNumber, type OutputNumber } from './output-number.ts'
import { OutputRing } from './output-ring.ts'
import { SavedProjection, type ProjectionHashes, type ProjectionState } from './saved-projection.ts'

/** A change of an entry as a projection sees it. */
export type FoldedChange = Change<StoredValue> & { readonly type: string }

/** What comes of a fold beside the state. */
export interface FoldOut {
  emit(topic: string, event: unknown): void
  send(message: SentMessage): void
  /** Keeps a change until a store has it, dropping the oldest beyond so many. */
  keep(change: FoldedChange, keptMax: number): void
}

/** What one fold puts out, taken over when it has come to its end: half a fold says nothing (I2). */
interface StagedOut extends FoldOut {
  take(): void
}

/** A projection of the unit. */
export interface ProjectionRule {
  readonly name: string
  /** The entry types whose changes it folds. */
  readonly of: readonly string[]
  create(): unknown
  /** Folds a change; what it puts out is plain, and nobody changes it any more. */
  apply(state: unknown, change: FoldedChange, out: FoldOut): void
  /** The state as plain data. */
  save(state: unknown): unknown
  load(saved: unknown): unknown
}

/** The projections that a replica folds, and the unit that they are of. */
export interface Folding {
  /** Hash of the unit's declaration. */
  readonly unit: string
  readonly rules: readonly ProjectionRule[]
  /** What its code makes of earlier entries (UN10). */
  readonly upgrades: EntryUpgrades
  /** Outputs of each that are kept for those who read them. */
  readonly outputsMax: number
  /** Sends of each that have not become messages, and bytes of one. */
  readonly sendsMax: number
  readonly sendBytesMax: number
  readonly onEvent: (event: ProjectionEvent) => void
}

/** Bytes that the row of a message has beside what was sent. */
const messageRowBytes = 256

/** What the code of a unit folds. */
export function foldingOf(
  { hash: unit, projections: rules, upgrades = new Map() }: Pick<Logic, 'hash' | 'projections' | 'upgrades'>,
  { outputsMax, messagesMax: sendsMax, valueBytesMax }: Limits,
  onEvent: Folding['onEvent'],
): Folding {
  return { unit, rules, upgrades, outputsMax, sendsMax, sendBytesMax: valueBytesMax - messageRowBytes, onEvent }
}

export type ProjectionEvent =
  | { readonly kind: 'projection-failed'; readonly projection: string; readonly index: number; readonly error: unknown }
  | { readonly kind: 'projection-diverged'; readonly projection: string; readonly index: number }

type Standing =
  /** The journal's unit does not have it, or not yet. */
  | { readonly kind: 'absent' }
  | { readonly kind: 'folding'; readonly state: unknown }
  | { readonly kind: 'failed'; readonly index: number; readonly error: unknown }

class Projection {
  readonly rule: ProjectionRule
  readonly outputs: OutputRing
  /** What it has sent and what has not become messages, as far as that is folded. */
  pending = new Backlog<ProjectedSend>()
  /** What a sink has kept and what its store is not known to have, as far as that is folded. */
  kept = new Backlog<KeptChange>()
  /** How many of these it began with. */
  begunWith = 0
  dropped = 0
  lastSend: OutputNumber = noNumber
  standing: Standing = { kind: 'absent' }

  constructor(rule: ProjectionRule, outputsMax: number) {
    this.rule = rule
    this.outputs = new OutputRing(outputsMax)
  }

  /** The journal's unit has it no longer: what it was to hand on is forgotten, for it would miss what comes meanwhile. */
  leave(): void {
    this.standing = { kind: 'absent' }
    this.pending = new Backlog()
    this.kept = new Backlog()
    this.begunWith = 0
    this.dropped = 0
    this.lastSend = noNumber
  }

  /** Everything up to this number was handed on. */
  handedOn(number: OutputNumber): void {
    this.pending.dropThrough(number)
    this.begunWith = Math.max(0, this.begunWith - this.kept.dropThrough(number))
  }

  /** Takes over what was saved. */
  load({ last, lastSend, dropped, begunWith, state, pending, kept }: ProjectionState): void {
    this.outputs.beginAfter(last)
    this.lastSend = lastSend
    this.dropped = dropped
    this.begunWith = begunWith
    this.pending = new Backlog([...pending])
    this.kept = new Backlog([...kept])
    this.standing = { kind: 'folding', state: this.rule.load(state) }
  }
}

export class Projections {
  readonly #folding: Folding | undefined
  readonly #machine: Machine
  readonly #upgrades: EntryUpgrades
  readonly #log: ChangeLog
  readonly #all: ReadonlyMap<string, Projection>
  #index = 0
  #saveAt: number | undefined
  #saved: readonly SavedProjection[] | undefined

  /** Without a unit's code there is nothing to fold with. */
  constructor(folding: Folding | undefined, machine: Machine) {
    const { rules, outputsMax } = folding ?? { rules: [], outputsMax: 1 }
    this.#folding = folding
    this.#machine = machine
    this.#upgrades = folding?.upgrades ?? new Map()
    this.#log = new ChangeLog(new Set([...rules.flatMap(({ of }) => of), ownLayouts.projected.name]))
    this.#all = new Map(rules.map((rule) => [rule.name, new Projection(rule, outputsMax)]))
    if (rules.length > 0) machine.logChanges(this.#log)
  }

  /** Everything up to this index is folded. */
  get index(): number {
    return this.#index
  }

  /** True while changes are made that are not folded yet, because they are not acked. */
  get isBehind(): boolean {
    return !this.#log.isEmpty
  }

  /** True if one has failed: what it still has to fold must be kept. */
  get hasFailed(): boolean {
    return [...this.#all.values()].some(({ standing }) => standing.kind === 'failed')
  }

  /**
   * The names of those that the journal's unit has from the record of this index on. Those that are new begin with what is
   * there, under its number: nobody hears of it before that is acked.
   */
  declare(names: readonly string[], index: number): void {
    for (const [name, projection] of this.#all) {
      if (!names.includes(name)) projection.leave()
      else if (projection.standing.kind === 'absent') this.#begin(projection, index)
    }
  }

  /** Folds the changes of all records up to an index. */
  fold(index: number): void {
    for (let change = this.#log.take(index); change !== undefined; change = this.#log.take(index)) {
      if (this.#saveAt !== undefined && change.index > this.#saveAt) this.#save()
      if (change.table.layout.name === ownLayouts.projected.name) this.#sent(change)
      else for (const projection of this.#all.values()) this.#apply(projection, change)
    }
    this.#index = index
    if (this.#saveAt !== undefined && index >= this.#saveAt) this.#save()
  }

  /** Has the states saved when everything up to this index is folded, and nothing after it. */
  saveAt(index: number): void {
    this.#saveAt = index
  }

  /** What `saveAt` had saved, once; those that have failed are not among it. */
  takeSaved(): readonly SavedProjection[] {
    const saved = this.#saved
    assert(saved !== undefined, 'the states were saved when their record was acked')
    this.#saved = undefined
    return saved
  }

  /** The states as they are now; those that have failed are not among them. */
  save(): readonly SavedProjection[] {
    const saved: SavedProjection[] = []
    for (const projection of this.#all.values()) {
      try {
        saved.push(...savedOf(projection))
      } catch (error) {
        this.#fail(projection, this.#index, error)
      }
    }
    return saved
  }

  /**
   * Takes over the states of a snapshot, whose rows are in the machine; everything up to `index` is folded into them. What
   * had failed before the snapshot begins anew with what is there.
   */
  load(index: number, saved: ReadonlyMap<string, ProjectionState>): void {
    this.#index = index
    for (const [name, projection] of this.#all) {
      const state = saved.get(name)
      if (state === undefined) {
        if (projection.standing.kind !== 'absent') this.#begin(projection, index)
        continue
      }
      try {
        projection.load(state)
      } catch (error) {
        this.#fail(projection, index, error)
      }
    }
  }

  /**
   * True if what another member had after the same record is what this one had; tells of each that differs, also where it
   * has failed here alone. Where it has failed there, there is nothing to compare with.
   */
  agree(index: number, own: ProjectionHashes, others: ProjectionHashes): boolean {
    const differing = Object.keys(others).filter((name) => this.#all.has(name) && own[name] !== others[name])
    for (const projection of differing) this.#folding?.onEvent({ kind: 'projection-diverged', projection, index })
    return differing.length === 0
  }

  /** The state of a projection, for those who read it; PROJECTION_FAILED where it has failed. */
  stateOf(name: string): unknown {
    const { standing } = this.#of(name)
    if (standing.kind === 'folding') return standing.state
    throw new PlenumError(
      'PROJECTION_FAILED',
      standing.kind === 'absent'
        ? `Projection '${name}' has not begun on this member.`
        : `Projection '${name}' has failed at index ${standing.index}: ${whyOf(standing.error)}. ` +
            'Nothing of the journal is lost: mend its functions and restart, and it goes on from before that change.',
      { details: { projection: name } },
    )
  }

  /** How a projection stands. */
  tell(name: string): ProjectionTold {
    const projection = this.#of(name)
    const { standing } = projection
    if (standing.kind === 'failed') return { index: this.#index, hash: undefined, error: whyOf(standing.error) }
    try {
      return { index: this.#index, hash: savedOf(projection)[0]?.hash, error: undefined }
    } catch (error) {
      return { index: this.#index, hash: undefined, error: whyOf(error) }
    }
  }

  /** What has been sent and has not become messages, by projection. */
  *pending(): Generator<readonly [name: string, sends: Backlog<ProjectedSend>]> {
    for (const [name, { pending }] of this.#all) if (pending.length > 0) yield [name, pending]
  }

  /** What a sink has kept, how much of that it began with, and how much was dropped. */
  keptOf(name: string): Pick<Projection, 'kept' | 'begunWith' | 'dropped' | 'standing'> {
    return this.#of(name)
  }

  outputsOf(name: string): OutputRing {
    return this.#of(name).outputs
  }

  #of(name: string): Projection {
    const projection = this.#all.get(name)
    if (projection !== undefined) return projection
    const known = [...this.#all.keys()]
    throw new PlenumError(
      'HANDLER_UNKNOWN',
      `The unit has no projection '${name}'. It has: ${known.join(', ') || 'none'}.`,
      { details: { kind: 'projection', name, known } },
    )
  }

  /** Begins with the entries that are there, in the order in which they were first written; that puts out nothing. */
  #begin(projection: Projection, index: number): void {
    const { rule, kept } = projection
    projection.outputs.beginAfter({ index: index - 1, offset: Number.MAX_SAFE_INTEGER })
    try {
      projection.standing = { kind: 'folding', state: rule.create() }
    } catch (error) {
      return this.#fail(projection, index, error)
    }
    const present = rule.of.flatMap((type) => {
      const table = this.#machine.table(type)
      return [...table.rows()].map((row) => ({ table, row }))
    })
    present.sort((a, b) => a.row.born - b.row.born)
    const out = atBeginning(this.#outOf(projection, index))
    for (const { table, row } of present) {
      const entry = (): StoredValue => this.#present(table, row.stored ?? row.value, row.shape)
      this.#fold(projection, () => ({ type: table.layout.name, kind: 'added', entry: entry() }), index, out)
    }
    projection.begunWith = kept.length
  }

  #apply(projection: Projection, change: LoggedChange): void {
    const { rule, standing } = projection
    if (standing.kind !== 'folding' || !rule.of.includes(change.table.layout.name)) return
    this.#fold(projection, () => this.#seen(change), change.index)
  }

  #fold(projection: Projection, change: () => FoldedChange, index: number, out = this.#outOf(projection, index)): void {
    const { rule, standing } = projection
    if (standing.kind !== 'folding') return
    try {
      rule.apply(standing.state, change(), out)
      out.take()
    } catch (error) {
      this.#fail(projection, index, error)
    }
  }

  /** An entry as the present code wants it (UN10), the same on every member. */
  #present(table: Table, value: StoredValue, shape: number | undefined): StoredValue {
    const present = shape === undefined ? value : presentValue(table, value, shape, this.#upgrades)
    return inLayoutOrder(table, present)
  }

  /** A change with both entries as the present code wants them (UN10). */
  #seen({ table, before, beforeShape, after, afterShape, reason }: LoggedChange): FoldedChange {
    const type = table.layout.name
    const previous = before && this.#present(table, before, beforeShape)
    if (after === undefined) return { type, kind: 'removed', entry: previous ?? {}, reason: reason ?? 'removed' }
    const entry = this.#present(table, after, afterShape)
    return previous === undefined ? { type, kind: 'added', entry } : { type, kind: 'changed', entry, previous }
  }

  #outOf(projection: Projection, index: number): StagedOut {
    const { outputs, pending } = projection
    const staged: (() => void)[] = []
    let sends = 0
    return {
      emit: (topic, event) => void staged.push(() => outputs.add(index, topic, event)),
      send: (message) => {
        const { sendsMax, sendBytesMax } = this.#folding ?? { sendsMax: 0, sendBytesMax: 0 }
        if (pending.length + sends >= sendsMax) throw tooManySends(sendsMax)
        const writer = new ByteWriter(256)
        writeValue(writer, message)
        const bytes = writer.since(0, sendBytesMax, 'What a projection sends')
        sends += 1
        staged.push(() => pending.add({ ...nextNumber(projection, index), bytes, message }))
      },
      // A rule that keeps does nothing else, so that nothing of it fails afterwards.
      keep: (change, keptMax) => {
        const { kept } = projection
        const { count: behind = 0, schema = '' } = this.#upgrades.get(change.type) ?? {}
        kept.add({ ...nextNumber(projection, index), behind, schema, change })
        if (kept.length > keptMax) projection.dropped += kept.dropFirst(1)
      },
      take: () => {
        for (const put of staged) put()
      },
    }
  }

  /** The row that says how far the sends of a projection have become messages has changed. */
  #sent({ after }: LoggedChange): void {
    const projection = after === undefined ? undefined : this.#all.get(String(after['projection']))
    if (projection === undefined) return
    projection.handedOn(after as unknown as OutputNumber)
  }

  #fail(projection: Projection, index: number, error: unknown): void {
    projection.standing = { kind: 'failed', index, error }
    this.#folding?.onEvent({ kind: 'projection-failed', projection: projection.rule.name, index, error })
  }

  #save(): void {
    this.#saveAt = undefined
    this.#saved = this.save()
  }
}

/** The number of what a projection sends or keeps next. */
function nextNumber(projection: Projection, index: number): OutputNumber {
  const { lastSend } = projection
  projection.lastSend = { index, offset: lastSend.index === index ? lastSend.offset + 1 : 0 }
  return projection.lastSend
}

/** For the entries that are there when a projection begins: nothing is put out or sent for them, and a sink keeps all. */
function atBeginning(out: StagedOut): StagedOut {
  return { ...out, emit: () => {}, send: () => {}, keep: (change) => out.keep(change, Infinity) }
}

function tooManySends(value: number): PlenumError {
  return new PlenumError(
    'LIMIT_EXCEEDED',
    `A projection has sent ${value} messages that have not been taken over by its partition, which is the limit messagesMax.`,
    { details: { limit: 'messagesMax', value } },
  )
}

function savedOf({ rule, standing, outputs, kept, pending, ...rest }: Projection): readonly SavedProjection[] {
  if (standing.kind !== 'folding') return []
  const { lastSend, dropped, begunWith } = rest
  const state = rule.save(standing.state)
  const [sends, changes] = [pending.list(), kept.list()]
  return [
    new SavedProjection(rule.name, {
      last: outputs.last,
      lastSend,
      dropped,
      begunWith,
      state,
      pending: sends,
      kept: changes,
    }),
  ]
}

function whyOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\.$/, '')
}
