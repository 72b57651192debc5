// Recorded histories: what clients asked and heard, in the order in which it happened, as JSON lines that any outside
// checker can read.
//
// I1 An event is recorded before the request leaves, and another when its answer is there.
// I2 `fail` is written only where it certainly did not happen; what nobody knows is `info`, and its client goes on as
//    another process.
import { isPlenumError, PlenumError, type ErrorCode } from '../../kernel/index.ts'
import type { Clock } from '../../runtime/index.ts'
import { canonicalText } from './canonical.ts'

/** One line of a history. */
export interface HistoryEvent {
  /** The thread of operations that this one belongs to; it has one operation open at most. */
  readonly process: number | string
  /** `ok`: it happened. `fail`: it certainly did not. `info`: nobody knows. */
  readonly type: 'invoke' | 'ok' | 'fail' | 'info'
  /** The operation's name, such as `read` or `transfer`. */
  readonly f: string
  readonly key?: string | undefined
  readonly value?: unknown
  readonly version?: number | undefined
  /** Code of an error, or the reason of a refusal. */
  readonly error?: string | undefined
  /** What makes a repeated request the same: a session and its number, or a key of the caller's own alone. */
  readonly session?: string | undefined
  readonly request?: number | string | undefined
  /** Nanoseconds of one monotonic clock. */
  readonly time: number
  /** Number of the operation; its invocation and its completion have the same. */
  readonly op: number
}

/** What an operation asks for, as its invocation is recorded. */
export interface Asked {
  readonly f: string
  readonly key?: string | undefined
  readonly value?: unknown
  readonly session?: string | undefined
  readonly request?: number | string | undefined
}

/** What is recorded of an answer. */
export interface Answered {
  readonly value?: unknown
  readonly version?: number | undefined
}

/** Codes after which nobody knows whether the operation happened. */
const doubtful: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'UNKNOWN_OUTCOME',
  'TIMEOUT',
  'ABORTED',
  'HANDLER_STUCK',
  'INVARIANT_BROKEN',
])

/** True if an error says for certain that nothing happened (SP13). */
export function certainlyNothing(error: unknown): boolean {
  return isPlenumError(error) && !doubtful.has(error.code)
}

/** Records the operations of any number of clients on one clock. */
export class HistoryRecorder {
  readonly #clock: Pick<Clock, 'monotonic'>
  readonly #events: HistoryEvent[] = []
  #processes = 0
  #operations = 0

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock
  }

  /** Everything recorded so far, in order. */
  get events(): readonly HistoryEvent[] {
    return this.#events
  }

  /** A new client: one thread of operations. */
  client(): RecordedClient {
    return new RecordedClient(this)
  }

  /** A number that no process has had. */
  nextProcess(): number {
    return this.#processes++
  }

  /** Records an invocation and returns the number of its operation. */
  invoke(process: number | string, asked: Asked): number {
    const op = this.#operations++
    this.#events.push({ process, type: 'invoke', ...asked, time: this.#now(), op })
    return op
  }

  /** Records how an operation ended. */
  complete(process: number | string, op: number, type: 'ok' | 'fail' | 'info', asked: Asked, answered: Ended): void {
    const { f, key, session, request } = asked
    this.#events.push({ process, type, f, key, ...answered, session, request, time: this.#now(), op })
  }

  /** The history as JSON lines, each ended by a newline. */
  toJsonLines(): string {
    return jsonLines(this.#events)
  }

  #now(): number {
    return Math.round(this.#clock.monotonic() * 1e6)
  }
}

interface Ended extends Answered {
  readonly error?: string | undefined
}

/** One client whose operations are recorded; it runs one at a time. */
export class RecordedClient {
  readonly #recorder: HistoryRecorder
  #process: number

  constructor(recorder: HistoryRecorder) {
    this.#recorder = recorder
    this.#process = recorder.nextProcess()
  }

  /**
   * Runs a call and records it; what it resolves to, or rejects with, is passed on. `answered` says what of the result
   * belongs in the history; without it the result itself is the value.
   */
  async run<T>(
    asked: Asked,
    call: () => Promise<T>,
    answered: (result: T) => Answered = (value) => ({ value }),
  ): Promise<T> {
    const process = this.#process
    const op = this.#recorder.invoke(process, asked)
    let result: T
    try {
      result = await call()
    } catch (error) {
      const type = certainlyNothing(error) ? 'fail' : 'info'
      if (type === 'info') this.#process = this.#recorder.nextProcess()
      this.#recorder.complete(process, op, type, asked, { value: asked.value, error: errorText(error) })
      throw error
    }
    this.#recorder.complete(process, op, 'ok', asked, answered(result))
    return result
  }
}

/** Events as JSON lines with canonical values. */
export function jsonLines(events: readonly object[]): string {
  return events.map((event) => `${lineOf(event)}\n`).join('')
}

/** Reads JSON lines back; CHECK_FAILED names the first line that is not an event. */
export function readHistory(text: string): readonly HistoryEvent[] {
  const lines = text.split('\n').filter((line) => line !== '')
  return lines.map((line, at) => {
    const event: unknown = parsed(line)
    if (isEvent(event)) return event
    throw new PlenumError('CHECK_FAILED', `Line ${at + 1} of the history is not an event: ${line}`)
  })
}

/** What is recorded of an error: the code, and of a refusal the reason. */
export function errorText(error: unknown): string {
  if (!isPlenumError(error)) return 'INVARIANT_BROKEN'
  const { reason } = error.details
  return error.code === 'REFUSED' && typeof reason === 'string' ? reason : error.code
}

/** One line: the event's own keys in their order, values canonical, absent ones left out. */
function lineOf(event: object): string {
  const fields = Object.entries(event).filter(([, item]) => item !== undefined)
  return `{${fields.map(([name, item]) => `${JSON.stringify(name)}:${canonicalText(item)}`).join(',')}}`
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

const eventTypes: readonly unknown[] = ['invoke', 'ok', 'fail', 'info']

function isEvent(event: unknown): event is HistoryEvent {
  if (typeof event !== 'object' || event === null) return false
  if (!('process' in event && 'type' in event && 'f' in event && 'time' in event && 'op' in event)) return false
  const processIsName = typeof event.process === 'number' || typeof event.process === 'string'
  const isNumbered = typeof event.time === 'number' && typeof event.op === 'number'
  return processIsName && isNumbered && eventTypes.includes(event.type) && typeof event.f === 'string'
}
