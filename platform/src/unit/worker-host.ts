import type { ResolvedUnit } from './resolve-unit.ts'
import { WorkerRun, type WorkerOptions } from './worker-run.ts'

/** The workers of a unit in one process (UN3). */
export class WorkerHost {
  /** By name. */
  readonly runs: ReadonlyMap<string, WorkerRun>
  readonly #options: WorkerOptions

  constructor(unit: Pick<ResolvedUnit, 'workers'>, options: WorkerOptions) {
    this.#options = options
    this.runs = new Map([...unit.workers].map(([name, part]) => [name, new WorkerRun(part, options)]))
  }

  start(): void {
    for (const run of this.runs.values()) run.start()
  }

  /** Claims nothing more, waits for what is worked on for `drainMsMax`, and gives back what is still claimed then. */
  async close(): Promise<void> {
    const { runtime, limits } = this.#options
    const runs = [...this.runs.values()]
    const late = Promise.withResolvers<void>()
    const timer = runtime.timers.after(limits.drainMsMax, late.resolve)
    const busy = runs.filter((run) => !run.isIdle)
    await Promise.race([Promise.all(busy.map((run) => run.drain())), late.promise])
    timer.stop()
    await Promise.all(runs.map((run) => run.stop()))
  }

  /** Stops without a word to anybody, as a killed process does. */
  drop(): void {
    for (const run of this.runs.values()) run.drop()
  }
}
