import type { Clock, Timers } from '../../runtime/index.ts'
import type { FaultDice } from './fault-dice.ts'
import type { StreamTimings } from './faults.ts'

export interface WireOptions {
  readonly timers: Timers
  readonly clock: Clock
  readonly dice: FaultDice
  readonly timings: StreamTimings
  /** Whether the member at one end reaches the servers now. */
  readonly reachable: () => boolean
}

/** One direction of one connection between a member and the servers: in order, delayed, silent while it is cut. */
export class Wire {
  readonly #options: WireOptions
  readonly #underWay: (() => void)[] = []
  #lastAt = 0

  constructor(options: WireOptions) {
    this.#options = options
  }

  /** Delivers after everything that was sent before; not at all if the wire is cut when it is sent or arrives. */
  send(deliver: () => void): void {
    const { timers, clock, dice, timings } = this.#options
    if (!this.#options.reachable()) return
    const now = clock.monotonic()
    const slow = dice.happens('slowMessages')
    this.#lastAt = Math.max(this.#lastAt, now + dice.span(slow ? timings.slowMessage : timings.message))
    this.#underWay.push(deliver)
    // The oldest arrives, whichever timer fires: equal times may differ in their last bit.
    timers.after(this.#lastAt - now, () => {
      const arrived = this.#underWay.shift()
      if (this.#options.reachable()) arrived?.()
    })
  }

  /** Delivers late, past what is sent meanwhile: a packet that waited in some queue of the servers. */
  sendLate(deliver: () => void): void {
    const { timers, dice, timings } = this.#options
    if (this.#options.reachable()) timers.after(dice.span(timings.late), deliver)
  }
}
