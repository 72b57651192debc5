import { writeValue, type ByteWriter } from '../codec/index.ts'
import type { PrimaryOptions } from './primary-options.ts'
import { takeSnapshot } from './snapshots.ts'

/** What a snapshot needs of the primary that takes it. */
export interface NamedSnapshotOptions extends Pick<
  PrimaryOptions,
  'replica' | 'journal' | 'runtime' | 'limits' | 'onEvent'
> {
  /** Runs something that seals records, once that may be done. */
  readonly whenFlowing: <T>(run: () => T) => Promise<T>
  readonly begin: () => void
  /** Seals the open batch; the index of the next record. */
  readonly flush: () => number
  readonly ackOf: (index: number) => Promise<void>
  readonly emptyBody: () => ByteWriter
  /** Appends the SNAPSHOT record, and waits for its ack. */
  readonly append: (body: ByteWriter) => Promise<void>
  readonly isEnded: () => boolean
}

/** Takes a snapshot of the state as it is now, saves it, names it in the journal and cuts the journal (JR7). */
export async function takeNamedSnapshot(options: NamedSnapshotOptions): Promise<void> {
  const { replica, onEvent, isEnded } = options
  const marked = await options.whenFlowing(() => {
    const { machine } = replica
    const index = options.flush()
    options.begin()
    machine.markSnapshot()
    machine.commit()
    replica.watchHead(index)
    options.flush()
    return { index, walk: machine.startWalk() }
  })
  await options.ackOf(marked.index)
  const taken = await takeSnapshot({ ...options, ...marked })
  if (taken === undefined || isEnded()) return
  const { index, hash, rows } = taken
  const body = options.emptyBody()
  writeValue(body, { index, hash })
  await options.append(body)
  replica.name({ index, hash })
  onEvent({ kind: 'snapshot', index, hash, rows })
  await taken.cut()
}
