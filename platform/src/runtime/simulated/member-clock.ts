/** The clocks of one machine as functions of virtual time: they drift, and the wall clock is off and jumps. */
export class MemberClock {
  /** The last change of the rate: when it was, and what the monotonic clock said. */
  #since = 0
  #monotonicAtSince: number
  #rate: number
  #wallOffsetMs: number

  /** `startMs` is what the monotonic clock says at virtual time 0; `wallOffsetMs` what to add to it for the wall clock. */
  constructor(startMs: number, wallOffsetMs: number, drift: number) {
    this.#monotonicAtSince = startMs
    this.#wallOffsetMs = wallOffsetMs
    this.#rate = 1 + drift
  }

  monotonicAt(virtual: number): number {
    return this.#monotonicAtSince + (virtual - this.#since) * this.#rate
  }

  wallAt(virtual: number): number {
    return this.monotonicAt(virtual) + this.#wallOffsetMs
  }

  /** Virtual milliseconds from `virtual` on until this clock has moved on by `ms`. */
  virtualMs(virtual: number, ms: number): number {
    let length = ms / this.#rate
    // Rounding must not let a timer fire before the clock shows that its time has come.
    const due = this.monotonicAt(virtual) + ms
    while (this.monotonicAt(virtual + length) < due) length += 1e-6
    return length
  }

  /** The wall clock is set by hand or by a time server: it jumps by `ms`, the monotonic one does not. */
  jumpWall(ms: number): void {
    this.#wallOffsetMs += ms
  }

  /** From `virtual` on the clocks run by a share of `drift` too fast. */
  setDrift(virtual: number, drift: number): void {
    this.#monotonicAtSince = this.monotonicAt(virtual)
    this.#since = virtual
    this.#rate = 1 + drift
  }
}
