/** Share of the journal's room beyond which nothing that grows it is accepted (JR8). */
export const fillMax = 0.9

/** The first mark: half of the room is left for what comes in while two snapshots are taken. */
export const firstMark = 0.5

/** A journal is cut below the older of two snapshots: with two at the limit everything before is gone, or nothing helps. */
const snapshotsAtMax = 2

const belowFirst = tenthsOf(firstMark) - 1
const atMax = tenthsOf(fillMax)

/**
 * When a primary takes a snapshot because its journal fills: at one half, at each further tenth, and twice at the limit
 * (JR8). Where room was made, the marks above count anew.
 */
export class FillMarks {
  #passed = belowFirst
  #takenAtMax = 0

  /** True where the journal is as full as a mark that had no snapshot yet. */
  isReached(fill: number): boolean {
    const tenths = Math.min(tenthsOf(fill), atMax)
    if (tenths < this.#passed) this.#passed = Math.max(belowFirst, tenths)
    if (tenths === atMax) return this.#takenAtMax < snapshotsAtMax
    this.#takenAtMax = 0
    return tenths > this.#passed
  }

  /** The marks up to `fill` have their snapshot. */
  pass(fill: number): void {
    const tenths = Math.min(tenthsOf(fill), atMax)
    this.#passed = Math.max(belowFirst, tenths)
    if (tenths === atMax) this.#takenAtMax += 1
  }
}

/** Whole tenths, and 0.7 is seven of them though 0.7 * 10 may be a little less. */
function tenthsOf(fill: number): number {
  return Math.floor(fill * 10 + 1e-9)
}
