// Starts the subjects that several suites measure.
import type { Bench } from '../harness/bench.ts'
import type { Remote } from '../harness/remote.ts'
import type { FileEngine } from '../subjects/file-engine.ts'
import type { PeerBank } from '../subjects/peer-bank.ts'
import type { PlenumBank, PlenumBankOptions } from '../subjects/plenum-bank.ts'
import type { RawDisk } from '../subjects/raw-disk.ts'

/** The bank on Plenum, loaded, with a journal in a new folder unless `ack` is memory. */
export async function startBank(
  bench: Bench,
  options: Pick<PlenumBankOptions, 'accounts' | 'ack'> & Partial<PlenumBankOptions>,
  flags: readonly string[] = [],
): Promise<Remote<PlenumBank>> {
  const folder = options.ack === 'memory' ? undefined : await bench.folder()
  return bench.start('plenum-bank', { folder, partitions: 1, load: 'batches', ...options }, flags)
}

/** The bank on one SQLite file, loaded. */
export async function startSqlite(bench: Bench, accounts: number): Promise<Remote<PeerBank>> {
  return bench.start('sqlite-bank', { accounts, folder: await bench.folder() })
}

/** The bank on one LMDB file, loaded. */
export async function startLmdb(bench: Bench, accounts: number): Promise<Remote<PeerBank>> {
  return bench.start('lmdb-bank', { accounts, folder: await bench.folder() })
}

/** The file engine's journal without a machine. */
export async function startFileEngine(bench: Bench, ack: 'os' | 'disk'): Promise<Remote<FileEngine>> {
  return bench.start('file-engine', { ack, folder: await bench.folder() })
}

/** Write and sync without anything else. */
export async function startRawDisk(bench: Bench): Promise<Remote<RawDisk>> {
  return bench.start('raw-disk', { folder: await bench.folder() })
}
