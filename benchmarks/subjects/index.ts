// What can be measured, by name. Each is loaded only where it is opened: in a process of its own.
import type { BullmqJobsOptions } from './bullmq-jobs.ts'
import type { DevBank, DevBankOptions } from './dev-bank.ts'
import type { FileEngineOptions, FileEngine } from './file-engine.ts'
import type { GraphileJobsOptions } from './graphile-jobs.ts'
import type { JobBench } from './job-bench.ts'
import type { LmdbBankOptions } from './lmdb-bank.ts'
import type { PeerBank } from './peer-bank.ts'
import type { PlenumBank, PlenumBankOptions } from './plenum-bank.ts'
import type { PlenumJobsOptions } from './plenum-jobs.ts'
import type { PlenumWorkflowsOptions } from './plenum-workflows.ts'
import type { PostgresBankOptions } from './postgres-bank.ts'
import type { QueryShop, QueryShopOptions } from './query-shop.ts'
import type { RawDisk, RawDiskOptions } from './raw-disk.ts'
import type { RedisBankOptions } from './redis-bank.ts'
import type { Relay, RelayOptions } from './relay.ts'
import type { RestateWorkflowsOptions } from './restate-workflows.ts'
import type { SnapshotBank, SnapshotBankOptions } from './snapshot-bank.ts'
import type { SqliteBankOptions } from './sqlite-bank.ts'
import type { ThreadBank, ThreadBankOptions } from './thread-bank.ts'
import type { TransactionBank, TransactionBankOptions } from './transaction-bank.ts'
import type { WorkflowBench } from './workflow-bench.ts'

/** The functions that open the subjects. */
export const subjects = {
  'plenum-bank': async (options: PlenumBankOptions): Promise<PlenumBank> =>
    (await import('./plenum-bank.ts')).openPlenumBank(options),
  'snapshot-bank': async (options: SnapshotBankOptions): Promise<SnapshotBank> =>
    (await import('./snapshot-bank.ts')).openSnapshotBank(options),
  'sqlite-bank': async (options: SqliteBankOptions): Promise<PeerBank> =>
    (await import('./sqlite-bank.ts')).openSqliteBank(options),
  'lmdb-bank': async (options: LmdbBankOptions): Promise<PeerBank> =>
    (await import('./lmdb-bank.ts')).openLmdbBank(options),
  'redis-bank': async (options: RedisBankOptions): Promise<PeerBank> =>
    (await import('./redis-bank.ts')).openRedisBank(options),
  'postgres-bank': async (options: PostgresBankOptions): Promise<PeerBank> =>
    (await import('./postgres-bank.ts')).openPostgresBank(options),
  'query-shop': async (options: QueryShopOptions): Promise<QueryShop> =>
    (await import('./query-shop.ts')).openQueryShop(options),
  'transaction-bank': async (options: TransactionBankOptions): Promise<TransactionBank> =>
    (await import('./transaction-bank.ts')).openTransactionBank(options),
  'thread-bank': async (options: ThreadBankOptions): Promise<ThreadBank> =>
    (await import('./thread-bank.ts')).openThreadBank(options),
  'dev-bank': async (options: DevBankOptions): Promise<DevBank> => (await import('./dev-bank.ts')).openDevBank(options),
  'plenum-jobs': async (options: PlenumJobsOptions): Promise<JobBench> =>
    (await import('./plenum-jobs.ts')).openPlenumJobs(options),
  'bullmq-jobs': async (options: BullmqJobsOptions): Promise<JobBench> =>
    (await import('./bullmq-jobs.ts')).openBullmqJobs(options),
  'graphile-jobs': async (options: GraphileJobsOptions): Promise<JobBench> =>
    (await import('./graphile-jobs.ts')).openGraphileJobs(options),
  'plenum-workflows': async (options: PlenumWorkflowsOptions): Promise<WorkflowBench> =>
    (await import('./plenum-workflows.ts')).openPlenumWorkflows(options),
  'restate-workflows': async (options: RestateWorkflowsOptions): Promise<WorkflowBench> =>
    (await import('./restate-workflows.ts')).openRestateWorkflows(options),
  relay: async (options: RelayOptions): Promise<Relay> => (await import('./relay.ts')).openRelay(options),
  'file-engine': async (options: FileEngineOptions): Promise<FileEngine> =>
    (await import('./file-engine.ts')).openFileEngine(options),
  'raw-disk': async (options: RawDiskOptions): Promise<RawDisk> => (await import('./raw-disk.ts')).openRawDisk(options),
} as const

export type Subjects = typeof subjects
