import { Worker } from 'node:worker_threads'

/** What the watchdog's thread is started with. */
export interface WatchdogData {
  /** Two Int32: the number of the run at hand, 0 between runs, and which of the parts it runs. */
  readonly cells: SharedArrayBuffer
  readonly parts: readonly string[]
  /** Milliseconds that one run may take. */
  readonly limitMs: number
}

/**
 * Ends a process whose unit does not return (PA9). A thread of its own watches a shared counter; when one run takes
 * longer than the limit, it says HANDLER_STUCK and which part that was on the standard error, and kills the process.
 * Nothing that was acked is lost, and of the stuck command nothing was journaled. Ending the run alone is not possible:
 * V8 can terminate what a thread executes, but Node then ends the process with a broken stack of async hooks.
 */
export class Watchdog {
  readonly #cells: Int32Array
  readonly #parts: ReadonlyMap<string, number>
  readonly #worker: Worker
  #runs = 0

  constructor(limitMs: number, parts: readonly string[]) {
    const cells = new SharedArrayBuffer(8)
    this.#cells = new Int32Array(cells)
    this.#parts = new Map(parts.map((part, at) => [part, at]))
    const file = import.meta.url.endsWith('.ts') ? './watchdog-thread.ts' : './watchdog-thread.js'
    const workerData: WatchdogData = { cells, parts, limitMs }
    this.#worker = new Worker(new URL(file, import.meta.url), { workerData, execArgv: [] })
    this.#worker.unref()
  }

  /** A function of the unit begins. */
  enter(part: string): void {
    this.#runs = (this.#runs % 0x7fffffff) + 1
    this.#cells[1] = this.#parts.get(part) ?? -1
    Atomics.store(this.#cells, 0, this.#runs)
  }

  /** It has returned or thrown. */
  leave(): void {
    Atomics.store(this.#cells, 0, 0)
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
  }
}
