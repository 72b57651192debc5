import type { Timer } from '../ports.ts'
import type { WorldEvent } from './event-queue.ts'

/** What a process needs of its world. */
export interface ProcessWorld {
  readonly now: number
  schedule(delayMs: number, run: () => void, owner: Process): Timer
  /** Puts an event that had to wait back into the queue, to happen at `time`. */
  requeue(event: WorldEvent, time: number): void
}

type State =
  | { readonly kind: 'running' }
  | { readonly kind: 'paused'; readonly waiting: WorldEvent[] }
  | { readonly kind: 'dead' }

/**
 * One incarnation of a member. Everything that happens in it is an event with this owner: while it is paused they wait
 * and then come in a burst, while it is busy they wait for its thread, and once it was killed they never happen.
 */
export class Process {
  readonly name: string
  /** 1 for the first process of a member, one more for each next. */
  readonly incarnation: number
  readonly #world: ProcessWorld
  #state: State = { kind: 'running' }
  readonly #onEnd: (() => void)[] = []
  #busyUntil = 0

  constructor(world: ProcessWorld, name: string, incarnation: number) {
    this.#world = world
    this.name = name
    this.incarnation = incarnation
  }

  get alive(): boolean {
    return this.#state.kind !== 'dead'
  }

  get paused(): boolean {
    return this.#state.kind === 'paused'
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
    switch (this.#state.kind) {
      case 'dead':
        return false
      case 'paused':
        this.#state.waiting.push(event)
        return false
      case 'running':
        if (this.#busyUntil <= this.#world.now) return true
        this.#world.requeue(event, this.#busyUntil)
        return false
    }
  }

  kill(): void {
    if (!this.alive) return
    this.#state = { kind: 'dead' }
    for (const run of this.#onEnd) run()
  }

  /** Called once, at the end of the process. */
  onEnd(run: () => void): void {
    this.#onEnd.push(run)
  }

  pause(): void {
    if (this.#state.kind === 'running') this.#state = { kind: 'paused', waiting: [] }
  }

  /** Everything that waited comes now, in its order, as one event each. */
  resume(): void {
    if (this.#state.kind !== 'paused') return
    const { waiting } = this.#state
    this.#state = { kind: 'running' }
    for (const event of waiting) this.#world.requeue(event, this.#world.now)
  }
}
