// Calls that are recorded (TT3): each is noted in the record of what it did, or in one of its own if it did nothing.
//
// Called by `primary.ts`, where the unit's logic tells of its calls.
//
// I1 A note is no part of the state: whoever folds the journal passes it by (A5).
// I2 What is taken back because it will be run again is not noted.
import type { Limits } from '../kernel/index.ts'
import { ByteWriter } from '../codec/index.ts'
import { encodeCall, writeCall, type Machine, type RecordedCall } from '../space/index.ts'
import type { Execution } from './logic.ts'

export interface CallNotesOptions {
  readonly machine: Machine
  readonly execution: Execution
  readonly limits: Limits
  /** The open batch. */
  readonly writer: ByteWriter
  /** Begins a command in it. */
  readonly begin: () => void
  /** A command has changed something: the open batch is to be sealed. */
  readonly changed: () => number
}

export class CallNotes {
  readonly #options: CallNotesOptions
  readonly #take: () => RecordedCall | undefined
  readonly #scratch = new ByteWriter(1024)

  private constructor(options: CallNotesOptions, take: () => RecordedCall | undefined) {
    this.#options = options
    this.#take = take
  }

  /** Undefined where calls are not recorded. */
  static of(options: CallNotesOptions): CallNotes | undefined {
    const { takeCall } = options.execution
    return takeCall === undefined ? undefined : new CallNotes(options, takeCall)
  }

  /** Notes the call that the command at hand was, if it was one. What the command changes stands before. */
  done(): void {
    const call = this.#take()
    if (call !== undefined) this.#note(call)
  }

  /** Notes a call that was taken back because its handler threw, unless it met a lock and is made again. */
  takenBack(isMadeAgain: boolean): void {
    const { machine, begin, changed } = this.#options
    const call = this.#take()
    // Where the handler returned, something behind it failed, such as a limit of what it sent.
    if (isMadeAgain || call === undefined || call.outcome.ok) return
    begin()
    this.#note(call)
    machine.commit()
    changed()
  }

  #note(call: RecordedCall): void {
    const { machine, limits, writer } = this.#options
    writeCall(writer, writer.at - machine.effectBytes, encodeCall(this.#scratch, call, limits.valueBytesMax))
  }
}
