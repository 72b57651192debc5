import { PlenumError } from '../../kernel/index.ts'
import { nodeRuntime } from '../node/index.ts'
import type { Clock, Runtime, Timer, Timers } from '../ports.ts'
import type { Counts } from './counts.ts'
import { drawMs, type FaultPlan } from './fault-plan.ts'
import { MemberClock } from './member-clock.ts'
import { Process, type ProcessWorld } from './process.ts'
import type { SeededRandom } from './random.ts'

/** What a member needs of its world. */
export interface MemberWorld extends ProcessWorld {
  readonly random: SeededRandom
  readonly faults: FaultPlan
  readonly counts: Counts
  readonly probes: Counts
  /** Milliseconds since 1970 at virtual time 0. */
  readonly startMs: number
  after(delayMs: number, run: () => void): Timer
}

export interface MemberOptions {
  /** Milliseconds by which the wall clock is off; drawn from the world's fault plan if left out. */
  readonly offsetMs?: number
  /** Share by which both clocks run too fast; drawn likewise. */
  readonly drift?: number
}

/** A machine with one process at a time: a member of the grid, or a client. */
export class SimulatedMember {
  readonly name: string
  readonly #world: MemberWorld
  readonly #clock: MemberClock
  readonly #random: SeededRandom
  #process: Process
  #pauses = 0

  constructor(world: MemberWorld, name: string, options: MemberOptions) {
    this.name = name
    this.#world = world
    this.#random = world.random.fork(`member ${name}`)
    const { offsetMsMax, driftMax } = world.faults.clock
    const offsetMs = options.offsetMs ?? this.#random.between(-offsetMsMax, offsetMsMax)
    const drift = options.drift ?? this.#random.between(-driftMax, driftMax)
    // The zero of a monotonic clock means nothing, so every member has another one.
    const bootedMs = this.#random.between(0, 1e7)
    this.#clock = new MemberClock(bootedMs, world.startMs - bootedMs + offsetMs, drift)
    this.#process = new Process(world, name, 1)
  }

  /** The process of now, dead or alive; owner of its events. */
  get process(): Process {
    return this.#process
  }

  get alive(): boolean {
    return this.#process.alive
  }

  /** The ports of the process of now. They stop with it: a later incarnation has its own. */
  runtime(): Runtime {
    const process = this.#process
    const random = this.#random.fork(`process ${process.incarnation}`)
    const slowness = random.fork('slowness')
    return {
      clock: this.#clockOf(process, slowness),
      timers: this.#timersOf(process, slowness),
      random,
      digest: (parts) => nodeRuntime().digest(parts),
      probe: (name) => this.#world.probes.add(name),
    }
  }

  /** Ends the process at once, as kill -9 does: nothing of it happens any more. */
  kill(): void {
    this.#process.kill()
  }

  /** Begins a new process, which has nothing of the last one. The caller starts the member's code in it. */
  restart(): Process {
    if (this.alive) throw new PlenumError('USAGE', `The member ${this.name} runs already; kill it first.`)
    this.#process = new Process(this.#world, this.name, this.#process.incarnation + 1)
    return this.#process
  }

  /** Stops the process for `ms`, as SIGSTOP does: its events wait, its clock goes on. Without `ms` until `resume`. */
  pause(ms = Infinity): void {
    const process = this.#process
    process.pause()
    const pause = ++this.#pauses
    if (ms === Infinity) return
    this.#world.after(ms, () => {
      if (pause === this.#pauses) process.resume()
    })
  }

  resume(): void {
    this.#pauses += 1
    this.#process.resume()
  }

  /** The wall clock of the machine now, milliseconds since 1970. */
  wall(): number {
    return this.#clock.wallAt(this.#process.now)
  }

  /** Sets the wall clock ahead by `ms`, or back. */
  jumpWall(ms: number): void {
    this.#clock.jumpWall(ms)
  }

  /** From now on both clocks run by a share of `drift` too fast, or too slow. */
  setDrift(drift: number): void {
    this.#clock.setDrift(this.#process.now, drift)
  }

  #clockOf(process: Process, random: SeededRandom): Clock {
    const now = (): number => {
      const { stallRate, stallMs } = this.#world.faults.process
      if (random.chance(stallRate)) {
        process.busy(drawMs(random, stallMs))
        this.#world.counts.add('stall')
      }
      return process.now
    }
    return { monotonic: () => this.#clock.monotonicAt(now()), wall: () => this.#clock.wallAt(now()) }
  }

  #timersOf(process: Process, random: SeededRandom): Timers {
    return {
      after: (delayMs, run) => {
        const { lateTimerRate, lateTimerMs } = this.#world.faults.process
        let ms = this.#clock.virtualMs(process.now, Math.max(0, delayMs))
        if (random.chance(lateTimerRate)) {
          ms += drawMs(random, lateTimerMs)
          this.#world.counts.add('late timer')
        }
        return process.after(ms, run)
      },
      soon: (run) => {
        process.after(0, run)
      },
    }
  }
}
