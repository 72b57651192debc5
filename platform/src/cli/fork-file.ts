import type { Disk } from '../runtime/index.ts'

/** One partition of a fork: the record of the other folder's journal with which it begins. */
export interface ForkedPartition {
  readonly partition: number
  readonly index: number
  /** Partition time of that record, ISO 8601. */
  readonly time: string
  /** Hash of the state, the same in both folders. */
  readonly hash: string
  readonly entries: Readonly<Record<string, number>>
  /** Records after it that the fork does not have. */
  readonly leftOut: number
}

/** Where a fork comes from. It stands in `fork.json`, for people: nothing depends on it. */
export interface ForkFile {
  readonly of: string
  readonly grid: string
  /** The point as it was given; undefined for the end. */
  readonly at: string | undefined
  readonly partitions: readonly ForkedPartition[]
}

/** Writes the note of where a fork comes from. */
export async function writeForkFile(disk: Disk, folder: string, file: ForkFile): Promise<void> {
  await disk.replaceFile(`${folder}/fork.json`, Buffer.from(`${JSON.stringify(file, null, 2)}\n`))
}
