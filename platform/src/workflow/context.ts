// What the function of a workflow is given, as its author sees it.
import type { Duration } from '../kernel/index.ts'
import type { AnyEntry, Of, Operations, Output, Schema, Space, Stored, Value, Where } from '../space/index.ts'
import type { Given, Uses } from '../unit/index.ts'

/** The messages that a workflow receives, by name. */
export type Messages = Readonly<Record<string, Schema>>

/** How often a step is tried, and how long after a failure: twice as long each time, with jitter. */
export interface StepRetry {
  readonly attempts: number
  readonly backoff: Duration
}

/** What a step's function gets. */
export interface StepContext<U extends Uses = Uses> {
  /** Commits together with the step, or not at all; it begins when it is first used, so call outside before. */
  readonly tx: Operations<'later', AnyEntry>
  /** The whole space, outside of the transaction. */
  readonly space: Space<AnyEntry>
  readonly uses: Given<U>
  /** The same for each run of this step of this instance: give it to the outside world as its idempotency key. */
  readonly key: string
  /** 1 for the first. */
  readonly attempt: number
  /** Aborted at the step's time-out, and when the application closes. */
  readonly signal: AbortSignal
  /** `throw refuse('CARD_DECLINED', { card })`: the step has failed for good, and is not tried again. */
  refuse(reason: string, data?: unknown): Error
}

/** How a step is taken, and taken back. */
export interface StepOptions<R, U extends Uses = Uses> {
  /**
   * Takes back what the step has done: run when the instance fails or is cancelled later, last step first. It is a step of
   * its own, with a key and attempts of its own. A step that did not return is not undone.
   */
  readonly undo?: (result: Stored<R>, context: StepContext<U>) => unknown
  /** In place of the workflow's. */
  readonly retry?: StepRetry
}

/** How long a wait may take. */
export interface WaitOptions {
  readonly timeout?: Duration
}

/** What a wait gives: undefined only where it may time out. */
export type Waited<V, O extends WaitOptions> = V | ({} extends O ? never : undefined)

/** What the function of a workflow gets beside its input. */
export interface WorkflowContext<U extends Uses = Uses, M extends Messages = Messages> {
  /** Of the instance. */
  readonly id: string
  /**
   * Does something once: what the function returns is kept, in one commit with what it did by `tx`, and is what this
   * returns from then on, whenever the workflow runs again. Throws WORKFLOW_STEP_FAILED once all attempts have failed.
   */
  step<R>(
    name: string,
    run: (context: StepContext<U>) => Promise<R> | R,
    options?: StepOptions<R, U>,
  ): Promise<Stored<R>>
  /** Goes on after this time, also over restarts. Nothing is claimed meanwhile. */
  sleep(time: Duration): Promise<void>
  /** The oldest message of this name that was sent to the instance; waits until there is one, or the time-out. */
  receive<K extends keyof M & string, const O extends WaitOptions = {}>(
    name: K,
    options?: O,
  ): Promise<Waited<Stored<Output<M[K]>>, O>>
  /** An entry that matches, as it was when it was found; waits until there is one, or the time-out. */
  until<const T extends AnyEntry, const O extends WaitOptions = {}>(
    type: T,
    where: Where<Value<T>>,
    options?: O,
  ): Promise<Waited<Of<T>, O>>
}
