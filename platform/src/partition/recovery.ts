import { isPlenumError, type Limits, type PlenumError } from '../kernel/index.ts'
import type { Journal, SnapshotName } from '../journal/index.ts'
import type { Runtime } from '../runtime/index.ts'
import type { EntryUpgrades } from '../space/index.ts'
import type { PartitionEvent } from './events.ts'
import type { Folding } from './projections.ts'
import { Replica, type ReplicaObserver, type ReplicaOptions } from './replica.ts'
import { loadSnapshot } from './snapshots.ts'

export interface RecoveryOptions {
  readonly journal: Journal
  readonly journalId: Uint8Array
  readonly runtime: Runtime
  readonly limits: Limits
  readonly onEvent: (event: PartitionEvent) => void
  readonly observe?: ReplicaObserver | undefined
  readonly folding?: Folding | undefined
  /** What the unit's code makes of earlier entries, where it is at hand (UN10). */
  readonly upgrades?: EntryUpgrades | undefined
}

/** Records between two reports of progress. */
const reportEvery = 4_096

/**
 * The state at the journal's tail: the newest snapshot that a SNAPSHOT record names, and what follows it; else the
 * journal from its first record (JR7, PA8). A snapshot that is damaged, or that no record names, does not count.
 */
export async function recover(options: RecoveryOptions): Promise<Replica> {
  const { journal, journalId, runtime, limits, onEvent } = options
  const tail = await journal.open()
  const replicaOptions: ReplicaOptions = {
    journal: journalId,
    digest: (parts) => runtime.digest(parts),
    limits,
    keepRecent: journal.shared,
    observe: options.observe,
    folding: options.folding,
    upgrades: options.upgrades,
  }
  for (const name of await journal.listSnapshots()) {
    const replica = await tryLoad(options, name, replicaOptions)
    if (replica === undefined) continue
    const unfit = await replayFrom(options, replica, tail.next)
    if (replica.named.some((named) => named.index === name.index && named.hash === name.hash)) {
      if (unfit !== undefined) throw unfit
      return replica
    }
    runtime.probe?.('snapshot that no record names')
    onEvent({ kind: 'snapshot-ignored', index: name.index, reason: 'no record names it' })
  }
  const replica = new Replica(replicaOptions)
  await replay(options, replica, tail.next)
  return replica
}

/** The error of a record that does not fit a snapshot's state, which says nothing about the journal yet. */
async function replayFrom(options: RecoveryOptions, replica: Replica, end: number): Promise<PlenumError | undefined> {
  try {
    await replay(options, replica, end)
    return undefined
  } catch (error) {
    if (isPlenumError(error, 'INVARIANT_BROKEN')) return error
    throw error
  }
}

async function tryLoad(
  options: RecoveryOptions,
  name: SnapshotName,
  replicaOptions: ReplicaOptions,
): Promise<Replica | undefined> {
  try {
    const loaded = await loadSnapshot(options.journal, name, replicaOptions)
    return loaded === 'checked' ? undefined : loaded
  } catch (error) {
    if (!isPlenumError(error, 'SNAPSHOT_CORRUPT')) throw error
    options.onEvent({ kind: 'snapshot-ignored', index: name.index, reason: error.message })
    return undefined
  }
}

async function replay(options: RecoveryOptions, replica: Replica, end: number): Promise<void> {
  let records = 0
  let bytes = 0
  const start = replica.fold.head.next
  for await (const found of options.journal.read(start)) {
    const verdict = replica.offer(found)
    if (verdict.kind === 'void') options.onEvent({ kind: 'void', position: found.position, reason: verdict.reason })
    records += 1
    bytes += found.bytes.length
    if (records % reportEvery !== 0) continue
    const share = (found.position + 1 - start) / Math.max(1, end - start)
    options.onEvent({ kind: 'recovery', records, bytes, bytesTotal: Math.round(bytes / Math.max(share, 1e-9)) })
  }
  replica.finishComparing()
  replica.forgetDivergence()
  options.onEvent({ kind: 'recovery', records, bytes, bytesTotal: bytes })
}
