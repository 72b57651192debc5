import { embedded, entry, unit, worker, type Client } from 'plenum'
import { z } from 'zod'
import { JobBench, type Job, type JobEnd, type JobStore, type WorkListener } from './job-bench.ts'

export interface PlenumJobsOptions {
  readonly end: JobEnd
  readonly ack: 'memory' | 'disk'
  /** Undefined for a journal in memory. */
  readonly folder: string | undefined
  readonly partitions: number
}

const JobEntry = entry('job', z.object({ id: z.int(), amount: z.int(), state: z.enum(['new', 'done']) }), { id: 'id' })
const waiting = { state: 'new' } as const

/** Who hears of the worker; somebody else for each measurement. */
interface Ear {
  listener: WorkListener | undefined
}

type JobUnit = ReturnType<typeof jobUnit>

function jobUnit(end: JobEnd, ear: Ear) {
  return unit(
    'jobs',
    { entries: [JobEntry] },
    {
      workers: {
        work: worker({ entry: JobEntry, where: waiting }, async (job, { tx }) => {
          if (end === 'removed') await tx.remove(JobEntry, job)
          else await tx.patch(JobEntry, job, { state: 'done' })
          ear.listener?.worked(job)
        }),
      },
    },
  )
}

/** Entries of one call that removes what was kept. */
const sweptTogether = 5_000

/** Jobs as entries of Plenum, embedded; the worker runs in the same process. */
class PlenumJobs implements JobStore {
  readonly about: string
  readonly #client: Client<JobUnit>
  readonly #ear: Ear
  readonly #end: JobEnd

  constructor(client: Client<JobUnit>, ear: Ear, { end, ack, partitions }: PlenumJobsOptions) {
    this.#client = client
    this.#ear = ear
    this.#end = end
    this.about = `Plenum of this checkout: ack = ${ack}, partitions = ${partitions}, development = false`
  }

  async add(jobs: readonly Job[]): Promise<void> {
    const { space } = this.#client
    const entries = jobs.map(({ id, amount }) => ({ id, amount, state: 'new' as const }))
    if (entries.length === 1) return void (await space.insert(JobEntry, entries[0]!))
    for (const outcome of await space.insertAll(JobEntry, entries)) if (!outcome.ok) throw outcome.error
  }

  async start(concurrency: number, listener: WorkListener): Promise<void> {
    this.#ear.listener = listener
    this.#client.workers.work.concurrency = concurrency
  }

  async idle(): Promise<void> {
    // An attempt runs until its commit is acked.
    while (this.#client.workers.work.running > 0) await new Promise((resolve) => setImmediate(resolve))
  }

  async stop(): Promise<void> {
    await this.#client.workers.work.drain()
  }

  async hear(done: (id: number) => void): Promise<() => Promise<void>> {
    const abort = new AbortController()
    const ready = Promise.withResolvers<void>()
    const hearing = async (): Promise<void> => {
      const options = { initial: false, conflate: false, signal: abort.signal }
      for await (const event of this.#client.space.watch(JobEntry, waiting, options)) {
        if (event.kind === 'ready') ready.resolve()
        if (event.kind !== 'changes') continue
        for (const change of event.changes) if (change.kind === 'removed') done(change.entry.id)
      }
    }
    const heard = hearing()
    heard.catch(ready.reject)
    await ready.promise
    return () => {
      abort.abort()
      return heard
    }
  }

  left(): Promise<number> {
    return this.#client.space.count(JobEntry, waiting)
  }

  async sweep(from: number, to: number): Promise<void> {
    if (this.#end === 'removed') return
    for (let first = from; first < to; first += sweptTogether) {
      const keys = Array.from({ length: Math.min(sweptTogether, to - first) }, (_, at) => ({ id: first + at }))
      for (const outcome of await this.#client.space.removeAll(JobEntry, keys)) if (!outcome.ok) throw outcome.error
    }
  }

  async close(): Promise<void> {
    await this.#client[Symbol.asyncDispose]()
  }
}

/** Opens it without jobs; the worker waits. */
export async function openPlenumJobs(options: PlenumJobsOptions): Promise<JobBench> {
  const { end, ack, folder, partitions } = options
  const ear: Ear = { listener: undefined }
  const journal = folder === undefined ? 'memory' : { folder }
  const client = await embedded({ unit: jobUnit(end, ear), partitions, ack, journal, development: false })
  client.workers.work.concurrency = 0
  return new JobBench(new PlenumJobs(client, ear, options))
}
