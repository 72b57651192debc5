import { PlenumError, type Limits } from '../kernel/index.ts'
import type { Request } from '../space/index.ts'

/** What a thread runs: a function of the unit, and the call that it runs for, 0 if that is not known. */
export interface Run {
  readonly part: string | undefined
  readonly call: number
}

/** How a thread has ended, and what it ran then. */
export interface Ending {
  readonly reason: 'closed' | 'stuck' | 'crashed'
  readonly run: Run
  readonly error: Error | undefined
}

/** What an ending says, as a sentence without its end. */
export function toldOf({ reason, run, error }: Ending, thread: number, limits: Limits): string {
  const what = run.part === undefined ? '' : ` while the ${run.part} ran`
  switch (reason) {
    case 'stuck':
      return `thread ${thread} was ended, because the ${run.part ?? 'code beside its handlers and tasks'} did not return within ${limits.handlerMsMax} ms`
    case 'crashed':
      return `thread ${thread} ended by itself${what}: ${error?.message ?? 'the process object was told to exit'}`
    case 'closed':
      return `thread ${thread} did not close in time, and was ended`
  }
}

/**
 * Whether a request was in execution when its thread ended: `known` if the thread said so, `likely` if it is one for the
 * function that ran, where the thread could not say for which call.
 */
export function isGuilty(
  call: number,
  { command }: Request,
  { part, call: running }: Run,
): 'known' | 'likely' | undefined {
  if (part === undefined) return undefined
  if (running !== 0) return running === call ? 'known' : undefined
  const isIts =
    (command.kind === 'call' && part === `handler ${command.handler}`) ||
    (command.kind === 'task' && part === `task ${command.task}`)
  return isIts ? 'likely' : undefined
}

/** The answer to what was open when a thread ended; `isGuilty`: it may be what has ended it, and that is counted (PA9). */
export function lostWith({ reason }: Ending, isGuilty: boolean): PlenumError {
  return new PlenumError(
    'UNKNOWN_OUTCOME',
    'The thread of this partition ended before the answer came. Ask again with the same key, or look.',
    { details: { reason: isGuilty ? 'failed' : `thread ${reason}` } },
  )
}

/** The answer to what was in execution when its thread was ended for it. */
export function stuckError({ part }: Run, { handlerMsMax }: Limits): PlenumError {
  return new PlenumError(
    'HANDLER_STUCK',
    `The ${part} did not return within ${handlerMsMax} ms, so its thread was ended and started anew. Nothing happened. ` +
      'Make the loop in it end, or move long work to a worker.',
    { details: { part, limitMs: handlerMsMax } },
  )
}

/** The answer to what was in execution each time that its thread ended. */
export function poison(attempt: number): PlenumError {
  return new PlenumError(
    'POISON_REQUEST',
    `This request was in execution ${attempt} times when its thread ended, and is not run again. Look for what it does to the thread that runs it.`,
    { details: { attempt } },
  )
}

/** The answer where the threads that are needed cannot be kept running. */
export function threadFailed(thread: number, told: string): PlenumError {
  return new PlenumError(
    'THREAD_FAILED',
    `Thread ${thread} cannot be kept running: ${told}. Its partitions answer nothing; what was acked is in the journal. ` +
      'Look for what ends it, and start the application again.',
    { details: { thread } },
  )
}
