import type { Found, Position } from '../journal.ts'
import type { Block, BlockIndex } from './block-index.ts'
import { asBuffer, entryHeaderBytes, groupHeaderBytes, groupKinds, isSoundBody, readGroupHeader } from './layout.ts'
import { trimmed, type LiveSegments } from './live-segments.ts'
import { corruptLog } from './log-errors.ts'
import type { Segment } from './segments.ts'

const recordsKind = groupKinds.indexOf('RECORDS')

/** What is read: positions of one journal from `from` up to, not including, `to`; `first` is the lowest one kept. */
export interface ReadRange {
  readonly journal: number
  readonly from: Position
  readonly first: Position
  readonly to: Position
}

/** A record, and the number of the journal that it is of. */
export interface LoggedRecord extends Found {
  readonly journal: number
}

/** Reads the records of one journal, or of all, out of a log that they share. */
export class LogReader {
  readonly #index: BlockIndex
  readonly #segments: LiveSegments

  constructor(index: BlockIndex, segments: LiveSegments) {
    this.#index = index
    this.#segments = segments
  }

  /**
   * The records of a range, in order; calls `onEnd` if nobody gave up before its end. JOURNAL_CORRUPT if some of them
   * are no longer kept, or rotted since they were written.
   */
  async *read(range: ReadRange, signal: AbortSignal | undefined, onEnd: () => void): AsyncGenerator<Found, void> {
    const { journal, from, first, to } = range
    if (from < first) throw trimmed(`the record at position ${from}`, { position: from, first })
    let block = from < to ? this.#index.find(journal, from) : undefined
    let reached = from
    while (block !== undefined) {
      // A trim may have overtaken a slow reader: what it has not read yet is gone.
      if ((block.first[journal] ?? 1) > reached)
        throw trimmed(`the record at position ${reached}`, { position: reached })
      const bytes = block.bytes ?? (await this.#load(block))
      const spans = entriesOf(bytes, journal)
      let position = block.first[journal] ?? 1
      for (let at = 0; at < spans.length && position < to; at += 2, position += 1) {
        if (position < from) continue
        if (signal?.aborted === true) return
        const begin = spans[at] ?? 0
        yield { position, bytes: bytes.subarray(begin, begin + (spans[at + 1] ?? 0)) }
      }
      reached = position
      block = position < to ? this.#index.after(block) : undefined
    }
    onEnd()
  }

  /**
   * The records of all journals in the order in which they were written. Whoever wrote one had heard the acks of all on
   * which it depends, so that a beginning of this order holds no record without what it depends on.
   */
  async *readAll(): AsyncGenerator<LoggedRecord, void> {
    for (let block = this.#index.oldest; block !== undefined; block = this.#index.after(block)) {
      const records: LoggedRecord[] = []
      const positions = [...block.first]
      const bytes = await this.#load(block)
      visitEntries(bytes, (journal, begin, length) => {
        const position = positions[journal] ?? 1
        positions[journal] = position + 1
        records.push({ journal, position, bytes: bytes.subarray(begin, begin + length) })
      })
      yield* records
    }
  }

  #load(block: Block): Promise<Buffer> {
    const { at, length } = block
    return this.#segments.hold(block.segment, async (segment) => {
      const bytes = asBuffer(await segment.file.read(at, length))
      verify(segment, block, bytes, length)
      return bytes
    })
  }
}

/** What was sound when it was written, or when the log was opened, is looked at again: disks rot. */
function verify(segment: Segment, block: Block, bytes: Buffer, length: number): void {
  let at = 0
  while (at + groupHeaderBytes <= bytes.length) {
    const read = readGroupHeader(bytes, at, segment.seed)
    if (read.kind !== 'sound') break
    const end = at + groupHeaderBytes + read.header.bodyLength
    if (end > bytes.length || !isSoundBody(read.header, bytes.subarray(at + groupHeaderBytes, end))) break
    at = end
  }
  if (at === length) return
  throw corruptLog({
    file: segment.path,
    offset: block.at + at,
    reason: 'a group that was sound is broken',
    soundBefore: block.first,
    groupsBeyond: 0,
  })
}

/** Offset and length of each record of a journal in a run of sound groups, one pair after the other. */
function entriesOf(bytes: Buffer, journal: number): number[] {
  const spans: number[] = []
  visitEntries(bytes, (of, begin, length) => {
    if (of === journal) spans.push(begin, length)
  })
  return spans
}

/** Visits the records in a run of sound groups, in order. */
function visitEntries(bytes: Buffer, visit: (journal: number, begin: number, length: number) => void): void {
  for (let group = 0; group < bytes.length;) {
    const end = group + groupHeaderBytes + bytes.readUInt32LE(group + 8)
    // Only a RECORDS group holds entries.
    const hasEntries = bytes[group + 5] === recordsKind
    for (let at = hasEntries ? group + groupHeaderBytes : end; at < end;) {
      const length = bytes.readUInt32LE(at + 4)
      visit(bytes.readUInt32LE(at), at + entryHeaderBytes, length)
      at += entryHeaderBytes + length
    }
    group = end
  }
}
