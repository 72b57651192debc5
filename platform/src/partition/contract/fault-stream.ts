import {
  parseRecord,
  type Appended,
  type Found,
  type Journal,
  type JournalRecord,
  type Position,
} from '../../journal/index.ts'
import { MemoryJournal } from '../../journal/memory/memory-engine.ts'
import type { SnapshotName, Tail } from '../../journal/index.ts'

/**
 * What happens to an append. `held`: stored, its ack waits for `release`. `lost ack`: stored, and nobody is told.
 * `dropped`: not stored, and nobody is told; `dropped later`: the same, found out at `release`. `late`: the same, but the packet arrives with `deliver`. `displaced`: another
 * record takes its place and it is stored behind it, acked there.
 */
export type Fate =
  | 'acked'
  | 'held'
  | 'refused'
  | 'lost ack'
  | 'dropped'
  | 'dropped later'
  | 'late'
  | 'displaced'
  | 'full'
  | 'unavailable'
  | 'failed'

/** One partition's records as its authority keeps them, for any number of connections, over a memory journal. */
export class FaultStream {
  #inner = new MemoryJournal()
  readonly #snapshots = this.#inner
  readonly #fates: Fate[] = []
  readonly #held: (() => void)[] = []
  readonly #late: (() => Promise<unknown>)[] = []
  #waiting: (() => void)[] = []
  /** Fate of every append that `plan` has not given one. */
  fate: Fate = 'acked'
  /** What every connection says its share is. */
  filled = 0
  /** What a snapshot waits for before it has its name. */
  naming: Promise<unknown> = Promise.resolve()
  /** What was sent, in order, whatever came of it. */
  readonly sent: Found[] = []

  /** The fates of the next appends, in order. */
  plan(...fates: readonly Fate[]): void {
    this.#fates.push(...fates)
  }

  /** Takes back what is planned: the next appends have the fate of all others. */
  forgetPlan(): void {
    this.#fates.length = 0
  }

  /** Gives the acks that were held, in order; or only the first so many. */
  release(count = this.#held.length): void {
    for (const give of this.#held.splice(0, count)) give()
  }

  /** Gives the newest ack that is held, before all others. */
  releaseLast(): void {
    this.#held.pop()?.()
  }

  /** Lets late packets arrive. */
  async deliver(): Promise<void> {
    for (const store of this.#late.splice(0)) await store()
  }

  /** Loses the newest records, and answers normally from now on. */
  async regress(count: number): Promise<void> {
    const kept = (await this.found()).slice(0, -count)
    this.#inner = new MemoryJournal()
    for (const { position, bytes } of kept) await this.#inner.append(position, bytes)
  }

  /** Replaces the bytes of the newest record, as a diverged replica would show them. */
  async fork(change: (bytes: Uint8Array) => Uint8Array): Promise<void> {
    const last = (await this.found()).at(-1)!
    await this.regress(1)
    await this.#inner.append(last.position, change(last.bytes.slice()))
  }

  /** Everything that is stored. */
  async found(): Promise<readonly Found[]> {
    const all: Found[] = []
    const { first } = await this.#inner.open()
    for await (const one of this.#inner.read(first)) all.push(one)
    return all
  }

  /** The stored records, parsed; every one of them must be sound. */
  async records(): Promise<readonly JournalRecord[]> {
    return (await this.found()).map(({ bytes }) => {
      const parsed = parseRecord(bytes)
      if (parsed.kind !== 'record') throw new Error(`a stored record is ${parsed.kind}`)
      return parsed.record
    })
  }

  /** The kinds of the stored records, in order. */
  async kinds(): Promise<readonly string[]> {
    return (await this.records()).map(({ kind }) => kind)
  }

  async append(position: Position, record: Uint8Array): Promise<Appended> {
    this.sent.push({ position, bytes: record.slice() })
    const fate = this.#fates.shift() ?? this.fate
    switch (fate) {
      case 'acked':
        return this.#store(position, record)
      case 'held': {
        const outcome = await this.#store(position, record)
        return new Promise((resolve) => this.#held.push(() => resolve(outcome)))
      }
      case 'displaced':
        await this.#store(position, this.#displacer)
        return this.#store(position + 1, record)
      case 'lost ack':
        await this.#store(position, record)
        return { kind: 'unknown' }
      case 'late':
        this.#late.push(() => this.#store(position, record))
        return { kind: 'unknown' }
      case 'dropped':
        return { kind: 'unknown' }
      case 'dropped later':
        return new Promise((resolve) => this.#held.push(() => resolve({ kind: 'unknown' })))
      case 'failed':
        return { kind: 'failed', error: new Error('the disk is gone') }
      case 'refused':
      case 'full':
      case 'unavailable':
        return { kind: fate }
    }
  }

  #displacer: Uint8Array = new Uint8Array(0)

  /** The record that takes the place of the next one that is `displaced`. */
  displaceBy(record: Uint8Array): void {
    this.#displacer = record
  }

  async #store(position: Position, record: Uint8Array): Promise<Appended> {
    const outcome = await this.#inner.append(position, record.slice())
    for (const wake of this.#waiting.splice(0)) wake()
    return outcome
  }

  tail(): Promise<Tail> {
    return this.#inner.open()
  }

  read(from: Position): AsyncIterable<Found> {
    return this.#inner.read(from)
  }

  async *follow(from: Position, signal: AbortSignal): AsyncGenerator<Found, void> {
    const wake = (): void => {
      for (const resume of this.#waiting.splice(0)) resume()
    }
    signal.addEventListener('abort', wake, { once: true })
    for (let position = from; !signal.aborted;) {
      const { next } = await this.#inner.open()
      if (position < next) {
        for await (const found of this.#inner.read(position)) {
          position = found.position + 1
          yield found
        }
      } else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  get snapshots(): Pick<Journal, 'saveSnapshot' | 'loadSnapshot' | 'listSnapshots' | 'removeSnapshot'> {
    return this.#snapshots
  }

  trim(before: Position): Promise<void> {
    return this.#inner.trim(before)
  }
}

/** One member's connection to a stream; implements the port as an engine does. */
export class FaultJournal implements Journal {
  readonly level = 'memory'
  readonly shared: boolean
  /** True while this connection hears nothing when it asks for the tail. */
  silent = false
  readonly #stream: FaultStream
  /** Changes the chunks of snapshots on their way back from the store. */
  spoil: ((chunk: Uint8Array, name: SnapshotName) => Uint8Array) | undefined

  constructor(stream: FaultStream, shared: boolean) {
    this.#stream = stream
    this.shared = shared
  }

  fill(): number {
    return this.#stream.filled
  }

  async open(): Promise<Tail> {
    while (this.silent) await new Promise<void>((resolve) => setImmediate(resolve))
    return this.#stream.tail()
  }

  append(position: Position, record: Uint8Array): Promise<Appended> {
    return this.#stream.append(position, record)
  }

  read(from: Position): AsyncIterable<Found> {
    return this.#stream.read(from)
  }

  follow(from: Position, signal: AbortSignal): AsyncIterable<Found> {
    return this.#stream.follow(from, signal)
  }

  async saveSnapshot(index: number, chunks: AsyncIterable<Uint8Array>, hash: () => string): Promise<SnapshotName> {
    const name = await this.#stream.snapshots.saveSnapshot(index, chunks, hash)
    await this.#stream.naming
    return name
  }

  async loadSnapshot(name: SnapshotName): Promise<AsyncIterable<Uint8Array> | undefined> {
    const chunks = await this.#stream.snapshots.loadSnapshot(name)
    const { spoil } = this
    if (chunks === undefined || spoil === undefined) return chunks
    return (async function* () {
      for await (const chunk of chunks) yield spoil(chunk.slice(), name)
    })()
  }

  listSnapshots(): Promise<readonly SnapshotName[]> {
    return this.#stream.snapshots.listSnapshots()
  }

  removeSnapshot(name: SnapshotName): Promise<void> {
    return this.#stream.snapshots.removeSnapshot(name)
  }

  trim(before: Position): Promise<void> {
    return this.#stream.trim(before)
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
