/** Items of a chunk before it is split. */
const chunkMax = 128

/**
 * A sorted list in chunks: an item is found by two binary searches, and an insertion moves a chunk's items at most. Beats
 * a tree of nodes up to tens of millions of items, because it is few arrays instead of many objects. No two items are
 * equal.
 */
export class SortedList<T> {
  readonly #compare: (a: T, b: T) => number
  #chunks: T[][] = []
  #size = 0

  constructor(compare: (a: T, b: T) => number) {
    this.#compare = compare
  }

  get size(): number {
    return this.#size
  }

  /** Fills an empty list at once. */
  fill(items: T[]): void {
    items.sort(this.#compare)
    for (let at = 0; at < items.length; at += chunkMax / 2) this.#chunks.push(items.slice(at, at + chunkMax / 2))
    this.#size = items.length
  }

  add(item: T): void {
    this.#size += 1
    const last = this.#chunks.length - 1
    if (last < 0) {
      this.#chunks.push([item])
      return
    }
    const at = Math.min(last, this.#chunkOf(item))
    const chunk = this.#chunks[at]!
    // Most lists grow at their end.
    if (this.#compare(chunk[chunk.length - 1]!, item) < 0) chunk.push(item)
    else chunk.splice(this.#placeOf(chunk, item), 0, item)
    if (chunk.length > chunkMax) this.#chunks.splice(at + 1, 0, chunk.splice(at === last ? chunkMax : chunkMax / 2))
  }

  /** Takes out the item that compares as equal, if there is one. */
  delete(item: T): void {
    const at = this.#chunkOf(item)
    const chunk = this.#chunks[at]
    if (chunk === undefined) return
    const place = this.#placeOf(chunk, item)
    if (this.#compare(chunk[place]!, item) !== 0) return
    if (chunk.length === 1) this.#chunks.splice(at, 1)
    else if (place === chunk.length - 1) chunk.pop()
    else chunk.splice(place, 1)
    this.#size -= 1
  }

  /** Visits all items upwards until `visit` returns false; false if it did. The list must not change meanwhile. */
  visit(visit: (item: T) => boolean): boolean {
    for (let at = 0; at < this.#chunks.length; at++) {
      const chunk = this.#chunks[at]!
      for (let place = 0; place < chunk.length; place++) if (!visit(chunk[place]!)) return false
    }
    return true
  }

  /**
   * Visits items upwards from the first for which `isFrom` holds, as it does for all after it, until `visit` returns
   * false; false if it did. The list must not change meanwhile.
   */
  visitFrom(isFrom: (item: T) => boolean, visit: (item: T) => boolean): boolean {
    const first = this.#chunkAt(isFrom)
    for (let at = first; at < this.#chunks.length; at++) {
      const chunk = this.#chunks[at]!
      for (let place = at === first ? firstIn(chunk, isFrom) : 0; place < chunk.length; place++) {
        if (!visit(chunk[place]!)) return false
      }
    }
    return true
  }

  /** Visits items downwards from the last for which `isBeyond` does not hold, until `visit` returns false; false if it did. */
  visitBackFrom(isBeyond: (item: T) => boolean, visit: (item: T) => boolean): boolean {
    const last = Math.min(this.#chunkAt(isBeyond), this.#chunks.length - 1)
    for (let at = last; at >= 0; at--) {
      const chunk = this.#chunks[at]!
      for (let place = (at === last ? firstIn(chunk, isBeyond) : chunk.length) - 1; place >= 0; place--) {
        if (!visit(chunk[place]!)) return false
      }
    }
    return true
  }

  /** The first chunk whose last item is not below `item`. */
  #chunkOf(item: T): number {
    let low = 0
    let high = this.#chunks.length
    while (low < high) {
      const middle = (low + high) >> 1
      const chunk = this.#chunks[middle]!
      if (this.#compare(chunk[chunk.length - 1]!, item) >= 0) high = middle
      else low = middle + 1
    }
    return low
  }

  /** The place of the first item in a chunk that is not below `item`. */
  #placeOf(chunk: readonly T[], item: T): number {
    let low = 0
    let high = chunk.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#compare(chunk[middle]!, item) >= 0) high = middle
      else low = middle + 1
    }
    return low
  }

  /** The first chunk whose last item fulfils a condition that holds for all items after the first that fulfils it. */
  #chunkAt(holds: (item: T) => boolean): number {
    let low = 0
    let high = this.#chunks.length
    while (low < high) {
      const middle = (low + high) >> 1
      const chunk = this.#chunks[middle]!
      if (holds(chunk[chunk.length - 1]!)) high = middle
      else low = middle + 1
    }
    return low
  }
}

/** The place of the first item that fulfils the condition; the length if none does. */
function firstIn<T>(chunk: readonly T[], holds: (item: T) => boolean): number {
  let low = 0
  let high = chunk.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (holds(chunk[middle]!)) high = middle
    else low = middle + 1
  }
  return low
}
