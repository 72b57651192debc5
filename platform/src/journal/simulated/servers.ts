import type { Clock, Timers } from '../../runtime/index.ts'
import type { Found, Position } from '../journal.ts'
import { MemorySnapshots } from '../memory/memory-snapshots.ts'
import type { FaultDice } from './fault-dice.ts'
import type { StreamTimings } from './faults.ts'
import { Leader } from './leader.ts'
import type { StreamPage } from './stream-page.ts'

export interface StreamServersOptions {
  /** Time of the servers, not of a member. */
  readonly timers: Timers
  readonly clock: Clock
  readonly dice: FaultDice
  readonly timings: StreamTimings
  readonly bytesMax: number
  readonly lostRecordsMax: number
  readonly probe: (name: string) => void
}

/** What goes wrong once, with the next publish or the next record, whoever sends it. */
export type StreamBreak = 'ack' | 'proposal' | 'packet' | 'announcement'

/** The servers of one simulated stream: their leader, the snapshots that they keep, and those who hear announcements. */
export class StreamServers {
  readonly timers: Timers
  readonly clock: Clock
  readonly dice: FaultDice
  readonly timings: StreamTimings
  readonly probe: (name: string) => void
  readonly leader: Leader
  readonly snapshots = new MemorySnapshots()
  readonly #listeners = new Set<(found: Found) => void>()
  readonly #breaks = new Set<StreamBreak>()
  #held: (() => void)[] = []

  constructor(options: StreamServersOptions) {
    this.timers = options.timers
    this.clock = options.clock
    this.dice = options.dice
    this.timings = options.timings
    this.probe = options.probe
    this.leader = new Leader({ ...options, announce: (position, bytes) => this.#announce({ position, bytes }) })
  }

  /** Has one thing go wrong with the next publish or record. */
  breakNext(what: StreamBreak): void {
    if (what === 'proposal') this.leader.vanishNext()
    else this.#breaks.add(what)
  }

  /** Lets packets arrive that were held back. */
  release(): void {
    const held = this.#held
    this.#held = []
    for (const arrive of held) arrive()
  }

  /** True if this arrival is held back until `release`. */
  holds(arrive: () => void): boolean {
    if (!this.#breaks.delete('packet')) return false
    this.dice.count('latePublishes')
    this.#held.push(arrive)
    return true
  }

  /** True if the answer that is about to be sent gets lost. */
  losesAck(): boolean {
    if (!this.#breaks.delete('ack')) return this.dice.happens('lostAcks')
    this.dice.count('lostAcks')
    return true
  }

  /** Announces what is stored from now on, until the returned function is called. */
  listen(hear: (found: Found) => void): () => void {
    this.#listeners.add(hear)
    return () => void this.#listeners.delete(hear)
  }

  /** What the leader that answers shows from `from` on; undefined is silence. */
  page(from: Position, recordsMax: number): StreamPage | undefined {
    const { leader } = this
    const ends = leader.ends()
    if (ends === undefined) return undefined
    const records = from < ends.first ? [] : leader.stored.page(from, ends.next, recordsMax)
    return { ...ends, fill: leader.fill, records }
  }

  #announce(found: Found): void {
    if (this.#breaks.delete('announcement')) return this.dice.count('lostAnnouncements')
    for (const hear of this.#listeners) if (!this.dice.happens('lostAnnouncements')) hear(found)
  }
}
