import type { SeededRandom } from './random.ts'

type Change =
  | { readonly kind: 'write'; readonly at: number; readonly bytes: Uint8Array; readonly number: number }
  | { readonly kind: 'truncate'; readonly size: number; readonly number: number }

/** Bytes that a disk writes as one, as far as anybody promises. */
const sectorBytes = 512

/** Bytes that grow as they are written to; a gap reads as zeros. */
class Grown {
  #bytes: Uint8Array
  #size: number

  constructor(bytes: Uint8Array = new Uint8Array(0)) {
    this.#bytes = bytes
    this.#size = bytes.length
  }

  get size(): number {
    return this.#size
  }

  write(at: number, bytes: Uint8Array): void {
    this.#reach(at + bytes.length)
    this.#bytes.set(bytes, at)
  }

  truncate(size: number): void {
    this.#reach(size)
    this.#bytes.fill(0, size, this.#size)
    this.#size = size
  }

  /** A copy. */
  slice(from: number, to: number): Uint8Array {
    return this.#bytes.slice(from, Math.min(to, this.#size))
  }

  flip(at: number, bit: number): void {
    if (at < this.#size) this.#bytes[at]! ^= 1 << bit
  }

  #reach(size: number): void {
    if (size > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(size, 2 * this.#bytes.length))
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    this.#size = Math.max(this.#size, size)
  }
}

/**
 * What a file holds: as processes read it, which is the system's memory, and as it would be after a power cut. The
 * difference is the list of changes that no sync has confirmed yet.
 */
export class FileContent {
  #live = new Grown()
  #durable = new Grown()
  #pending: Change[] = []
  #changes = 0

  get size(): number {
    return this.#live.size
  }

  /** Up to `length` bytes from `at`. */
  read(at: number, length: number): Uint8Array {
    return this.#live.slice(at, at + length)
  }

  write(at: number, bytes: Uint8Array): void {
    // A Buffer's own `slice` would not copy.
    const change: Change = { kind: 'write', at, bytes: new Uint8Array(bytes), number: ++this.#changes }
    apply(this.#live, change)
    this.#pending.push(change)
  }

  truncate(size: number): void {
    const change: Change = { kind: 'truncate', size, number: ++this.#changes }
    apply(this.#live, change)
    this.#pending.push(change)
  }

  /** The mark up to which a sync that begins now will confirm changes. */
  get mark(): number {
    return this.#changes
  }

  /** The changes up to the mark survive a power cut from now on. */
  sync(mark = this.#changes): void {
    for (const change of this.#takePending(mark)) apply(this.#durable, change)
  }

  /**
   * A sync fails: of the changes up to the mark some have reached the disk. The system forgets that the others have not,
   * so that no later sync will write them, and may or may not go on showing them to readers.
   */
  failSync(random: SeededRandom, mark = this.#changes): void {
    for (const change of this.#takePending(mark)) if (random.chance(0.5)) apply(this.#durable, change)
    if (random.chance(0.5)) return
    this.#live = new Grown(this.#durable.slice(0, this.#durable.size))
    for (const change of this.#pending) apply(this.#live, change)
  }

  /** The power goes: each change that was not confirmed is kept, lost or torn, in whatever order the disk liked. */
  cutPower(random: SeededRandom): void {
    const lostRate = random.pick([0, 0.2, 0.5, 1])
    const tornRate = random.pick([0, 0.2, 0.8])
    for (const change of this.#takePending(this.#changes)) {
      if (random.chance(lostRate)) continue
      if (change.kind === 'write' && random.chance(tornRate)) tear(this.#durable, change, random)
      else apply(this.#durable, change)
    }
    this.#live = new Grown(this.#durable.slice(0, this.#durable.size))
  }

  /** A bit of the medium changes. */
  flip(at: number, bit: number): void {
    this.#live.flip(at, bit)
    this.#durable.flip(at, bit)
  }

  #takePending(mark: number): readonly Change[] {
    const taken = this.#pending.filter(({ number }) => number <= mark)
    this.#pending = this.#pending.filter(({ number }) => number > mark)
    return taken
  }
}

function apply(to: Grown, change: Change): void {
  if (change.kind === 'write') to.write(change.at, change.bytes)
  else to.truncate(change.size)
}

/** Writes a part: the first or last bytes up to any byte, or any of the sectors that the write touches. */
function tear(to: Grown, change: Change & { readonly kind: 'write' }, random: SeededRandom): void {
  const { at, bytes } = change
  const cut = random.integer(bytes.length + 1)
  const way = random.integer(3)
  if (way === 0) return to.write(at, bytes.subarray(0, cut))
  if (way === 1) return to.write(at + cut, bytes.subarray(cut))
  const end = at + bytes.length
  for (let from = at; from < end;) {
    const next = Math.min(end, (Math.floor(from / sectorBytes) + 1) * sectorBytes)
    if (random.chance(0.5)) to.write(from, bytes.subarray(from - at, next - at))
    from = next
  }
}
