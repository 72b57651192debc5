import { PlenumError } from '../kernel/index.ts'
import type { ClaimToEnd, SpaceClient } from '../router/index.ts'
import type { Runtime, Timer } from '../runtime/index.ts'
import { withStamps, type Claimed, type ClaimName, type StoredValue } from '../space/index.ts'
import type { PartLog } from './part-log.ts'
import type { WorkerPart } from './worker-run.ts'

/** One attempt of a worker at an entry that it has claimed. */
export class Attempt {
  readonly partition: number
  readonly claim: ClaimName
  readonly entry: StoredValue
  /** 1 for the first. */
  readonly number: number
  /** Partition time at which the entry was claimed. */
  readonly now: number
  /** `working` until its function has returned, or should have; `over` once its claim is. */
  state: 'working' | 'committing' | 'failing' | 'over' = 'working'
  timer: Timer | undefined
  /** Monotonic time at which its function was called; 0 where nobody asks. */
  beganAt = 0
  readonly #part: WorkerPart
  readonly #stamp: number
  readonly #version: number
  #key: string | undefined
  #controller: AbortController | undefined
  #reason: unknown

  constructor(part: WorkerPart, partition: number, epoch: number, now: number, claimed: Claimed) {
    this.partition = partition
    this.claim = { epoch, number: claimed.number }
    this.entry = withStamps(claimed.entry, claimed.stamp) as StoredValue
    this.number = claimed.attempt
    this.now = now
    this.#part = part
    this.#stamp = claimed.stamp
    this.#version = claimed.version
  }

  /** What the router needs to end its claim with its commit. */
  get toEnd(): ClaimToEnd {
    const { partition, claim: name, now: time, entry } = this
    const { type, timeoutMs: workMs, foreseePatch } = this.#part
    const foresee = (fields: StoredValue): string | undefined => foreseePatch(entry, fields)
    return { partition, name, time, entry, type, workMs, version: this.#version, foreseePatch: foresee }
  }

  /** Its idempotency key (UN9). */
  get key(): string {
    this.#key ??= this.#part.keyOf(this.entry, this.#stamp)
    return this.#key
  }

  /** Aborted when it is over before its function has returned. Made when it is asked for: few functions do. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#reason !== undefined) this.#controller.abort(this.#reason)
    }
    return this.#controller.signal
  }

  abort(reason: unknown): void {
    this.#reason = reason
    this.#controller?.abort(reason)
  }

  /** The error of a function that has not returned in time. */
  timedOut(): PlenumError {
    const { label, timeoutMs } = this.#part
    return new PlenumError('TIMEOUT', `The ${label} did not return within ${timeoutMs} ms.`, {
      details: { part: label, timeoutMs },
    })
  }
}

/** What the function of a worker gets, untyped. */
export class AttemptContext {
  readonly tx: SpaceClient
  readonly space: SpaceClient
  readonly uses: Readonly<Record<string, unknown>>
  readonly log: PartLog
  /** For parts of the platform that run as workers do; no unit is told of it. */
  readonly runtime: Runtime
  readonly #attempt: Attempt
  readonly #begun: number

  constructor(
    attempt: Attempt,
    given: {
      readonly tx: SpaceClient
      readonly space: SpaceClient
      readonly uses: Readonly<Record<string, unknown>>
      readonly log: PartLog
      readonly runtime: Runtime
    },
  ) {
    this.#attempt = attempt
    this.tx = given.tx
    this.space = given.space
    this.uses = given.uses
    this.log = given.log
    this.runtime = given.runtime
    this.#begun = given.runtime.clock.monotonic()
  }

  get attempt(): number {
    return this.#attempt.number
  }

  /** Partition time, as far as this member can tell: when the entry was claimed, and what has passed since. */
  get now(): number {
    return this.#attempt.now + this.runtime.clock.monotonic() - this.#begun
  }

  get key(): string {
    return this.#attempt.key
  }

  get signal(): AbortSignal {
    return this.#attempt.signal
  }
}
