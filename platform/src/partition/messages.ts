// The messages of a partition (UN12): those that it has sent and that are not delivered, and what has arrived here.
//
// Owns the rows that say so. Does not own when and how something is delivered (`deliveries.ts`), nor what a handler does.
// Called by `commands.ts`, within the command at hand.
//
// I1 A message is sent in the record of the call that sent it, and forgotten once its delivery is acked.
// I2 What has arrived stands in the record of what it did, so that the same number does nothing again.
// I3 A number is given when a message may be delivered, and a new one when it is sent again: what is over is below the
//    lowest that is not, and need not be remembered.
import { isPlenumError, PlenumError, type Limits } from '../kernel/index.ts'
import {
  ownLayouts,
  type AttemptError,
  type Delivered,
  type Machine,
  type MessageCall,
  type MessageCommand,
  type MessagesTold,
  type Row,
  type SentMessage,
  type Table,
} from '../space/index.ts'
import type { Random } from '../runtime/index.ts'
import type { Afterwards } from './afterwards.ts'
import type { PartitionMeters } from './partition-meters.ts'
import { fromNumber, hasNumber, withNumber, type NumberSet } from './number-set.ts'

type Of<K extends MessageCommand['kind']> = Extract<MessageCommand, { kind: K }>

/** A row of the table of messages that were sent. */
export interface MessageRow {
  readonly id: string
  /** `ready` to be delivered, `later`, or `dead`. */
  readonly state: 'ready' | 'later' | 'dead'
  readonly to: number
  /** Its place among the messages to that partition; 0 unless it is ready. */
  readonly number: number
  readonly call: MessageCall
  /** Partition time from which on it is delivered. */
  readonly dueAt: number
  readonly errors: readonly AttemptError[]
}

/** A row of the table of what has arrived from one partition. */
interface ArrivedRow {
  readonly from: number
  /** All below are over. */
  readonly lowest: number
  readonly done: NumberSet
  /** Those that will never be done. */
  readonly voided: NumberSet
}

export interface MessagesOptions {
  readonly machine: Machine
  readonly limits: Limits
  readonly afterwards: Afterwards
  readonly random: Random
  /** Told of each message that is to be delivered, once the command at hand is committed. */
  readonly onPosted: (row: Row) => void
  readonly meters?: PartitionMeters | undefined
}

export class Messages {
  readonly #options: MessagesOptions
  readonly #sent: Table
  readonly #numbers: Table
  readonly #arrived: Table

  constructor(options: MessagesOptions) {
    const { machine } = options
    this.#options = options
    this.#sent = machine.table(ownLayouts.message.name)
    this.#numbers = machine.table(ownLayouts.number.name)
    this.#arrived = machine.table(ownLayouts.arrived.name)
  }

  /** Those that are not delivered, in the order of their numbers, and those that wait for their time. */
  get undelivered(): readonly Row[] {
    const rows = [...this.#sent.rows()].filter((row) => messageOf(row).state !== 'dead')
    return rows.toSorted((one, other) => messageOf(one).number - messageOf(other).number)
  }

  /** How many more messages may be sent by what messages do; LIMIT_EXCEEDED if none. */
  roomFurther(): number {
    const countMax = 2 * this.#options.limits.messagesMax
    if (this.#sent.size >= countMax) throw tooMany(countMax)
    return countMax - this.#sent.size
  }

  /**
   * Sends messages. LIMIT_EXCEEDED where too many are not delivered: twice as many where a message sends further, so that
   * those that calls have filled a partition with do not wait for each other's room for ever.
   */
  post(sent: readonly SentMessage[], isFurther: boolean): void {
    const { machine, limits } = this.#options
    const countMax = isFurther ? 2 * limits.messagesMax : limits.messagesMax
    for (const { to, call, afterMs } of sent) {
      if (this.#sent.size >= countMax) throw tooMany(countMax)
      const isLater = afterMs > 0
      const state = isLater ? 'later' : 'ready'
      const number = isLater ? 0 : this.#nextNumber(to)
      this.#put(undefined, {
        id: this.#newId(),
        state,
        to,
        number,
        call,
        dueAt: machine.time + afterMs,
        errors: [],
      })
      this.#options.afterwards.add(() => this.#options.meters?.sent(call.handler))
    }
  }

  /** Does what a message asks, by `run`, unless it was done or voided before. */
  deliver({ from, number, lowest, call }: Of<'deliver'>, run: (call: MessageCall) => void): Delivered {
    const { machine } = this.#options
    const row = this.#arrived.find({ from })
    const before = (row?.value ?? { from, lowest: 1, done: [], voided: [] }) as unknown as ArrivedRow
    if (hasNumber(before.voided, number)) return 'void'
    if (number < before.lowest || hasNumber(before.done, number)) return 'done'
    if (call !== undefined) runOnce(call, run)
    const open = Math.max(before.lowest, lowest)
    const done = call === undefined ? before.done : withNumber(before.done, number)
    const voided = call === undefined ? withNumber(before.voided, number) : before.voided
    const after: ArrivedRow = { from, lowest: open, done: fromNumber(done, open), voided: fromNumber(voided, open) }
    machine.put(this.#arrived, row, { ...after })
    return call === undefined ? 'void' : 'done'
  }

  /** Index on which the answer to a delivery depends that did nothing. */
  arrivedIndex(from: number): number {
    return this.#arrived.find({ from })?.index ?? 0
  }

  /** Forgets messages that are delivered. */
  delivered(ids: readonly string[]): void {
    for (const id of ids) {
      const row = this.#sent.find({ id })
      if (row !== undefined) this.#options.machine.remove(this.#sent, row, 'removed')
    }
  }

  /** Gives numbers to those whose time has come. */
  due(ids: readonly string[]): void {
    for (const id of ids) {
      const row = this.#sent.find({ id })
      if (row === undefined) continue
      const message = messageOf(row)
      if (message.state === 'later' && message.dueAt <= this.#options.machine.time) this.#ready(row, message)
    }
  }

  /** Makes a dead letter of a message. */
  bury({ id, number, errors }: Of<'bury'>): void {
    const row = this.#sent.find({ id })
    // Under another number it was sent once more.
    if (row === undefined || messageOf(row).number !== number) return
    const dead: MessageRow = { ...messageOf(row), state: 'dead', number: 0, errors }
    try {
      this.#put(row, dead)
    } catch (error) {
      if (!isPlenumError(error, 'VALUE_TOO_LARGE')) throw error
      // As large as it may be, it has no room for what was said of it: that was told by the event.
      this.#put(row, { ...dead, errors: [] })
    }
  }

  /** Forgets dead letters; how many. */
  discard(ids: readonly string[]): number {
    const dead = this.#dead(new Set(ids))
    for (const row of dead) this.#options.machine.remove(this.#sent, row, 'removed')
    return dead.length
  }

  /** Sends dead letters once more; how many. */
  sendAgain(ids: readonly string[] | undefined): number {
    const dead = this.#dead(ids === undefined ? undefined : new Set(ids))
    for (const row of dead) this.#ready(row, messageOf(row))
    return dead.length
  }

  tell(limit: number): MessagesTold {
    const rows = [...this.#sent.rows()].map(messageOf)
    const dead = rows.filter(({ state }) => state === 'dead')
    return {
      pending: rows.length - dead.length,
      dead: dead
        .slice(0, limit)
        .map(({ id, call, errors }) => ({ id, handler: call.handler, input: call.input, errors })),
    }
  }

  /** The dead letters among these, or all. */
  #dead(chosen: ReadonlySet<string> | undefined): readonly Row[] {
    return [...this.#sent.rows()].filter((row) => {
      const { id, state } = messageOf(row)
      return state === 'dead' && (chosen?.has(id) ?? true)
    })
  }

  #ready(row: Row, message: MessageRow): void {
    this.#put(row, { ...message, state: 'ready', number: this.#nextNumber(message.to), errors: [] })
  }

  #put(row: Row | undefined, message: MessageRow): void {
    const { machine, afterwards, onPosted } = this.#options
    const put = machine.put(this.#sent, row, { ...message })
    if (message.state !== 'dead') afterwards.add(() => onPosted(put))
  }

  /** A name that no other message has. */
  #newId(): string {
    return [...this.#options.random.bytes(12)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  }

  #nextNumber(to: number): number {
    const row = this.#numbers.find({ to })
    const number = Number(row?.value['last'] ?? 0) + 1
    this.#options.machine.put(this.#numbers, row, { to, last: number })
    return number
  }
}

/** Calls a handler; whatever it throws is its answer, and no reason to believe that the delivery may be repeated. */
function runOnce(call: MessageCall, run: (call: MessageCall) => void): void {
  try {
    run(call)
  } catch (error) {
    if (!isPlenumError(error) || error.retry === 'never') throw error
    throw new PlenumError(error.code, error.message, { retry: 'never', details: error.details, cause: error })
  }
}

/** The message of a row. */
export function messageOf(row: Row): MessageRow {
  return row.value as unknown as MessageRow
}

function tooMany(value: number): PlenumError {
  return new PlenumError(
    'LIMIT_EXCEEDED',
    `This partition has ${value} messages that are not delivered or are dead letters, which is the limit messagesMax. Nothing happened.`,
    { details: { limit: 'messagesMax', value } },
  )
}
