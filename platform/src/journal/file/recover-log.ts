import type { Clock } from '../../runtime/index.ts'
import type { BlockIndex } from './block-index.ts'
import type { FileLevel } from './log-end.ts'
import { openSegments } from './open-segments.ts'
import { repairTail } from './repair.ts'
import { LogScan, type Scan, type ScanProgress } from './scan.ts'
import type { Segment, SegmentPlace } from './segments.ts'

/** How far the reading of a log is; `remainingMs` is an estimate from the speed so far. */
export interface RecoveryProgress {
  readonly bytes: number
  readonly bytesTotal: number
  readonly records: number
  readonly remainingMs: number
}

/** What recovery found and did. */
export type LogEvent =
  /** A write that was under way when the process or the power went was cut; it was never acked. */
  | {
      readonly kind: 'torn tail'
      readonly file: string
      readonly offset: number
      readonly bytes: number
      readonly reason: string
      /** Later files that held nothing but parts of such writes. */
      readonly removed: readonly string[]
    }
  /** A segment file whose making was interrupted was removed; it was never used. */
  | { readonly kind: 'unfinished segment'; readonly file: string }
  | {
      readonly kind: 'recovered'
      readonly records: number
      readonly groups: number
      readonly bytes: number
      readonly rewrittenBytes: number
      readonly ms: number
    }

export interface RecoveryOptions {
  readonly level: FileLevel
  readonly clock: Clock
  readonly keptBytesMax: number
  readonly onProgress: (progress: RecoveryProgress) => void
  readonly onEvent: (event: LogEvent) => void
}

/** A log that was read, cut and synced. */
export interface Recovered {
  readonly scan: Scan
  /** Milliseconds that a small commit takes on this disk. */
  readonly commitMs: number
}

/** Opens, verifies and repairs a log, in this order: nothing is changed before everything was read. Errors as FileLog.open. */
export async function recoverLog(place: SegmentPlace, index: BlockIndex, options: RecoveryOptions): Promise<Recovered> {
  const { clock } = options
  const begun = clock.monotonic()
  const { segments, unfinished, damage } = await openSegments(place)
  try {
    if (damage !== undefined) throw damage
    const bytesTotal = segments.reduce((sum, { size }) => sum + size, 0)
    const tell = progressOf(clock, bytesTotal, options.onProgress)
    const scan = await new LogScan(place.journals, index, options.keptBytesMax, tell).run(segments)
    if (unfinished !== undefined) {
      await place.disk.remove(unfinished)
      options.onEvent({ kind: 'unfinished segment', file: unfinished })
    }
    const rewrittenBytes = await repairTail(place.disk, place.folder, scan)
    if (scan.torn !== undefined) {
      const { segment, at, bytes, reason, later } = scan.torn
      const removed = later.map(({ path }) => path)
      options.onEvent({ kind: 'torn tail', file: segment.path, offset: at, bytes, reason, removed })
    }
    const commitMs = measureCommit(scan.end.segment, scan.end.offset, options)
    const { records, groups } = scan
    const ms = clock.monotonic() - begun
    options.onEvent({ kind: 'recovered', records, groups, bytes: bytesTotal, rewrittenBytes, ms })
    return { scan, commitMs }
  } catch (error) {
    // Some may be closed already; what is thrown is why.
    for (const { file } of segments) await file.close().catch(() => {})
    throw error
  }
}

/** Turns what a scan tells into progress with an estimate. */
export function progressOf(
  clock: Clock,
  bytesTotal: number,
  onProgress: (progress: RecoveryProgress) => void,
): ScanProgress {
  const begun = clock.monotonic()
  return (bytes, records) => {
    const remainingMs = ((clock.monotonic() - begun) * (bytesTotal - bytes)) / bytes
    onProgress({ bytes, bytesTotal, records, remainingMs })
  }
}

const probe = new Uint8Array(64)

/** Writes zeros over zeros, twice, and times the second: whether the writer may commit on the loop depends on it. */
function measureCommit(segment: Segment, at: number, options: RecoveryOptions): number {
  if (at + probe.length > segment.size) return Infinity
  let ms = Infinity
  for (let round = 0; round < 2; round += 1) {
    const begun = options.clock.monotonic()
    segment.file.writeNow([probe], at)
    if (options.level === 'disk') segment.file.syncNow()
    ms = options.clock.monotonic() - begun
  }
  return ms
}
