// A replica: machine and fold, moved by found records only.
//
// Owns the state at the fold's head. Does not own the journal, roles or replies.
// Called by recovery, by followers, and by a primary to learn what others wrote.
//
// I1 The machine's state is the fold of the accepted records (A1); a record is applied once, by its index (A5).
// I2 Replay never crosses an UPGRADE record with a machine that does not know its layouts (PA10).
import { assert, PlenumError, type Limits } from '../kernel/index.ts'
import { Fold, type Digest, type Found, type Head, type JournalRecord, type Verdict } from '../journal/index.ts'
import {
  firstUnitTable,
  hashState,
  laterLayout,
  Machine,
  type Effect,
  type EntryUpgrades,
  type Layout,
} from '../space/index.ts'
import { Comparison } from './comparison.ts'
import { Projections, type Folding } from './projections.ts'
import { decodeBody, type OpenBody, type SnapshotBody, type UpgradeBody } from './record-body.ts'
import { RecentRecords } from './recent-records.ts'
import type { Logic } from './logic.ts'

/** Bytes of a state that are compared with each record that a follower applies. */
const comparedBytes = 256 << 10

/** How many earlier units are remembered, so that their code does not open again. */
const unitsBeforeMax = 32

/** Sees every accepted record and each of its effects, after they were applied. */
export type ReplicaObserver = (
  record: JournalRecord,
  effects: readonly Effect[],
  /** How many effects there are up to the end of each command that changed something. */
  ends: readonly number[],
) => void

export interface ReplicaOptions {
  readonly journal: Uint8Array
  readonly digest: Digest
  readonly limits: Limits
  readonly head?: Head | undefined
  /** Keep recent records, because the journal can regress (JR5). */
  readonly keepRecent: boolean
  /** What the unit's code makes of earlier entries, where it is at hand (UN10). */
  readonly upgrades?: EntryUpgrades | undefined
  readonly observe?: ReplicaObserver | undefined
  /** What is folded beside the entries; undefined where nobody asks for it (UN6). */
  readonly folding?: Folding | undefined
}

export class Replica {
  readonly machine: Machine
  readonly fold: Fold
  readonly recent: RecentRecords | undefined
  readonly projections: Projections
  #observe: ReplicaObserver | undefined
  #unit: string | undefined
  #unitsBefore: readonly string[] = []
  #leaseMs: number
  #closed = false
  #comparison: Comparison | undefined
  readonly #unitOfCode: string | undefined
  /** The projections of the journal's unit. */
  #projected: readonly string[] = []
  #hasDiverged = false
  #named: readonly SnapshotBody[] = []
  #positions = new Map<number, number>()
  #headAt: Head | undefined
  #watchedIndex = 0

  constructor(options: ReplicaOptions) {
    this.machine = new Machine(options.limits, options.upgrades)
    this.fold = new Fold(options.journal, options.digest, options.head)
    this.recent = options.keepRecent ? new RecentRecords(options.limits.recentRecordsMax) : undefined
    this.#leaseMs = options.limits.leaseMs
    this.#observe = options.observe
    this.#unitOfCode = options.folding?.unit
    this.projections = new Projections(options.folding, this.machine)
  }

  /** Hash of the unit whose code may go on from here; undefined before the first UPGRADE. */
  get unit(): string | undefined {
    return this.#unit
  }

  /** The lease that the present reign binds everybody to, in milliseconds. */
  get leaseMs(): number {
    return this.#leaseMs
  }

  /** True if the last accepted record is a CLOSE: nobody reigns. */
  get closed(): boolean {
    return this.#closed
  }

  /** True if a projection came to another state here than on the primary: a snapshot has the right one. */
  get hasDiverged(): boolean {
    return this.#hasDiverged
  }

  /** The snapshots that SNAPSHOT records have named, oldest first, the two newest. */
  get named(): readonly SnapshotBody[] {
    return this.#named
  }

  /** Position of the record at which a snapshot's state was taken, if it is still known. */
  positionOf(snapshotIndex: number): number | undefined {
    return this.#positions.get(snapshotIndex)
  }

  /** Has every record that is accepted from now on shown to `observe`. */
  observe(observe: ReplicaObserver): void {
    this.#observe = observe
  }

  /** Decides about one found record and applies it if it is accepted. */
  offer(found: Found): Verdict {
    const verdict = this.fold.offer(found)
    this.recent?.add(found)
    if (verdict.kind === 'accepted') this.#apply(verdict.record)
    return verdict
  }

  /**
   * Takes note of a record of this member's own reign, whose effects the machine has made already. The pipeline knows
   * that the fold accepts it; its hash comes along so that it is not computed twice.
   */
  adopt(record: { readonly index: number; readonly position: number; readonly bytes: Uint8Array }, head: Head): void {
    this.fold.follow(head)
    if (head.index === this.#watchedIndex) this.#headAt = head
    this.recent?.add({ position: record.position, bytes: record.bytes })
  }

  /** Hash of the whole state, by a full walk. */
  hash(): string {
    return hashState(this.machine)
  }

  /** The hashes of the units that came before the present one, newest first. */
  get unitsBefore(): readonly string[] {
    return this.#unitsBefore
  }

  /** The layouts of the unit's entry types, in table order. */
  get layouts(): readonly Layout[] {
    return this.machine.tables.slice(firstUnitTable).map((table) => table.layout)
  }

  /** The projections of the journal's unit, as its UPGRADE record named them. */
  get projected(): readonly string[] {
    return this.#projected
  }

  /** UNIT_MISMATCH if the entries cannot be those of such entry types (PA10). */
  checkFollows(layouts: readonly Layout[]): void {
    const present = new Map(this.layouts.map((layout) => [layout.name, layout]))
    const { epoch } = this.fold.head
    for (const layout of layouts) laterLayout(present.get(layout.name), layout, epoch)
  }

  /** Makes the barrier to another unit, and what its UPGRADE record says (PA10). UNIT_MISMATCH if it cannot follow. */
  upgradeTo({ hash: unit, layouts, projections }: Logic): UpgradeBody {
    const { epoch } = this.fold.head
    const present = new Map(this.layouts.map((layout) => [layout.name, layout]))
    for (const layout of layouts) present.set(layout.name, laterLayout(present.get(layout.name), layout, epoch))
    const earlier = this.#unit === undefined ? [] : [this.#unit]
    const before = [...earlier, ...this.#unitsBefore].filter((hash) => hash !== unit).slice(0, unitsBeforeMax)
    const body = { unit, before, layouts: [...present.values()], projections: projections.map(({ name }) => name) }
    this.declare(body, this.fold.head.index + 1)
    return body
  }

  /** Takes over a unit and its entry types, as its UPGRADE record of this index says. */
  declare(body: UpgradeBody, index: number): void {
    this.#unit = body.unit
    this.#unitsBefore = body.before
    for (const layout of body.layouts) this.machine.declare(layout)
    this.#projected = body.projections ?? []
    this.projections.declare(this.#projected, index)
  }

  /** Stops comparing snapshots: this member now makes them. */
  stopComparing(): void {
    this.#comparison = undefined
    this.machine.endWalk()
  }

  /** What has diverged is all that can be had: there is no snapshot that is sound, until the next one. */
  forgetDivergence(): void {
    this.#hasDiverged = false
  }

  /** Compares what was named and is not compared yet. */
  finishComparing(): void {
    while (this.#comparison?.named !== undefined) this.#compareOn()
  }

  /** Takes note of a snapshot that counts from now on. */
  name(snapshot: SnapshotBody): void {
    this.#named = [...this.#named, snapshot].slice(-2)
  }

  /** Binds this replica to the lease of the reign that it was saved under. */
  bindLease(leaseMs: number): void {
    this.#leaseMs = leaseMs
  }

  /** The head as it was at `index`, which a snapshot carries; asks for it to be remembered were made by `watchHead`. */
  headAt(index: number): Head {
    assert(this.#headAt?.index === index, 'the head of a snapshot was remembered')
    return this.#headAt
  }

  /** Remembers the head when it comes to stand at `index`. */
  watchHead(index: number): void {
    this.#watchedIndex = index
  }

  /** Takes note of where a snapshot's state ends in the journal. */
  placeSnapshot(index: number, position: number): void {
    this.#positions.set(index, position)
    if (this.#positions.size > 8) this.#positions.delete([...this.#positions.keys()][0]!)
  }

  #apply(record: JournalRecord): void {
    const effects: Effect[] = []
    const ends: number[] = []
    let isMarked = false
    this.#closed = record.kind === 'CLOSE'
    this.machine.advance(record.time)
    switch (record.kind) {
      case 'OPEN':
        this.#leaseMs = decodeBody<OpenBody>(record).leaseMs
        this.machine.renewLeases()
        break
      case 'BATCH':
        isMarked = this.#applyBatch(record, effects, ends)
        break
      case 'UPGRADE':
        // What is walked was put under the layouts of before, and folded by its code.
        this.finishComparing()
        this.stopComparing()
        this.declare(decodeBody<UpgradeBody>(record), record.index)
        break
      case 'SNAPSHOT':
        this.#compareWith(decodeBody<SnapshotBody>(record))
        break
      case 'HEARTBEAT':
      case 'CLOSE':
        break
    }
    this.projections.fold(record.index)
    if (isMarked) this.#beginComparing(record)
    if (this.#comparison !== undefined) this.#compareOn()
    this.#observe?.(record, effects, ends)
  }

  /** Applies a record's effects; true if it marks the state of a snapshot. */
  #applyBatch(record: JournalRecord, effects: Effect[], ends: number[]): boolean {
    let marked = false
    this.machine.apply(record.body, record.index, record.time, (effect) => {
      if (effect.kind === 'snapshot-begins') marked = true
      if (this.#observe === undefined) return
      if (effect.kind === 'commit') ends.push(effects.length)
      else if (effect.kind !== 'call') effects.push(effect)
    })
    return marked
  }

  #beginComparing({ index, position }: JournalRecord): void {
    this.finishComparing()
    this.placeSnapshot(index, position)
    this.#comparison = new Comparison(index, this.machine.startWalk(), this.projections.save())
  }

  /** A snapshot counts from here on, and a follower's own state must be the same as what it holds. */
  #compareWith(named: SnapshotBody): void {
    this.name(named)
    if (this.#comparison?.index === named.index) this.#comparison.named = named
    else this.stopComparing()
  }

  /**
   * A follower's own walk from the same record must give the hash that the primary wrote (JR7, A5). It goes on a little
   * with every record, so that a large state is not walked at once.
   */
  #compareOn(): void {
    const own = this.#comparison
    if (own === undefined || !own.advance(comparedBytes) || own.named === undefined) return
    this.stopComparing()
    const { named, hash } = own
    if (hash === named.hash) {
      // Code of another unit folds as it likes; the same code must come to the same state (UN6).
      if (this.#unit !== this.#unitOfCode) return
      if (!this.projections.agree(named.index, own.projections, named.projections ?? {})) this.#hasDiverged = true
      return
    }
    throw new PlenumError(
      'SNAPSHOT_CORRUPT',
      `At index ${named.index} this replica's state has the hash ${hash}, the primary's had ${named.hash}: they have diverged. ` +
        'Restart this member, so that it rebuilds its state from the journal, and report this as a defect.',
      { details: { index: named.index, own: hash, named: named.hash } },
    )
  }
}

/**
 * Whether a member with this logic may reign: not with code that a later unit has replaced (PA10). Where nobody else
 * writes the journal, going back to earlier code is the owner's choice.
 */
export function mayReign(replica: Replica, logic: Logic, shared: boolean): boolean {
  return !shared || !replica.unitsBefore.includes(logic.hash)
}
