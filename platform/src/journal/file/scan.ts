// Reads a log from its first segment to its end, verifies every group, and tells a torn tail from corruption (FE1).
//
// Owns the decision where the log ends. Changes nothing on the disk: that is repair's part.
//
// I1 Groups are numbered without a gap; the first one that is missing or broken ends the log.
// I2 That end is a torn tail only if no sound group behind it says that the missing one was synced.
import type { BlockIndex } from './block-index.ts'
import { dirtyEnd, isUnused, lookBeyond } from './evidence.ts'
import type { LogEnd } from './log-end.ts'
import {
  asBuffer,
  entryHeaderBytes,
  groupHeaderBytes,
  isSoundBody,
  logFormat,
  readGroupHeader,
  readPositions,
  segmentHeaderBytes,
  type GroupHeader,
} from './layout.ts'
import type { UsedSegment } from './live-segments.ts'
import { corruptLog, unknownFormat } from './log-errors.ts'
import type { Segment } from './segments.ts'

/** A place in the log. */
export interface Place {
  readonly segment: Segment
  readonly at: number
}

/** A tail that was being written when the process or the power went. */
export interface TornTail extends Place {
  /** Bytes to be cut in this segment. */
  readonly bytes: number
  readonly reason: string
  /** Later segments, which hold nothing but parts of the same unsynced writes. */
  readonly later: readonly Segment[]
}

export interface Scan {
  readonly end: LogEnd
  /** The segments in use, oldest first, each with the next positions at its start. */
  readonly used: readonly UsedSegment[]
  /** A segment that was made and never used. */
  readonly ready: Segment | undefined
  readonly torn: TornTail | undefined
  /** The first group that is not known to be synced. */
  readonly unsynced: Place | undefined
  readonly groups: number
  readonly records: number
}

/** What the scan tells while it runs: bytes of segment files done, records found. */
export type ScanProgress = (bytes: number, records: number) => void

const chunkBytes = 1 << 20

/** Why reading stopped in a segment. */
interface Stop {
  readonly at: number
  readonly reason: string
}

/** One pass over a log of `journals` journals. */
export class LogScan {
  readonly #journals: number
  readonly #index: BlockIndex
  readonly #progress: ScanProgress
  #keepBytes: number
  #positions: number[]
  #sequence = 1
  #stated = 0
  #lastRecords = 0
  #unsynced: (Place & { readonly sequence: number })[] = []
  #groups = 0
  #records = 0
  #bytes = 0
  readonly #used: UsedSegment[] = []

  /** Keeps up to `keepBytes` of what it reads in the index, for the readers that follow. */
  constructor(journals: number, index: BlockIndex, keepBytes: number, progress: ScanProgress) {
    this.#journals = journals
    this.#index = index
    this.#keepBytes = keepBytes
    this.#progress = progress
    this.#positions = Array.from({ length: journals }, () => 1)
  }

  /** The segments that were read, up to damage if there is some. */
  get used(): readonly UsedSegment[] {
    return this.#used
  }

  /** The next position of each journal after what was read and is sound. */
  get positions(): readonly number[] {
    return this.#positions
  }

  /** Reads `segments`, whose headers are sound and whose numbers have no gap. JOURNAL_CORRUPT, FORMAT_UNKNOWN. */
  async run(segments: readonly Segment[]): Promise<Scan> {
    let number = 0
    for (let segment = segments[0]; segment !== undefined; segment = segments[number]) {
      if (number === 0) this.#sequence = await this.#firstSequence(segment)
      const stop = await this.#readSegment(segment, number === 0)
      this.#used.push({ segment, first: this.#index.firstOf(segment.number) ?? [...this.#positions] })
      const next = await this.#following(segments, number + 1)
      if (next === undefined) return this.#finish(segment, stop, segments.slice(number + 1))
      // A segment between them was left without a group; the numbers of the groups prove that none is missing.
      const first = [...this.#positions]
      for (const left of segments.slice(number + 1, next)) this.#used.push({ segment: left, first })
      number = next
    }
    throw new Error('A log has at least one segment.')
  }

  /** The number of the first group of the log. */
  async #firstSequence(segment: Segment): Promise<number> {
    const opening = await this.#opening(segment)
    if (opening === undefined || (segment.number === 1 && opening !== 1)) {
      throw this.#corrupt(segment, segmentHeaderBytes, 'the log does not begin here', 0)
    }
    return opening
  }

  /** The place of the first segment, from `from` on, that begins with the next group. */
  async #following(segments: readonly Segment[], from: number): Promise<number | undefined> {
    for (let number = from; number < segments.length; number += 1) {
      const segment = segments[number]
      if (segment !== undefined && (await this.#opening(segment)) === this.#sequence) return number
    }
    return undefined
  }

  async #finish(segment: Segment, stop: Stop, later: readonly Segment[]): Promise<Scan> {
    const [ready, ...rest] = later
    const restIsZero = (await dirtyEnd(segment, stop.at)) === stop.at
    const readyIsZero = ready === undefined || (rest.length === 0 && (await isUnused(ready)))
    let torn: TornTail | undefined
    if (!restIsZero || !readyIsZero) {
      const beyond = await lookBeyond(segment, stop.at, later, this.#sequence)
      if (beyond.synced) throw this.#corrupt(segment, stop.at, stop.reason, beyond.groups)
      torn = { segment, at: stop.at, bytes: beyond.garbageBytes, reason: stop.reason, later: readyIsZero ? [] : later }
    }
    const synced = this.#stated
    return {
      end: {
        segment,
        offset: stop.at,
        sequence: this.#sequence,
        synced,
        stated: synced,
        lastRecords: this.#lastRecords,
        positions: this.#positions,
      },
      used: this.#used,
      ready: readyIsZero ? ready : undefined,
      torn,
      unsynced: this.#unsynced.find((group) => group.sequence > synced),
      groups: this.#groups,
      records: this.#records,
    }
  }

  /** The number of the START group of a segment; undefined if there is no sound one. */
  async #opening(segment: Segment): Promise<number | undefined> {
    const bytes = asBuffer(await segment.file.read(segmentHeaderBytes, groupHeaderBytes))
    if (bytes.length < groupHeaderBytes) return undefined
    const read = readGroupHeader(bytes, 0, segment.seed)
    if (read.kind === 'other format') throw unknownFormat(segment.path, read.format, logFormat)
    return read.kind === 'sound' && read.header.kind === 'START' ? read.header.sequence : undefined
  }

  /** Reads groups until one is missing or broken. */
  async #readSegment(segment: Segment, isFirst: boolean): Promise<Stop> {
    let at = segmentHeaderBytes
    let wanted = chunkBytes
    for (;;) {
      const asked = Math.min(wanted, segment.size - at)
      const chunk = asBuffer(await segment.file.read(at, asked))
      if (chunk.length < asked) throw new Error(`${segment.path} became shorter while it was read.`)
      const before = [...this.#positions]
      const read = this.#readChunk(segment, at, chunk, isFirst && at === segmentHeaderBytes)
      if (read.length > 0) this.#addBlock(segment, at, chunk.subarray(0, read.length), before)
      at += read.length
      this.#progress(this.#bytes + at, this.#records)
      if (read.kind === 'more') {
        wanted = Math.max(chunkBytes, read.needed)
        continue
      }
      this.#bytes += segment.size
      return { at, reason: read.reason }
    }
  }

  #addBlock(segment: Segment, at: number, bytes: Buffer, before: readonly number[]): void {
    const keep = this.#keepBytes >= bytes.length
    if (keep) this.#keepBytes -= bytes.length
    // The START of the first segment sets the positions, so its own block begins with them.
    const positions = at === segmentHeaderBytes ? readPositions(startBody(bytes)) : before
    this.#index.addRead(segment.number, at, bytes, positions, keep)
  }

  /** Reads the groups that stand whole in a chunk. */
  #readChunk(
    segment: Segment,
    base: number,
    chunk: Buffer,
    isFirst: boolean,
  ): { readonly length: number } & (
    | { readonly kind: 'more'; readonly needed: number }
    | { readonly kind: 'stop'; readonly reason: string }
  ) {
    const stop = (length: number, reason: string) => ({ kind: 'stop', length, reason }) as const
    for (let at = 0; ;) {
      const left = segment.size - base - at
      if (left < groupHeaderBytes) return stop(at, 'the segment ends within a group')
      if (chunk.length - at < groupHeaderBytes) return { kind: 'more', length: at, needed: groupHeaderBytes }
      const read = readGroupHeader(chunk, at, segment.seed)
      if (read.kind === 'other format') throw unknownFormat(segment.path, read.format, logFormat)
      if (read.kind === 'empty') return stop(at, 'zeros stand where a group should begin')
      if (read.kind === 'broken') return stop(at, "a group's header is broken")
      const length = groupHeaderBytes + read.header.bodyLength
      if (length > left) return stop(at, 'the segment ends within a group')
      if (length > chunk.length - at) return { kind: 'more', length: at, needed: length }
      if (read.header.sequence !== this.#sequence) {
        return stop(at, `group ${read.header.sequence} stands where group ${this.#sequence} should`)
      }
      const body = chunk.subarray(at + groupHeaderBytes, at + length)
      if (!isSoundBody(read.header, body)) return stop(at, "a group's checksum is wrong")
      if (!this.#take(read.header, body, isFirst && at === 0)) return stop(at, "a group's content makes no sense")
      this.#note(read.header, { segment, at: base + at, sequence: read.header.sequence })
      at += length
    }
  }

  /** Takes a group's content in; false if it contradicts what came before. */
  #take(header: GroupHeader, body: Buffer, isFirst: boolean): boolean {
    switch (header.kind) {
      case 'START': {
        const positions = readPositions(body)
        if (positions.length !== this.#journals) return false
        if (isFirst) this.#positions = positions
        return positions.every((position, journal) => position === this.#positions[journal])
      }
      case 'RECORDS':
        return this.#takeRecords(header, body)
      case 'MARK':
        return body.length === 0
    }
  }

  #takeRecords(header: GroupHeader, body: Buffer): boolean {
    let at = 0
    for (let entry = 0; entry < header.entries; entry += 1) {
      if (at + entryHeaderBytes > body.length) return false
      const journal = body.readUInt32LE(at)
      const position = this.#positions[journal]
      if (position === undefined) return false
      this.#positions[journal] = position + 1
      at += entryHeaderBytes + body.readUInt32LE(at + 4)
    }
    this.#records += header.entries
    this.#lastRecords = header.sequence
    return at === body.length
  }

  #note(header: GroupHeader, group: Place & { readonly sequence: number }): void {
    this.#sequence = header.sequence + 1
    this.#groups += 1
    this.#unsynced.push(group)
    if (header.synced <= this.#stated) return
    this.#stated = header.synced
    this.#unsynced = this.#unsynced.filter((other) => other.sequence > header.synced)
  }

  #corrupt(segment: Segment, offset: number, reason: string, groupsBeyond: number): Error {
    return corruptLog({ file: segment.path, offset, reason, soundBefore: this.#positions, groupsBeyond })
  }
}

function startBody(block: Buffer): Buffer {
  return block.subarray(groupHeaderBytes, groupHeaderBytes + block.readUInt32LE(8))
}
