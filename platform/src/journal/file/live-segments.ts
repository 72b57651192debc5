import { PlenumError } from '../../kernel/index.ts'
import type { Disk } from '../../runtime/index.ts'
import type { Position } from '../journal.ts'
import type { Segment } from './segments.ts'

/** A segment in use, with the next positions of all journals at its start. */
export interface UsedSegment {
  readonly segment: Segment
  readonly first: readonly Position[]
}

interface LiveSegment extends UsedSegment {
  /** Reads under way; the file stays while there is one. */
  readers: number
}

/** The segments in use, oldest first. */
export class LiveSegments {
  readonly #disk: Disk
  readonly #folder: string
  readonly #reads = new Set<Promise<unknown>>()
  #live: LiveSegment[]
  #bytes: number

  constructor(disk: Disk, folder: string, used: readonly UsedSegment[]) {
    this.#disk = disk
    this.#folder = folder
    this.#live = used.map((one) => ({ ...one, readers: 0 }))
    this.#bytes = used.reduce((sum, { segment }) => sum + segment.size, 0)
  }

  /** Bytes of all segments but the current one. */
  get olderBytes(): number {
    return this.#bytes - (this.#live.at(-1)?.segment.size ?? 0)
  }

  /** The lowest position of a journal that is still in a file. */
  first(journal: number): Position {
    return this.#live[0]?.first[journal] ?? 1
  }

  /** The number of the oldest segment. */
  get oldest(): number {
    return this.#live[0]?.segment.number ?? 1
  }

  add(segment: Segment, first: readonly Position[]): void {
    this.#live.push({ segment, first: [...first], readers: 0 })
    this.#bytes += segment.size
  }

  /** Reads with the segment held in place. JOURNAL_CORRUPT if it is no longer kept. */
  async hold<T>(number: number, read: (segment: Segment) => Promise<T>): Promise<T> {
    const live = this.#live.find(({ segment }) => segment.number === number)
    if (live === undefined) throw trimmed(`segment ${number}`)
    live.readers += 1
    const reading = read(live.segment)
    this.#reads.add(reading)
    try {
      return await reading
    } finally {
      live.readers -= 1
      this.#reads.delete(reading)
    }
  }

  /** True if the oldest segment is needed by no journal and read by nobody. The last one always stays. */
  canRemove(needed: readonly Position[]): boolean {
    const [oldest, next] = this.#live
    if (oldest === undefined || next === undefined || oldest.readers > 0) return false
    return next.first.every((position, journal) => position <= (needed[journal] ?? 1))
  }

  /**
   * Removes the oldest segments as long as that can be done. Each removal is made durable before the next, so
   * that a crash never leaves a gap. Returns the bytes freed.
   */
  async removeBelow(needed: readonly Position[]): Promise<number> {
    let freed = 0
    while (this.canRemove(needed)) {
      const oldest = this.#live.shift()
      if (oldest === undefined) break
      await oldest.segment.file.close()
      await this.#disk.remove(oldest.segment.path)
      await this.#disk.syncFolder(this.#folder)
      this.#bytes -= oldest.segment.size
      freed += oldest.segment.size
    }
    return freed
  }

  /** Closes the files once the reads under way are done: a closed descriptor may soon be another file's. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#reads)
    for (const { segment } of this.#live.splice(0)) await segment.file.close()
  }
}

/** The error for records that were trimmed away. */
export function trimmed(what: string, details: Readonly<Record<string, unknown>> = {}): PlenumError {
  return new PlenumError('JOURNAL_CORRUPT', `The journal no longer keeps ${what}. Begin from a newer snapshot.`, {
    details: { ...details, reason: 'trimmed' },
  })
}
