// The servers of a simulated R3 stream, as members see them: one leader at a time that checks, proposes and stores.
//
// Owns the stored records, the proposals on their way, elections, and an old leader that does not know that it is one.
// Does not own messages or members. Called by `simulated-stream.ts` when a message has arrived.
//
// I1 The condition is checked once, by the leader, against what is stored and proposed; storing does not check again.
// I2 What was acked stays, at its place, unless `lose` or `fork` is called, which quorum-disk does not allow.
// I3 An election cuts the proposals at some point; those before it are stored by the next leader, unannounced and
//    without an ack.
import { assert } from '../../kernel/index.ts'
import type { Clock, Timers } from '../../runtime/index.ts'
import type { Appended, Position } from '../journal.ts'
import type { FaultDice } from './fault-dice.ts'
import type { StreamTimings } from './faults.ts'
import { StoredRecords } from './stored-records.ts'

/** An answer to a publish; no call is silence. */
export type Reply = (outcome: Appended) => void

/** What the leader that answers believes the ends of the stream to be. */
export interface Ends {
  readonly first: Position
  readonly next: Position
}

interface Proposal {
  readonly aim: Position
  readonly bytes: Uint8Array
  readonly reply: Reply | undefined
  /** Whether the leader's check reckons with it. */
  readonly counted: boolean
}

type Leadership =
  | { readonly kind: 'leading' }
  /** `says`: a server that lives says that there is no leader; otherwise there is silence. */
  | { readonly kind: 'electing'; readonly says: boolean }

export interface LeaderOptions {
  readonly timers: Timers
  readonly clock: Clock
  readonly dice: FaultDice
  readonly timings: StreamTimings
  /** Bytes of records that the stream keeps; publishes beyond are refused as `full`. */
  readonly bytesMax: number
  readonly lostRecordsMax: number
  readonly probe: (name: string) => void
  /** A record was stored under a leader that announces it. */
  readonly announce: (position: Position, bytes: Uint8Array) => void
}

export class Leader {
  readonly stored = new StoredRecords()
  readonly #options: LeaderOptions
  #leadership: Leadership = { kind: 'leading' }
  #term = 0
  #proposed: Proposal[] = []
  #proposedBytes = 0
  /** Proposals that vanished and are still counted. */
  #vanished = 0
  #vanishNext = false
  #lastCommitAt = 0
  /** How often proposals on their way were cut off. */
  #cuts = 0
  #stale: { readonly next: Position; readonly until: number } | undefined

  constructor(options: LeaderOptions) {
    this.#options = options
  }

  get bytesMax(): number {
    return this.#options.bytesMax
  }

  /** Share of the room that is taken, 0 to 1. */
  get fill(): number {
    return Math.min(1, this.stored.bytes / this.bytesMax)
  }

  /** Checks a publish and proposes it (I1). */
  publish(aim: Position, bytes: Uint8Array, reply: Reply): void {
    const { dice, probe, bytesMax } = this.#options
    const stale = this.#staleTail()
    if (stale !== undefined && dice.coin()) {
      probe('publish met an old leader')
      if (aim !== stale) reply({ kind: 'refused' })
      return
    }
    if (this.#leadership.kind === 'electing') {
      if (this.#leadership.says) reply({ kind: 'unavailable' })
      return
    }
    if (aim !== this.#expected()) return reply({ kind: 'refused' })
    if (this.stored.bytes + this.#proposedBytes + bytes.length > bytesMax) {
      probe('stream is full')
      return reply({ kind: 'full' })
    }
    if (this.#vanishNext || dice.happens('droppedProposals')) return this.#vanish()
    this.#proposed.push({ aim, bytes, reply, counted: true })
    this.#proposedBytes += bytes.length
    this.#commitLater()
    if (dice.happens('crashes')) this.#elect('crash')
    else if (dice.happens('handOvers')) this.#elect('hand-over')
  }

  /** The ends as the answering leader knows them; undefined is silence. An old leader's tail may lie behind. */
  ends(): Ends | undefined {
    const { dice, probe } = this.#options
    const stale = this.#staleTail()
    if (stale !== undefined && dice.coin()) {
      if (stale < this.stored.next) probe('tail of an old leader')
      return { first: this.stored.first, next: Math.max(this.stored.first, Math.min(stale, this.stored.next)) }
    }
    if (this.#leadership.kind === 'electing') return undefined
    return { first: this.stored.first, next: this.stored.next }
  }

  /** Forgets what lies below; false is silence. */
  trim(before: Position): boolean {
    if (this.#leadership.kind === 'electing') return false
    this.stored.trim(before)
    return true
  }

  /** Ends the present leader's term: its server dies, or it hands over in order. */
  elect(kind: 'crash' | 'hand-over'): void {
    this.#options.dice.count(kind === 'crash' ? 'crashes' : 'handOvers')
    this.#elect(kind)
  }

  /** Has the next publish that passes the check vanish. */
  vanishNext(): void {
    this.#vanishNext = true
  }

  /** Loses the newest records and whatever is on its way, and answers normally. */
  lose(count: number): void {
    const { dice, probe } = this.#options
    dice.count('regressions')
    this.#lose(count)
    probe('stream lost acked records')
  }

  /** Has readers find another record at the newest place. */
  fork(): void {
    if (!this.stored.replaceNewest()) return
    this.#options.dice.count('forks')
  }

  #expected(): Position {
    return this.stored.next + this.#proposed.filter(({ counted }) => counted).length + this.#vanished
  }

  #staleTail(): Position | undefined {
    if (this.#stale !== undefined && this.#options.clock.monotonic() >= this.#stale.until) this.#stale = undefined
    return this.#stale?.next
  }

  /** Has one more proposal stored after a while, the oldest by then: they are stored in order. */
  #commitLater(): void {
    const { timers, clock, dice, timings } = this.#options
    const now = clock.monotonic()
    this.#lastCommitAt = Math.max(this.#lastCommitAt, now + dice.span(timings.commit))
    const cuts = this.#cuts
    timers.after(this.#lastCommitAt - now, () => {
      if (this.#cuts === cuts) this.#commit()
    })
  }

  #commit(): void {
    const proposal = this.#proposed.shift()
    assert(proposal !== undefined, 'as many proposals are stored as were on their way')
    const { dice, probe, announce } = this.#options
    this.#proposedBytes -= proposal.bytes.length
    const position = this.stored.append(proposal.bytes)
    if (position !== proposal.aim) probe('record landed elsewhere')
    if (proposal.reply !== undefined) {
      announce(position, proposal.bytes)
      proposal.reply({ kind: 'acked', position })
    }
    if (dice.happens('regressions')) {
      this.#lose(1 + dice.upTo(this.#options.lostRecordsMax - 1))
      probe('stream lost acked records')
    } else if (dice.happens('forks')) this.stored.replaceNewest()
  }

  /** The proposal is gone, and counted until the leader steps down. */
  #vanish(): void {
    const { timers, dice, timings } = this.#options
    if (this.#vanishNext) dice.count('droppedProposals')
    this.#vanishNext = false
    this.#vanished += 1
    const term = this.#term
    timers.after(dice.span(timings.dropNoticed), () => {
      if (this.#term === term) this.elect('hand-over')
    })
  }

  #lose(count: number): void {
    this.#cuts += 1
    this.#proposed = []
    this.#proposedBytes = 0
    this.#vanished = 0
    this.#stale = undefined
    this.stored.lose(count)
  }

  #elect(kind: 'crash' | 'hand-over'): void {
    const { timers, clock, dice, timings, probe } = this.#options
    const term = ++this.#term
    this.#cuts += 1
    const survivors = this.#proposed.slice(0, dice.upTo(this.#proposed.length))
    const counted = survivors.length === 0 || !dice.happens('uncountedProposals')
    this.#proposed = survivors.map(({ aim, bytes }) => ({ aim, bytes, reply: undefined, counted }))
    this.#proposedBytes = survivors.reduce((sum, { bytes }) => sum + bytes.length, 0)
    this.#vanished = 0
    this.#leadership = { kind: 'electing', says: kind === 'hand-over' }
    const electedAfter = dice.span(kind === 'crash' ? timings.crash : timings.handOver)
    if (kind === 'crash' && dice.happens('staleLeaders')) {
      this.#stale = { next: this.stored.next, until: clock.monotonic() + electedAfter + dice.span(timings.stale) }
    }
    timers.after(electedAfter, () => {
      if (this.#term !== term) return
      this.#leadership = { kind: 'leading' }
      if (this.#proposed.length > 0) probe('proposals survived an election')
      for (let i = 0; i < this.#proposed.length; i++) this.#commitLater()
    })
  }
}
