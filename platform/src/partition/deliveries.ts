// Delivers the messages of a partition (UN12), in one reign.
//
// Owns what is on its way, and in which order. Does not own what is sent or has arrived: those are rows (`messages.ts`).
// Volatile: a new reign delivers anew what is not known to be delivered, and the receivers know what they have done.
// Called by `unit-work.ts`.
//
// I1 A message leaves when the record that sent it is acked: what sent it may otherwise never have been.
// I2 Of those to one route, one is on its way at a time, and the next when its end is known.
// I3 A message fails only by an answer that says so. Before it is a dead letter its number is voided, so that no copy of it
//    can be done later.
import { Heap, isPlenumError, type Limits } from '../kernel/index.ts'
import type { Random, Timer, Timers } from '../runtime/index.ts'
import {
  errorData,
  type AttemptError,
  type Delivered,
  type MessageCommand,
  type Request,
  type Row,
} from '../space/index.ts'
import type { PartitionEvent } from './events.ts'
import type { AskPartition } from './in-doubt.ts'
import type { PartitionMeters } from './partition-meters.ts'
import { messageOf, type MessageRow, type Messages } from './messages.ts'

/** Milliseconds until a message that could not be delivered is tried again, and the longest pause. */
const againMs = 100
const againMsMax = 5_000
/** Milliseconds after the first failed attempt; twice as long after each. */
const backoffMs = 500

/** A message that is to be delivered. */
interface Parcel {
  readonly row: Row
  readonly message: MessageRow
  readonly index: number
}

/** The messages to one route. */
interface Lane {
  readonly key: string
  readonly parcels: Parcel[]
}

export interface DeliveriesOptions {
  /** Number of this partition. */
  readonly number: number
  readonly limits: Limits
  readonly timers: Timers
  readonly random: Random
  readonly now: () => number
  readonly acked: () => number
  readonly ask: AskPartition
  readonly submit: (request: Request) => Promise<unknown>
  readonly onEvent: (event: PartitionEvent) => void
  readonly meters?: PartitionMeters | undefined
}

export class Deliveries {
  readonly #options: DeliveriesOptions
  readonly #lanes = new Map<string, Lane>()
  /** Lanes that wait for others to end. */
  readonly #waiting: Lane[] = []
  /** Numbers that are not over, by the partition that they go to, lowest first. */
  readonly #open = new Map<number, Set<number>>()
  /** Those whose records are not acked, in the order of their records. */
  #unacked: Parcel[] = []
  readonly #later = new Heap<Row>(isDueBefore)
  /** Messages that were delivered, and are not forgotten yet. */
  #delivered: Parcel[] = []
  #inFlight = 0
  #timer: Timer | undefined
  /** True while it is being told what is due: what comes after that is told after it. */
  #isTelling = false
  /** Pauses under way: each keeps the process alive, and ends with the reign. */
  readonly #pauses = new Set<{ readonly timer: Timer; readonly end: () => void }>()
  #stopped = false

  constructor(options: DeliveriesOptions) {
    this.#options = options
  }

  /** Begins with what earlier reigns have left. */
  start(messages: Messages): void {
    for (const row of messages.undelivered) this.posted(row)
  }

  /** A message was sent, or its time has come. */
  readonly posted = (row: Row): void => {
    const message = messageOf(row)
    if (message.state === 'later') {
      this.#later.push(row)
      return this.#look()
    }
    const open = this.#open.get(message.to)
    if (open === undefined) this.#open.set(message.to, new Set([message.number]))
    else open.add(message.number)
    const parcel = { row, message, index: row.index }
    if (row.index <= this.#options.acked()) this.#enqueue(parcel)
    else this.#unacked.push(parcel)
  }

  /** More is acked. */
  onAcked(index: number): void {
    if (this.#unacked.length === 0 || this.#unacked[0]!.index > index) return
    const acked = this.#unacked.findIndex((parcel) => parcel.index > index)
    const ready = this.#unacked.splice(0, acked === -1 ? this.#unacked.length : acked)
    for (const parcel of ready) this.#enqueue(parcel)
  }

  stop(): void {
    this.#stopped = true
    this.#timer?.stop()
    for (const { timer, end } of this.#pauses) {
      timer.stop()
      end()
    }
    this.#pauses.clear()
  }

  #enqueue(parcel: Parcel): void {
    const {
      to,
      call: { route },
    } = parcel.message
    const key = JSON.stringify([to, typeof route, String(route)])
    const known = this.#lanes.get(key)
    if (known !== undefined) return void known.parcels.push(parcel)
    const lane = { key, parcels: [parcel] }
    this.#lanes.set(key, lane)
    this.#begin(lane)
  }

  #begin(lane: Lane): void {
    if (this.#inFlight >= this.#options.limits.messagesInFlightMax) return void this.#waiting.push(lane)
    this.#inFlight += 1
    void this.#carry(lane)
  }

  /** Delivers what a lane holds, one after the other. */
  async #carry(lane: Lane): Promise<void> {
    const { parcels } = lane
    for (let parcel = parcels[0]; parcel !== undefined && !this.#stopped; parcel = parcels[0]) {
      await this.#deliver(parcel)
      parcels.shift()
    }
    this.#lanes.delete(lane.key)
    this.#inFlight -= 1
    const next = this.#stopped ? undefined : this.#waiting.shift()
    if (next !== undefined) this.#begin(next)
  }

  /** Resolves when a message is delivered, or a dead letter, or the reign has ended. */
  async #deliver(parcel: Parcel): Promise<void> {
    const { limits, now } = this.#options
    const errors: AttemptError[] = []
    while (!this.#stopped) {
      try {
        const outcome = await this.#ask(parcel, parcel.message.call)
        if (outcome === 'done') return this.#finish(parcel)
        // An earlier reign has given it up, and ended before it could say so.
        errors.push({ at: now(), message: 'All attempts had failed before another member became primary.' })
        return await this.#bury(parcel, errors)
      } catch (error) {
        errors.push({ at: now(), message: textOf(error) })
        // A refusal is an answer, and never asked for again (UN2b).
        const isLast = errors.length >= limits.messageAttemptsMax || isPlenumError(error, 'REFUSED')
        if (isLast) return this.#giveUp(parcel, errors)
        await this.#pause(backoffMs * 2 ** (errors.length - 1))
      }
    }
  }

  /** Asks the receiver until it answers. */
  async #ask({ message }: Parcel, call: MessageRow['call'] | undefined): Promise<Delivered> {
    const { number: from, ask } = this.#options
    const { to, number } = message
    for (let pauseMs = againMs; ; pauseMs = Math.min(2 * pauseMs, againMsMax)) {
      const [lowest = number] = this.#open.get(to) ?? []
      try {
        return (await ask(to, { kind: 'deliver', from, number, lowest, call })) as Delivered
      } catch (error) {
        if (this.#stopped || !mayRepeat(error)) throw error
        await this.#pause(pauseMs)
        if (this.#stopped) throw error
      }
    }
  }

  /** Makes a dead letter of a message, unless a copy that was late has been done after all (I3). */
  async #giveUp(parcel: Parcel, errors: readonly AttemptError[]): Promise<void> {
    while (!this.#stopped) {
      try {
        const outcome = await this.#ask(parcel, undefined)
        return outcome === 'done' ? this.#finish(parcel) : await this.#bury(parcel, errors)
      } catch {
        await this.#pause(againMsMax)
      }
    }
  }

  async #bury(parcel: Parcel, errors: readonly AttemptError[]): Promise<void> {
    const { limits, onEvent } = this.#options
    const { id, number, call } = parcel.message
    const kept = errors.slice(-limits.failureErrorsMax)
    if (!(await this.#submit({ kind: 'bury', id, number, errors: kept }))) return
    this.#close(parcel)
    onEvent({ kind: 'dead-message', handler: call.handler, message: kept.at(-1)?.message ?? '' })
  }

  /** Has a message forgotten, with all others that were delivered meanwhile. */
  #finish(parcel: Parcel): void {
    const { meters, now } = this.#options
    meters?.delivered(parcel.message.call.handler, now() - parcel.message.dueAt)
    this.#delivered.push(parcel)
    if (this.#delivered.length === 1) queueMicrotask(() => void this.#forget())
  }

  async #forget(): Promise<void> {
    const parcels = this.#delivered
    this.#delivered = []
    if (!(await this.#submit({ kind: 'delivered', ids: parcels.map(({ message }) => message.id) }))) return
    for (const parcel of parcels) this.#close(parcel)
  }

  /** Its number is over, and that is acked. */
  #close({ message: { to, number } }: Parcel): void {
    this.#open.get(to)?.delete(number)
  }

  /** Makes a change here, however often it has to be asked for; false if the reign ends before. */
  async #submit(command: MessageCommand): Promise<boolean> {
    while (!this.#stopped) {
      try {
        await this.#options.submit({ command })
        return true
      } catch {
        await this.#pause(againMs)
      }
    }
    return false
  }

  /** Sets the timer for the message whose time comes next. */
  #look(): void {
    const { timers, now } = this.#options
    this.#timer?.stop()
    const { first } = this.#later
    if (first !== undefined && !this.#stopped && !this.#isTelling)
      this.#timer = timers.after(Math.max(1, messageOf(first).dueAt - now()), () => void this.#onTime())
  }

  async #onTime(): Promise<void> {
    const ids: string[] = []
    const { now, limits } = this.#options
    for (let { first } = this.#later; first !== undefined; { first } = this.#later) {
      const { id, dueAt } = messageOf(first)
      if (dueAt > now() || ids.length >= limits.messagesInFlightMax) break
      this.#later.pop()
      ids.push(id)
    }
    this.#isTelling = true
    if (ids.length > 0) await this.#submit({ kind: 'messages-due', ids })
    this.#isTelling = false
    this.#look()
  }

  #pause(ms: number): Promise<void> {
    const { timers, random } = this.#options
    if (this.#stopped) return Promise.resolve()
    return new Promise((resolve) => {
      const timer = timers.after(ms * (0.5 + random.next()), () => {
        this.#pauses.delete(pause)
        resolve()
      })
      const pause = { timer, end: resolve }
      this.#pauses.add(pause)
    })
  }
}

/** What is due at the same time keeps the order in which it was sent. */
function isDueBefore(one: Row, other: Row): boolean {
  const [first, second] = [messageOf(one).dueAt, messageOf(other).dueAt]
  return first === second ? one.born < other.born : first < second
}

/** True for errors after which the same delivery may be asked for again: nothing was done, or nobody knows. */
function mayRepeat(error: unknown): boolean {
  if (!isPlenumError(error)) return false
  if (error.code === 'JOURNAL_FULL' || error.code === 'JOURNAL_FAILED') return true
  // A receiver that sends further waits until there is room for that.
  return error.retry !== 'never' || error.details['limit'] === 'messagesMax'
}

function textOf(error: unknown): string {
  const { code, message } = errorData(error)
  return `${code}: ${message}`.slice(0, 1_000)
}
