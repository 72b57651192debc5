import type { Timer, Timers } from '../../runtime/index.ts'
import { segmentHeaderBytes } from './layout.ts'
import { reserveBytesMax } from './reserve.ts'
import { createSegment, type Segment, type SegmentPlace } from './segments.ts'

export interface SegmentSizes {
  /** Bytes of the smallest segment. */
  readonly segmentBytesMin: number
  /** Bytes of the largest segment, unless one group needs more. */
  readonly segmentBytesMax: number
  /** Bytes that all segments together may take on the disk; Infinity for no limit. */
  readonly logBytesMax: number
}

type State =
  | { readonly kind: 'none' }
  | { readonly kind: 'preparing'; readonly done: Promise<void> }
  | { readonly kind: 'ready'; readonly segment: Segment }
  | { readonly kind: 'full' }
  | { readonly kind: 'failed'; readonly error: unknown }

const retryMs = 1_000

/** Keeps the next segment ready, so that a full disk is met ahead of time and the writer seldom waits for zeros. */
export class SegmentSupply {
  readonly #place: SegmentPlace
  readonly #sizes: SegmentSizes
  readonly #timers: Timers
  #number: number
  #allocated: number
  #state: State
  /** Why the last segment could not be made; stays while it is tried again, so that nobody takes a try for room. */
  #full: 'disk' | 'limit' | undefined
  #retry: Timer | undefined

  /** `number` is the next new segment's; `allocated` the bytes of all that exist, `ready` included. */
  constructor(
    place: SegmentPlace,
    sizes: SegmentSizes,
    timers: Timers,
    existing: { readonly number: number; readonly allocated: number; readonly ready: Segment | undefined },
  ) {
    this.#place = place
    this.#sizes = sizes
    this.#timers = timers
    this.#number = existing.number
    this.#allocated = existing.allocated
    this.#state = existing.ready === undefined ? { kind: 'none' } : { kind: 'ready', segment: existing.ready }
  }

  /** Why no further segment can be made just now; undefined while nothing is known against it. */
  get full(): 'disk' | 'limit' | undefined {
    return this.#full
  }

  /** Starts to make the segment after `current`, unless one is there or under way. */
  prepare(current: Segment): void {
    if (this.#state.kind === 'none') this.#begin(this.#sizeAfter(current), this.#sizes.segmentBytesMin)
  }

  /** The next segment, with room for `needed` bytes of groups; undefined if there is no room for it. Throws the disk's errors. */
  async take(current: Segment, needed: number): Promise<Segment | undefined> {
    const sizeNeeded = needed + segmentHeaderBytes
    for (;;) {
      const state = this.#state
      switch (state.kind) {
        case 'ready':
          this.#state = { kind: 'none' }
          if (state.segment.size >= sizeNeeded) return state.segment
          await this.#discard(state.segment)
          break
        case 'preparing':
          await state.done
          break
        case 'none':
          // One that a huge group fills to the last byte would have no place for the records that make room (JR8).
          this.#begin(Math.max(this.#sizeAfter(current), sizeNeeded + 2 * reserveBytesMax), sizeNeeded)
          break
        case 'full':
          return undefined
        case 'failed':
          throw state.error
      }
    }
  }

  /** Says that segments of so many bytes were removed. */
  freed(bytes: number): void {
    this.#allocated -= bytes
    this.#full = undefined
    if (this.#state.kind === 'full') this.#state = { kind: 'none' }
  }

  async close(): Promise<void> {
    this.#retry?.stop()
    if (this.#state.kind === 'preparing') await this.#state.done
    if (this.#state.kind === 'ready') await this.#state.segment.file.close()
    this.#state = { kind: 'failed', error: new Error('The log is closed.') }
  }

  #sizeAfter(current: Segment): number {
    return Math.min(this.#sizes.segmentBytesMax, Math.max(this.#sizes.segmentBytesMin, current.size * 2))
  }

  #begin(size: number, sizeMin: number): void {
    const done = this.#make(size, sizeMin).then(
      (made) => {
        this.#full = typeof made === 'string' ? made : undefined
        this.#state = typeof made === 'string' ? { kind: 'full' } : { kind: 'ready', segment: made }
        if (made === 'disk') this.#tryAgain(size, sizeMin)
      },
      (error: unknown) => {
        this.#state = { kind: 'failed', error }
      },
    )
    this.#state = { kind: 'preparing', done }
  }

  /** Others may make room on the disk without telling. */
  #tryAgain(size: number, sizeMin: number): void {
    this.#retry?.stop()
    this.#retry = this.#timers.after(retryMs, () => {
      if (this.#state.kind === 'full') this.#begin(size, sizeMin)
    })
  }

  /** Makes a segment of `size` bytes or, where there is less room, a smaller one down to `sizeMin`. */
  async #make(size: number, sizeMin: number): Promise<Segment | 'disk' | 'limit'> {
    const room = this.#sizes.logBytesMax - this.#allocated
    const least = Math.max(sizeMin, segmentHeaderBytes + 1)
    if (room < least) return 'limit'
    for (let tried = Math.min(size, room); ; tried = Math.max(least, Math.floor(tried / 2))) {
      try {
        const segment = await createSegment(this.#place, this.#number, tried)
        this.#number += 1
        this.#allocated += tried
        return segment
      } catch (error) {
        if (!isDiskFull(error)) throw error
        if (tried <= least) return 'disk'
      }
    }
  }

  async #discard(segment: Segment): Promise<void> {
    await segment.file.close()
    await this.#place.disk.remove(segment.path)
    this.#number -= 1
    this.#allocated -= segment.size
  }
}

/** True for the system's errors that mean "no room on the disk" or "quota reached". */
export function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')
}
