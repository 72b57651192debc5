// The place of one thread: partitions that have a thread at any time, or wait for the next one.
//
// Owns which thread has the partitions, and the requests that wait meanwhile. Does not own the partitions' state: that
// is in their journals, from which the next thread begins. Called by `threads.ts`.
//
// I1 A thread begins only when nothing is left of the one before it, so that a journal has one writer at a time.
// I2 Whatever ends a thread, the others go on.
import { PlenumError, isPlenumError, unreachable, type Limits } from '../kernel/index.ts'
import type { Runtime } from '../runtime/index.ts'
import type { Layout, Request } from '../space/index.ts'
import { HeldRequests } from './held-requests.ts'
import { threadFailed, toldOf, type Ending } from './thread-errors.ts'
import type { ThreadLife } from './thread-life.ts'
import type { LoadedFiles, LoadedUnit } from './thread-subjects.ts'

/** Milliseconds until a thread that ended soon after its start is started again, growing up to the second number. */
const againMs = 100
const againMsMax = 5_000
/** Milliseconds that a thread has to serve before its end counts as the first again. */
const soundMs = 10_000
/** Starts in a row that may fail. */
const startsMax = 5

/** What happened to a thread (A9). */
export type SeatEvent =
  | {
      readonly kind: 'thread-ended'
      readonly thread: number
      readonly partitions: readonly number[]
      readonly reason: Ending['reason']
      /** The function that it ran, if it did. */
      readonly part: string | undefined
      readonly message: string
    }
  | { readonly kind: 'thread-started'; readonly thread: number; readonly partitions: readonly number[] }
  /** It cannot be started again, and its partitions answer nothing any more. */
  | {
      readonly kind: 'thread-failed'
      readonly thread: number
      readonly partitions: readonly number[]
      readonly error: PlenumError
    }

export interface SeatOptions {
  readonly thread: number
  readonly partitions: readonly number[]
  readonly limits: Limits
  readonly runtime: Runtime
  /** Makes a thread that loads the unit from this address. */
  readonly born: (module: string) => ThreadLife
  /** Whether the next thread is to be made ahead, so that it has only the unit to load. */
  readonly keepsSpare: boolean
  readonly onEvent: (event: SeatEvent) => void
}

/** A thread that has loaded its unit, and does not run anything yet. */
export interface Prepared {
  readonly life: ThreadLife
  readonly module: string
  readonly loaded: LoadedUnit
}

type State =
  | { readonly kind: 'empty' }
  | { readonly kind: 'serving'; readonly prepared: Prepared; readonly since: number }
  | { readonly kind: 'failed'; readonly error: PlenumError }
  | { readonly kind: 'closed' }

export class Seat {
  readonly #options: SeatOptions
  readonly #held: HeldRequests
  #state: State = { kind: 'empty' }
  #restarts = 0
  #spare: ThreadLife | undefined
  /** The change of threads under way. */
  #changing: Promise<void> | undefined

  constructor(options: SeatOptions) {
    this.#options = options
    this.#held = new HeldRequests(options.limits.inboxRequestsMax)
  }

  get partitions(): readonly number[] {
    return this.#options.partitions
  }

  /** Answers a request, once a thread serves. */
  send(partition: number, request: Request): Promise<unknown> {
    const state = this.#state
    switch (state.kind) {
      case 'serving':
        return state.prepared.life.request(partition, request)
      case 'empty':
        return this.#held.add(partition, request)
      case 'failed':
        return Promise.reject(state.error)
      case 'closed':
        return Promise.reject(closed())
      default:
        return unreachable(state)
    }
  }

  /** A thread that has loaded a unit, from files as they are or were. Throws why it cannot. */
  async prepare(module: string, files?: LoadedFiles): Promise<Prepared> {
    const life = this.#spare ?? this.#options.born(module)
    this.#spare = undefined
    try {
      return { life, module, loaded: await life.load(files) }
    } catch (error) {
      await life.kill()
      throw error
    }
  }

  /** Has a prepared thread run the partitions, for the first time. Throws why it cannot, and has none then. */
  async begin(prepared: Prepared): Promise<void> {
    try {
      await prepared.life.start()
    } catch (error) {
      await prepared.life.kill()
      throw error
    }
    // Closed meanwhile: it has acked nothing.
    if (this.#state.kind === 'closed') await prepared.life.kill()
    else this.#serve(prepared)
  }

  /** UNIT_MISMATCH if what the partitions hold cannot follow such entry types. */
  async follow(layouts: readonly Layout[]): Promise<void> {
    await this.#changing
    if (this.#state.kind === 'serving') await this.#state.prepared.life.follow(layouts)
  }

  /**
   * Has another thread go on with the partitions; requests wait meanwhile. If that one cannot start, the unit of before
   * goes on in a new thread, and the error is thrown.
   */
  async replace(next: Prepared): Promise<void> {
    const before = this.#changing
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#changing = promise
    try {
      await before
      await this.#replace(next)
    } finally {
      resolve()
    }
  }

  makeRoom(): Promise<boolean> {
    if (this.#state.kind !== 'serving') return Promise.resolve(false)
    // A thread that ends has nothing to say, and makes no room.
    return this.#state.prepared.life.makeRoom().catch(() => false)
  }

  /** Ends the thread in order, or at once where that takes too long. */
  async close(): Promise<void> {
    const state = this.#state
    this.#state = { kind: 'closed' }
    this.#held.release(() => Promise.reject(closed()))
    if (state.kind === 'serving') await this.#closeLife(state.prepared.life, false)
    await this.#changing
    await this.#spare?.kill()
  }

  async #replace(next: Prepared): Promise<void> {
    const before = this.#state
    if (before.kind === 'closed') return next.life.kill()
    this.#state = { kind: 'empty' }
    if (before.kind === 'serving') await this.#closeLife(before.prepared.life, true)
    try {
      await this.begin(next)
    } catch (error) {
      if (before.kind === 'serving') await this.#restart(before.prepared, 0)
      else this.#fail(isPlenumError(error) ? error : threadFailed(this.#options.thread, String(error)))
      throw error
    }
  }

  #serve(prepared: Prepared): void {
    const { runtime, thread, partitions, onEvent } = this.#options
    this.#state = { kind: 'serving', prepared, since: runtime.clock.monotonic() }
    void prepared.life.ended.then((ending) => this.#onEnded(prepared, ending))
    onEvent({ kind: 'thread-started', thread, partitions })
    this.#makeSpare(prepared.module)
    this.#held.release((partition, request) => this.send(partition, request))
  }

  #makeSpare(module: string): void {
    if (!this.#options.keepsSpare || this.#spare !== undefined) return
    const spare = this.#options.born(module)
    this.#spare = spare
    void spare.ended.then(() => {
      if (this.#spare === spare) this.#spare = undefined
    })
  }

  #onEnded(prepared: Prepared, ending: Ending): void {
    const state = this.#state
    if (state.kind !== 'serving' || state.prepared !== prepared) return
    this.#state = { kind: 'empty' }
    this.#tell(ending)
    const { runtime } = this.#options
    if (runtime.clock.monotonic() - state.since > soundMs) this.#restarts = 0
    const delay = this.#restarts === 0 ? 0 : Math.min(againMs * 2 ** (this.#restarts - 1), againMsMax)
    this.#restarts += 1
    this.#changing = this.#restart(prepared, delay)
  }

  /** Starts the unit of before anew: what it was is kept where files may have changed meanwhile. */
  async #restart(before: Prepared, delayMs: number): Promise<void> {
    const { runtime, thread } = this.#options
    let told = ''
    for (let start = 1, delay = delayMs; start <= startsMax; start++, delay = Math.max(againMs, delay * 2)) {
      if (delay > 0) await new Promise<void>((resolve) => void runtime.timers.after(delay, resolve))
      if (this.#state.kind !== 'empty') return
      try {
        const prepared = await this.prepare(before.module, before.life.files)
        if (prepared.loaded.hash !== before.loaded.hash) {
          await prepared.life.kill()
          return this.#fail(threadFailed(thread, 'the file of its unit declares something else than it did'))
        }
        return await this.begin(prepared)
      } catch (error) {
        told = error instanceof Error ? error.message : String(error)
      }
    }
    this.#fail(threadFailed(thread, told))
  }

  #fail(error: PlenumError): void {
    if (this.#state.kind === 'closed') return
    this.#state = { kind: 'failed', error }
    const { thread, partitions, onEvent } = this.#options
    onEvent({ kind: 'thread-failed', thread, partitions, error })
    this.#held.release(() => Promise.reject(error))
  }

  async #closeLife(life: ThreadLife, isReplaced: boolean): Promise<void> {
    const { runtime, limits } = this.#options
    let isLate = false
    const timer = runtime.timers.after(limits.threadCloseMsMax, () => {
      isLate = true
      void life.kill()
    })
    try {
      await life.close(isReplaced)
    } catch (error) {
      // What ended it meanwhile, or came too late, was told or is told below; anything else is the caller's.
      if (!isPlenumError(error, 'UNKNOWN_OUTCOME') && !isPlenumError(error, 'NOT_PRIMARY')) throw error
    } finally {
      timer.stop()
      const ending = await life.ended
      if (isLate || ending.reason !== 'closed') this.#tell(ending)
    }
  }

  #tell(ending: Ending): void {
    const { thread, partitions, limits, onEvent } = this.#options
    const { reason, run } = ending
    onEvent({
      kind: 'thread-ended',
      thread,
      partitions,
      reason,
      part: run.part,
      message: toldOf(ending, thread, limits),
    })
  }
}

function closed(): PlenumError {
  return new PlenumError('CLOSED', 'The application is closed.')
}
