import { PlenumError } from '../../kernel/index.ts'
import type { Disk, FolderLock, Random } from '../../runtime/index.ts'
import type { Journal } from '../journal.ts'
import { dirtyEnd } from './evidence.ts'
import { FileJournal } from './file-journal.ts'
import { createLog, openLog, type FileLogOptions } from './file-log.ts'
import { FileSnapshots } from './file-snapshots.ts'
import { gridPath, newGrid, readGrid, writeGrid, type GridFile } from './grid-file.ts'
import { groupHeaderBytes, segmentHeaderBytes } from './layout.ts'
import { isDiskFull } from './segment-supply.ts'
import { listSegments, segmentPath } from './segments.ts'

/** How a folder is opened; the rest is passed to its log. */
export interface FolderOptions extends Omit<FileLogOptions, 'folder' | 'grid' | 'journals'> {
  readonly path: string
  /** The number of partitions. Left out, whatever the folder has is taken; a new folder needs it. */
  readonly partitions?: number
  /** True to make a new grid where there is none. */
  readonly create: boolean
  readonly random: Random
}

/** The journals of one grid on one disk, locked and open. */
export interface Folder {
  /** The grid's id, 16 bytes in hexadecimal. */
  readonly grid: string
  readonly partitions: readonly {
    /** The journal's id, 16 bytes. */
    readonly id: Uint8Array
    readonly journal: Journal
  }[]
  /** Acks what waits, closes all files and gives the lock back. JOURNAL_FAILED if the disk fails at that. */
  close(): Promise<void>
}

/**
 * Opens the folder of a grid: `grid.json`, `lock`, `log/` and `snapshots/`. FOLDER_IN_USE, FOLDER_REFUSED;
 * FOLDER_OF_ANOTHER_GRID if it has another number of partitions; FORMAT_UNKNOWN; JOURNAL_CORRUPT; USAGE if there is no
 * grid and none is to be made; JOURNAL_FULL if the disk has no room for what a start writes.
 */
export async function openFolder(options: FolderOptions): Promise<Folder> {
  try {
    return await openLocked(options)
  } catch (error) {
    throw isDiskFull(error) ? noRoom(options.path, error) : error
  }
}

async function openLocked(options: FolderOptions): Promise<Folder> {
  const { disk, path } = options
  if (options.create) await disk.makeFolder(path)
  else await requireGrid(disk, path)
  const lock = await disk.lock(path)
  try {
    const grid = (await readGrid(disk, path)) ?? (await createGrid(options))
    return await openGrid(options, grid, lock)
  } catch (error) {
    lock.release()
    throw error
  }
}

async function openGrid(options: FolderOptions, grid: GridFile, lock: FolderLock): Promise<Folder> {
  const { disk, path, partitions } = options
  if (partitions !== undefined && partitions !== grid.journals.length) {
    throw new PlenumError(
      'FOLDER_OF_ANOTHER_GRID',
      `The folder ${path} belongs to a grid of ${grid.journals.length} partitions, not ${partitions}. The number of ` +
        'partitions is chosen once: use that number, or another folder.',
      { details: { folder: path, found: grid.journals.length, expected: partitions } },
    )
  }
  const log = await openLog(logOptions(options, grid))
  return {
    grid: grid.grid,
    partitions: grid.journals.map((id, number) => ({
      id: Buffer.from(id, 'hex'),
      journal: new FileJournal(log, number, new FileSnapshots(disk, snapshotFolder(path, id))),
    })),
    async close() {
      try {
        await log.close()
      } finally {
        lock.release()
      }
    },
  }
}

/** Makes the log first and `grid.json` last: what has no grid file was never finished, or lost it. */
async function createGrid(options: FolderOptions): Promise<GridFile> {
  const { disk, path, partitions } = options
  if (!options.create) throw noGrid(path)
  if (partitions === undefined) {
    throw new PlenumError('USAGE', `A new grid in ${path} needs a number of partitions.`, { details: { folder: path } })
  }
  const folder = logFolder(path)
  await removeUnfinished(disk, path)
  await disk.makeFolder(folder)
  await disk.makeFolder(`${path}/snapshots`)
  const grid = newGrid(partitions, options.random)
  try {
    await createLog(logOptions(options, grid))
    await writeGrid(disk, path, grid)
  } catch (error) {
    // The next start would clean up as well, but a full disk needs the room now. What is thrown is why.
    await removeUnfinished(disk, path).catch(() => {})
    throw error
  }
  return grid
}

function logOptions(options: FolderOptions, grid: GridFile): FileLogOptions {
  const { path, partitions: _partitions, create: _create, random: _random, ...rest } = options
  return { ...rest, folder: logFolder(path), grid: Buffer.from(grid.grid, 'hex'), journals: grid.journals.length }
}

/** Where the segment files of a folder lie. */
export function logFolder(path: string): string {
  return `${path}/log`
}

/** Where the snapshots of a journal lie. */
export function snapshotFolder(path: string, journal: string): string {
  return `${path}/snapshots/${journal}`
}

/** Removes the log of a grid whose making was interrupted. JOURNAL_CORRUPT if it holds anything. */
async function removeUnfinished(disk: Disk, path: string): Promise<void> {
  const folder = logFolder(path)
  for (const number of await listSegments(disk, folder)) {
    const file = await disk.open(segmentPath(folder, number))
    const segment = { number, path: segmentPath(folder, number), file, size: await file.size(), seed: 0 }
    const header = Buffer.from(await file.read(0, segmentHeaderBytes))
    const journals = header.length < segmentHeaderBytes ? 0 : header.readUInt32LE(32)
    const used = await dirtyEnd(segment, segmentHeaderBytes + groupHeaderBytes + 8 * journals)
    await file.close()
    if (number > 1 || used > segmentHeaderBytes + groupHeaderBytes + 8 * journals) throw gridGone(path)
    await disk.remove(segment.path)
  }
}

/** USAGE if the folder holds no grid. */
export async function requireGrid(disk: Disk, path: string): Promise<void> {
  if ((await disk.readFile(gridPath(path))) === undefined) throw noGrid(path)
}

/** The error where there is no grid. */
export function noGrid(path: string): PlenumError {
  return new PlenumError(
    'USAGE',
    `There is no grid in the folder ${path}. Check the path, or start the application once.`,
    {
      details: { folder: path },
    },
  )
}

function noRoom(path: string, cause: unknown): PlenumError {
  return new PlenumError(
    'JOURNAL_FULL',
    `The disk has no room for the journal in ${path}. Nothing was lost: free some space, or name a folder on another ` +
      'disk, and start again.',
    { details: { folder: path, reason: 'disk' }, cause },
  )
}

function gridGone(path: string): PlenumError {
  return new PlenumError(
    'JOURNAL_CORRUPT',
    `The folder ${path} holds a log with records, but its grid.json is gone. Nothing was changed. Restore that file from ` +
      'a backup; a new grid needs an empty folder.',
    { details: { file: gridPath(path), reason: 'the grid file is gone' } },
  )
}
