import type { Random } from '../runtime/index.ts'
import { errorData, type Answer, type Caller, type RecordedCall, type StoredValue } from '../space/index.ts'

/** What a recorder draws from. */
export interface CallRecorderOptions {
  readonly random: Random
  readonly newId: () => string
}

/** Keeps the call of a handler at hand, with the random numbers and ids that it draws (TT3). Calls do not nest. */
export class CallRecorder {
  readonly #options: CallRecorderOptions
  #open: Omit<RecordedCall, 'outcome' | 'random' | 'ids'> | undefined
  #random: number[] = []
  #ids: string[] = []
  #call: RecordedCall | undefined

  constructor(options: CallRecorderOptions) {
    this.#options = options
  }

  /** Of these a handler draws floating numbers alone. */
  readonly random: Random = {
    next: () => {
      const number = this.#options.random.next()
      if (this.#open !== undefined) this.#random.push(number)
      return number
    },
    integer: (below) => this.#options.random.integer(below),
    bytes: (length) => this.#options.random.bytes(length),
  }

  readonly newId = (): string => {
    const id = this.#options.newId()
    if (this.#open !== undefined) this.#ids.push(id)
    return id
  }

  /** Runs a command that calls a handler, and keeps what it comes to. */
  record(run: () => unknown): unknown {
    try {
      const value = run()
      this.#end({ ok: true, value })
      return value
    } catch (error) {
      this.#end({ ok: false, error: errorData(error) })
      throw error
    }
  }

  /** The handler is about to run: what is refused before is no call. */
  begin(handler: string, input: StoredValue, caller: Caller, now: number): void {
    this.#open = { handler, input, caller, now }
    this.#random = []
    this.#ids = []
    this.#call = undefined
  }

  #end(outcome: Answer): void {
    if (this.#open === undefined) return
    this.#call = { ...this.#open, random: this.#random, ids: this.#ids, outcome }
    this.#open = undefined
  }

  /** The call that has ended, once. */
  readonly take = (): RecordedCall | undefined => {
    const call = this.#call
    this.#call = undefined
    return call
  }
}
