import type { Reading } from '../harness/closed-loop.ts'
import { latencyOf, type Latency } from '../harness/latency.ts'
import { openLoop } from '../harness/open-loop.ts'
import type { Subject } from '../harness/remote.ts'

/** What a worker is given; the amount follows from the id, so that every subject gets the same jobs. */
export interface Job {
  readonly id: number
  readonly amount: number
}

/** Hears what a worker does. */
export interface WorkListener {
  /** The worker's function has this job and is about to end. */
  worked(job: Job): void
}

/** What becomes of a job that is done. */
export type JobEnd = 'removed' | 'kept'

/** A store of jobs with one worker on it, durable when it answers unless it says otherwise. */
export interface JobStore {
  /** Its version, and the settings that were looked up before anything was measured. */
  readonly about: string
  /** Adds jobs; resolves when they are safe. */
  add(jobs: readonly Job[]): Promise<unknown>
  /** Begins to work with so many at the same time. */
  start(concurrency: number, listener: WorkListener): Promise<void>
  /** Resolves when the end of every job whose function has run is safe. */
  idle(): Promise<void>
  /** Stops working; what is worked on is brought to its end. */
  stop(): Promise<void>
  /** Tells the id of each job whose end is safe, from now on; the function that is returned ends that. */
  hear(done: (id: number) => void): Promise<() => Promise<void>>
  /** Jobs that are still to be worked off. */
  left(): Promise<number>
  /** Removes jobs that are done and were kept: those with ids in [from, to). */
  sweep(from: number, to: number): Promise<void>
  close(): Promise<void>
}

/** Jobs of one call that adds. */
const addedTogether = 100
/** Callers that add while the worker works; each waits until its jobs were worked on. */
const adders = 10
/** Jobs of the piece of work that all subjects do. */
const proofJobs = 2_000
const proofConcurrency = 10
/** Jobs of the first backlog for each second that the second one shall take: its size follows from the first one's rate. */
const probeJobsPerSecond = 500
const backlogJobsMax = 200_000
/** Part of a measurement that passes before it counts. */
const warmUpShare = 0.2
/** Jobs of one call that writes the backlog. */
const backlogTogether = 1_000

/** Jobs that were added together, and who waits for them. */
interface Batch {
  left: number
  readonly resolve: () => void
}

/** One worker on a store of jobs: the same jobs in the same order for every store. */
export class JobBench implements Subject {
  readonly #store: JobStore
  readonly #batches = new Map<number, Batch>()
  #next = 0
  #swept = 0
  #worked = 0
  #hash = 0
  /** Number of the job with which the warm-up ends, and when that was. */
  #warmAt = 0
  #warmedMs = 0
  #allWorked: () => void = () => {}

  constructor(store: JobStore) {
    this.#store = store
  }

  async about(): Promise<string> {
    return this.#store.about
  }

  /** Works off the first jobs and returns a hash of what the worker was given: each job once, in any order. */
  async proof(): Promise<string> {
    await this.#workOff(proofJobs, proofConcurrency, 0)
    return this.#hash.toString(16).padStart(8, '0')
  }

  /** How fast jobs are worked off that were all added before; as many as take about so many seconds. */
  async backlog(concurrency: number, seconds: number): Promise<Reading> {
    const probeJobs = Math.ceil(probeJobsPerSecond * seconds)
    const probe = await this.#workOff(probeJobs, concurrency)
    const jobs = (probe.operations / probe.seconds) * seconds
    return this.#workOff(Math.round(Math.min(backlogJobsMax, Math.max(probeJobs, jobs))), concurrency)
  }

  /** How fast jobs are worked off while others are added: ten callers add a hundred each, and again when those are done. */
  async steady(concurrency: number, seconds: number): Promise<Reading> {
    await this.#store.start(concurrency, this.#listener)
    const warmMs = performance.now() + seconds * 1_000 * warmUpShare
    const until = warmMs + seconds * 1_000
    const adder = async (): Promise<void> => {
      while (performance.now() < until) await this.#addAndWait()
    }
    const adding = Promise.all(Array.from({ length: adders }, adder))
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, warmMs - performance.now())))
    const [began, before] = [performance.now(), this.#worked]
    await adding
    await this.#store.idle()
    const took = (performance.now() - began) / 1_000
    const operations = this.#worked - before
    await this.#end()
    return { operations, seconds: took }
  }

  /** Adds single jobs at a fixed rate; latency is from the time at which one was to be added until its end is known. */
  async paced(
    perSecond: number,
    concurrency: number,
    seconds: number,
  ): Promise<{ readonly latency: Latency; readonly perSecond: number }> {
    const waiting = new Map<number, () => void>()
    await this.#store.start(concurrency, this.#listener)
    const stopHearing = await this.#store.hear((id) => {
      waiting.get(id)?.()
      waiting.delete(id)
    })
    const call = async (): Promise<void> => {
      const job = this.#newJob()
      const done = new Promise<void>((resolve) => waiting.set(job.id, resolve))
      await this.#store.add([job])
      await done
    }
    await openLoop(perSecond, seconds * warmUpShare, call)
    const run = await openLoop(perSecond, seconds, call)
    await stopHearing()
    await this.#store.idle()
    await this.#end()
    return { latency: latencyOf(run.latenciesMs), perSecond: run.perSecond }
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  readonly #listener: WorkListener = {
    worked: ({ id, amount }) => {
      // In any order, and wrong if one comes twice.
      this.#hash = (this.#hash + Math.imul(id + 1, amount)) >>> 0
      this.#worked += 1
      if (this.#worked === this.#warmAt) this.#warmedMs = performance.now()
      if (this.#worked === this.#next) this.#allWorked()
      const batch = this.#batches.get(id)
      if (batch === undefined) return
      this.#batches.delete(id)
      batch.left -= 1
      if (batch.left === 0) batch.resolve()
    },
  }

  /** Adds jobs, then has them worked off; counts those after the warm-up, until the end of the last one is safe. */
  async #workOff(jobs: number, concurrency: number, warmUp = Math.ceil(jobs * warmUpShare)): Promise<Reading> {
    for (let left = jobs + warmUp; left > 0; left -= backlogTogether) {
      await this.#store.add(Array.from({ length: Math.min(left, backlogTogether) }, () => this.#newJob()))
    }
    this.#warmAt = this.#worked + warmUp
    this.#warmedMs = performance.now()
    const allWorked = new Promise<void>((resolve) => (this.#allWorked = resolve))
    await this.#store.start(concurrency, this.#listener)
    await allWorked
    await this.#store.idle()
    const seconds = (performance.now() - this.#warmedMs) / 1_000
    await this.#end()
    return { operations: jobs, seconds }
  }

  /** Adds jobs together; resolves when the worker has had them all. */
  async #addAndWait(): Promise<void> {
    const jobs = Array.from({ length: addedTogether }, () => this.#newJob())
    const worked = new Promise<void>((resolve) => {
      const batch: Batch = { left: addedTogether, resolve }
      for (const { id } of jobs) this.#batches.set(id, batch)
    })
    await this.#store.add(jobs)
    await worked
  }

  /** Stops working. Throws unless each job was worked on once, and none is left. */
  async #end(): Promise<void> {
    await this.#store.stop()
    const left = await this.#store.left()
    if (this.#worked !== this.#next || left !== 0) {
      throw new Error(`Of ${this.#next} jobs ${left} are left, and the worker was given ${this.#worked}.`)
    }
    await this.#store.sweep(this.#swept, this.#next)
    this.#swept = this.#next
  }

  #newJob(): Job {
    const id = this.#next++
    return { id, amount: Math.imul(id, 0x9e3779b1) >>> 12 }
  }
}
