// The router: the only place that knows more than one partition.
//
// Owns the slot map, request identity, retries within a deadline, and fan-out. Does not own what a request does, nor
// where a primary is: a channel finds it.
// Called by the embedded API, by units, and later by gateway and client, all alike.
//
// I1 A command that may change something and may be sent twice carries the same identity each time (SP12).
// I2 A retry happens only where the error allows it, and never after the deadline (SP11, SP13).
// I3 A request whose outcome is not known at its deadline ends as UNKNOWN_OUTCOME, never as a guess (SP13).
import { isPlenumError, PlenumError, type ErrorCode, type Limits } from '../kernel/index.ts'
import { RouteHasher } from '../codec/index.ts'
import type { Runtime, Timer } from '../runtime/index.ts'
import { isRead, waitOf, type Command, type Identity, type Request, type Wait } from '../space/index.ts'
import type { PartitionChannel } from './channel.ts'
import { copied } from './copied.ts'
import type { Sender } from './sender.ts'
import { PartitionSession } from './session.ts'
import { SlotMap } from './slots.ts'

/** Milliseconds between two tries, growing up to the second number. */
const retryDelayMs = 20
const retryDelayMsMax = 500

/** Milliseconds within which a wait that is given up is heard of. */
const cancelMsMax = 1_000

/** Errors of requests that were not executed, this time. */
const atTheDoor: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'JOURNAL_FULL',
  'JOURNAL_FAILED',
  'JOURNAL_CORRUPT',
  'JOURNAL_FORKED',
  'SESSION_ENDED',
  'POISON_REQUEST',
  'THREAD_FAILED',
  'CLOSED',
])

/** A wait under way: whether it was given up, and the name of its present part. */
interface Given {
  up: boolean
  id: string
}

/** How long a call may take, and what makes it the same call. */
export interface RouteOptions {
  /** Milliseconds from now. */
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** The caller's own idempotency key (SP12). */
  readonly key?: string | undefined
  readonly read?: 'leased' | 'confirmed' | undefined
}

/** One partition's part of a fan-out. */
export type Part = { readonly partition: number } & (
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: unknown }
)

export class Router implements Sender {
  readonly inTransaction = false
  readonly slots: SlotMap
  readonly #channels: readonly PartitionChannel[]
  readonly #sessions: readonly PartitionSession[]
  readonly #waitSessions: readonly PartitionSession[]
  readonly #runtime: Runtime
  readonly #waitPartMs: number
  readonly #name: string
  #names = 0
  /** The waits that are under way, by name. */
  readonly #waits = new Map<string, Given>()
  readonly #hasher = new RouteHasher()

  constructor(channels: readonly PartitionChannel[], runtime: Runtime, limits: Limits) {
    this.slots = new SlotMap(channels.length)
    this.#channels = channels
    this.#runtime = runtime
    this.#waitPartMs = limits.sessionLeaseMs / 4
    this.#name = [...runtime.random.bytes(16)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
    this.#sessions = channels.map((channel) => new PartitionSession(channel, runtime, limits))
    this.#waitSessions = channels.map((channel) => new PartitionSession(channel, runtime, limits))
  }

  get partitions(): number {
    return this.#channels.length
  }

  /** The partition of a route (ID3). */
  partitionOf(route: unknown): number {
    return this.slots.partitionOf(this.#hasher.slotOf(route))
  }

  /** True if this caller lives and dies with a partition. */
  sharesFate(partition: number): boolean {
    return this.#channels[partition]!.sharesFate
  }

  /** Sends a command to the partition of a route. */
  route(route: unknown, command: Command, options?: RouteOptions): Promise<unknown> {
    return this.send(this.partitionOf(route), command, options)
  }

  /** Sends a command to one partition and sees it through. */
  send(partition: number, command: Command, options?: RouteOptions): Promise<unknown> {
    const channel = this.#channels[partition]!
    if (options?.signal?.aborted === true) return Promise.reject(gaveUp('ABORTED'))
    const wait = waitOf(command)
    if (wait !== undefined) return this.#wait(channel, command, wait, options ?? {})
    if (channel.sharesFate && options === undefined) return channel.send({ command })
    const identity: Identity | undefined = options?.key === undefined ? undefined : { kind: 'keyed', key: options.key }
    if (channel.sharesFate) {
      const answer = channel.send({ command, identity, read: options?.read })
      return this.#bounded(answer, command, options ?? {})
    }
    // It may be sent again later, and what a caller gave may change in its hands.
    const answer = this.#persist(channel, copied(command), options ?? {}, identity)
    return channel.answersLate === true ? this.#bounded(answer, command, options ?? {}) : answer
  }

  /** A wait for a match, with a name that nobody else uses. */
  newWait(ms: number): Wait {
    return { id: this.newName(), ms }
  }

  /** A name that nobody else uses: this router's own, and a number. */
  newName(): string {
    return `${this.#name}-${(this.#names += 1).toString(36)}`
  }

  /** Milliseconds of a clock that never goes back. */
  now(): number {
    return this.#runtime.clock.monotonic()
  }

  /** A number from 0 up to 1. */
  random(): number {
    return this.#runtime.random.next()
  }

  /** Resolves after so many milliseconds. */
  pause(ms: number): Promise<void> {
    return this.#sleep(ms)
  }

  /** The options of a request that has to end: over a network it would otherwise be sent again without end. */
  atMost(options: RouteOptions, timeoutMs: number): RouteOptions | undefined {
    if (options.timeoutMs !== undefined) return options
    if (this.#channels.some(({ sharesFate }) => !sharesFate)) return { ...options, timeoutMs }
    return options.signal === undefined ? undefined : options
  }

  /** Ends a wait at a partition, whoever began it. */
  async cancel(partition: number, wait: Wait): Promise<void> {
    const channel = this.#channels[partition]!
    const given = this.#waits.get(wait.id)
    if (given !== undefined) given.up = true
    const command: Command = { kind: 'cancel', wait: given?.id ?? wait.id }
    const deadline = this.now() + wait.ms
    await this.#retry(channel, () => ({ command }), deadline, {}).catch(() => undefined)
  }

  /** Sends a command to every partition; the parts in the order in which they arrive. */
  async *fanOut(command: Command, options?: RouteOptions): AsyncGenerator<Part> {
    const parts: Part[] = []
    let wake: (() => void) | undefined
    for (const { partition } of this.#channels) {
      this.send(partition, command, options).then(
        (value) => parts.push({ partition, ok: true, value }) && wake?.(),
        (error: unknown) => parts.push({ partition, ok: false, error }) && wake?.(),
      )
    }
    for (let left = this.#channels.length; left > 0;) {
      const part = parts.shift()
      if (part === undefined) {
        await new Promise<void>((resolve) => (wake = resolve))
        continue
      }
      left -= 1
      yield part
    }
  }

  /** Sends a command to every partition and returns all values in the order of partitions; the first error ends it. */
  all(command: Command, options?: RouteOptions): Promise<readonly unknown[]> {
    return Promise.all(this.#channels.map(({ partition }) => this.send(partition, command, options)))
  }

  /**
   * Sends a command that may wait. Whoever gives up asks the partition to end the wait, and hears what came of it: a
   * grant that was made before is not lost (SP5).
   */
  #wait(channel: PartitionChannel, command: Command, wait: Wait, options: RouteOptions): Promise<unknown> {
    const { timeoutMs, signal, key, read } = options
    const keyed: Identity | undefined = key === undefined ? undefined : { kind: 'keyed', key }
    const given: Given = { up: false, id: wait.id }
    this.#waits.set(wait.id, given)
    const forget = (): void => void this.#waits.delete(wait.id)
    const answer = channel.sharesFate
      ? channel.send({ command, identity: keyed, read })
      : this.#waitInParts(channel, copied(command), wait, { key, read }, given)
    answer.then(forget, forget)
    if (timeoutMs === undefined && signal === undefined) return answer
    return new Promise((resolve, reject) => {
      let reason: 'TIMEOUT' | 'ABORTED' | undefined
      const giveUp = (code: 'TIMEOUT' | 'ABORTED'): void => {
        if (reason !== undefined) return
        reason = code
        void this.cancel(channel.partition, wait)
        // Where nobody answers any more, nobody knows whether something was granted.
        timer?.stop()
        timer = this.#runtime.timers.after(cancelMsMax, () => {
          finish()
          reject(isRead(command) ? gaveUp(code) : unknownOutcome(gaveUp(code)))
        })
      }
      const onAbort = (): void => giveUp('ABORTED')
      let timer = timeoutMs === undefined ? undefined : this.#runtime.timers.after(timeoutMs, () => giveUp('TIMEOUT'))
      signal?.addEventListener('abort', onAbort)
      const finish = (): void => {
        timer?.stop()
        signal?.removeEventListener('abort', onAbort)
      }
      answer.then(
        (value) => {
          finish()
          if (reason === undefined || value !== undefined) resolve(value)
          else reject(gaveUp(reason))
        },
        (error: unknown) => (finish(), reject(error)),
      )
    })
  }

  /**
   * A long wait as several requests, one after the other: a session that says nothing for too long would end, and with
   * it the wait.
   */
  async #waitInParts(
    channel: PartitionChannel,
    command: Command,
    wait: Wait,
    options: RouteOptions,
    given: Given,
  ): Promise<unknown> {
    const keyed: Identity | undefined = options.key === undefined ? undefined : { kind: 'keyed', key: options.key }
    const until = this.now() + wait.ms
    for (let number = 1; ; number++) {
      // Each part has a name of its own: a cancel of one that is over must not end the next.
      given.id = `${wait.id}.${number}`
      const { id } = given
      // An answer under a key of the caller's own is kept for good: such a wait is one request.
      const partUntil = keyed === undefined ? Math.min(until, this.now() + this.#waitPartMs) : until
      let sent = 0
      let isLate = false
      const current = (): Command => {
        const ms = partUntil - this.now()
        // Who has given up, or asks again after the deadline, is only told what was answered before.
        isLate = given.up || (ms <= 0 && sent > 0)
        sent += 1
        const part = isLate ? { id, ms: 0, over: true } : { id, ms: Math.max(0, ms) }
        return { ...command, wait: part } as Command
      }
      const value = await this.#persist(channel, command, options, keyed, current)
      if (value !== undefined || given.up) return value
      if (isLate) throw gaveUp('TIMEOUT')
      if (this.now() >= until) return undefined
    }
  }

  async #persist(
    channel: PartitionChannel,
    command: Command,
    options: RouteOptions,
    keyed: Identity | undefined,
    /** The command as it is sent now. */
    current: () => Command = () => command,
  ): Promise<unknown> {
    const { clock } = this.#runtime
    const deadline = clock.monotonic() + (options.timeoutMs ?? Infinity)
    // A request that waits would hold back the session of all others.
    const sessions = waitOf(command) === undefined ? this.#sessions : this.#waitSessions
    const session = sessions[channel.partition]!
    const register = (first: Command): Promise<unknown> =>
      this.#retry(channel, () => ({ command: first }), deadline, options)
    if (isRead(command) || keyed !== undefined) {
      return this.#retry(
        channel,
        (attempt) => ({ command: current(), identity: keyed, attempt, read: options.read }),
        deadline,
        options,
      )
    }
    // A session that was idle for too long has ended. The request has not run and never will, so a new one may carry it.
    for (let first = true; ; first = false) {
      const identity = await session.begin(register)
      try {
        const value = await this.#retry(
          channel,
          (attempt) => ({ command: current(), identity: session.again(identity), attempt }),
          deadline,
          options,
        )
        session.done(identity, undefined)
        return value
      } catch (error) {
        session.done(identity, error)
        if (!first || !isPlenumError(error, 'SESSION_ENDED')) throw error
      }
    }
  }

  async #retry(
    channel: PartitionChannel,
    request: (attempt: number) => Request,
    deadline: number,
    options: RouteOptions,
  ): Promise<unknown> {
    const { clock } = this.#runtime
    // A reign that another member ended, and silence, say nothing about the request: a primary that is cut off ends like
    // that whatever it was asked (PA9).
    let failed = 0
    let inDoubt = false
    for (let delay = retryDelayMs; ; delay = Math.min(delay * 2, retryDelayMsMax)) {
      try {
        return await channel.send(request(failed))
      } catch (error) {
        if (!(error instanceof PlenumError)) throw error
        // What an earlier try did, only an answer from execution tells; a refusal at the door does not.
        if (error.retry === 'never') throw inDoubt && atTheDoor.has(error.code) ? unknownOutcome(error) : error
        const unknown = error.code === 'UNKNOWN_OUTCOME'
        inDoubt ||= unknown
        if (unknown && error.details['reason'] === 'failed') failed += 1
        if (options.signal?.aborted || clock.monotonic() + delay > deadline)
          throw inDoubt && !unknown ? unknownOutcome(error) : error
        this.#runtime.probe?.(unknown ? 'request sent again after an unknown outcome' : 'request sent elsewhere')
        await this.#sleep(delay)
      }
    }
  }

  /** Ends the wait at the deadline or the signal; what was asked may still happen, and the error says so. */
  #bounded(answer: Promise<unknown>, command: Command, options: RouteOptions): Promise<unknown> {
    if (options.timeoutMs === undefined && options.signal === undefined) return answer
    return new Promise((resolve, reject) => {
      let timer: Timer | undefined
      const giveUp = (code: 'TIMEOUT' | 'ABORTED'): void => {
        finish()
        reject(isRead(command) ? gaveUp(code) : unknownOutcome(gaveUp(code)))
      }
      const onAbort = (): void => giveUp('ABORTED')
      const finish = (): void => {
        timer?.stop()
        options.signal?.removeEventListener('abort', onAbort)
      }
      if (options.timeoutMs !== undefined)
        timer = this.#runtime.timers.after(options.timeoutMs, () => giveUp('TIMEOUT'))
      options.signal?.addEventListener('abort', onAbort)
      if (options.signal?.aborted) return onAbort()
      answer.then(
        (value) => (finish(), resolve(value)),
        (error: unknown) => (finish(), reject(error)),
      )
    })
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#runtime.timers.after(ms, resolve))
  }
}

function gaveUp(code: 'TIMEOUT' | 'ABORTED'): PlenumError {
  return new PlenumError(
    code,
    code === 'TIMEOUT' ? 'The deadline passed before the answer came.' : 'The caller gave up before the answer came.',
  )
}

function unknownOutcome(cause: PlenumError): PlenumError {
  return new PlenumError(
    'UNKNOWN_OUTCOME',
    `Nobody knows whether it happened: ${cause.message} Ask again with the same key, or look.`,
    {
      cause,
      details: { cause: cause.code },
    },
  )
}
