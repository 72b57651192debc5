import type { Timer } from '../ports.ts'
import type { WorldEvent } from './event-queue.ts'

/** What a process needs of its world. */
export interface ProcessWorld {
  readonly now: number
  schedule(delayMs: number, run: () => void, owner?: Process): Timer
  /** Makes an event happen that had to wait. */
  happen(event: WorldEvent): void
}

/**
 * One incarnation of a member. Everything that happens in it is an event with this owner: while it is paused they wait
 * and then come in a burst, while it is busy they wait for its thread, and once it was killed they never happen.
 */
export class Process {
  readonly name: string
  /** 1 for the first process of a member, one more for each next. */
  readonly incarnation: number
  readonly #world: ProcessWorld
  #state: 'running' | 'paused' | 'dead' = 'running'
  /** Events whose time has come while the process was paused or busy, in that order. */
  #backlog: WorldEvent[] = []
  #wakes = false
  readonly #onEnd: (() => void)[] = []
  #busyUntil = 0

  constructor(world: ProcessWorld, name: string, incarnation: number) {
    this.#world = world
    this.name = name
    this.incarnation = incarnation
  }

  get alive(): boolean {
    return this.#state !== 'dead'
  }

  get paused(): boolean {
    return this.#state === 'paused'
  }

  /** Virtual milliseconds as this process meets them: ahead of the world's while it holds up its own loop. */
  get now(): number {
    return Math.max(this.#world.now, this.#busyUntil)
  }

  /** Runs a function in this process, `delayMs` after its own present; never if it is dead by then, or now. */
  after(delayMs: number, run: () => void): Timer {
    if (!this.alive) return { stop: () => {} }
    return this.#world.schedule(this.now - this.#world.now + delayMs, run, this)
  }

  /** Lets time pass within the event at hand, as a synchronous call that takes long does. */
  busy(ms: number): void {
    this.#busyUntil = this.now + ms
  }

  /** True if the event may happen now; otherwise it is kept for later, or dropped. */
  admits(event: WorldEvent): boolean {
    if (this.#state === 'dead') return false
    const isFree = this.#state === 'running' && this.#busyUntil <= this.#world.now && this.#backlog.length === 0
    if (isFree) return true
    this.#backlog.push(event)
    this.#wake()
    return false
  }

  kill(): void {
    if (!this.alive) return
    this.#state = 'dead'
    this.#backlog = []
    for (const run of this.#onEnd) run()
  }

  /** Called once, at the end of the process. */
  onEnd(run: () => void): void {
    this.#onEnd.push(run)
  }

  pause(): void {
    if (this.#state === 'running') this.#state = 'paused'
  }

  /** Everything that waited comes now, in its order, as one event each. */
  resume(): void {
    if (this.#state !== 'paused') return
    this.#state = 'running'
    this.#wake()
  }

  /** Lets the first event of the backlog happen as soon as the process is free, and then the next. */
  #wake(): void {
    if (this.#wakes || this.#state !== 'running' || this.#backlog.length === 0) return
    this.#wakes = true
    this.#world.schedule(this.now - this.#world.now, () => {
      this.#wakes = false
      if (this.#state === 'running' && this.#busyUntil <= this.#world.now) {
        const event = this.#backlog.shift()
        if (event !== undefined && !event.handle.stopped) this.#world.happen(event)
      }
      this.#wake()
    })
  }
}
