// A primary: one member's reign over a partition, from its accepted OPEN to its end.
//
// Owns the open batch, the replies that wait, the read lease and the snapshot in progress. Does not own roles or how a
// reign begins. Called by `partition.ts`.
//
// I1 A command runs to its end before the next begins, and its effects stand in one record (UN2).
// I2 No answer leaves before the highest index that it depends on is acked (A3, PA3); where the journal is shared, a
//    read is answered only under a valid lease or after an ack that came later than its evaluation (PA4).
// I3 When the reign ends, every answer that was held is UNKNOWN_OUTCOME, and the machine is not used again.
import { ByteWriter, writeValue } from '../codec/index.ts'
import { recordHeaderBytes } from '../journal/index.ts'
import type { Timer } from '../runtime/index.ts'
import {
  Answers,
  isBesideData,
  isClaiming,
  isRead,
  waitOf,
  type Command,
  type Request,
  type Row,
  type Table,
} from '../space/index.ts'
import { Afterwards } from './afterwards.ts'
import { CallNotes } from './call-notes.ts'
import { Commands } from './commands.ts'
import { fillMax, firstMark } from './fill-marks.ts'
import { Guests } from './guests.ts'
import { HeldReplies } from './held-replies.ts'
import { Inbox } from './inbox.ts'
import { KeptAnswers } from './kept-answers.ts'
import { both } from './noticing.ts'
import { Deferred, type Execution } from './logic.ts'
import { LeaseEnds } from './lease-ends.ts'
import { LoneRecords } from './lone-records.ts'
import { takeNamedSnapshot } from './named-snapshot.ts'
import { meterOf, type OperationMeter } from './operation-meter.ts'
import { PartitionClock } from './partition-clock.ts'
import { OutputReaders } from './output-readers.ts'
import { Pipeline, type ReignEnd } from './pipeline.ts'
import { emptyBody } from './record-body.ts'
import { journalFull, notPrimary, overloaded, reignLost } from './primary-errors.ts'
import type { PrimaryOptions } from './primary-options.ts'
import { SnapshotSchedule } from './snapshot-schedule.ts'
import { Transactions } from './transactions.ts'
import { UnitWork } from './unit-work.ts'
import { Waits } from './waits.ts'
import { Watchers } from './watchers.ts'

export class Primary {
  readonly #options: PrimaryOptions
  readonly #pipeline: Pipeline
  readonly #clock: PartitionClock
  readonly #execution: Execution
  readonly #answers: Answers
  readonly #kept: KeptAnswers
  readonly #commands: Commands
  readonly #writer = new ByteWriter(256 << 10)
  readonly #meter: OperationMeter | undefined
  readonly #held: HeldReplies
  readonly #inbox: Inbox
  readonly #transactions: Transactions
  readonly #waits: Waits
  readonly #watchers: Watchers
  readonly #readers: OutputReaders
  readonly #work: UnitWork
  readonly #afterwards = new Afterwards()
  /** Where calls are recorded. */
  readonly #notes: CallNotes | undefined
  readonly #guests: Guests
  readonly #leaseMs: number
  #acked: number
  #leaseUntil: number
  #flushAsked = false
  #ended = false
  #closing = false
  #heartbeat: Timer | undefined
  readonly #snapshots: SnapshotSchedule
  readonly #alone: LoneRecords
  readonly #leaseEnds: LeaseEnds

  constructor(options: PrimaryOptions) {
    this.#options = options
    const { replica, runtime, limits, logic } = options
    this.#clock = new PartitionClock(runtime.clock, options.startTime, options.reference)
    this.#leaseMs = replica.leaseMs
    this.#leaseUntil = options.openedAt + this.#leaseMs
    this.#meter = meterOf(options)
    this.#held = new HeldReplies(this.#meter)
    this.#pipeline = new Pipeline({
      ...options,
      slow: this.#meter?.slow,
      onAcked: (index, sentAt, at) => this.#onAcked(index, sentAt, at),
      onEnd: (end) => this.#end(end),
      onFlow: (flowing) => this.#onFlow(flowing),
    })
    this.#acked = this.#pipeline.acked
    this.#writer.at = recordHeaderBytes
    replica.stopComparing()
    if (replica.unit !== logic.hash) this.#upgrade()
    this.#execution = logic.bind(replica.machine, replica.projections)
    this.#answers = new Answers(replica.machine, limits)
    const room = this.#room()
    this.#kept = new KeptAnswers({ ...room, attemptsMax: limits.attemptsMax, probe: (name) => runtime.probe?.(name) })
    const isLocked = (table: Table, row: Row): boolean => this.#transactions.isLocked(table, row)
    this.#work = new UnitWork({ ...options, ...room, random: runtime.random, isLocked })
    const { claims, failures } = this.#work
    this.#transactions = new Transactions({ ...options, ...room, claims, failures })
    this.#commands = new Commands({ ...room, transactions: this.#transactions, work: this.#work })
    this.#notes = CallNotes.of({ ...room, writer: this.#writer })
    this.#inbox = new Inbox(limits.inboxRequestsMax, this.#meter)
    this.#alone = new LoneRecords({
      pipeline: this.#pipeline,
      held: this.#held,
      timers: runtime.timers,
      time: () => this.#time(),
      acked: () => this.#acked,
      isEnded: () => this.#ended,
      flush: () => this.#flush(),
    })
    const [commands, transactions, kept] = [this.#commands, this.#transactions, this.#kept]
    const waiting = { ...options, ...room, commands, transactions, kept }
    this.#waits = new Waits(waiting)
    this.#watchers = new Watchers(waiting)
    replica.machine.beginReign(replica.fold.head.epoch)
    replica.machine.onVolatile = () => {
      this.#watchers.onVolatile(this.#acked)
      this.#leaseEnds.look()
    }
    this.#readers = new OutputReaders(waiting)
    this.#guests = new Guests([this.#waits, this.#watchers, this.#readers, this.#transactions, this.#work])
    this.#snapshots = new SnapshotSchedule({
      fill: () => options.journal.fill(this.#writer.at),
      everyBytes: limits.snapshotEveryBytes,
      take: () => this.#takeSnapshot(),
      makeRoomForAll: options.makeRoom,
      onRoom: () => this.#runWaiting(),
      onFailed: (reason) => this.#ended || options.onEvent({ kind: 'snapshot-failed', reason }),
    })
    this.#leaseEnds = new LeaseEnds({
      ...room,
      effectsMax: limits.commandEffectsMax,
      mayChange: () => this.#pipeline.flowing,
      keeps: this.#transactions.keepsOverdue,
    })
    this.#work.start()
    if (options.journal.shared) this.#beat()
  }

  /** What the parts of a reign need of it. */
  #room() {
    const { replica, runtime, limits } = this.#options
    return {
      machine: replica.machine,
      projections: replica.projections,
      execution: this.#execution,
      answers: this.#answers,
      afterwards: this.#afterwards,
      epoch: () => replica.fold.head.epoch,
      leaseHolds: () => this.#leaseHolds(),
      limits,
      timers: runtime.timers,
      now: () => this.#clock.ofTurn(),
      acked: () => this.#acked,
      begin: () => this.#begin(),
      changed: () => {
        const index = this.#pipeline.lastIndex + 1
        this.#askFlush()
        return index
      },
      lastIndex: () => this.#lastIndex(),
      hold: (index: number, value: unknown, confirmed = false) => this.#hold(index, value, undefined, false, confirmed),
      fail: (index: number, error: unknown) => this.#hold(index, undefined, error, true),
      dependency: () => this.#dependency(),
      submit: (request: Request) => this.submit(request),
    }
  }

  /** How much waits here, for whoever counts. */
  get waiting() {
    const [held, inbox, waiters] = [this.#held.count, this.#inbox.size, this.#waits.count]
    const [watchers, claims] = [this.#watchers.count, this.#work.claims.count]
    return { held, inbox, waiters, watchers, claims, oldestSentAt: this.#pipeline.oldestSentAt }
  }

  /** True while this reign can answer: its records flow, and its lease holds. */
  get serves(): boolean {
    return !this.#ended && !this.#closing && this.#pipeline.flowing && this.#leaseHolds()
  }

  /** Answers a request, at once where nothing it depends on is unacked; `isFolded` if it has waited for projections. */
  submit(request: Request, isFolded = false): Promise<unknown> {
    if (this.#ended || this.#closing) return Promise.reject(notPrimary())
    // An unshared journal has no other reign: what is acked may be read also while a record is stuck.
    const mayRun =
      this.#pipeline.flowing ||
      (!this.#options.journal.shared && isRead(request.command) && request.command.kind !== 'cancel')
    return mayRun ? this.#run(request, isFolded) : this.#inbox.add(request)
  }

  /** Takes a snapshot of the state as it is now, saves it, names it in the journal and cuts the journal (JR7). */
  snapshot(): Promise<void> {
    return this.#snapshots.take()
  }

  /** Takes a snapshot in the background if the journal fills (JR8); undefined if there is nothing to do. */
  makeRoom(): Promise<void> | undefined {
    return this.#ended || this.#pipeline.full ? undefined : this.#snapshots.makeRoom()
  }

  /**
   * Ends the reign in order: everything executed is acked, then CLOSE is (PA6). A record for which the journal has no
   * room is not waited for: whoever waits for its ack hears UNKNOWN_OUTCOME.
   */
  async close(): Promise<void> {
    this.#closing = true
    this.#heartbeat?.stop()
    this.#leaseEnds.stop()
    this.#guests.abandon(notPrimary())
    if (this.#pipeline.full) this.#giveUp()
    await this.#snapshots.close()
    if (this.#ended) return
    try {
      await this.#alone.append('CLOSE')
    } catch (error) {
      if (!this.#ended || !this.#pipeline.full) throw error
    }
    this.#ended = true
    this.#pipeline.end()
  }

  /** Stops without a word to anybody, as a killed process does. */
  drop(): void {
    this.#ended = true
    this.#guests.stop()
    this.#leaseEnds.stop()
    this.#heartbeat?.stop()
    this.#pipeline.end()
  }

  #run(request: Request, isFolded: boolean): Promise<unknown> {
    const { limits, replica } = this.#options
    const { command } = request
    if (this.#held.count >= limits.heldRepliesMax && command.kind !== 'cancel')
      return Promise.reject(overloaded('heldRepliesMax', limits.heldRepliesMax))
    this.#leaseEnds.end()
    const waiting = this.#waits.lookFor(command)
    if (waiting !== undefined) return waiting
    if (command.kind === 'cancel') return Promise.resolve(this.#guests.cancel(command.wait))
    if (isClaiming(command)) return this.#work.claims.ask(command)
    if (command.kind === 'outputs') return this.#readers.ask(command)
    if (this.#transactions.enter(request) !== undefined) return this.#transactions.wait(request)
    if (command.kind === 'watch') return this.#watchers.ask(command)
    this.#execution.dependency = 0
    if (!isFolded && isBesideData(command) && replica.projections.isBehind) return this.#whenFolded(request)
    const heldBack = isRead(command) ? undefined : this.#work.sinks.holdBack(request)
    if (heldBack !== undefined) return heldBack
    this.#meter?.begin(request)
    const answer = isRead(command) ? this.#read(request, command) : this.#write(request, command)
    this.#meter?.end(request)
    return answer
  }

  /** What reads projections begins when everything that was committed before it is folded (UN6). */
  #whenFolded(request: Request): Promise<unknown> {
    const folded = this.#hold(this.#lastIndex(), undefined, undefined, false)
    return folded.catch(() => Promise.reject(notPrimary())).then(() => this.submit(request, true))
  }

  #read(request: Request, command: Command): Promise<unknown> {
    let value: unknown
    let error: unknown
    let failed = false
    try {
      value = this.#commands.evaluate(command)
      this.#transactions.check()
    } catch (thrown) {
      if (this.#transactions.hasStopped) return this.#transactions.wait(request)
      failed = true
      error = thrown
    }
    if (value instanceof Deferred) {
      const operation = this.#meter?.holding()
      return value.heldBy((index, result, isError) => {
        const confirmed = request.read === 'confirmed'
        // Behind CLOSE there is no record that could prove anything.
        if (this.#ended || (this.#closing && (confirmed || !this.#leaseHolds()))) throw reignLost('ended')
        this.#meter?.resume(operation)
        return this.#hold(Math.min(index, this.#lastIndex()), result, result, isError, confirmed)
      })
    }
    const waits = value === undefined && !failed && waitOf(command) !== undefined
    if (waits && !this.#waits.isLate(command)) return this.#waits.add(request)
    const dependency = this.#dependency()
    return this.#hold(dependency, value, error, failed, request.read === 'confirmed')
  }

  #write(request: Request, command: Command): Promise<unknown> {
    const { machine } = this.#options.replica
    const { identity } = request
    if (identity !== undefined) {
      const kept = this.#kept.find(identity, request.attempt ?? 0)
      if (kept !== undefined) return kept
    }
    if (this.#waits.isLate(command)) return this.#waits.late(request)
    const { journal, limits } = this.#options
    const fill = journal.fill(this.#writer.at)
    if (fill >= fillMax) return this.#awaitRoom(request)
    // Large records waste what is left of a segment: where room gets scarce, none grows beyond a batch.
    if (fill >= firstMark && this.#writer.at > limits.batchBytes) return this.#inbox.add(request)
    this.#begin()
    let value: unknown
    try {
      value = this.#commands.change(command)
      this.#transactions.check()
      if (value === undefined && waitOf(command) !== undefined) {
        machine.commit()
        return this.#waits.add(request)
      }
      if (identity !== undefined) this.#answers.keep(identity, { ok: true, value })
      this.#notes?.done()
    } catch (error) {
      machine.rollback()
      this.#afterwards.rolledBack()
      const isStopped = this.#transactions.hasStopped
      this.#notes?.takenBack(isStopped)
      return isStopped ? this.#transactions.wait(request) : this.#kept.refuse(error, identity)
    }
    // A record that found no room could not be taken back, and no snapshot can pass it.
    if (this.#writer.at > limits.batchBytes && journal.fill(this.#writer.at) >= fillMax) {
      machine.rollback()
      this.#afterwards.rolledBack()
      return this.#awaitRoom(request)
    }
    const changed = machine.commit(both(this.#waits.noticing, this.#work.noticing), this.#dependency())
    this.#afterwards.committed()
    const index = changed ? this.#pipeline.lastIndex + 1 : this.#dependency()
    if (changed) this.#meter?.changed()
    if (changed) this.#askFlush()
    this.#snapshots.filled(fill)
    const answer = this.#hold(index, value, undefined, false)
    this.#waits.serve()
    if (this.#transactions.serve()) {
      this.#waits.unlocked()
      this.#work.unlocked()
    }
    this.#work.serve()
    return answer
  }

  /** Waits while room is being made for a change; JOURNAL_FULL once nothing more can be done. */
  #awaitRoom(request: Request): Promise<unknown> {
    // Behind a record that is stuck no snapshot can be named.
    if (this.#pipeline.full) return Promise.reject(journalFull())
    this.#snapshots.makeRoomForAll()
    return this.#snapshots.makesRoom ? this.#inbox.add(request) : Promise.reject(journalFull())
  }

  #begin(): void {
    const { machine } = this.#options.replica
    machine.begin(this.#writer, this.#pipeline.lastIndex + 1, this.#clock.ofTurn())
  }

  /**
   * Answers now if nothing is in the way, else when the index that it depends on is acked. Where the lease is over, or
   * proof is asked for, that is an index whose record is sent from now on: an older one may have been acked before
   * another member began its reign.
   */
  #hold(dependsOn: number, value: unknown, error: unknown, failed: boolean, confirmed = false): Promise<unknown> {
    const index = confirmed || !this.#leaseHolds() ? Math.max(dependsOn, this.#confirmationIndex()) : dependsOn
    if (index <= this.#acked) this.#meter?.answered(failed, error)
    if (index <= this.#acked) return failed ? Promise.reject(error) : Promise.resolve(value)
    return this.#held.hold(index, failed ? error : value, failed, this.#meter?.holding())
  }

  /** The index that the next answer may depend on: the open batch's if it holds anything, else the last sealed. */
  #lastIndex(): number {
    return this.#pipeline.lastIndex + (this.#writer.at > recordHeaderBytes ? 1 : 0)
  }

  /** The index that the answer to the command at hand depends on. */
  #dependency(): number {
    return Math.min(this.#execution.dependency, this.#lastIndex())
  }

  /** An index whose ack proves that this reign still lasted after now; makes sure that there is one on its way. */
  #confirmationIndex(): number {
    if (this.#writer.at > recordHeaderBytes) this.#askFlush()
    else if (this.#pipeline.hasRoom) return this.#pipeline.seal('HEARTBEAT', emptyBody(), this.#time())
    return this.#pipeline.lastIndex + 1
  }

  #leaseHolds(): boolean {
    const { journal, runtime } = this.#options
    return !journal.shared || runtime.clock.monotonic() < this.#leaseUntil
  }

  #time(): number {
    const { machine } = this.#options.replica
    machine.advance(this.#clock.now())
    return machine.time
  }

  #askFlush(): void {
    const { limits } = this.#options
    if (this.#writer.at >= limits.batchBytes && this.#pipeline.hasRoom) return this.#flush()
    if (this.#flushAsked) return
    this.#flushAsked = true
    queueMicrotask(() => {
      this.#flushAsked = false
      if (this.#pipeline.inFlight === 0) this.#flush()
    })
  }

  /** Seals the open batch if it holds anything and the flow is on. */
  #flush(): void {
    if (this.#ended || this.#writer.at <= recordHeaderBytes || !this.#pipeline.flowing) return
    const bytes = this.#writer.at
    this.#pipeline.seal('BATCH', this.#writer, this.#time())
    this.#writer.at = recordHeaderBytes
    this.#meter?.sealed(bytes)
    this.#snapshots.grew(bytes)
    if (!this.#inbox.isEmpty) queueMicrotask(() => this.#runWaiting())
  }

  #onAcked(index: number, sentAt: number, now: number): void {
    this.#acked = index
    this.#options.replica.projections.fold(index)
    this.#leaseUntil = Math.max(this.#leaseUntil, sentAt + this.#leaseMs)
    this.#held.release(index, now, sentAt)
    this.#watchers.onAcked(index)
    this.#readers.onFolded()
    this.#work.onAcked(index)
    this.#leaseEnds.look()
    if (this.#pipeline.inFlight === 0 && this.#writer.at > recordHeaderBytes) this.#askFlush()
    else if (this.#held.count > 0 && this.#pipeline.inFlight === 0) this.#confirmationIndex()
  }

  #onFlow(flowing: boolean): void {
    if (this.#closing && this.#pipeline.full) this.#giveUp()
    if (!flowing || this.#ended) return
    this.#askFlush()
    this.#runWaiting()
  }

  #runWaiting(): void {
    if (this.#pipeline.flowing && !this.#ended) this.#inbox.drain((request) => this.submit(request))
  }

  #giveUp(): void {
    this.#pipeline.end()
    this.#letGo('full')
  }

  #end(end: ReignEnd): void {
    this.#letGo(end.kind)
    this.#options.onEnd(end)
  }

  /** Whoever waits hears that the reign is over. */
  #letGo(reason: string): void {
    this.#ended = true
    this.#heartbeat?.stop()
    this.#leaseEnds.stop()
    this.#held.abandon(reignLost(reason))
    this.#inbox.abandon(notPrimary())
    this.#guests.abandon(notPrimary())
  }

  /** Keeps the lease: something is on its way to the journal at least every eighth of it. */
  #beat(): void {
    if (this.#ended || this.#closing) return
    if (this.#pipeline.inFlight === 0 && this.#pipeline.flowing) {
      if (this.#writer.at > recordHeaderBytes) this.#flush()
      else this.#pipeline.seal('HEARTBEAT', emptyBody(), this.#time())
    }
    this.#heartbeat = this.#options.runtime.timers.after(this.#leaseMs / 8, () => this.#beat())
  }

  /** The barrier between two units' code (PA10): nothing of the new unit stands before this record. */
  #upgrade(): void {
    const body = emptyBody()
    writeValue(body, this.#options.replica.upgradeTo(this.#options.logic))
    this.#pipeline.seal('UPGRADE', body, this.#time())
  }

  #takeSnapshot(): Promise<void> {
    return takeNamedSnapshot({
      ...this.#options,
      alone: this.#alone,
      begin: () => this.#begin(),
      flush: () => {
        this.#flush()
        return this.#pipeline.lastIndex + 1
      },
      isEnded: () => this.#ended,
    })
  }
}
