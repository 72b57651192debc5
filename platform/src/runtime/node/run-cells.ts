/** Int32 of shared memory: runs begun and ended, the part that runs, the call that it runs for, turns of the loop. */
const cellCount = 4

/** Which function of a unit a thread runs: told in shared memory, so that a run costs a few stores and no clock. */
export class RunCells {
  readonly #cells: Int32Array
  readonly #parts: ReadonlyMap<string, number>
  #count = 0

  /** `parts` are the names of what is watched. */
  constructor(memory: SharedArrayBuffer, parts: readonly string[]) {
    this.#cells = new Int32Array(memory)
    this.#parts = new Map(parts.map((part, at) => [part, at]))
  }

  /** Memory for the cells of one thread. */
  static memory(): SharedArrayBuffer {
    return new SharedArrayBuffer(4 * cellCount)
  }

  /** A function of the unit begins. */
  enter(part: string): void {
    this.#cells[1] = this.#parts.get(part) ?? -1
    this.#count = (this.#count + 1) | 0
    Atomics.store(this.#cells, 0, this.#count)
  }

  /** It has returned or thrown. */
  leave(): void {
    this.#count = (this.#count + 1) | 0
    Atomics.store(this.#cells, 0, this.#count)
  }

  /** What runs from now on is done for this call; 0 for none that is known. */
  runFor(call: number): void {
    this.#cells[2] = call
  }

  /** The loop of this thread has turned. */
  turned(): void {
    Atomics.add(this.#cells, 3, 1)
  }
}

/** What a thread was doing, as its cells tell. */
export interface ThreadRun {
  /** The part that runs; undefined between runs. */
  readonly part: string | undefined
  /** The call that it runs for, cut to 32 bits; 0 if that is not known. */
  readonly call: number
}
