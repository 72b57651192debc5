// The machine: the state of one partition, changed by commands on its primary and by effects everywhere else.
//
// Owns the tables, the change number, partition time and the lease queue. Does not own the journal, what a handler
// does, who may ask, or when anything is acked.
// Called by `partition/` (commands, replay, snapshots) and, through its context, by `unit/`.
//
// I1 Synchronous and deterministic: time comes in with `begin`, nothing else comes from outside (A2).
// I2 Every change is written to the effects before it is made, and applying those effects to the state before gives
//    the same state, stamps included (A1).
// I3 A command that is rolled back leaves no trace: tables, change number, time and effects are as before.
// I4 The change number grows by one with each put and each removal (ID2).
// I5 What is volatile has change numbers and a ring of its own: the journaled state is the same without it.
// I6 Time never goes back, and a lease ends only by a removal with reason `expired` (TI1, TI2).
import { assert, PlenumError, type Limits } from '../kernel/index.ts'
import { ByteReader, type ByteWriter } from '../codec/index.ts'
import type { ChangeLog } from './change-log.ts'
import type { ChangeRing } from './change-ring.ts'
import { Changes } from './changes.ts'
import {
  readEffect,
  readEffects,
  writeCommit,
  writeLease,
  writePut,
  writeRemove,
  writeSnapshotBegins,
  type Effect,
  type Journaled,
  type NamedEffect,
  type RemovalReason,
} from './effects.ts'
import { ExpiryQueue } from './expiry-queue.ts'
import { firstUnitTable, ownLayouts, type Layout, type StoredValue } from './layout.ts'
import { leaseOf, longerLease, Row, type PutOptions, type RowLease } from './row.ts'
import { SnapshotWalk } from './snapshot-walk.ts'
import { stampValue } from './stamp.ts'
import { Table, unknownType, type KeyFields } from './table.ts'
import { UndoLog } from './undo-log.ts'
import { bringUpBefore, valueNow, type EntryUpgrades } from './upgrading.ts'

/** Sees a change before it is made: an entry's value before and after, undefined where there is none. */
export type ChangeGuard = (table: Table, before: StoredValue | undefined, after: StoredValue | undefined) => void

/** Tells the rows that must stay although their lease is over. */
type KeepsOverdue = (table: Table, row: Row) => boolean

export class Machine {
  readonly #limits: Limits
  /** The unit's, where its code is at hand (UN10). */
  readonly upgrades: EntryUpgrades
  readonly #tables: Table[] = []
  readonly #byName = new Map<string, Table>()
  readonly #expiry = new ExpiryQueue()
  readonly #undo = new UndoLog()
  readonly #changes: Changes
  /** Where the effects of the command at hand go; undefined between commands. */
  #writer: ByteWriter | undefined
  /** Index that the record of the open batch will have. */
  #index = 0
  #effectsStart = 0
  #timeStart = 0
  #time = 0
  #walk: SnapshotWalk | undefined
  #walks = 0
  /** Told of each change of a unit's entry before it is made; it may throw. */
  guard: ChangeGuard | undefined
  /** Told after each command that changed something volatile: no ack will tell of it. */
  onVolatile: (() => void) | undefined
  /** Told after each command of the rows that it removed. */
  onGone: ((table: Table, row: Row) => void) | undefined
  /** True for a command that must not fail because of its size. */
  #isUnlimited = false
  readonly #queueLease = (table: Table, row: Row): void => this.#expiry.add(table, row)

  constructor(limits: Limits, upgrades: EntryUpgrades = new Map()) {
    this.#limits = limits
    this.upgrades = upgrades
    this.#changes = new Changes(limits.changeRingMax)
    for (const layout of Object.values(ownLayouts)) this.declare(layout)
  }

  /** The change number: how many puts and removals made this state. */
  get change(): number {
    return this.#changes.number
  }

  /** Partition time in milliseconds (TI1). */
  get time(): number {
    return this.#time
  }

  /** A reign begins: it has nothing volatile. */
  beginReign(epoch: number): void {
    this.#changes.beginReign(epoch)
  }

  /** The last changes of what is journaled, for those who validate. */
  get ring(): ChangeRing {
    return this.#changes.ring
  }

  /** The last changes among which those of a table are, for those who watch. */
  ringOf(table: Table): ChangeRing {
    return this.#changes.ringOf(table)
  }

  /** Notes the changes of what is journaled for those who fold them. */
  logChanges(log: ChangeLog): void {
    this.#changes.log = log
  }

  get tables(): readonly Table[] {
    return this.#tables
  }

  /** Partition time at which the next lease may end. */
  get nextExpiry(): number {
    return this.#expiry.nextAt()
  }

  /** Adds the table of an entry type, or gives the one of that name this layout. */
  declare(layout: Layout): Table {
    const known = this.#byName.get(layout.name)
    if (known !== undefined) return known.relayout(layout, this.change)
    const table = new Table(this.#tables.length, layout)
    this.#tables.push(table)
    this.#byName.set(layout.name, table)
    return table
  }

  /** The table of an entry type; ENTRY_TYPE_UNKNOWN if it was not declared. */
  table(name: string): Table {
    const table = this.#byName.get(name)
    if (table === undefined) throw unknownType(name, this.#tables.slice(firstUnitTable))
    return table
  }

  /** The table of an entry type of the unit: the platform's own are not for requests. */
  unitTable(name: string): Table {
    const table = this.table(name)
    if (table.number < firstUnitTable) throw unknownType(name, this.#tables.slice(firstUnitTable))
    return table
  }

  /** Starts a command at time `now`; its effects go to `writer`, the open batch, whose record will have this index. */
  begin(writer: ByteWriter, index: number, now: number): void {
    assert(this.#writer === undefined, 'commands do not nest')
    this.#writer = writer
    this.#isUnlimited = false
    this.#index = index
    this.#effectsStart = writer.at
    this.#changes.begin()
    this.#timeStart = this.#time
    if (now > this.#time) this.#time = now
  }

  /**
   * Ends the command and keeps what it did; true if the journal has to say so. Tells of each row that was written and is
   * there. `dependency` is the index that the command depends on, and with it what it did to volatile entries.
   */
  commit(onWritten?: (table: Table, row: Row) => void, dependency = 0): boolean {
    const writer = this.#open()
    const changed = writer.at > this.#effectsStart
    const index = changed ? this.#index : dependency
    if (this.#changes.hasJournaled) writeCommit(writer)
    this.#changes.commit(index)
    const isVolatile = this.#undo.changedVolatile(index)
    // The command is over before anybody is told.
    this.#writer = undefined
    if (this.onGone !== undefined) this.#undo.visitGone(this.onGone)
    if (onWritten !== undefined) this.#undo.visitWritten(onWritten)
    this.#undo.forget()
    if (isVolatile) this.onVolatile?.()
    return changed
  }

  /** Ends the command as if it had never begun (I3). */
  rollback(): void {
    const writer = this.#open()
    this.#undo.takeBack(this.#queueLease)
    writer.at = this.#effectsStart
    this.#changes.rollback()
    this.#time = this.#timeStart
    this.#writer = undefined
  }

  /**
   * Runs something within the command at hand, takes back what it changed, and tells the effects that it would have had.
   */
  trial<T>(run: () => T): { readonly value: T; readonly effects: readonly Effect[] } {
    const writer = this.#open()
    const [start, count] = [writer.at, this.#undo.count]
    try {
      const value = this.#changes.trial(run)
      return { value, effects: readEffects(writer.bytes.subarray(start, writer.at), this.#numbered) }
    } finally {
      this.#undo.takeBackTo(count, this.#queueLease)
      writer.at = start
    }
  }

  /** The command at hand may change as much as it has to: that it may was decided before. */
  unlimited(): void {
    this.#isUnlimited = true
  }

  /** How many changes the command at hand has made. */
  get changes(): number {
    return this.#undo.count
  }

  /** Bytes of the effects of the command at hand. */
  get effectBytes(): number {
    return this.#open().at - this.#effectsStart
  }

  /** The entries that the command at hand has removed after its first `count` changes. */
  removedSince(count: number): readonly { readonly table: Table; readonly value: StoredValue }[] {
    return this.#undo.removedSince(count)
  }

  /** True if the command at hand has removed an entry with this key. */
  hasRemoved(table: Table, key: KeyFields): boolean {
    return this.#undo.hasRemoved(table, key)
  }

  /**
   * Puts an entry of which `row` is the present state, undefined if there is none. The value must be a copy that
   * nobody else can change; it is stamped and frozen here.
   */
  put(table: Table, row: Row | undefined, value: StoredValue, options?: PutOptions): Row {
    return this.#put(table, row, value, options === undefined ? row?.lease : leaseOf(options, this.#time))
  }

  #put(table: Table, row: Row | undefined, value: StoredValue, lease: RowLease | undefined): Row {
    const writer = this.#open()
    this.#checkEffects()
    this.#ask(table, row?.value, value)
    const version = row === undefined ? 1 : row.version + 1
    this.#encode(writer, table, version, lease, value)
    if (row !== undefined) this.#undo.changes(table, row)
    const { lastIndex } = table
    const put = this.#store(table, row, value, version, lease, this.#index)
    if (row === undefined) this.#undo.adds(table, put, lastIndex)
    return put
  }

  /** Gives an entry another lease; nothing else of it changes, its stamp neither (SP8). */
  renew(table: Table, row: Row, leaseMs: number | undefined): void {
    this.#renew(table, row, leaseOf({ leaseMs }, this.#time))
  }

  #renew(table: Table, row: Row, lease: RowLease | undefined): void {
    const writer = this.#open()
    this.#checkEffects()
    this.#ask(table, row.value, row.value)
    if (!table.isVolatile) writeLease(writer, table, lease, row.value)
    this.#undo.leases(table, row)
    this.#lease(table, row, lease, this.#index)
  }

  /** Removes an entry that is there. */
  remove(table: Table, row: Row, reason: RemovalReason): void {
    const writer = this.#open()
    this.#checkEffects()
    this.#ask(table, row.value, undefined)
    if (!table.isVolatile) writeRemove(writer, table, reason, row.value)
    this.#undo.removes(table, row)
    this.#drop(table, row, reason, this.#index)
  }

  /** Makes an effect that was tried before, as a change of the command at hand; the state must be as it was then. */
  redo(effect: NamedEffect): void {
    const table = this.table(effect.type)
    const row = table.find(effect.kind === 'put' ? effect.value : effect.key)
    if (effect.kind === 'put') {
      this.#put(table, row, table.copyOf(valueNow(table, effect, this.upgrades)), longerLease(row?.lease, effect.lease))
      return
    }
    assert(row !== undefined, 'an effect that is made again finds its entry')
    if (effect.kind === 'remove') this.remove(table, row, effect.reason)
    else this.#renew(table, row, effect.lease)
  }

  /**
   * Removes what is past its lease at the command's time (TI2), `countMax` entries at most and none that `keeps` keeps;
   * returns how many.
   */
  expire(countMax = Infinity, keeps?: KeepsOverdue): number {
    const kept: { readonly table: Table; readonly row: Row }[] = []
    let count = 0
    while (count < countMax) {
      const expired = this.#expiry.takeExpired(this.#time)
      if (expired === undefined) break
      if (keeps?.(expired.table, expired.row) === true) {
        kept.push(expired)
        continue
      }
      this.remove(expired.table, expired.row, 'expired')
      count += 1
    }
    for (const { table, row } of kept) this.#expiry.add(table, row)
    return count
  }

  /** Marks the end of this batch as the state of a snapshot; must be the batch's last command. */
  markSnapshot(): void {
    writeSnapshotBegins(this.#open())
  }

  /** Applies the effects of an accepted BATCH record (A5); `onEffect` sees each once it is made, and where commands end. */
  apply(body: Uint8Array, index: number, time: number, onEffect?: (effect: Journaled) => void): void {
    assert(this.#writer === undefined, 'records are not applied inside a command')
    this.advance(time)
    const reader = new ByteReader(body)
    while (!reader.done) {
      const effect = readEffect(reader, this.#numbered)
      if (effect.kind === 'commit') this.#changes.endCommit()
      else if (effect.kind === 'put') this.#applyPut(effect, index)
      else if (effect.kind === 'remove') this.#applyRemove(effect, index)
      else if (effect.kind === 'lease') this.#applyLease(effect, index)
      onEffect?.(effect)
    }
  }

  /** Moves partition time forward to that of an accepted record. */
  advance(time: number): void {
    if (time > this.#time) this.#time = time
  }

  /** At OPEN: leases that somebody could have renewed start anew in full, because nobody could (TI3). */
  renewLeases(): void {
    for (const { table, row } of this.#expiry.leased()) {
      const leaseMs = row.lease?.leaseMs ?? 0
      if (leaseMs === 0) continue
      this.#walk?.keep(table, row)
      row.lease = { leaseMs, expiresAt: this.#time + leaseMs }
      this.#expiry.add(table, row)
    }
  }

  /** Starts a walk over the present state; later changes do not show in it (JR7). */
  startWalk(): SnapshotWalk {
    this.#walks += 1
    this.#walk = new SnapshotWalk(this.#walks, this.#tables, this.change, this.#time)
    return this.#walk
  }

  /** Ends the walk, finished or not. */
  endWalk(): void {
    this.#walk = undefined
  }

  /** Puts back one row of a snapshot. */
  restore(
    table: Table,
    value: Record<string, unknown>,
    version: number,
    stamp: number,
    born: number,
    lease: RowLease | undefined,
    shape = 0,
  ): void {
    stampValue(value, stamp)
    const row = new Row(Object.freeze(value), version, stamp, 0, born, 0, shape)
    row.lease = lease
    table.add(row)
    this.#expiry.add(table, row)
  }

  /** Puts back the counters of a snapshot. */
  restoreCounters(change: number, time: number): void {
    this.#changes.restore(change)
    this.#time = time
  }

  /** Writes the put, or nothing: a command that goes on after an error leaves no half an effect behind (I3). */
  #encode(writer: ByteWriter, table: Table, version: number, lease: RowLease | undefined, value: StoredValue): void {
    const start = writer.at
    try {
      writePut(writer, table, version, lease, value)
      writer.since(start, this.#valueBytesMax(table), `An entry of type '${table.layout.name}'`)
      if (table.isVolatile) writer.at = start
    } catch (error) {
      writer.at = start
      throw error
    }
  }

  #ask(table: Table, before: StoredValue | undefined, after: StoredValue | undefined): void {
    this.#changes.check(table)
    if (this.guard !== undefined && table.number >= firstUnitTable) this.guard(table, before, after)
  }

  /** What is prepared holds many values; it has a limit of its own. */
  #valueBytesMax({ layout }: Table): number {
    const { valueBytesMax, recordBytesMax } = this.#limits
    return layout.name === ownLayouts.prepared.name ? recordBytesMax : valueBytesMax
  }

  #open(): ByteWriter {
    assert(this.#writer !== undefined, 'changes are made inside a command')
    return this.#writer
  }

  readonly #numbered = (number: number): Table => {
    const table = this.#tables[number]
    if (table === undefined)
      throw new PlenumError('JOURNAL_CORRUPT', `A record names table ${number}, which is not declared.`)
    return table
  }

  #checkEffects(): void {
    if (this.#undo.count < this.#limits.commandEffectsMax || this.#isUnlimited) return
    throw new PlenumError(
      'LIMIT_EXCEEDED',
      `One command may change ${this.#limits.commandEffectsMax} entries at most.`,
      { details: { limit: 'commandEffectsMax', value: this.#limits.commandEffectsMax } },
    )
  }

  #store(
    table: Table,
    row: Row | undefined,
    value: StoredValue,
    version: number,
    lease: RowLease | undefined,
    index: number,
  ): Row {
    if (row !== undefined && row.shape !== table.shape) bringUpBefore(table, row, this.upgrades)
    const change = this.#changes.next(table, row, value, undefined, index)
    stampValue(value, change)
    Object.freeze(value)
    if (row === undefined) {
      const added = new Row(value, version, change, table.isVolatile ? 0 : index, change, this.#walks, table.shape)
      added.lease = lease
      table.add(added)
      this.#expiry.add(table, added)
      return added
    }
    this.#walk?.keep(table, row)
    table.change(row, value)
    row.version = version
    row.stamp = change
    row.shape = table.shape
    row.stored = undefined
    if (!table.isVolatile) row.index = index
    if (row.lease !== lease) {
      row.lease = lease
      this.#expiry.add(table, row)
    }
    return row
  }

  #lease(table: Table, row: Row, lease: RowLease | undefined, index: number): void {
    this.#walk?.keep(table, row)
    row.lease = lease
    if (!table.isVolatile) {
      row.index = index
      table.lastIndex = index
    }
    this.#expiry.add(table, row)
  }

  #drop(table: Table, row: Row, reason: RemovalReason, index: number): void {
    if (row.shape !== table.shape) bringUpBefore(table, row, this.upgrades)
    this.#changes.next(table, row, undefined, reason, index)
    this.#walk?.keep(table, row)
    table.delete(row)
  }

  #applyPut(effect: Extract<Effect, { kind: 'put' }>, index: number): void {
    const table = this.#numbered(effect.table)
    const row = table.find(effect.value)
    assert(effect.version === (row === undefined ? 1 : row.version + 1), 'a put follows the version before it')
    this.#store(table, row, effect.value, effect.version, effect.lease, index)
  }

  #applyLease(effect: Extract<Effect, { kind: 'lease' }>, index: number): void {
    const table = this.#numbered(effect.table)
    const row = table.find(effect.key)
    assert(row !== undefined, 'a lease finds its entry')
    this.#lease(table, row, effect.lease, index)
  }

  #applyRemove(effect: Extract<Effect, { kind: 'remove' }>, index: number): void {
    const table = this.#numbered(effect.table)
    const row = table.find(effect.key)
    assert(row !== undefined, 'a removal finds its entry')
    this.#drop(table, row, effect.reason, index)
  }
}
