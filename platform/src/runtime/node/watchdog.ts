import { Worker } from 'node:worker_threads'
import { RunCells } from './run-cells.ts'

/** What the watchdog's thread is started with. */
export interface WatchdogData {
  /** Those of `RunCells`: a counter that grows by one at the begin and at the end of each run, and which part runs. */
  readonly cells: SharedArrayBuffer
  readonly parts: readonly string[]
  /** Milliseconds that one run may take, and after which it is slow. */
  readonly limitMs: number
  readonly slowMs: number
}

/** A run that held up its partition for longer than it should: at least so many milliseconds (UN5). */
export interface SlowPart {
  readonly part: string
  readonly ms: number
}

export interface WatchdogOptions {
  /** The names of what is watched. */
  readonly parts: readonly string[]
  readonly limitMs: number
  readonly slowMs: number
  /** Told of slow runs, some milliseconds after they are over. */
  readonly onSlow: (slow: SlowPart) => void
}

/**
 * Ends a process whose unit does not return (PA9), and tells of runs that were slow (UN5). A thread of its own watches a
 * shared counter, so that a run costs two stores and no clock; when one run takes longer than the limit, it says
 * HANDLER_STUCK and which part that was on the standard error, and kills the process.
 * Nothing that was acked is lost, and of the stuck command nothing was journaled. Ending the run alone is not possible:
 * V8 can terminate what a thread executes, but Node then ends the process with a broken stack of async hooks.
 */
export class Watchdog {
  readonly #cells: RunCells
  readonly #worker: Worker

  constructor({ parts, limitMs, slowMs, onSlow }: WatchdogOptions) {
    const cells = RunCells.memory()
    this.#cells = new RunCells(cells, parts)
    const file = import.meta.url.endsWith('.ts') ? './watchdog-thread.ts' : './watchdog-thread.js'
    const workerData: WatchdogData = { cells, parts, limitMs, slowMs }
    this.#worker = new Worker(new URL(file, import.meta.url), { workerData, execArgv: [] })
    this.#worker.on('message', onSlow)
    this.#worker.unref()
  }

  /** A function of the unit begins. */
  enter(part: string): void {
    this.#cells.enter(part)
  }

  /** It has returned or thrown. */
  leave(): void {
    this.#cells.leave()
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
  }
}
