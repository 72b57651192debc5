// A journal that begins in the middle: the state of another one at some index, and nothing before it.
import { isPlenumError, PlenumError, type Limits } from '../kernel/index.ts'
import { writeValue, type ByteWriter } from '../codec/index.ts'
import { recordHeaderBytes, sealRecord, type Head, type Journal, type RecordKind } from '../journal/index.ts'
import type { Runtime } from '../runtime/index.ts'
import { emptyBody, type SnapshotBody } from './record-body.ts'
import type { Replica } from './replica.ts'
import { takeSnapshot } from './snapshots.ts'

export interface ForkOptions {
  /** The state to begin with. It is not used for anything else any more. */
  readonly replica: Replica
  /** An empty journal, and its id. */
  readonly journal: Journal
  readonly journalId: Uint8Array
  readonly runtime: Runtime
  readonly limits: Limits
}

/**
 * Writes a state into an empty journal: a snapshot, the SNAPSHOT record without which it would not count (JR7), and CLOSE.
 * Indexes and epochs go on from those of the other journal; the chain is a new one, of the new journal's id, so that no
 * record and no token of either passes for one of the other (JR3, WA2).
 */
export async function forkJournal(options: ForkOptions): Promise<SnapshotBody> {
  const { replica, journalId, runtime } = options
  const origin = replica.fold.head
  let head: Head = { ...origin, hash: runtime.digest([journalId, origin.hash]), next: 1 }
  const walk = replica.machine.startWalk()
  // Without the unit's code nothing was folded: projections and sinks begin anew with the entries that are there.
  const taken = await takeSnapshot({
    ...options,
    index: origin.index,
    head,
    walk,
    projections: [],
    isEnded: () => false,
  })
  if (taken === undefined) throw new PlenumError('INVARIANT_BROKEN', 'A snapshot of a fork ended before it was whole.')
  const { index, hash } = taken
  const body = emptyBody()
  writeValue(body, { index, hash })
  head = await append(options, head, 'SNAPSHOT', body)
  await append(options, head, 'CLOSE', emptyBody())
  return { index, hash }
}

/** Appends a record of no reign: nobody else has the journal yet. */
async function append(
  { journal, journalId, runtime }: ForkOptions,
  { epoch, index, hash: previousHash, time, next: position }: Head,
  kind: RecordKind,
  body: ByteWriter,
): Promise<Head> {
  const writer = { member: 1, incarnation: 1, nonce: new Uint8Array(8) }
  const fields = {
    kind,
    journal: journalId,
    epoch,
    index: index + 1,
    position,
    acked: index,
    time,
    previousHash,
    ...writer,
  }
  const bytes = body.written().slice()
  const record = sealRecord(fields, bytes, bytes.length - recordHeaderBytes)
  const outcome = await journal.append(position, record)
  if (outcome.kind === 'failed' && isPlenumError(outcome.error)) throw outcome.error
  if (outcome.kind !== 'acked') {
    const code = outcome.kind === 'full' ? 'JOURNAL_FULL' : 'JOURNAL_FAILED'
    throw new PlenumError(code, `The new journal did not take its first records: ${outcome.kind}.`)
  }
  return { epoch, index: index + 1, hash: runtime.digest([record]), time, next: position + 1 }
}
