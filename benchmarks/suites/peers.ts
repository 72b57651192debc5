// Plenum beside other stores: the same transfers, durable when they are answered, in turn.
import type { Bench } from '../harness/bench.ts'
import { distributionName, uniform } from '../harness/draws.ts'
import type { Remote } from '../harness/remote.ts'
import { inTurn, type Contender } from '../harness/rounds.ts'
import type { Row, Suite } from '../harness/suite.ts'
import { missingServers } from '../servers/find-servers.ts'
import { startPostgres } from '../servers/postgres-server.ts'
import { startRedis } from '../servers/redis-server.ts'
import type { PeerBank } from '../subjects/peer-bank.ts'
import type { PlenumBank } from '../subjects/plenum-bank.ts'
import type { RawDisk } from '../subjects/raw-disk.ts'
import { peerTargets, peerWork, peersInFlight, plenumName, skewed, sqliteName, type PeerTable } from './peer-targets.ts'
import { startBank, startLmdb, startRawDisk, startSqlite } from './subjects.ts'

/** Bytes of a write of the anchor: a page. */
const anchorBytes = 4_096
const anchorSeconds = 2

/** Connections of the peers' banks. Arrays were fastest over sixteen; more of them only wait for each other's rows. */
const manyConnections = 64
const arrayConnections = 16
const transfersTogether = 100

/** Accounts with which keyed calls are measured. */
const keyedAccounts = 100_000

/** A bank under measurement, and what it is called. */
interface Banked {
  readonly subject: string
  readonly remote: Remote<PlenumBank> | Remote<PeerBank>
  /** True if only the uniform distribution is measured. */
  readonly evenOnly?: boolean | undefined
}

/** Transfers on Plenum beside embedded stores, and beside servers. */
export const peers: Suite = {
  ...peersOf(['embedded', 'behind a socket']),
  onlyNamed: true,
  missing: () => missingServers(),
}

/** The same with some of the tables: those of embedded stores need nothing that npm does not bring. */
export function peersOf(tables: readonly PeerTable[]): Suite {
  return {
    name: 'peers',
    measures:
      'The transfer handler (two reads, two writes), durable (disk) when it is answered, beside the same work on other ' +
      'stores with their fastest durable settings: SQLite and LMDB in the process of their callers behind the same group ' +
      'commit, Redis and PostgreSQL in servers of their own on the loopback address. The raw disk is written and synced ' +
      'before and after each.',
    leavesOut:
      'Plenum over a network: its callers are in its process, also in the table of the servers. Replication, several ' +
      'cores, transfers across routes, a disk without write-back cache, unix sockets.',
    seconds: 10,
    async run(bench) {
      const rows: Row[] = []
      const notes = new Set<string>()
      await using raw = await startRawDisk(bench)
      for (const table of tables) {
        for (const accounts of sizesOf(table, bench)) {
          rows.push(
            ...(await anchor(bench, raw.subject, table, `${accounts.toLocaleString('en-US')} accounts, before`)),
          )
          rows.push(...(await (table === 'embedded' ? embeddedRows : serverRows)(bench, accounts, notes)))
          rows.push(...(await anchor(bench, raw.subject, table, `${accounts.toLocaleString('en-US')} accounts, after`)))
        }
      }
      return { rows, notes: [...notes], targets: bench.options.small ? [] : peerTargets(rows) }
    },
  }
}

function sizesOf(table: PeerTable, bench: Bench): readonly number[] {
  return bench.sized(table === 'embedded' ? [10_000, 100_000, 5_000_000] : [10_000, 100_000], [1_000])
}

async function embeddedRows(bench: Bench, accounts: number, notes: Set<string>): Promise<readonly Row[]> {
  bench.say(`embedded: loading ${accounts} accounts`)
  await using plenum = await startBank(bench, { accounts, ack: 'disk' })
  await using sqlite = await startSqlite(bench, accounts)
  await using lmdb = await startLmdb(bench, accounts)
  await using keyed =
    accounts === bench.sized(keyedAccounts, 1_000)
      ? await startBank(bench, { accounts, ack: 'disk', keyed: true })
      : undefined
  const banks: readonly Banked[] = [
    { subject: plenumName, remote: plenum },
    ...(keyed === undefined ? [] : [{ subject: `${plenumName}, each with a key`, remote: keyed, evenOnly: true }]),
    { subject: sqliteName, remote: sqlite },
    { subject: 'lmdb', remote: lmdb },
  ]
  return await compare(bench, 'embedded', accounts, banks, notes)
}

async function serverRows(bench: Bench, accounts: number, notes: Set<string>): Promise<readonly Row[]> {
  bench.say(`behind a socket: loading ${accounts} accounts`)
  const { server: redis, port } = await startRedis(await bench.folder())
  bench.keep(redis)
  await using _redis = redis
  await redis.answering()
  const { server: postgres, url } = await startPostgres(await bench.folder())
  bench.keep(postgres)
  await using _postgres = postgres
  await postgres.answering()
  await using plenum = await startBank(bench, { accounts, ack: 'disk' })
  await using redisOne = await bench.start('redis-bank', { accounts, port, database: 0, connections: 1 })
  await using redisMany = await bench.start('redis-bank', { accounts, port, database: 1, connections: manyConnections })
  const each = { accounts, url, database: 'each', connections: manyConnections, together: 1 }
  await using postgresEach = await bench.start('postgres-bank', each)
  const arrays = { accounts, url, database: 'arrays', connections: arrayConnections, together: transfersTogether }
  await using postgresArrays = await bench.start('postgres-bank', arrays)
  const banks: readonly Banked[] = [
    { subject: plenumName, remote: plenum },
    { subject: 'redis, 1 connection', remote: redisOne },
    { subject: `redis, ${manyConnections} connections`, remote: redisMany },
    { subject: `postgresql, ${manyConnections} connections`, remote: postgresEach },
    { subject: `postgresql, arrays of ${transfersTogether}`, remote: postgresArrays },
  ]
  return await compare(bench, 'behind a socket', accounts, banks, notes)
}

/** All distributions and numbers of callers, the banks in turn. */
async function compare(
  bench: Bench,
  table: PeerTable,
  accounts: number,
  banks: readonly Banked[],
  notes: Set<string>,
): Promise<readonly Row[]> {
  const { seconds, rounds } = bench.options
  const proven: (Banked & { readonly hash: string })[] = []
  for (const bank of banks) proven.push({ ...bank, hash: await proofOf(bank.remote, notes) })
  const rows: Row[] = []
  for (const distribution of [uniform, skewed]) {
    for (const inFlight of bench.sized(peersInFlight, [1, 64])) {
      bench.say(`${table}: ${accounts} accounts, ${distributionName(distribution)}, ${inFlight} in flight`)
      const work = peerWork(accounts, distribution)
      const measured = proven.filter(({ evenOnly }) => evenOnly !== true || distribution === uniform)
      const contenders = measured.map(({ subject, remote, hash }): Contender => ({
        row: { table, subject, work, ack: 'disk', inFlight, hash },
        measure: () => remote.subject.transfers(distribution, inFlight, seconds),
      }))
      rows.push(...(await inTurn(rounds, contenders)))
    }
  }
  return rows
}

async function proofOf({ subject }: Banked['remote'], notes: Set<string>): Promise<string> {
  notes.add(await subject.about())
  return subject.proof()
}

function anchor(bench: Bench, raw: RawDisk, table: PeerTable, when: string): Promise<readonly Row[]> {
  const work = `write + fdatasync of ${anchorBytes.toLocaleString('en-US')} B, ${when}`
  const seconds = Math.min(anchorSeconds, bench.options.seconds)
  return inTurn(1, [
    {
      row: { table, subject: 'raw disk', work, ack: 'disk', inFlight: 1 },
      measure: () => raw.writeAndSync(anchorBytes, seconds),
    },
  ])
}
