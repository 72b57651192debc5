// A peer behind a socket: BullMQ, in the process of its callers, on a Redis server.
import { Queue, Worker, type RedisOptions } from 'bullmq'
import { Redis } from 'ioredis'
import { JobBench, type Job, type JobEnd, type JobStore, type WorkListener } from './job-bench.ts'
import { requireDurableRedis } from './redis-bank.ts'

export interface BullmqJobsOptions {
  readonly end: JobEnd
  readonly port: number
  /** Number of a database of the server: each subject has its own. */
  readonly database: number
}

const queueName = 'jobs'

class BullmqJobs implements JobStore {
  readonly about: string
  readonly #connection: RedisOptions
  readonly #queue: Queue<Job>
  readonly #end: JobEnd
  #worker: Worker<Job> | undefined
  #hears: ((id: number) => void) | undefined
  #running = 0

  constructor(connection: RedisOptions, queue: Queue<Job>, end: JobEnd, about: string) {
    this.#connection = connection
    this.#queue = queue
    this.#end = end
    this.about = about
  }

  async add(jobs: readonly Job[]): Promise<void> {
    const [only, another] = jobs
    if (only !== undefined && another === undefined) await this.#queue.add('job', only)
    else await this.#queue.addBulk(jobs.map((data) => ({ name: 'job', data })))
  }

  async start(concurrency: number, listener: WorkListener): Promise<void> {
    const worker = new Worker<Job>(
      queueName,
      async ({ data }) => {
        this.#running += 1
        listener.worked(data)
      },
      { connection: this.#connection, concurrency, removeOnComplete: { count: this.#end === 'removed' ? 0 : -1 } },
    )
    // Redis has answered, and so has synced, that the job is over.
    worker.on('completed', ({ data }) => {
      this.#running -= 1
      this.#hears?.(data.id)
    })
    worker.on('failed', (_, error) => fail(error))
    worker.on('error', fail)
    this.#worker = worker
    await worker.waitUntilReady()
  }

  async idle(): Promise<void> {
    while (this.#running > 0) await new Promise((resolve) => setImmediate(resolve))
  }

  async stop(): Promise<void> {
    await this.#worker?.close()
    this.#worker = undefined
  }

  async hear(done: (id: number) => void): Promise<() => Promise<void>> {
    this.#hears = done
    return async () => {
      this.#hears = undefined
    }
  }

  async left(): Promise<number> {
    const counts = await this.#queue.getJobCounts('wait', 'active', 'delayed', 'failed')
    return Object.values(counts).reduce((sum, count) => sum + count, 0)
  }

  async sweep(): Promise<void> {
    if (this.#end === 'kept') await this.#queue.obliterate()
  }

  async close(): Promise<void> {
    await this.#queue.close()
  }
}

/** No job of the benchmark fails: what does is no result. */
function fail(error: Error): never {
  throw error
}

/** Connects, and looks up that the server keeps what it answers. */
export async function openBullmqJobs({ end, port, database }: BullmqJobsOptions): Promise<JobBench> {
  const connection = { host: '127.0.0.1', port, db: database, enableAutoPipelining: false, maxRetriesPerRequest: null }
  const client = new Redis(connection)
  try {
    const redis = await requireDurableRedis(client)
    const queue = new Queue<Job>(queueName, { connection })
    await queue.waitUntilReady()
    return new JobBench(new BullmqJobs(connection, queue, end, `BullMQ: ${redis}`))
  } finally {
    client.disconnect()
  }
}
