// One worker of a unit at work (UN3): claims entries, runs the worker's function on each, and sees to what came of it.
//
// Owns how much is done at the same time, and when an attempt is over. Does not own claims or commits: those are the
// partitions', and a claim that is over there commits nothing whatever happens here. Called by `worker-host.ts`.
//
// I1 No more than `concurrency` functions run; what is claimed is counted from the moment it is asked for. Whoever has
//    returned makes room, though its commit is still under way.
// I2 Whatever becomes of an attempt, its claim is ended: by a commit, as a failure, or given back.
// I3 An attempt counts as failed only for what its function did: a conflict, or a partition that is out of reach, does not.
import { isPlenumError, PlenumError, type ErrorCode, type Limits } from '../kernel/index.ts'
import type { Metrics } from '../metrics/index.ts'
import type { Router, SpaceClient } from '../router/index.ts'
import type { Runtime, Timer } from '../runtime/index.ts'
import type { ClaimsGiven, StoredValue } from '../space/index.ts'
import { Attempt, AttemptContext } from './attempt.ts'
import { logAtOnce, type PartLine, type PartLog } from './part-log.ts'
import { WorkerMeters } from './worker-meters.ts'

/** A worker, resolved from its declaration. */
export interface WorkerPart {
  readonly name: string
  /** What errors and logs call it: `worker pay`. */
  readonly label: string
  readonly type: string
  readonly where: StoredValue
  /** The field that says from when on an entry is worked on. */
  readonly due?: string | undefined
  /** True for what ends with its claim, as a due time of a schedule does. */
  readonly isSpent?: true
  /** The only partition that has such entries; all if undefined. */
  readonly partition?: number
  readonly concurrency: number
  readonly timeoutMs: number
  readonly attemptsMax: number
  readonly backoffMs: number
  /** True where closing does not wait for what is worked on. */
  readonly isIdle?: boolean
  /** The id that a patch of an entry is answered; throws what its partition would, undefined if only that can say. */
  readonly foreseePatch: (entry: StoredValue, fields: StoredValue) => string | undefined
  /** The idempotency key of an attempt at an entry as it is (UN9). */
  readonly keyOf: (entry: StoredValue, stamp: number) => string
  readonly run: (entry: StoredValue, context: AttemptContext) => unknown
}

/** Something that a worker has to tell (A9). */
export type WorkerEvent =
  /** An attempt has failed. */
  | { readonly kind: 'fault'; readonly part: string; readonly error: unknown }
  /** The last attempt at an entry has failed. */
  | {
      readonly kind: 'dead-letter'
      readonly part: string
      readonly entry: StoredValue
      readonly attempts: number
      readonly message: string
    }

/** What workers work with. */
export interface WorkerOptions {
  readonly router: Router
  readonly space: SpaceClient
  readonly uses: Readonly<Record<string, unknown>>
  readonly limits: Limits
  readonly runtime: Runtime
  readonly onEvent: (event: WorkerEvent) => void
  readonly metrics?: Metrics | undefined
  /** Told of what the functions log. */
  readonly onLine?: ((line: PartLine) => void) | undefined
}

/** Milliseconds that a partition is asked to wait for work before it is asked again. */
const awaitMs = 60_000
/** Milliseconds until a partition that could not answer is asked again. */
const againMs = 100
/** Milliseconds of the longest pause between two attempts. */
const backoffMsMax = 3_600_000

/** Times that an entry is given back in a row before somebody is told, and again after as many. */
const givenBackTold = 10
/** Doublings of the pause until an entry that was given back is worked on again. */
const doublingsMax = 6

/** Errors that say nothing about the entry: the attempt is made again, and is not counted. */
const notItsFault: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'TRANSACTION_CONFLICT',
  'JOURNAL_FULL',
  'JOURNAL_FAILED',
  'SESSION_ENDED',
  'CLOSED',
])

/** True for an error that says nothing about the entry at hand: it is the world's, and passes. */
export function isPassing(error: unknown): error is PlenumError {
  return isPlenumError(error) && (error.retry !== 'never' || notItsFault.has(error.code))
}

export class WorkerRun {
  readonly #part: WorkerPart
  readonly #options: WorkerOptions
  readonly #attempts = new Set<Attempt>()
  /** How often entries that were given back were so in a row, by their keys. */
  readonly #givenBack = new Map<string, number>()
  /** Partitions that have work, in turn. */
  readonly #ready: number[] = []
  #concurrency: number
  /** Attempts whose functions have not returned. */
  #working = 0
  /** Places for which entries are being claimed. */
  #asked = 0
  #pumpAsked = false
  #keeping: Timer | undefined
  #drained: (() => void)[] = []
  #isStopped = false
  readonly #meters: WorkerMeters | undefined
  readonly #log: PartLog

  constructor(part: WorkerPart, options: WorkerOptions) {
    this.#part = part
    this.#options = options
    this.#log = logAtOnce(part.label, options.onLine)
    this.#meters = options.metrics && new WorkerMeters(options.metrics, part.label, options.runtime.clock)
    this.#concurrency = part.concurrency
  }

  /** Begins to claim and to work. */
  start(): void {
    for (let partition = 0; partition < this.#options.router.partitions; partition++)
      if (partition === (this.#part.partition ?? partition)) this.#await(partition)
    this.#keepLater()
  }

  /** What errors, logs and metrics call it. */
  get label(): string {
    return this.#part.label
  }

  /** True where closing does not wait for what is worked on. */
  get isIdle(): boolean {
    return this.#part.isIdle === true
  }

  /** Entries that are worked on now. */
  get running(): number {
    return this.#working
  }

  /** Entries that are worked on at the same time, at most. */
  get concurrency(): number {
    return this.#concurrency
  }

  /** From now on; 0 claims nothing more. VALUE_INVALID for what is no such number. */
  set concurrency(concurrency: number) {
    const { workerConcurrencyMax } = this.#options.limits
    if (!(Number.isInteger(concurrency) && concurrency >= 0 && concurrency <= workerConcurrencyMax)) {
      throw new PlenumError(
        'VALUE_INVALID',
        `The concurrency of ${this.#part.label} is a whole number from 0 to ${workerConcurrencyMax}, not ${String(concurrency)}.`,
        { details: { field: 'concurrency', limit: 'workerConcurrencyMax', value: workerConcurrencyMax } },
      )
    }
    this.#concurrency = concurrency
    this.#pump()
  }

  /** Claims nothing more; resolves when nothing is worked on. */
  async drain(): Promise<void> {
    this.#concurrency = 0
    if (this.#attempts.size + this.#asked > 0) await new Promise<void>((resolve) => this.#drained.push(resolve))
  }

  /** Ends all attempts and gives back what they have claimed; resolves when that is done, or cannot be. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#keeping?.stop()
    const error = new PlenumError('CLOSED', `The application closes, and ${this.#part.label} with it.`)
    const releases = [...this.#attempts].map((attempt) => {
      attempt.abort(error)
      this.#end(attempt)
      return this.#release(attempt, 0)
    })
    await Promise.all(releases)
  }

  /** Stops without a word to anybody, as a killed process does. */
  drop(): void {
    this.#isStopped = true
    this.#keeping?.stop()
  }

  /** Waits until a partition has work. */
  #await(partition: number): void {
    if (this.#isStopped) return
    const { router, runtime } = this.#options
    const again = (): void => this.#await(partition)
    router.send(partition, { kind: 'await-work', worker: this.#part.name, wait: router.newWait(awaitMs) }).then(
      (hasWork) => {
        if (hasWork !== true) return again()
        this.#ready.push(partition)
        this.#pump()
      },
      () => void (this.#isStopped || runtime.timers.after(againMs, again)),
    )
  }

  /** Claims for the places that are free. */
  #pump(): void {
    while (!this.#isStopped) {
      const room = this.#options.limits.workerCommitsMax - this.#attempts.size - this.#asked
      const places = Math.min(this.#concurrency - this.#working - this.#asked, room)
      if (places <= 0) return
      const partition = this.#ready.shift()
      if (partition === undefined) return
      void this.#claim(partition, places)
    }
  }

  /** Claims once for all the places that come free in this turn of the loop. */
  #pumpSoon(): void {
    if (this.#pumpAsked) return
    this.#pumpAsked = true
    this.#options.runtime.timers.soon(() => {
      this.#pumpAsked = false
      this.#pump()
    })
  }

  async #claim(partition: number, count: number): Promise<void> {
    const { router, limits } = this.#options
    const leaseMs = router.sharesFate(partition) ? undefined : limits.claimLeaseMs
    this.#asked += count
    try {
      const command = { kind: 'claim', worker: this.#part.name, count, leaseMs } as const
      const { epoch, time, claims } = (await router.send(partition, command)) as ClaimsGiven
      const attempts = claims.map((claimed) => new Attempt(this.#part, partition, epoch, time, claimed))
      for (const attempt of attempts) {
        if (this.#isStopped) void this.#release(attempt, 0)
        else this.#work(attempt)
      }
      if (claims.length === count) this.#ready.push(partition)
      else this.#await(partition)
    } catch {
      // Whoever waits for work hears when there is a primary again.
      this.#await(partition)
    } finally {
      this.#asked -= count
    }
    this.#pump()
    this.#tellDrained()
  }

  /** Runs the function and commits what it did. */
  #work(attempt: Attempt): void {
    const { space, uses, runtime } = this.#options
    const { timeoutMs, run } = this.#part
    this.#attempts.add(attempt)
    this.#working += 1
    if (this.#meters !== undefined) attempt.beganAt = this.#meters.began()
    attempt.timer = runtime.timers.after(timeoutMs, () => {
      const error = attempt.timedOut()
      attempt.abort(error)
      void this.#failed(attempt, error)
    })
    const working = space.work(attempt.toEnd, async (tx) => {
      await run(attempt.entry, new AttemptContext(attempt, { tx, space, uses, runtime, log: this.#log }))
      // Its time-out counts, though its partition may not have heard of that yet. Nobody hears this error.
      if (attempt.state !== 'working') throw attempt.timedOut()
      this.#returned(attempt, 'committing')
    })
    working.then(
      () => this.#succeeded(attempt),
      (error: unknown) => void this.#failed(attempt, error),
    )
  }

  /** The function of an attempt counts no more: another may begin. */
  #returned(attempt: Attempt, state: 'committing' | 'failing' | 'over'): void {
    if (attempt.state === 'working') {
      this.#working -= 1
      attempt.timer?.stop()
      this.#pumpSoon()
    }
    attempt.state = state
  }

  #succeeded(attempt: Attempt): void {
    if (attempt.state === 'failing' || attempt.state === 'over') return
    if (this.#givenBack.size > 0) this.#givenBack.delete(attempt.key)
    this.#meters?.succeeded(attempt.beganAt)
    this.#end(attempt)
  }

  #end(attempt: Attempt): void {
    this.#returned(attempt, 'over')
    this.#attempts.delete(attempt)
    this.#pumpSoon()
    this.#tellDrained()
  }

  async #failed(attempt: Attempt, error: unknown): Promise<void> {
    if (attempt.state === 'failing' || attempt.state === 'over') return
    this.#returned(attempt, 'failing')
    if (isPassing(error)) await this.#giveBack(attempt, error)
    else await this.#report(attempt, error)
    this.#end(attempt)
  }

  /** Has the attempt kept as one that failed. */
  async #report(attempt: Attempt, error: unknown): Promise<void> {
    const { router, runtime, onEvent } = this.#options
    const { label, attemptsMax, backoffMs } = this.#part
    const { partition, claim, entry, number } = attempt
    onEvent({ kind: 'fault', part: label, error })
    const retryMs = Math.min(backoffMs * 2 ** (number - 1), backoffMsMax) * (0.5 + runtime.random.next())
    const message = textOf(error)
    this.#meters?.failed(attempt.beganAt)
    try {
      const isDead = await router.send(partition, { kind: 'work-failed', claim, message, attemptsMax, retryMs })
      this.#givenBack.delete(attempt.key)
      if (isDead === true) onEvent({ kind: 'dead-letter', part: label, entry, attempts: number, message })
    } catch (refusal) {
      onEvent({ kind: 'fault', part: label, error: refusal })
      await this.#giveBack(attempt, refusal)
    }
  }

  /** Has an entry worked on again later, and later each time; whoever listens is told where that does not end (A9). */
  async #giveBack(attempt: Attempt, error: unknown): Promise<void> {
    const { runtime, limits, onEvent } = this.#options
    const { key } = attempt
    this.#meters?.givenBack()
    const times = (this.#givenBack.get(key) ?? 0) + 1
    this.#givenBack.delete(key)
    // Keys of entries that others have changed since go when there are too many.
    for (const [oldest] of this.#givenBack) if (this.#givenBack.size >= limits.claimsMax) this.#givenBack.delete(oldest)
    this.#givenBack.set(key, times)
    if (times % givenBackTold === 0) onEvent({ kind: 'fault', part: this.#part.label, error })
    const delayMs = Math.min(this.#part.backoffMs * 2 ** Math.min(times - 1, doublingsMax), backoffMsMax)
    await this.#release(attempt, delayMs * (0.5 + runtime.random.next()))
  }

  /** Gives an entry back. */
  async #release({ partition, claim }: Attempt, delayMs: number): Promise<void> {
    const { router, limits } = this.#options
    const options = router.sharesFate(partition) ? undefined : { timeoutMs: limits.claimLeaseMs }
    // Where nobody hears it, the claim ends with its lease, or has ended with the reign.
    await router.send(partition, { kind: 'release', claim, delayMs }, options).catch(() => undefined)
  }

  #tellDrained(): void {
    if (this.#drained.length === 0 || this.#attempts.size + this.#asked > 0) return
    for (const resolve of this.#drained.splice(0)) resolve()
  }

  /** Says now and then that what was claimed is worked on, where nobody else would know. */
  #keepLater(): void {
    const { router, limits, runtime } = this.#options
    const isAlone = Array.from({ length: router.partitions }, (_, at) => at).every((at) => router.sharesFate(at))
    if (isAlone || this.#isStopped) return
    this.#keeping = runtime.timers.after(limits.claimLeaseMs / 3, () => {
      this.#keep()
      this.#keepLater()
    })
  }

  #keep(): void {
    const { router, limits } = this.#options
    const leaseMs = limits.claimLeaseMs
    const byReign = Map.groupBy(this.#attempts, ({ partition, claim }) => `${partition} ${claim.epoch}`)
    for (const [first, ...rest] of byReign.values()) {
      if (first === undefined) continue
      const numbers = [first, ...rest].map(({ claim }) => claim.number)
      const command = { kind: 'keep-claims', epoch: first.claim.epoch, numbers, leaseMs } as const
      router.send(first.partition, command, { timeoutMs: leaseMs / 3 }).catch(() => undefined)
    }
  }
}

function textOf(error: unknown): string {
  if (isPlenumError(error)) return `${error.code}: ${error.message}`
  try {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  } catch {
    return 'What was thrown has no text.'
  }
}
