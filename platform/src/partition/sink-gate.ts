// Lets changes in while there is room for what the unit's sinks keep of them, in one reign (UN7, A8).
//
// Owns who waits, in which order, and how many were let in. Does not own what is kept (`projections.ts`), nor how it
// leaves (`sinks.ts`), which calls it.
//
// I1 Nobody passes one who waits for the same sink. Who waits for another one is not waited for.
// I2 Whoever is let in is taken for one change of each sink that it feeds, until it has its answer.
import type { Timer, Timers } from '../runtime/index.ts'
import { isChange, waitOf, type Command, type Request } from '../space/index.ts'
import { overloaded } from './primary-errors.ts'

/** A sink that changes wait for. */
export interface GatedSink {
  readonly name: string
  readonly of: readonly string[]
}

export interface SinkGateOptions {
  readonly sinks: readonly GatedSink[]
  /** How many more changes a sink may keep. */
  readonly room: (sink: GatedSink) => number
  /** Requests that wait, at most. */
  readonly waitingMax: number
  readonly timers: Timers
  readonly submit: (request: Request) => Promise<unknown>
  /** Told of a sink for which somebody has to wait. */
  readonly onFull: (sink: GatedSink) => void
}

interface Lane {
  readonly sink: GatedSink
  waiting: number
  /** Let in, and not answered. */
  running: number
}

interface Waiting {
  readonly request: Request
  readonly lanes: readonly Lane[]
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
  readonly timer: Timer | undefined
}

/** Of those who wait, so many are looked at when there is room. */
const lookedAtMax = 1_000

export class SinkGate {
  readonly #options: SinkGateOptions
  readonly #lanes: readonly Lane[]
  #waiting: Waiting[] = []
  /** Those that need not wait any more, wherever they come back from. */
  readonly #letIn = new WeakSet<Request>()
  /** Messages that wait: whoever delivers one asks again, and waits once. */
  readonly #deliveries = new Map<string, Promise<unknown>>()
  #isAdmitting = false

  constructor(options: SinkGateOptions) {
    this.#options = options
    this.#lanes = options.sinks.map((sink) => ({ sink, waiting: 0, running: 0 }))
  }

  /** Has a change wait while a sink that it would feed is full, or somebody waits for it; undefined if it need not. */
  holdBack(request: Request): Promise<unknown> | undefined {
    if (this.#letIn.has(request)) return undefined
    let mustWait = false
    for (const lane of this.#lanes) {
      if ((lane.waiting === 0 && this.#room(lane) > 0) || !feeds(request.command, lane.sink)) continue
      mustWait = true
      this.#options.onFull(lane.sink)
    }
    return mustWait ? this.#wait(request) : undefined
  }

  /** There may be room: those who wait are let in, in their order. */
  admit(): void {
    if (this.#waiting.length === 0) return
    const blocked = new Set<Lane>()
    const admitted: Waiting[] = []
    const left: Waiting[] = []
    let at = 0
    for (; at < this.#waiting.length && at < lookedAtMax && blocked.size < this.#lanes.length; at++) {
      const one = this.#waiting[at]!
      if (one.lanes.some((lane) => blocked.has(lane) || this.#room(lane) <= 0)) {
        for (const lane of one.lanes) blocked.add(lane)
        left.push(one)
        continue
      }
      for (const lane of one.lanes) lane.running += 1
      admitted.push(one)
    }
    this.#waiting = [...left, ...this.#waiting.slice(at)]
    for (const one of admitted) this.#enter(one)
  }

  /** Ends a wait for a match that has not begun; false if nobody waits under this name. */
  cancel(id: string): boolean {
    const found = this.#waiting.find(({ request }) => waitOf(request.command)?.id === id)
    if (found !== undefined) this.#endWait(found)
    return found !== undefined
  }

  /** Whoever waits hears that nobody will run it. */
  abandon(error: unknown): void {
    for (const { timer, reject } of this.#waiting.splice(0)) {
      timer?.stop()
      reject(error)
    }
  }

  /** Forgets everybody without a word. */
  stop(): void {
    for (const { timer } of this.#waiting.splice(0)) timer?.stop()
  }

  #room(lane: Lane): number {
    return this.#options.room(lane.sink) - lane.running
  }

  #wait(request: Request): Promise<unknown> {
    const { command } = request
    const key = command.kind === 'deliver' ? `${command.from} ${command.number}` : undefined
    const same = key === undefined ? undefined : this.#deliveries.get(key)
    if (same !== undefined) return same
    const { waitingMax, timers } = this.#options
    if (this.#waiting.length >= waitingMax) return Promise.reject(overloaded('inboxRequestsMax', waitingMax))
    const lanes = this.#lanes.filter(({ sink }) => feeds(command, sink))
    for (const lane of lanes) lane.waiting += 1
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const wait = waitOf(command)
    const timer = wait === undefined ? undefined : timers.after(wait.ms, () => this.#endWait(waiting))
    const waiting: Waiting = { request, lanes, resolve, reject, timer }
    this.#waiting.push(waiting)
    if (key === undefined) return promise
    this.#deliveries.set(key, promise)
    const forget = (): void => void this.#deliveries.delete(key)
    promise.then(forget, forget)
    return promise
  }

  /** Runs one that was let in. */
  #enter({ request, lanes, resolve, reject, timer }: Waiting): void {
    timer?.stop()
    for (const lane of lanes) lane.waiting -= 1
    this.#letIn.add(request)
    const answer = this.#options.submit(request)
    answer.then(resolve, reject)
    const over = (): void => {
      for (const lane of lanes) lane.running -= 1
      this.#admitSoon()
    }
    answer.then(over, over)
  }

  /** Some of those that were let in may have changed nothing: their places are free, and no record will say so. */
  #admitSoon(): void {
    if (this.#isAdmitting) return
    this.#isAdmitting = true
    queueMicrotask(() => {
      this.#isAdmitting = false
      this.admit()
    })
  }

  /** The time of one that waits for a match is over: only an answer that is kept may still be given. */
  #endWait(waiting: Waiting): void {
    const at = this.#waiting.indexOf(waiting)
    if (at === -1) return
    this.#waiting.splice(at, 1)
    const { request, lanes } = waiting
    for (const lane of lanes) lane.running += 1
    const wait = { ...waitOf(request.command)!, ms: 0, over: true } as const
    this.#enter({ ...waiting, request: { ...request, command: { ...request.command, wait } as Command } })
  }
}

/** Whether a command may change what a sink keeps. */
function feeds(command: Command, { of }: GatedSink): boolean {
  switch (command.kind) {
    case 'call':
    case 'prepare':
    case 'commit':
      return true
    case 'deliver':
      return command.call !== undefined
    case 'batch':
      return command.commands.some((one) => isChange(one) && of.includes(one.type))
    default:
      return isChange(command) && of.includes(command.type)
  }
}
