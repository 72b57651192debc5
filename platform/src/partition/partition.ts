// A partition on one member: its role, and how roles follow each other (PA1).
//
// Owns the role and what belongs to it: the replica while it follows, the primary while it reigns. Does not own what a
// primary or a replica does, or who should reign: it takes over when the lease of the last reign is over (PA2, PA4).
// Called by compositions and by the host of a member.
//
// I1 At any time there is one role, and only a primary answers requests.
// I2 An OPEN is sent only at the journal's tail, after everything before it was applied (PA2).
// I3 A machine that ran ahead of the journal is thrown away when its reign ends, and rebuilt from the journal (PA3).
import { assert, isPlenumError, PlenumError, unreachable, type Limits } from '../kernel/index.ts'
import { ByteWriter, writeValue } from '../codec/index.ts'
import {
  emptyHead,
  recordHeaderBytes,
  sameBytes,
  sealRecord,
  type Found,
  type Journal,
  type JournalRecord,
  type Writer,
} from '../journal/index.ts'
import type { Runtime } from '../runtime/index.ts'
import type { Request } from '../space/index.ts'
import type { PartitionEvent } from './events.ts'
import type { AskPartition } from './in-doubt.ts'
import type { Logic } from './logic.ts'
import type { PartitionMeters } from './partition-meters.ts'
import { appendRecentAgain, forked, isTrimmed, type ReignEnd } from './pipeline.ts'
import { journalFailed, journalFull, projectionDiverged } from './primary-errors.ts'
import { Primary } from './primary.ts'
import { foldingOf } from './projections.ts'
import { recover } from './recovery.ts'
import type { OpenBody } from './record-body.ts'
import { mayReign, type Replica, type ReplicaObserver } from './replica.ts'
import { upgradeEntries, type EntryChecks } from './upgrade-entries.ts'

/** How much longer than the lease a follower waits before it opens, for the drift of its clock (PA4). */
export const driftBound = 1.01
/** Wall and monotonic time may disagree by this much over a lease, or the machine was suspended (PA4). */
const suspendedMs = 100
/** A member whose clock is further from the median of the members does not open (TI1). */
const clockOffMsMax = 1_000

export interface PartitionOptions {
  readonly number: number
  readonly journal: Journal
  readonly journalId: Uint8Array
  readonly logic: Logic
  /** Number of the member and of its start. */
  readonly member: number
  readonly incarnation: number
  readonly runtime: Runtime
  readonly limits: Limits
  /** Median wall time of the members; this member's own wall clock where it is alone (TI1). */
  readonly reference: () => number
  readonly onEvent: (event: PartitionEvent) => void
  /** Asks all partitions that share the room of one journal to `makeRoom`: a part of it goes when none needs it. */
  readonly makeRoom?: (() => Promise<unknown> | undefined) | undefined
  /** Asks other partitions what became of transactions (TX4). */
  readonly ask: AskPartition
  /** Sees every accepted record that is applied from the journal. */
  readonly observe?: ReplicaObserver | undefined
  /** What is counted; undefined where nobody asks for it. */
  readonly meters?: PartitionMeters | undefined
}

/** The role of a partition on this member (PA1). */
export type Role =
  | { readonly kind: 'recovering' }
  | { readonly kind: 'following'; readonly replica: Replica; readonly stop: AbortController }
  | { readonly kind: 'opening'; readonly replica: Replica }
  | { readonly kind: 'primary'; readonly replica: Replica; readonly primary: Primary }
  | { readonly kind: 'fenced' }
  | { readonly kind: 'failed'; readonly error: PlenumError }
  | { readonly kind: 'closed' }

export class Partition {
  readonly options: PartitionOptions
  #role: Role = { kind: 'recovering' }
  /** Monotonic and wall time at which the authority was last heard with a record of the present reign. */
  #heardAt = 0
  #heardWall = 0
  /** This member's OPEN whose outcome is not known (PA2). */
  #pendingOpen: Uint8Array | undefined
  #openedAt = 0
  /** What was found out about the entries of the present replica (UN10). */
  #checks: EntryChecks = new Map()

  constructor(options: PartitionOptions) {
    this.options = options
  }

  get role(): Role {
    return this.#role
  }

  /** The replica behind the role, if there is one. */
  get replica(): Replica | undefined {
    return 'replica' in this.#role ? this.#role.replica : undefined
  }

  /** Recovers from the journal (PA8) and opens at once: for a journal that nobody else can write. */
  async startAlone(): Promise<void> {
    const open = await this.recoverAlone()
    await open()
  }

  /**
   * The first half of such a start, which writes nothing: recovers, and has all entries read as the unit wants them
   * (UN10). Returns the second half, so that several partitions can begin a new unit together or not at all.
   */
  async recoverAlone(): Promise<() => Promise<void>> {
    assert(!this.options.journal.shared, 'only an unshared journal is opened without a lease')
    const replica = await this.#recover()
    await this.#upgrade(replica)
    return () => this.#openAlone(replica)
  }

  async #openAlone(replica: Replica): Promise<void> {
    await this.#open(replica, Math.max(replica.fold.head.time, Math.floor(this.options.reference())))
    if (this.#role.kind === 'failed') throw this.#role.error
    assert(this.#role.kind === 'primary', 'nobody else opens an unshared journal')
  }

  /** Recovers, follows, and takes over when the present reign's lease is over; resolves when the role has ended. */
  async run(): Promise<void> {
    let replica: Replica | undefined
    while (!this.#isOver()) {
      try {
        if (replica === undefined) {
          replica = await this.#recover()
          // Most of it is done now, so that a takeover has less to do.
          await this.#mayUpgrade(replica)
        } else await this.#giveBack(replica)
        if (this.#isOver()) return
        await this.#followAndReign(replica)
        // A reign has ended: its machine ran ahead of the journal (I3).
        replica = undefined
      } catch (error) {
        if (isTrimmed(error) || isPlenumError(error, 'PROJECTION_DIVERGED')) replica = undefined
        // What this member holds is kept: if the journal has lost records, it may be the only one that has them (JR5).
        else if (!isPlenumError(error, 'JOURNAL_UNAVAILABLE')) this.#fail(error)
        await this.#sleep(100)
      }
    }
  }

  /** Answers a request, or NOT_PRIMARY. */
  submit(request: Request): Promise<unknown> {
    const role = this.#role
    switch (role.kind) {
      case 'primary':
        return role.primary.submit(request)
      case 'failed':
        return Promise.reject(role.error)
      case 'closed':
        return Promise.reject(new PlenumError('CLOSED', 'The application is closed.'))
      case 'recovering':
      case 'following':
      case 'opening':
      case 'fenced':
        return Promise.reject(
          new PlenumError(
            'NOT_PRIMARY',
            `This member is ${role.kind}, not the primary of partition ${this.options.number}.`,
          ),
        )
      default:
        return unreachable(role)
    }
  }

  /** True while this member is the primary and can answer. */
  get serves(): boolean {
    return this.#role.kind === 'primary' && this.#role.primary.serves
  }

  /** Takes a snapshot if this member is the primary. */
  async snapshot(): Promise<void> {
    if (this.#role.kind === 'primary') await this.#role.primary.snapshot()
  }

  /** Takes a snapshot if this member is the primary and the journal fills (JR8); undefined if there is nothing to do. */
  makeRoom(): Promise<void> | undefined {
    return this.#role.kind === 'primary' ? this.#role.primary.makeRoom() : undefined
  }

  /** Ends in order: a primary has everything acked and gives up its reign (PA6). */
  async close(): Promise<void> {
    const role = this.#role
    if (role.kind === 'primary') await role.primary.close()
    if (role.kind === 'following') role.stop.abort()
    if (this.#role.kind !== 'failed') this.#become({ kind: 'closed' })
  }

  /** Stops without a word, as a killed process does. */
  drop(): void {
    if (this.#role.kind === 'primary') this.#role.primary.drop()
    if (this.#role.kind === 'following') this.#role.stop.abort()
    this.#become({ kind: 'closed' })
  }

  async #recover(): Promise<Replica> {
    this.#become({ kind: 'recovering' })
    const { logic, limits, onEvent } = this.options
    const folding = foldingOf(logic, limits, onEvent)
    this.#checks = new Map()
    const replica = await recover({ ...this.options, folding, upgrades: logic.upgrades })
    this.#hear()
    return replica
  }

  async #upgrade(replica: Replica): Promise<void> {
    const { logic, onEvent } = this.options
    const onProgress = (entries: number, entriesTotal: number): void =>
      onEvent({ kind: 'upgrading', entries, entriesTotal })
    await upgradeEntries(replica, logic, { ...this.options, onProgress, checks: this.#checks })
  }

  /** The same for a journal that others write: a member whose unit cannot go on with them follows only. */
  async #mayUpgrade(replica: Replica): Promise<boolean> {
    if (!mayReign(replica, this.options.logic, true)) return false
    try {
      await this.#upgrade(replica)
      return true
    } catch (error) {
      if (!isPlenumError(error, 'UPGRADE_REFUSED') && !isPlenumError(error, 'UNIT_MISMATCH')) throw error
      this.options.onEvent({ kind: 'upgrade-refused', error })
      this.#hear()
      return false
    }
  }

  /** One round of following and, if it comes to that, reigning. */
  async #followAndReign(replica: Replica): Promise<void> {
    while (!this.#isOver()) {
      const stop = new AbortController()
      this.#become({ kind: 'following', replica, stop })
      const adopted = await this.#follow(replica, stop)
      if (this.#isOver()) return
      replica.finishComparing()
      if (replica.hasDiverged) throw projectionDiverged()
      if (!adopted) await this.#open(replica, this.#continuedTime(replica))
      if (this.#role.kind !== 'primary') {
        // Whatever stood in the way, a suspect clock or a rival, will not be gone at once.
        await this.#sleep(replica.leaseMs / 16)
        continue
      }
      await this.#reignEnds()
      return
    }
  }

  /** Follows until the lease is over (false), or until this member's own OPEN turns up and is adopted (true). */
  async #follow(replica: Replica, stop: AbortController): Promise<boolean> {
    const { journal, runtime } = this.options
    let watching = true
    const watchLease = (): void => {
      if (!watching) return
      if (this.#mayOpen(replica)) stop.abort()
      else runtime.timers.after(Math.max(1, replica.leaseMs / 16), watchLease)
    }
    watchLease()
    try {
      for await (const found of journal.follow(replica.fold.head.next, stop.signal)) {
        const record = this.#offer(replica, found)
        if (record?.kind === 'OPEN' && this.#isMine(record)) {
          runtime.probe?.('unknown OPEN adopted')
          this.#reign(replica, Math.max(record.time, this.#continuedTime(replica)))
          return true
        }
      }
      return false
    } finally {
      watching = false
      stop.abort()
    }
  }

  #offer(replica: Replica, found: Found): JournalRecord | undefined {
    const verdict = replica.offer(found)
    if (verdict.kind === 'void') {
      this.options.onEvent({ kind: 'void', position: found.position, reason: verdict.reason })
      return undefined
    }
    this.#hear()
    if (verdict.record.kind === 'OPEN' && !this.#isMine(verdict.record)) this.#pendingOpen = undefined
    // The snapshot that was named has the primary's: it is recovered from.
    if (replica.hasDiverged) throw projectionDiverged()
    return verdict.record
  }

  #hear(): void {
    this.#heardAt = this.options.runtime.clock.monotonic()
    this.#heardWall = this.options.runtime.clock.wall()
  }

  /** True when the lease of the last reign is over by this member's own clock, and that clock can be believed (PA4). */
  #mayOpen(replica: Replica): boolean {
    if (replica.fold.head.epoch === 0 || replica.closed) return true
    const { clock, random } = this.options.runtime
    const silent = clock.monotonic() - this.#heardAt
    if (Math.abs(clock.wall() - this.#heardWall - silent) > suspendedMs) {
      this.options.runtime.probe?.('lease void after a suspension')
      this.#hear()
      return false
    }
    return silent > replica.leaseMs * driftBound + random.next() * (replica.leaseMs / 16)
  }

  /** Partition time now, for a member that has followed: the last record's time and the time since its receipt (TI1). */
  #continuedTime(replica: Replica): number {
    const { clock } = this.options.runtime
    const { time } = replica.fold.head
    if (time === 0) return Math.floor(this.options.reference())
    return Math.floor(time + (clock.monotonic() - this.#heardAt))
  }

  /** Brings the replica to the authority's tail and sends OPEN there, alone (PA2). */
  async #open(replica: Replica, time: number): Promise<void> {
    const { journal, runtime, reference, onEvent } = this.options
    if (!mayReign(replica, this.options.logic, journal.shared)) {
      onEvent({ kind: 'unit-superseded', unit: this.options.logic.hash })
      this.#hear()
      return
    }
    const clockOff = Math.abs(runtime.clock.wall() - reference())
    if (clockOff > clockOffMsMax) {
      onEvent({ kind: 'clock-suspect', offMs: clockOff })
      this.#hear()
      return
    }
    this.#become({ kind: 'opening', replica })
    try {
      if (journal.shared && !((await this.#catchUp(replica)) && (await this.#mayUpgrade(replica)))) return
      if (this.#role.kind !== 'opening') return
      const bytes = this.#openRecord(replica, time)
      this.#pendingOpen = bytes
      this.#openedAt = runtime.clock.monotonic()
      const position = replica.fold.head.next
      const outcome = await journal.append(position, bytes)
      if (this.#role.kind !== 'opening') return
      if (outcome.kind === 'failed') throw outcome.error
      if (outcome.kind === 'full' && !journal.shared) throw journalFull()
      if (outcome.kind === 'acked' && outcome.position === position) {
        this.#offer(replica, { position, bytes })
        this.#reign(replica, time)
        return
      }
      runtime.probe?.('OPEN without a clear outcome')
      this.#hear()
    } catch (error) {
      if (!(error instanceof PlenumError && error.code === 'JOURNAL_UNAVAILABLE')) throw error
      // After an outage the primary has one whole lease to be heard first.
      this.#hear()
    }
  }

  /** Appends again what this member holds beyond the authority's tail (JR5); true if there was anything. */
  async #giveBack(replica: Replica): Promise<boolean> {
    const { journal, runtime, onEvent } = this.options
    const tail = await journal.open()
    const { next } = replica.fold.head
    if (tail.next >= next) return false
    onEvent({ kind: 'regressed', from: next, to: tail.next })
    runtime.probe?.('follower met a regression')
    await appendRecentAgain(journal, replica, tail.next, runtime.clock.monotonic())
    return true
  }

  /** False if there was news: then the lease starts anew. Whoever holds more than the authority gives it back first. */
  async #catchUp(replica: Replica): Promise<boolean> {
    const { journal, runtime } = this.options
    if (await this.#giveBack(replica)) return false
    const { next, index } = replica.fold.head
    const joint = replica.recent?.last()
    for await (const found of journal.read(joint?.position ?? next)) {
      if (this.#role.kind !== 'opening') return false
      if (joint !== undefined && found.position === joint.position) {
        if (!sameBytes(found.bytes, joint.bytes)) throw this.#forked(replica, joint.position)
        continue
      }
      if (found.position < replica.fold.head.next) continue
      const record = this.#offer(replica, found)
      if (record?.kind === 'OPEN' && this.#isMine(record)) {
        runtime.probe?.('unknown OPEN adopted')
        this.#reign(replica, Math.max(record.time, this.#continuedTime(replica)))
        return false
      }
    }
    return replica.fold.head.index === index || replica.closed
  }

  #forked(replica: Replica, position: number): PlenumError {
    const suffix = replica.recent!.from(position).map(({ bytes }) => bytes)
    this.options.onEvent({ kind: 'forked', index: replica.fold.head.index, suffix })
    return forked(position, suffix.length)
  }

  #openRecord(replica: Replica, time: number): Uint8Array {
    const { journalId, limits } = this.options
    const head = replica.fold.head
    const body = new ByteWriter(recordHeaderBytes + 64)
    body.at = recordHeaderBytes
    writeValue(body, { leaseMs: limits.leaseMs } satisfies OpenBody)
    const fields = {
      kind: 'OPEN',
      journal: journalId,
      epoch: head.epoch + 1,
      index: head.index + 1,
      position: head.next,
      acked: head.index,
      time: Math.max(time, head.time),
      previousHash: head.hash,
      ...this.#newWriter(),
    } as const
    return sealRecord(fields, body.bytes, body.at - recordHeaderBytes).slice()
  }

  #writer: Writer | undefined

  #newWriter(): Writer {
    const { member, incarnation, runtime } = this.options
    this.#writer = { member, incarnation, nonce: runtime.random.bytes(8) }
    return this.#writer
  }

  #isMine(record: JournalRecord): boolean {
    return this.#pendingOpen !== undefined && sameBytes(record.bytes, this.#pendingOpen)
  }

  /** The accepted OPEN at the fold's head is this member's: reign. */
  #reign(replica: Replica, startTime: number): void {
    const writer = this.#writer
    assert(writer !== undefined, 'a reign has a writer')
    this.#pendingOpen = undefined
    const primary = new Primary({
      ...this.options,
      replica,
      writer,
      startTime: Math.max(startTime, replica.machine.time),
      openedAt: this.#openedAt,
      onEnd: (end) => this.#reignOver(primary, end),
    })
    this.#become({ kind: 'primary', replica, primary })
  }

  #wakeReign: (() => void) | undefined

  #reignEnds(): Promise<void> {
    return new Promise((resolve) => (this.#wakeReign = resolve))
  }

  #reignOver(primary: Primary, end: ReignEnd): void {
    if (this.#role.kind !== 'primary' || this.#role.primary !== primary) return
    switch (end.kind) {
      case 'fenced':
        this.options.runtime.probe?.('fenced')
        this.#become({ kind: 'fenced' })
        break
      case 'forked':
        this.options.onEvent({ kind: 'forked', index: end.index, suffix: end.suffix })
        this.#fail(
          new PlenumError(
            'JOURNAL_FORKED',
            `Another record than this reign's was accepted at index ${end.index}. The records of this reign were handed over for salvage.`,
          ),
        )
        break
      case 'failed':
        this.#fail(end.error)
        break
      default:
        unreachable(end)
    }
    this.#wakeReign?.()
  }

  #fail(error: unknown): void {
    const known = error instanceof PlenumError ? error : journalFailed(error)
    this.#become({ kind: 'failed', error: known })
    this.options.onEvent({ kind: 'failed', error: known })
  }

  #become(role: Role): void {
    if (this.#role.kind === 'closed' || this.#role.kind === 'failed') return
    this.#role = role
    const head = 'replica' in role ? role.replica.fold.head : emptyHead
    this.options.onEvent({ kind: 'role', role: role.kind, epoch: head.epoch, index: head.index })
  }

  #isOver(): boolean {
    return this.#role.kind === 'closed' || this.#role.kind === 'failed'
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.options.runtime.timers.after(ms, resolve))
  }
}
