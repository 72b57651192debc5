// A world in virtual time on one thread: every event of every member, one after the other, decided by a seed.
//
// Owns the queue of events, virtual time and what was counted. Does not own members' code, networks or disks, which put
// their events in. Called by whoever simulates: tests, the simulated grid, the campaign.
//
// I1 Events happen by time, and those of one moment in the order in which they were put in.
// I2 When an event begins, every promise reaction of all earlier ones has run (see turn.ts).
// I3 Virtual time never goes back, and nothing but an event or the end of a wait moves it.
// I4 All that is random comes from the seed, each place by a stream of its own.
import { PlenumError } from '../../kernel/index.ts'
import type { Timer } from '../ports.ts'
import { Counts } from './counts.ts'
import { EventQueue, type WorldEvent } from './event-queue.ts'
import { drawKinds, faultPlan, noFaults, type FaultKind, type FaultPlan } from './fault-plan.ts'
import { SimulatedMember, type MemberOptions, type MemberWorld } from './member.ts'
import type { Process } from './process.ts'
import { SeededRandom } from './random.ts'
import { Trace } from './trace.ts'
import { eachTurn } from './turn.ts'

export interface WorldOptions {
  readonly seed: number | string
  /** `all` draws from all kinds; a list has exactly those; a plan is taken as it is. `none` if left out. */
  readonly faults?: 'none' | 'all' | readonly FaultKind[] | FaultPlan
  /** How many of the last entries of the trace are kept as text; none if left out. */
  readonly traceLines?: number
}

/** How long a wait may take. */
export interface Bounds {
  /** Virtual milliseconds. 60,000. */
  readonly maxMs?: number
  /** Events; ends what goes round in circles without time passing. 5,000,000. */
  readonly maxEvents?: number
}

interface Goal {
  readonly what: string
  readonly reached: () => boolean
  readonly begun: number
  readonly bounds: Required<Bounds>
  readonly deadline: number
  readonly eventsMax: number
  /** True if the deadline is what is waited for. */
  readonly isTime: boolean
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/** 2020-09-13T12:26:40Z, when all virtual time begins. */
const startMs = 1_600_000_000_000

export class World implements MemberWorld {
  readonly seed: number | string
  readonly random: SeededRandom
  readonly trace: Trace
  /** How often each fault happened. */
  readonly counts = new Counts()
  /** How often each probe in the code was met. */
  readonly probes = new Counts()
  readonly startMs = startMs
  readonly #queue = new EventQueue()
  readonly #members = new Map<string, SimulatedMember>()
  #faults: FaultPlan
  #now = 0
  #events = 0
  #goals: Goal[] = []
  #pumping = false

  constructor(options: WorldOptions) {
    this.seed = options.seed
    this.random = new SeededRandom(String(options.seed))
    this.trace = new Trace(options.traceLines)
    this.#faults = planOf(options.faults ?? 'none', this.random.fork('faults'))
  }

  /** Virtual milliseconds since the world began. */
  get now(): number {
    return this.#now
  }

  /** Events that happened so far. */
  get events(): number {
    return this.#events
  }

  /** True if nothing is left to happen. */
  get idle(): boolean {
    return this.#queue.size === 0
  }

  /** What goes wrong from now on. */
  get faults(): FaultPlan {
    return this.#faults
  }

  /** Changes what goes wrong from now on; without a plan, nothing does. What happened already is not undone. */
  setFaults(plan: FaultPlan = noFaults): void {
    this.#faults = plan
  }

  /** Runs a function `delayMs` from now, in a process if one is given. */
  schedule(delayMs: number, run: () => void, owner?: Process): Timer {
    return this.#queue.add(this.#now + Math.max(0, delayMs), run, owner)
  }

  after(delayMs: number, run: () => void): Timer {
    return this.schedule(delayMs, run)
  }

  happen(event: WorldEvent): void {
    this.#events += 1
    this.trace.note(this.#now, event.owner?.name ?? 'world')
    try {
      event.run()
    } catch (error) {
      // In a real process this would be an uncaught exception.
      this.#end(
        () => true,
        (goal) => goal.reject(error),
      )
    }
  }

  /** The member of this name; the options count when it is asked for the first time. */
  member(name: string, options: MemberOptions = {}): SimulatedMember {
    const known = this.#members.get(name)
    if (known !== undefined) return known
    const member = new SimulatedMember(this, name, options)
    this.#members.set(name, member)
    return member
  }

  /** Lets time pass until the condition holds, which is asked after every event. CHECK_FAILED at a bound. */
  run(until: () => boolean, bounds: Bounds = {}): Promise<void> {
    return this.#wait('the condition', until, bounds, false)
  }

  /** Lets so many virtual milliseconds pass, also where nothing happens in them. */
  runFor(ms: number, bounds: Pick<Bounds, 'maxEvents'> = {}): Promise<void> {
    return this.#wait('the end of a wait', () => false, { ...bounds, maxMs: ms }, true)
  }

  /** Lets time pass until the promise has settled, and settles alike. CHECK_FAILED at a bound. */
  async complete<T>(promise: Promise<T>, bounds: Bounds = {}): Promise<T> {
    let settled = false
    const mark = (): void => {
      settled = true
    }
    promise.then(mark, mark)
    await this.#wait('the promise', () => settled, bounds, false)
    return promise
  }

  #wait(what: string, reached: () => boolean, given: Bounds, isTime: boolean): Promise<void> {
    const bounds = { maxMs: given.maxMs ?? 60_000, maxEvents: given.maxEvents ?? 5_000_000 }
    const deadline = this.#now + bounds.maxMs
    const eventsMax = this.#events + bounds.maxEvents
    return new Promise((resolve, reject) => {
      this.#goals.push({ what, reached, begun: this.#now, bounds, deadline, eventsMax, isTime, resolve, reject })
      this.#pump()
    })
  }

  /** Makes things happen while anybody waits for something. Several may wait at once. */
  #pump(): void {
    if (this.#pumping) return
    this.#pumping = true
    // Whoever waits has just called into the code under test, which comes to rest before the first turn.
    eachTurn(() => {
      if (this.#goals.length === 0) this.#pumping = false
      else if (!this.#settleGoals()) this.#step()
      return this.#pumping
    })
  }

  /** Tells who waits for what has come true. They go on before the next event. */
  #settleGoals(): boolean {
    return this.#end(
      ({ reached }) => reached(),
      ({ resolve }) => resolve(),
    )
  }

  #step(): void {
    const time = this.#queue.nextTime()
    const horizon = this.#goals.reduce((least, { deadline }) => Math.min(least, deadline), Infinity)
    const hopeless = time === Infinity && !this.#goals.some(({ isTime }) => isTime)
    if (hopeless) {
      this.#end(
        () => true,
        (goal) => goal.reject(this.#failure(goal, 'nothing is left to happen')),
      )
    } else if (time > horizon) {
      this.#now = horizon
      this.#end(
        ({ deadline }) => deadline <= horizon,
        (goal) =>
          goal.isTime
            ? goal.resolve()
            : goal.reject(this.#failure(goal, `${goal.bounds.maxMs} virtual ms have passed`)),
      )
    } else {
      this.#next()
      this.#end(
        ({ eventsMax, reached }) => this.#events > eventsMax && !reached(),
        (goal) => goal.reject(this.#failure(goal, `${goal.bounds.maxEvents} events have happened`)),
      )
    }
  }

  #next(): void {
    const event = this.#queue.take()
    if (event === undefined) return
    this.#now = event.time
    if (event.owner === undefined || event.owner.admits(event)) this.happen(event)
  }

  /** Takes the goals that `which` selects off the list, then ends each; true if there was one. */
  #end(which: (goal: Goal) => boolean, how: (goal: Goal) => void): boolean {
    if (!this.#goals.some(which)) return false
    const ended = this.#goals.filter(which)
    this.#goals = this.#goals.filter((goal) => !ended.includes(goal))
    for (const goal of ended) how(goal)
    return true
  }

  #failure(goal: Goal, bound: string): PlenumError {
    const details = { seed: this.seed, begun: goal.begun, now: this.#now, events: this.#events, ...goal.bounds }
    return new PlenumError(
      'CHECK_FAILED',
      `In the world of seed ${this.seed}, ${goal.what} that was waited for since ${goal.begun} did not come: ${bound}.`,
      { details },
    )
  }
}

function planOf(faults: NonNullable<WorldOptions['faults']>, random: SeededRandom): FaultPlan {
  if (faults === 'none') return noFaults
  if (faults === 'all') return faultPlan(random, drawKinds(random))
  return 'network' in faults ? faults : faultPlan(random, faults)
}
