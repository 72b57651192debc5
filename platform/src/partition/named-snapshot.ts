import { PlenumError } from '../kernel/index.ts'
import { firstMark } from './fill-marks.ts'
import { writeValue } from '../codec/index.ts'
import type { LoneRecords } from './lone-records.ts'
import type { PrimaryOptions } from './primary-options.ts'
import { emptyBody, type SnapshotBody } from './record-body.ts'
import { takeSnapshot, type TakenSnapshot, type TakeSnapshotOptions } from './snapshots.ts'

/** What a snapshot needs of the primary that takes it. */
export interface NamedSnapshotOptions extends Pick<
  PrimaryOptions,
  'replica' | 'journal' | 'runtime' | 'limits' | 'onEvent' | 'meters'
> {
  readonly alone: Pick<LoneRecords, 'append' | 'ackOf' | 'whenFlowing'>
  readonly begin: () => void
  /** Seals the open batch; the index of the next record. */
  readonly flush: () => number
  readonly isEnded: () => boolean
}

/** Takes a snapshot of the state as it is now, saves it, names it in the journal and cuts the journal (JR7). */
export async function takeNamedSnapshot(options: NamedSnapshotOptions): Promise<void> {
  refuseUnfolded(options)
  const { replica, runtime, onEvent, isEnded, meters, alone } = options
  const beganAt = runtime.clock.monotonic()
  const marked = await alone.whenFlowing(() => {
    const { machine } = replica
    const index = options.flush()
    options.begin()
    machine.markSnapshot()
    machine.commit()
    replica.watchHead(index)
    replica.projections.saveAt(index)
    options.flush()
    return { index, walk: machine.startWalk() }
  })
  const taken = await saved(options, marked).finally(() => replica.machine.endWalk())
  if (taken === undefined || isEnded()) return
  const { index, hash, rows } = taken
  const body = emptyBody()
  writeValue(body, { index, hash, projections: taken.projections } satisfies SnapshotBody)
  await alone.append('SNAPSHOT', body)
  replica.name({ index, hash, projections: taken.projections })
  meters?.snapshotTaken(beganAt, runtime.clock.monotonic())
  onEvent({ kind: 'snapshot', index, hash, rows })
  await taken.cut()
}

/** Saves the state that was marked, once that is acked. */
async function saved(
  options: NamedSnapshotOptions,
  marked: Pick<TakeSnapshotOptions, 'index' | 'walk'>,
): Promise<TakenSnapshot | undefined> {
  await options.alone.ackOf(marked.index)
  refuseUnfolded(options)
  return takeSnapshot({ ...options, ...marked, projections: options.replica.projections.takeSaved() })
}

/**
 * The journal is cut behind a snapshot. Where a projection has failed, it still needs what comes before, as long as there
 * is room: mended code goes on from there (UN6).
 */
function refuseUnfolded({ replica, journal }: NamedSnapshotOptions): void {
  if (!replica.projections.hasFailed || journal.fill(0) >= firstMark) return
  throw new PlenumError('PROJECTION_FAILED', 'A projection has failed, and needs the journal from before that.')
}
