import type { SnapshotWalk } from '../space/index.ts'
import type { SnapshotBody } from './record-body.ts'
import { hashesOf, type ProjectionHashes, type SavedProjection } from './saved-projection.ts'

/** What a follower holds at the index of a snapshot, hashed while it follows, to be compared with the primary's (JR7). */
export class Comparison {
  readonly index: number
  readonly #walk: SnapshotWalk
  readonly #projections: readonly SavedProjection[]
  #isWalked = false
  /** What the primary named, once it has. */
  named: SnapshotBody | undefined

  constructor(index: number, walk: SnapshotWalk, projections: readonly SavedProjection[]) {
    this.index = index
    this.#walk = walk
    this.#projections = projections
  }

  /** Goes on by so many bytes; true when all is hashed. */
  advance(bytesMax: number): boolean {
    let hashed = 0
    const isEnough = (bytes: number): boolean => hashed + bytes >= bytesMax
    if (!this.#isWalked) this.#isWalked = !this.#walk.advance(isEnough)
    hashed = this.#walk.takeBytes().length
    if (!this.#isWalked) return false
    for (const saved of this.#projections) {
      for (let block = saved.next(isEnough); block !== undefined; block = saved.next(isEnough)) {
        hashed += block.length
        if (hashed >= bytesMax) return false
      }
    }
    return true
  }

  get hash(): string {
    return this.#walk.hash.toString()
  }

  get projections(): ProjectionHashes {
    return hashesOf(this.#projections)
  }
}
