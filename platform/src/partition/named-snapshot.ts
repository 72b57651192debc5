import { writeValue } from '../codec/index.ts'
import type { LoneRecords } from './lone-records.ts'
import type { PrimaryOptions } from './primary-options.ts'
import { emptyBody } from './record-body.ts'
import { takeSnapshot } from './snapshots.ts'

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
  const { replica, runtime, onEvent, isEnded, meters, alone } = options
  const beganAt = runtime.clock.monotonic()
  const marked = await alone.whenFlowing(() => {
    const { machine } = replica
    const index = options.flush()
    options.begin()
    machine.markSnapshot()
    machine.commit()
    replica.watchHead(index)
    options.flush()
    return { index, walk: machine.startWalk() }
  })
  await alone.ackOf(marked.index)
  const taken = await takeSnapshot({ ...options, ...marked })
  if (taken === undefined || isEnded()) return
  const { index, hash, rows } = taken
  const body = emptyBody()
  writeValue(body, { index, hash })
  await alone.append('SNAPSHOT', body)
  replica.name({ index, hash })
  meters?.snapshotTaken(beganAt, runtime.clock.monotonic())
  onEvent({ kind: 'snapshot', index, hash, rows })
  await taken.cut()
}
