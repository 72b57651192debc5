import { assert } from '../../kernel/index.ts'
import type { Clock, Random, Timers } from '../../runtime/index.ts'
import type { AckLevel, Found, Position } from '../journal.ts'
import type { StreamMember } from './connection.ts'
import { FaultDice } from './fault-dice.ts'
import { streamTimings, type StreamFault, type StreamFaults, type StreamTimings } from './faults.ts'
import { StreamServers, type StreamBreak } from './servers.ts'
import { SimulatedJournal } from './simulated-journal.ts'

export interface SimulatedStreamOptions {
  /** Time of the servers, not of a member. */
  readonly timers: Timers
  readonly clock: Clock
  /** Draws every delay and every fault; a seed decides the whole run. */
  readonly random: Random
  readonly faults: StreamFaults
  /** `quorum-disk` unless said otherwise; at `quorum` the stream may lose or fork what it acked. */
  readonly level?: Extract<AckLevel, 'quorum' | 'quorum-disk'>
  /** Bytes of records that the stream keeps; without a bound it is never full. */
  readonly bytesMax?: number
  /** The most records that one regression loses, 8 unless said otherwise. */
  readonly lostRecordsMax?: number
  readonly timings?: Partial<StreamTimings>
  /** Told by name when a rare situation is met. */
  readonly probe?: (name: string) => void
}

/**
 * A simulated JetStream stream of three replicas that holds the journal of one partition, no kinder than the real one.
 * Members reach it through `journalFor`. The same seed gives the same run.
 */
export class SimulatedStream {
  readonly level: 'quorum' | 'quorum-disk'
  readonly #servers: StreamServers

  constructor(options: SimulatedStreamOptions) {
    const { timers, clock, random, faults, probe } = options
    this.level = options.level ?? 'quorum-disk'
    this.#servers = new StreamServers({
      timers,
      clock,
      dice: new FaultDice(random, faults),
      timings: { ...streamTimings, ...options.timings },
      bytesMax: options.bytesMax ?? Number.POSITIVE_INFINITY,
      lostRecordsMax: options.lostRecordsMax ?? 8,
      probe: (name) => probe?.(name),
    })
    this.setFaults(faults)
  }

  /** The journal as one member sees it: one connection, to be closed when the member ends. */
  journalFor(member: StreamMember = {}): SimulatedJournal {
    return new SimulatedJournal(this.#servers, this.level, member)
  }

  /** How often each fault has happened. */
  get counts(): Readonly<Record<StreamFault, number>> {
    return this.#servers.dice.counts
  }

  /** What is stored now from a position on, in order: the witness that answers are compared with. */
  records(from: Position = 1): readonly Found[] {
    const { stored } = this.#servers.leader
    return stored.page(Math.max(from, stored.first), stored.next, Number.POSITIVE_INFINITY)
  }

  /** Goes on with other probabilities; `calmStream` ends all trouble but what is under way. */
  setFaults(faults: StreamFaults): void {
    if (faults.regressions > 0 || faults.forks > 0) this.#assertMayLose()
    this.#servers.dice.setFaults(faults)
  }

  /** The leader's server dies, or the leader hands over in order. */
  elect(kind: 'crash' | 'hand-over' = 'crash'): void {
    this.#servers.leader.elect(kind)
  }

  /** Loses the newest records, acked or not, and answers normally. Only at level quorum. */
  regress(records: number): void {
    this.#assertMayLose()
    this.#servers.leader.lose(records)
  }

  /** Shows another sound record in the place of the newest. Only at level quorum. */
  fork(): void {
    this.#assertMayLose()
    this.#servers.leader.fork()
  }

  /** Has one thing go wrong with the next publish or record. */
  breakNext(what: StreamBreak): void {
    this.#servers.breakNext(what)
  }

  /** Lets packets arrive that `breakNext('packet')` has held back. */
  release(): void {
    this.#servers.release()
  }

  #assertMayLose(): void {
    assert(this.level === 'quorum', 'only a stream of level quorum may lose or fork what it acked')
  }
}
