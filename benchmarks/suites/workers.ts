// Workers of Plenum beside job queues: entries that a worker works off, and how long each takes.
import type { Bench } from '../harness/bench.ts'
import type { Remote } from '../harness/remote.ts'
import { median, type Latency } from '../harness/latency.ts'
import { inTurn, type Contender } from '../harness/rounds.ts'
import type { Row, Suite } from '../harness/suite.ts'
import { missingServers } from '../servers/find-servers.ts'
import { startPostgres } from '../servers/postgres-server.ts'
import { startRedis } from '../servers/redis-server.ts'
import type { JobBench, JobEnd } from '../subjects/job-bench.ts'
import type { RawDisk } from '../subjects/raw-disk.ts'
import { startRawDisk } from './subjects.ts'
import { bullmqName, judgedConcurrency, plenumName, rateWork, workerTargets, type WorkLoad } from './worker-targets.ts'

const graphileName = 'graphile-worker'

const loads: readonly WorkLoad[] = ['backlog', 'steady']
/** Entries that are added in a second where latencies are measured: as many as the slowest keeps up with. */
const pacedPerSecond = 200
/** Times as long as one measurement of throughput, so that the rare ones show. */
const pacedLonger = 5
/** Bytes of a write of the anchor: a page. */
const anchorBytes = 4_096
/** What an application gets that does not ask for another number. */
const partitions = 4

/** A store of jobs under measurement. */
interface Contestant {
  readonly subject: string
  readonly end: JobEnd
  readonly ack: 'memory' | 'disk'
  readonly remote: Remote<JobBench>
  readonly hash: string
}

/** Entries that a worker works off, beside BullMQ on Redis and Graphile Worker on PostgreSQL. */
export const workers: Suite = { ...workersOf(true), onlyNamed: true, missing: () => missingServers() }

/** The same without the servers: Plenum alone needs nothing that npm does not bring. */
export function workersOf(withServers: boolean): Suite {
  return {
    name: 'workers',
    measures:
      'A worker whose function removes its entry, or patches its state, with 1, 10 and 50 at the same time: a backlog that ' +
      'was written before, and entries that ten callers add meanwhile, a hundred each, again when those are done. Then the ' +
      'time from when an entry was to be added, one by one at a fixed rate, until it is known that it is done. In memory, ' +
      'and durable (disk) beside BullMQ on Redis and Graphile Worker on PostgreSQL, whose functions return at once. The ' +
      'raw disk is written and synced before and after.',
    leavesOut:
      'workers in other processes than those that add, several workers of one type, attempts that fail, FIFO groups, work ' +
      'that takes time, priorities and delays, Plenum over a network. The peers promise that a job is worked on at least ' +
      "once; what Plenum's function changes counts once.",
    async run(bench) {
      const rows: Row[] = []
      const notes = new Set<string>()
      await using raw = await startRawDisk(bench)
      rows.push(...(await anchor(bench, raw.subject, 'before')))
      rows.push(...(await memoryRows(bench, notes)))
      rows.push(...(await (withServers ? besidePeers(bench, notes) : diskRows(bench, notes, []))))
      rows.push(...(await anchor(bench, raw.subject, 'after')))
      return { rows, notes: [...notes], targets: bench.options.small ? [] : workerTargets(rows) }
    },
  }
}

async function memoryRows(bench: Bench, notes: Set<string>): Promise<readonly Row[]> {
  await using removing = await bench.start('plenum-jobs', {
    end: 'removed',
    ack: 'memory',
    folder: undefined,
    partitions,
  })
  await using keeping = await bench.start('plenum-jobs', { end: 'kept', ack: 'memory', folder: undefined, partitions })
  return await measured(bench, [
    await contestant(notes, plenumName, 'memory', 'removed', removing),
    await contestant(notes, plenumName, 'memory', 'kept', keeping),
  ])
}

async function besidePeers(bench: Bench, notes: Set<string>): Promise<readonly Row[]> {
  const { server: redis, port } = await startRedis(await bench.folder())
  bench.keep(redis)
  await redis.answering()
  const { server: postgres, url } = await startPostgres(await bench.folder())
  bench.keep(postgres)
  await postgres.answering()
  await using bullmqRemoving = await bench.start('bullmq-jobs', { end: 'removed', port, database: 0 })
  await using bullmqKeeping = await bench.start('bullmq-jobs', { end: 'kept', port, database: 1 })
  await using graphile = await bench.start('graphile-jobs', { url })
  return await diskRows(bench, notes, [
    await contestant(notes, bullmqName, 'disk', 'removed', bullmqRemoving),
    await contestant(notes, bullmqName, 'disk', 'kept', bullmqKeeping),
    await contestant(notes, graphileName, 'disk', 'removed', graphile),
  ])
}

async function diskRows(bench: Bench, notes: Set<string>, peers: readonly Contestant[]): Promise<readonly Row[]> {
  const [one, other] = [await bench.folder(), await bench.folder()]
  await using removing = await bench.start('plenum-jobs', { end: 'removed', ack: 'disk', folder: one, partitions })
  await using keeping = await bench.start('plenum-jobs', { end: 'kept', ack: 'disk', folder: other, partitions })
  return await measured(bench, [
    await contestant(notes, plenumName, 'disk', 'removed', removing),
    await contestant(notes, plenumName, 'disk', 'kept', keeping),
    ...peers,
  ])
}

async function contestant(
  notes: Set<string>,
  subject: string,
  ack: 'memory' | 'disk',
  end: JobEnd,
  remote: Remote<JobBench>,
): Promise<Contestant> {
  notes.add(await remote.subject.about())
  return { subject, ack, end, remote, hash: await remote.subject.proof() }
}

/** All numbers at the same time and both loads, in turn; then the latencies, in turn too. */
async function measured(bench: Bench, contestants: readonly Contestant[]): Promise<readonly Row[]> {
  const { seconds, rounds } = bench.options
  const rows: Row[] = []
  for (const concurrency of bench.sized([1, 10, judgedConcurrency], [10])) {
    for (const load of loads) {
      bench.say(`${contestants[0]?.ack}, ${load}, ${concurrency} at the same time`)
      const contenders = contestants.map(({ subject, ack, end, remote, hash }): Contender => ({
        row: { table: 'worked off', subject, work: rateWork(load, end), ack, inFlight: concurrency, hash },
        measure: () => remote.subject[load](concurrency, seconds),
      }))
      rows.push(...(await inTurn(rounds, contenders)))
    }
  }
  bench.say(`${contestants[0]?.ack}, ${pacedPerSecond} a second`)
  const removing = contestants.filter(({ end }) => end === 'removed')
  const found: Latency[][] = removing.map(() => [])
  for (let round = 0; round < rounds; round++) {
    for (const [at, { remote }] of removing.entries()) {
      const { latency } = await remote.subject.paced(pacedPerSecond, judgedConcurrency, seconds * pacedLonger)
      found[at]!.push(latency)
    }
  }
  return [...rows, ...removing.map(({ subject, ack }, at) => latencyRow(subject, ack, found[at]!))]
}

function latencyRow(subject: string, ack: Row['ack'], latencies: readonly Latency[]): Row {
  const samples = latencies.map(({ p50 }) => p50)
  const value = median(samples)
  const latency = latencies[samples.indexOf(value)]
  const work = `p50, ${pacedPerSecond} a second, ${latency?.count.toLocaleString('en-US')} samples`
  return {
    table: 'from added to done',
    subject,
    work,
    ack,
    inFlight: judgedConcurrency,
    value,
    measure: 'ms',
    samples,
    latency,
  }
}

function anchor(bench: Bench, raw: RawDisk, when: string): Promise<readonly Row[]> {
  const work = `write + fdatasync of ${anchorBytes.toLocaleString('en-US')} B, ${when}`
  return inTurn(1, [
    {
      row: { table: 'worked off', subject: 'raw disk', work, ack: 'disk', inFlight: 1 },
      measure: () => raw.writeAndSync(anchorBytes, bench.options.seconds),
    },
  ])
}
