// Plays seeds on threads of their own, so that all cores work and a run that never ends can be ended.
//
// I1 A name is handed out once, and has one outcome.
// I2 A thread that does not answer in time is ended and replaced; its seed has failed.
import { Worker } from 'node:worker_threads'
import type { Outcome } from './outcome.ts'
import type { SeedName } from './run-seed.ts'

/** How a crew works. */
export interface CrewOptions {
  readonly workers: number
  /** Told of each outcome as it comes. */
  readonly onOutcome: (outcome: Outcome) => void
  /** True if no further seed is to be begun. */
  readonly isOver?: () => boolean
  /** Real milliseconds after which a run counts as hanging; 300,000 where nothing is said, one takes about 300. */
  readonly seedMsMax?: number
}

/** Plays all the named seeds and resolves when the last has ended. */
export async function playAll(names: Iterable<SeedName>, options: CrewOptions): Promise<void> {
  const queue = names[Symbol.iterator]()
  await Promise.all(Array.from({ length: options.workers }, () => work(queue, options)))
}

async function work(queue: Iterator<SeedName>, options: CrewOptions): Promise<void> {
  const { onOutcome, isOver, seedMsMax = 300_000 } = options
  let thread: Worker | undefined
  try {
    for (;;) {
      if (isOver?.() === true) return
      const next = queue.next()
      if (next.done === true) return
      thread ??= new Worker(new URL('./seed-thread.ts', import.meta.url))
      const outcome = await played(thread, next.value, seedMsMax)
      onOutcome(outcome)
      if (outcome.kind === 'failed' && outcome.failure.code === lostCode) {
        await thread.terminate()
        thread = undefined
      }
    }
  } finally {
    await thread?.terminate()
  }
}

/** The code of a run whose thread hung or died. */
const lostCode = 'LOST'

function played(thread: Worker, name: SeedName, seedMsMax: number): Promise<Outcome> {
  return new Promise((resolve) => {
    const end = (outcome: Outcome): void => {
      clearTimeout(limit)
      thread.off('message', end)
      thread.off('error', die)
      resolve(outcome)
    }
    const lose = (message: string, evidence = ''): void =>
      end({ kind: 'failed', name, failure: { code: lostCode, message, evidence }, ms: seedMsMax })
    const die = (error: Error): void => lose(`its thread died: ${error.message}`, error.stack)
    const limit = setTimeout(() => lose(`it did not end within ${seedMsMax / 1_000} s`), seedMsMax)
    thread.on('message', end)
    thread.on('error', die)
    thread.postMessage(name)
  })
}
