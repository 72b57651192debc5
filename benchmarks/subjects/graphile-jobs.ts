// A peer behind a socket: Graphile Worker, in the process of its callers, on a PostgreSQL server.
import { Logger, makeWorkerUtils, run, type AddJobFunction, type AddJobsFunction, type Runner } from 'graphile-worker'
import { Client, Pool, type PoolClient } from 'pg'
import { JobBench, type Job, type JobStore, type WorkListener } from './job-bench.ts'
import { requireDurablePostgres } from './postgres-bank.ts'

export interface GraphileJobsOptions {
  /** Address of the server. */
  readonly url: string
}

/** What adds jobs. */
interface Adder {
  readonly addJob: AddJobFunction
  readonly addJobs: AddJobsFunction
  release(): unknown
}

const database = 'jobs'
const taskName = 'job'
/** As many as work at the same time, and those that add, fetch and end jobs. */
const connections = 60

/** What made it fastest here: jobs are fetched by the thousand, and those that end within a millisecond end together. */
const quick = { localQueue: { size: 1_000 }, completeJobBatchDelay: 0 } as const

/**
 * Hears what PostgreSQL answers when jobs are ended: the events of Graphile Worker tell that a job is over before it was
 * asked.
 */
class Endings {
  listener: (names: readonly string[]) => void = () => {}

  constructor(pool: Pool) {
    pool.on('connect', (client) => this.#overhear(client))
  }

  #overhear(client: PoolClient): void {
    const query: unknown = client.query.bind(client)
    if (typeof query !== 'function') throw new Error('The client has no queries.')
    Reflect.set(client, 'query', (...given: readonly unknown[]): unknown => {
      const answer: unknown = Reflect.apply(query, client, given)
      const ended = endedBy(given[0])
      // Of a failure Graphile Worker hears, and the jobs stay.
      if (ended.length > 0 && answer instanceof Promise)
        answer.then(
          () => this.listener(ended),
          () => {},
        )
      return answer
    })
  }
}

class GraphileJobs implements JobStore {
  readonly about: string
  readonly #pool: Pool
  readonly #adder: Adder
  #runner: Runner | undefined
  #hears: ((id: number) => void) | undefined
  /** What is worked on, by the name that Graphile Worker gave it. */
  readonly #running = new Map<string, number>()

  constructor(pool: Pool, endings: Endings, adder: Adder, about: string) {
    this.#pool = pool
    this.#adder = adder
    this.about = about
    endings.listener = (names) => this.#ended(names)
  }

  async add(jobs: readonly Job[]): Promise<void> {
    const [only, another] = jobs
    if (only !== undefined && another === undefined) await this.#adder.addJob(taskName, only)
    else await this.#adder.addJobs(jobs.map((payload) => ({ identifier: taskName, payload })))
  }

  async start(concurrency: number, listener: WorkListener): Promise<void> {
    this.#runner = await run({
      pgPool: this.#pool,
      logger: silent,
      noHandleSignals: true,
      parsedCronItems: [],
      taskList: {
        [taskName]: (payload, { job }) => {
          const given = jobOf(payload)
          this.#running.set(job.id, given.id)
          listener.worked(given)
        },
      },
      preset: { worker: { concurrentJobs: concurrency, ...quick } },
    })
  }

  async idle(): Promise<void> {
    while (this.#running.size > 0) await new Promise((resolve) => setImmediate(resolve))
  }

  async stop(): Promise<void> {
    await this.#runner?.stop()
    this.#runner = undefined
  }

  async hear(done: (id: number) => void): Promise<() => Promise<void>> {
    this.#hears = done
    return async () => {
      this.#hears = undefined
    }
  }

  async left(): Promise<number> {
    const { rows } = await this.#pool.query<{ count: string }>('SELECT count(*) FROM graphile_worker.jobs')
    return Number(rows[0]?.count)
  }

  /** The server vacuums nothing by itself here, and this table would be the slower for it. */
  async sweep(): Promise<void> {
    await this.#pool.query('VACUUM (ANALYZE) graphile_worker._private_jobs')
  }

  async close(): Promise<void> {
    await this.#adder.release()
    await this.#pool.end()
  }

  #ended(names: readonly string[]): void {
    for (const name of names) {
      const id = this.#running.get(name)
      if (!this.#running.delete(name) || id === undefined) throw new Error(`Job ${name} ended, and had not begun.`)
      this.#hears?.(id)
    }
  }
}

const silent = new Logger(() => () => {})

/** The jobs that a query of Graphile Worker ends. */
function endedBy(query: unknown): readonly string[] {
  if (typeof query !== 'object' || query === null || !('name' in query) || !('values' in query)) return []
  if (typeof query.name !== 'string' || !query.name.startsWith('complete_job') || !Array.isArray(query.values))
    return []
  const [names]: readonly unknown[] = query.values
  return Array.isArray(names) ? names.map(String) : [String(names)]
}

/** The job in a payload, which came out of the database. */
function jobOf(payload: unknown): Job {
  if (typeof payload === 'object' && payload !== null && 'id' in payload && 'amount' in payload) {
    const { id, amount } = payload
    if (typeof id === 'number' && typeof amount === 'number') return { id, amount }
  }
  throw new Error(`This is no job: ${JSON.stringify(payload)}`)
}

/** Makes a database for its jobs, after looking up that the server keeps what it answers. */
export async function openGraphileJobs({ url }: GraphileJobsOptions): Promise<JobBench> {
  const server = new Client({ connectionString: url })
  await server.connect()
  const postgres = await requireDurablePostgres(server)
  await server.query(`CREATE DATABASE ${database}`)
  await server.end()
  const jobsUrl = new URL(url)
  jobsUrl.pathname = `/${database}`
  const pool = new Pool({ connectionString: jobsUrl.href, max: connections })
  // A lost connection is no result; one that is lost at the end does not matter.
  const lost = (error: Error): void => {
    if (!pool.ending) throw error
  }
  pool.on('error', lost)
  pool.on('connect', (client) => void client.on('error', lost))
  const endings = new Endings(pool)
  const about = `Graphile Worker, ${JSON.stringify(quick)}: ${postgres}`
  try {
    const adder = await makeWorkerUtils({ pgPool: pool, logger: silent })
    await adder.migrate()
    return new JobBench(new GraphileJobs(pool, endings, adder, about))
  } catch (error) {
    await pool.end()
    throw error
  }
}
