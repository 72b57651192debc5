// What records say besides their headers.
import { ByteReader, ByteWriter, readValue } from '../codec/index.ts'
import { recordHeaderBytes, type JournalRecord } from '../journal/index.ts'
import type { Layout } from '../space/index.ts'
import type { ProjectionHashes } from './saved-projection.ts'

/** What an OPEN record says besides its header. */
export interface OpenBody {
  readonly leaseMs: number
}

/** What an UPGRADE record says: the unit from here on, those before it, all layouts in table order, its projections. */
export interface UpgradeBody {
  readonly unit: string
  readonly before: readonly string[]
  readonly layouts: readonly Layout[]
  /** Undefined in records of before there were any. */
  readonly projections?: readonly string[] | undefined
}

/** What a SNAPSHOT record says: this snapshot counts from here on (JR7). */
export interface SnapshotBody {
  readonly index: number
  readonly hash: string
  /** Undefined in records of before there were any. */
  readonly projections?: ProjectionHashes | undefined
}

/** A writer for the body of a record, with room for the header before it. */
export function emptyBody(): ByteWriter {
  const body = new ByteWriter(recordHeaderBytes)
  body.at = recordHeaderBytes
  return body
}

/** The body of a record that holds one plain value. */
export function decodeBody<T>(record: JournalRecord): T {
  return readValue(new ByteReader(record.body)) as T
}
