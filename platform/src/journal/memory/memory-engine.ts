import { assert, PlenumError } from '../../kernel/index.ts'
import type { Appended, Found, Journal, Position, SnapshotName, Tail } from '../journal.ts'
import type { Runtime } from '../../runtime/index.ts'
import { MemorySnapshots } from './memory-snapshots.ts'

/** What a memory journal keeps so that followers can read it. */
export interface MemoryJournalOptions {
  /** Bytes of the newest records that are kept; older ones are forgotten as if trimmed. */
  readonly keptBytesMax?: number
  /** Lets the loop turn now and then; without it whoever is answered at once may keep all others waiting for ever. */
  readonly runtime?: Pick<Runtime, 'clock' | 'timers'> | undefined
}

/** Milliseconds of one turn of the loop after which an ack waits for the next one. */
const turnMsMax = 4

const keptBytesMaxDefault = 16 << 20
const refused: Promise<Appended> = Promise.resolve({ kind: 'refused' })
const unavailable: Promise<Appended> = Promise.resolve({ kind: 'unavailable' })

/**
 * The journal of level `memory`: nothing survives the process, so an append is done when it was called. It keeps the
 * newest records for readers of the same process and costs one promise an append. As nothing here waits for a disk,
 * callers that ask again as soon as they are answered would never let the loop turn, and timers would starve: every few
 * milliseconds an ack waits for the next turn.
 */
export class MemoryJournal implements Journal {
  readonly level = 'memory'
  readonly shared = false
  readonly #keptBytesMax: number
  readonly #snapshots = new MemorySnapshots()
  // The kept records are `#records` from `#start` on; the slots before are cleared and cut off now and then.
  #records: (Uint8Array | undefined)[] = []
  #start = 0
  #first: Position = 1
  #keptBytes = 0
  #closed = false
  #waiting: (() => void)[] = []
  readonly #runtime: MemoryJournalOptions['runtime']
  /** When the present turn of the loop was first noticed; undefined before. */
  #turnBegan: number | undefined

  constructor(options: MemoryJournalOptions = {}) {
    this.#keptBytesMax = options.keptBytesMax ?? keptBytesMaxDefault
    assert(this.#keptBytesMax > 0, 'a memory journal keeps some bytes')
    this.#runtime = options.runtime
  }

  get #next(): Position {
    return this.#first + this.#records.length - this.#start
  }

  fill(): number {
    return 0
  }

  open(): Promise<Tail> {
    return Promise.resolve({ first: this.#first, next: this.#next, fill: 0 })
  }

  /** The bytes are kept, not copied: the caller must not change them afterwards. */
  append(position: Position, record: Uint8Array): Promise<Appended> {
    if (this.#closed) return unavailable
    if (position !== this.#next) return refused
    this.#records.push(record)
    this.#keptBytes += record.length
    // The newest record is always kept, however large it is.
    while (this.#keptBytes > this.#keptBytesMax && this.#start < this.#records.length - 1) this.#forget()
    if (this.#waiting.length > 0) this.#wake()
    return this.#inTurn({ kind: 'acked', position })
  }

  /** At once, or in the next turn of the loop if this one has lasted for long. */
  #inTurn(outcome: Appended): Promise<Appended> {
    if (this.#runtime === undefined) return Promise.resolve(outcome)
    const { clock, timers } = this.#runtime
    const now = clock.monotonic()
    if (this.#turnBegan === undefined) {
      this.#turnBegan = now
      timers.soon(() => (this.#turnBegan = undefined))
    }
    if (now - this.#turnBegan < turnMsMax) return Promise.resolve(outcome)
    return new Promise((resolve) => timers.soon(() => resolve(outcome)))
  }

  async *read(from: Position, signal?: AbortSignal): AsyncGenerator<Found, void> {
    const end = this.#next
    for (let position = from; position < end && signal?.aborted !== true; position++) yield this.#found(position)
  }

  async *follow(from: Position, signal: AbortSignal): AsyncGenerator<Found, void> {
    const wake = (): void => this.#wake()
    signal.addEventListener('abort', wake, { once: true })
    try {
      for (let position = from; !signal.aborted;) {
        if (position < this.#next) yield this.#found(position++)
        else if (this.#closed) return
        else await new Promise<void>((resolve) => this.#waiting.push(resolve))
      }
    } finally {
      signal.removeEventListener('abort', wake)
    }
  }

  saveSnapshot(index: number, chunks: AsyncIterable<Uint8Array>, hash: () => string): Promise<SnapshotName> {
    return this.#snapshots.save(index, chunks, hash)
  }

  loadSnapshot(name: SnapshotName): Promise<AsyncIterable<Uint8Array> | undefined> {
    return Promise.resolve(this.#snapshots.load(name))
  }

  listSnapshots(): Promise<readonly SnapshotName[]> {
    return Promise.resolve(this.#snapshots.list())
  }

  removeSnapshot(name: SnapshotName): Promise<void> {
    this.#snapshots.remove(name)
    return Promise.resolve()
  }

  trim(before: Position): Promise<void> {
    while (this.#first < before && this.#start < this.#records.length) this.#forget()
    return Promise.resolve()
  }

  close(): Promise<void> {
    this.#closed = true
    this.#wake()
    return Promise.resolve()
  }

  #found(position: Position): Found {
    const bytes = this.#records[position - this.#first + this.#start]
    if (position >= this.#first && bytes !== undefined) return { position, bytes }
    throw new PlenumError(
      'JOURNAL_CORRUPT',
      `The record at position ${position} is no longer kept; the oldest one here is at position ${this.#first}. ` +
        'Begin from a newer snapshot.',
      { details: { position, first: this.#first, reason: 'trimmed' } },
    )
  }

  #forget(): void {
    this.#keptBytes -= this.#records[this.#start]!.length
    this.#records[this.#start] = undefined
    this.#start += 1
    this.#first += 1
    if (this.#start < 1_024 || this.#start * 2 < this.#records.length) return
    this.#records = this.#records.slice(this.#start)
    this.#start = 0
  }

  #wake(): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const resume of waiting) resume()
  }
}
