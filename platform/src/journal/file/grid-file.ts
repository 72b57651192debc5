import { PlenumError } from '../../kernel/index.ts'
import type { Disk, Random } from '../../runtime/index.ts'

/** What a folder's `grid.json` says: whose journals these are. Ids are 16 bytes in hexadecimal. */
export interface GridFile {
  readonly grid: string
  /** The id of each partition's journal; its length is the number of partitions. */
  readonly journals: readonly string[]
}

const gridFormat = 3
const idPattern = /^[0-9a-f]{32}$/

/** The path of a folder's grid file. */
export function gridPath(folder: string): string {
  return `${folder}/grid.json`
}

/** A new grid with random ids. */
export function newGrid(partitions: number, random: Random): GridFile {
  const id = (): string => Buffer.from(random.bytes(16)).toString('hex')
  return { grid: id(), journals: Array.from({ length: partitions }, id) }
}

/** Writes a grid file so that it is there whole or not at all. */
export async function writeGrid(disk: Disk, folder: string, grid: GridFile): Promise<void> {
  const content = { format: gridFormat, grid: grid.grid, partitions: grid.journals.length, journals: grid.journals }
  await disk.replaceFile(gridPath(folder), Buffer.from(`${JSON.stringify(content, null, 2)}\n`))
}

/** Undefined if there is no grid file; FORMAT_UNKNOWN, JOURNAL_CORRUPT. */
export async function readGrid(disk: Disk, folder: string): Promise<GridFile | undefined> {
  const path = gridPath(folder)
  const bytes = await disk.readFile(path)
  if (bytes === undefined) return undefined
  const content = parsed(bytes)
  if (content === undefined || typeof content['format'] !== 'number') throw damaged(path)
  const format = content['format']
  if (format !== gridFormat) {
    throw new PlenumError(
      'FORMAT_UNKNOWN',
      `${path} has format ${format}; this version of Plenum reads format ${gridFormat}. Use the version that wrote it.`,
      { details: { file: path, found: format, known: gridFormat } },
    )
  }
  const { grid, journals, partitions } = content
  if (!isId(grid) || !Array.isArray(journals) || journals.length !== partitions) throw damaged(path)
  const ids: readonly unknown[] = journals
  if (ids.length === 0 || !ids.every(isId)) throw damaged(path)
  return { grid, journals: ids }
}

function parsed(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString())
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && idPattern.test(value)
}

function damaged(path: string): PlenumError {
  return new PlenumError(
    'JOURNAL_CORRUPT',
    `${path} is damaged, so nobody can say whose journals lie beside it. Nothing was changed. Restore the file from a backup.`,
    { details: { file: path, reason: 'the grid file cannot be read' } },
  )
}
