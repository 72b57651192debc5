// One member's connection to a simulated stream: publishes and requests over wires that delay, lose and double.
//
// Owns what is in flight, and how long a member waits before it calls an outcome unknown. Does not own the stream.
// Called by `simulated-journal.ts` and `follow-stream.ts`.
//
// I1 Every publish and every request ends, by an answer or by a timer of this member.
// I2 While the connection is open nothing ends in the turn in which it was asked, so that nobody who asks again at once
//    can hold up time.
import { PlenumError } from '../../kernel/index.ts'
import type { Timers } from '../../runtime/index.ts'
import type { Appended, Position } from '../journal.ts'
import type { StreamServers } from './servers.ts'
import { Wire } from './wire.ts'

/** From the member to the servers, or from the servers to the member. */
export type Direction = 'out' | 'in'

/** One member's place in the world, as its connection needs it. */
export interface StreamMember {
  /** This member's timers, which stand still while it is paused and end when it is killed; the servers' by default. */
  readonly timers?: Timers
  /** Whether what the member sends (`out`), or what is sent to it (`in`), passes now; always by default. */
  readonly reachable?: (direction: Direction) => boolean
}

export class Connection {
  readonly #servers: StreamServers
  readonly #timers: Timers
  readonly #reachable: (direction: Direction) => boolean
  readonly #publishes: Wire
  readonly #acks: Wire
  readonly #questions: Wire
  readonly #answers: Wire
  readonly #inFlight = new Set<() => void>()
  readonly #onEnd = new Set<() => void>()
  #cutSince: number | undefined
  #closed = false

  constructor(servers: StreamServers, member: StreamMember) {
    this.#servers = servers
    this.#timers = member.timers ?? servers.timers
    this.#reachable = member.reachable ?? (() => true)
    this.#publishes = this.wire('out')
    this.#acks = this.wire('in')
    this.#questions = this.wire('out')
    this.#answers = this.wire('in')
  }

  get closed(): boolean {
    return this.#closed
  }

  get timers(): Timers {
    return this.#timers
  }

  /** A wire of its own between this member and the servers, for one direction. */
  wire(direction: Direction): Wire {
    const { timers, clock, dice, timings } = this.#servers
    return new Wire({ timers, clock, dice, timings, reachable: () => this.#reachable(direction) })
  }

  /** Hands what has arrived to the member, when its process runs. */
  hand(receive: () => void): void {
    this.#timers.soon(receive)
  }

  /** Sends a publish; resolves when it has an outcome, `unknown` after the append time-out. */
  publish(position: Position, bytes: Uint8Array): Promise<Appended> {
    if (this.#closed) return Promise.resolve({ kind: 'unavailable' })
    const { timings } = this.#servers
    const sent = !this.#knowsThatItIsCut()
    return new Promise((resolve) => {
      const finish = (outcome: Appended): void => {
        if (!this.#inFlight.delete(end)) return
        timer.stop()
        resolve(outcome)
      }
      const end = (): void => finish({ kind: 'unknown' })
      const timer = this.#timers.after(timings.appendTimeout, () => finish({ kind: sent ? 'unknown' : 'unavailable' }))
      this.#inFlight.add(end)
      if (sent) this.#sendPublish(position, bytes, finish)
    })
  }

  /**
   * Asks the leader. JOURNAL_UNAVAILABLE if it is silent (`ask` gave undefined), the wire is cut, or the signal aborts.
   */
  request<T>(what: string, ask: () => T | undefined, signal?: AbortSignal): Promise<T> {
    if (this.#closed) return Promise.reject(this.unavailable(what, 'closed'))
    const { dice, timings } = this.#servers
    return new Promise((resolve, reject) => {
      const settle = (run: () => void): void => {
        if (!this.#inFlight.delete(end)) return
        signal?.removeEventListener('abort', aborted)
        timer.stop()
        run()
      }
      const end = (): void => settle(() => reject(this.unavailable(what, 'closed')))
      const aborted = (): void => settle(() => reject(this.unavailable(what, 'aborted')))
      const timer = this.#timers.after(timings.requestTimeout, () =>
        settle(() => reject(this.unavailable(what, 'silent'))),
      )
      this.#inFlight.add(end)
      signal?.addEventListener('abort', aborted, { once: true })
      const lost = dice.happens('lostRequests')
      if (lost && dice.coin()) return
      this.#questions.send(() => {
        const answer = ask()
        if (answer === undefined || lost) return
        this.#answers.send(() => this.hand(() => settle(() => resolve(answer))))
      })
    })
  }

  /** Resolves after a time of this member. */
  sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.#timers.after(delayMs, resolve))
  }

  /** Ends everything in flight. What was sent may arrive all the same, as from a process that was killed. */
  close(): void {
    this.#closed = true
    for (const end of this.#inFlight) end()
    this.sever()
  }

  /** The end of the process: nothing that was asked is answered, and nobody is told. */
  sever(): void {
    this.#closed = true
    this.#inFlight.clear()
    for (const forget of this.#onEnd) forget()
    this.#onEnd.clear()
  }

  /** Has `wake` called at `close`, and `forget` at `close` or `sever`, until the returned function is called. */
  onEnd(wake: () => void, forget: () => void): () => void {
    this.#inFlight.add(wake)
    this.#onEnd.add(forget)
    return () => {
      this.#inFlight.delete(wake)
      this.#onEnd.delete(forget)
    }
  }

  unavailable(what: string, reason: string): PlenumError {
    return new PlenumError(
      'JOURNAL_UNAVAILABLE',
      `The stream did not answer when asked for ${what}: ${reason}. Ask again later.`,
      { details: { what, reason } },
    )
  }

  #sendPublish(position: Position, bytes: Uint8Array, finish: (outcome: Appended) => void): void {
    const servers = this.#servers
    const { dice, leader } = servers
    const arrive = (): void =>
      leader.publish(position, bytes, (outcome) => {
        if (!servers.losesAck()) this.#acks.send(() => this.hand(() => finish(outcome)))
      })
    if (servers.holds(arrive) || dice.happens('lostPublishes')) return
    if (dice.happens('latePublishes')) return this.#publishes.sendLate(arrive)
    this.#publishes.send(arrive)
    if (!dice.happens('doubledPublishes')) return
    if (dice.coin()) this.#publishes.send(arrive)
    else this.#publishes.sendLate(arrive)
  }

  /** Whether this member has been cut off for so long that it knows and sends nothing. */
  #knowsThatItIsCut(): boolean {
    if (this.#reachable('out') && this.#reachable('in')) {
      this.#cutSince = undefined
      return false
    }
    const now = this.#servers.clock.monotonic()
    this.#cutSince ??= now
    return now - this.#cutSince >= this.#servers.timings.cutNoticed
  }
}
