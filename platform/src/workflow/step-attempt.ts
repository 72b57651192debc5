// One attempt at a step, or at undoing one: its function runs within its time, and what it did is committed with it.
import { isPlenumError, PlenumError } from '../kernel/index.ts'
import type { SpaceClient } from '../router/index.ts'
import { plainResult, type AttemptContext } from '../unit/index.ts'
import { StepRefusal } from './kept-errors.ts'
import { StepTransaction } from './step-transaction.ts'

/** Runs of a step's function in a row that end with a conflict, before its instance is given back. */
const conflictsMax = 20

/** What an attempt is made with. */
export interface StepAttempt {
  readonly context: AttemptContext
  /** What errors call it: `step pay of workflow fulfil`. */
  readonly label: string
  readonly key: string
  /** 1 for the first. */
  readonly attempt: number
  readonly timeoutMs: number
  readonly run: (context: StepContextObject) => unknown
  /** Commits that the step was taken, and what came of it. */
  readonly conclude: (tx: SpaceClient, result: unknown) => Promise<void>
  /** The same in one request, where the step has no transaction: a conflict if anything has changed. */
  readonly concludeAtOnce?: (result: unknown) => Promise<void>
}

/** Makes an attempt until it meets no conflict; what its function has returned, once it is committed. */
export async function attemptStep(step: StepAttempt): Promise<unknown> {
  const { timers, random } = step.context.runtime
  for (let turn = 1; ; turn++) {
    const transaction = new StepTransaction(step.context.space)
    try {
      const result = await resultOf(step, transaction)
      const { conclude, concludeAtOnce } = step
      await transaction.commit(
        (tx) => conclude(tx, result),
        concludeAtOnce === undefined ? undefined : () => concludeAtOnce(result),
      )
      return result
    } catch (error) {
      const why: unknown = await transaction.drop(error).catch((cause: unknown) => cause)
      if (!isPlenumError(why, 'TRANSACTION_CONFLICT') || turn >= conflictsMax) throw why
      await new Promise<void>((resolve) => timers.after(random.next() * 2 * turn, resolve))
    }
  }
}

async function resultOf(step: StepAttempt, transaction: StepTransaction): Promise<unknown> {
  const { context, label, timeoutMs } = step
  const given = new StepContextObject(step, transaction)
  const late = Promise.withResolvers<never>()
  const timer = context.runtime.timers.after(timeoutMs, () => {
    const error = new PlenumError('TIMEOUT', `The ${label} did not return within ${timeoutMs} ms.`, {
      details: { part: label, timeoutMs },
    })
    given.abort(error)
    late.reject(error)
  })
  const run = async (): Promise<unknown> => step.run(given)
  try {
    return plainResult(await Promise.race([run(), late.promise]), label)
  } finally {
    timer.stop()
  }
}

/** What the function of a step gets, untyped. */
export class StepContextObject {
  readonly space: SpaceClient
  readonly uses: Readonly<Record<string, unknown>>
  readonly key: string
  readonly attempt: number
  /** A function takes its context apart, so that this must not need `this`. */
  readonly refuse = (reason: string, data?: unknown): Error => new StepRefusal(reason, data)
  readonly #outer: AttemptContext
  readonly #transaction: StepTransaction
  #controller: AbortController | undefined
  #reason: unknown

  constructor({ context, key, attempt }: StepAttempt, transaction: StepTransaction) {
    this.space = context.space
    this.uses = context.uses
    this.key = key
    this.attempt = attempt
    this.#outer = context
    this.#transaction = transaction
  }

  get tx(): SpaceClient {
    return this.#transaction.tx
  }

  /** Made when it is asked for: few functions do. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#reason !== undefined) this.#controller.abort(this.#reason)
    }
    return AbortSignal.any([this.#controller.signal, this.#outer.signal])
  }

  abort(reason: unknown): void {
    this.#reason = reason
    this.#controller?.abort(reason)
  }
}
