import { isPlenumError, PlenumError } from '../../kernel/index.ts'
import type { Clock, Disk, FolderLock } from '../../runtime/index.ts'
import type { Appended, Found, Journal, Position, SnapshotName, Tail } from '../journal.ts'
import { BlockIndex } from './block-index.ts'
import { FileSnapshots } from './file-snapshots.ts'
import { logFolder, noGrid, requireGrid, snapshotFolder } from './folder.ts'
import { readGrid, type GridFile } from './grid-file.ts'
import { LiveSegments } from './live-segments.ts'
import { LogReader, type LoggedRecord } from './log-reader.ts'
import { openSegments } from './open-segments.ts'
import { progressOf, type RecoveryProgress } from './recover-log.ts'
import { LogScan, type TornTail } from './scan.ts'

export interface InspectOptions {
  readonly disk: Disk
  readonly path: string
  readonly clock: Clock
  /**
   * True to look also while an application has the folder. Then the disk must create nothing, and a file that is removed
   * meanwhile is the system's ENOENT.
   */
  readonly whileItRuns?: boolean
  readonly onProgress?: (progress: RecoveryProgress) => void
}

/** A folder that is looked at and left as it is: nothing is repaired, cut or marked. */
export interface InspectedFolder {
  /** The grid's id, 16 bytes in hexadecimal. */
  readonly grid: string
  /** Journals that can be read and not written; up to the damage if there is some. */
  readonly partitions: readonly { readonly id: Uint8Array; readonly journal: Journal }[]
  /** The records of all partitions in the order in which they were written, up to the damage if there is some. */
  readAll(): AsyncIterable<LoggedRecord>
  /** True where an application has it: this is what it had written, and what is newest may not be acked yet. */
  readonly isRunning: boolean
  /** JOURNAL_CORRUPT with file, byte and loss. */
  readonly damage: PlenumError | undefined
  /** A write that was under way when the process or the power went; opening the folder would cut it. */
  readonly torn: { readonly file: string; readonly offset: number; readonly bytes: number } | undefined
  close(): Promise<void>
}

/**
 * Opens the folder of a grid for reading, damaged or not. FOLDER_IN_USE, FOLDER_REFUSED; USAGE if there is no grid;
 * FOLDER_OF_ANOTHER_GRID, FORMAT_UNKNOWN; JOURNAL_CORRUPT if `grid.json` itself is damaged.
 */
export async function inspectFolder(options: InspectOptions): Promise<InspectedFolder> {
  const { disk, path } = options
  await requireGrid(disk, path)
  const lock = await lockOrLook(options)
  try {
    const grid = await readGrid(disk, path)
    if (grid === undefined) throw noGrid(path)
    const { segments, log, damage, torn } = await (lock === undefined
      ? inspectRunning(options, grid)
      : inspectLog(options, grid))
    return {
      grid: grid.grid,
      partitions: grid.journals.map((id, number) => ({
        id: Buffer.from(id, 'hex'),
        journal: new InspectedJournal(log, number, new FileSnapshots(disk, snapshotFolder(path, id))),
      })),
      readAll: () => log.reader.readAll(),
      isRunning: lock === undefined,
      damage,
      torn: torn && { file: torn.segment.path, offset: torn.at, bytes: torn.bytes },
      async close() {
        for (const { file } of segments) await file.close()
        lock?.release()
      },
    }
  } catch (error) {
    lock?.release()
    throw error
  }
}

/** Undefined where an application holds the folder, and it may be looked at all the same. */
async function lockOrLook({ disk, path, whileItRuns }: InspectOptions): Promise<FolderLock | undefined> {
  try {
    return await disk.lock(path)
  } catch (error) {
    if (whileItRuns === true && isPlenumError(error, 'FOLDER_IN_USE')) return undefined
    throw error
  }
}

/** What can be read of a log. */
interface ReadableLog {
  readonly segments: LiveSegments
  readonly reader: LogReader
  readonly positions: readonly Position[]
}

async function inspectLog(options: InspectOptions, grid: GridFile) {
  const { disk, path, clock } = options
  const [folder, journals] = [logFolder(path), grid.journals.length]
  const opened = await openSegments({ disk, folder, journals, grid: Buffer.from(grid.grid, 'hex') })
  const { segments } = opened
  const index = new BlockIndex()
  const bytesTotal = segments.reduce((sum, { size }) => sum + size, 0)
  const scan = new LogScan(journals, index, 0, progressOf(clock, bytesTotal, options.onProgress ?? (() => {})))
  let { damage } = opened
  let torn: TornTail | undefined
  try {
    if (segments.length > 0) torn = (await scan.run(segments)).torn
  } catch (error) {
    if (!isPlenumError(error, 'JOURNAL_CORRUPT')) {
      for (const { file } of segments) await file.close()
      throw error
    }
    damage = error
  }
  const live = new LiveSegments(disk, folder, scan.used)
  const log: ReadableLog = { segments: live, reader: new LogReader(index, live), positions: scan.positions }
  return { segments, log, damage, torn }
}

/** How often a log that is being written is read before what looks like damage is taken for its end. */
const readsMax = 4

/**
 * Reads a log that is being written. A group is written once and after the one before it, so that what is damage stays at
 * its place, and what is about to be written does not: damage is what is found at one place twice in a row.
 */
async function inspectRunning(options: InspectOptions, grid: GridFile): ReturnType<typeof inspectLog> {
  let before: string | undefined
  for (let reads = 1; ; reads += 1) {
    const found = await inspectLog(options, grid)
    const at = found.damage && `${String(found.damage.details['file'])}:${String(found.damage.details['offset'])}`
    if (at === undefined) return { ...found, torn: undefined }
    if (at === before) return found
    if (reads === readsMax) return { ...found, damage: undefined, torn: undefined }
    before = at
    for (const { file } of found.segments) await file.close()
  }
}

class InspectedJournal implements Journal {
  readonly level = 'os'
  readonly shared = false
  readonly #log: ReadableLog
  readonly #number: number
  readonly #snapshots: FileSnapshots

  constructor(log: ReadableLog, number: number, snapshots: FileSnapshots) {
    this.#log = log
    this.#number = number
    this.#snapshots = snapshots
  }

  fill(): number {
    return 0
  }

  async open(): Promise<Tail> {
    return { first: this.#log.segments.first(this.#number), next: this.#log.positions[this.#number] ?? 1, fill: 0 }
  }

  append(): Promise<Appended> {
    return Promise.resolve({ kind: 'unavailable' })
  }

  read(from: Position, signal?: AbortSignal): AsyncIterable<Found> {
    const first = this.#log.segments.first(this.#number)
    const range = { journal: this.#number, from, first, to: this.#log.positions[this.#number] ?? 1 }
    return this.#log.reader.read(range, signal, () => {})
  }

  follow(from: Position, signal: AbortSignal): AsyncIterable<Found> {
    return this.read(from, signal)
  }

  loadSnapshot(name: SnapshotName): Promise<AsyncIterable<Uint8Array> | undefined> {
    return this.#snapshots.load(name)
  }

  listSnapshots(): Promise<readonly SnapshotName[]> {
    return this.#snapshots.list()
  }

  saveSnapshot(): Promise<SnapshotName> {
    return Promise.reject(readOnly())
  }

  removeSnapshot(): Promise<void> {
    return Promise.reject(readOnly())
  }

  trim(): Promise<void> {
    return Promise.reject(readOnly())
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}

function readOnly(): PlenumError {
  return new PlenumError('JOURNAL_UNAVAILABLE', 'A folder that is inspected is not written.', { retry: 'never' })
}
