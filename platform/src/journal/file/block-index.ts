// Where to begin reading for a position: one entry for each block of about 1 MB of groups, not one for each record.

/** A run of whole groups in one segment. Grows at its end while it is the last one. */
export interface Block {
  readonly segment: number
  /** Byte offset of its first group in the segment file. */
  readonly at: number
  length: number
  /** The position that each journal's next record had when the block began. */
  readonly first: readonly number[]
  /** The bytes, kept from the recovery's scan until every partition has read them. */
  bytes: Buffer | undefined
}

const blockBytes = 1 << 20

/** The blocks of a log, oldest first. */
export class BlockIndex {
  #blocks: Block[] = []

  /** Adds groups that stand right behind the last ones; `positions` are the next ones of all journals before them. */
  add(segment: number, at: number, length: number, positions: readonly number[]): void {
    const last = this.#blocks.at(-1)
    if (last !== undefined && last.segment === segment && last.length < blockBytes && last.bytes === undefined) {
      last.length += length
    } else {
      this.#blocks.push({ segment, at, length, first: [...positions], bytes: undefined })
    }
  }

  /** Adds a block whose bytes are at hand. */
  addRead(segment: number, at: number, bytes: Buffer, positions: readonly number[], keep: boolean): void {
    const kept = keep ? bytes : undefined
    this.#blocks.push({ segment, at, length: bytes.length, first: [...positions], bytes: kept })
  }

  /** Where the log begins; undefined while it is empty. */
  get oldest(): Block | undefined {
    return this.#blocks[0]
  }

  /** The block in which the record of `journal` at `position` is, or would be. */
  find(journal: number, position: number): Block | undefined {
    let low = 0
    let high = this.#blocks.length - 1
    while (low < high) {
      const middle = (low + high + 1) >>> 1
      if ((this.#blocks[middle]?.first[journal] ?? 0) <= position) low = middle
      else high = middle - 1
    }
    return this.#blocks[low]
  }

  /** The block that follows `block`, whether or not that one is still listed. */
  after(block: Block): Block | undefined {
    let low = 0
    let high = this.#blocks.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const other = this.#blocks[middle]
      if (other !== undefined && (other.segment - block.segment || other.at - block.at) <= 0) low = middle + 1
      else high = middle
    }
    return this.#blocks[low]
  }

  /** The next positions of all journals at the start of a segment. */
  firstOf(segment: number): readonly number[] | undefined {
    return this.#blocks.find((block) => block.segment === segment)?.first
  }

  /** Forgets the blocks of segments below `segment`. */
  dropBefore(segment: number): void {
    this.#blocks = this.#blocks.filter((block) => block.segment >= segment)
  }

  /** Lets go of all bytes that were kept. */
  release(): void {
    for (const block of this.#blocks) block.bytes = undefined
  }
}
