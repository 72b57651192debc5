// A journal that lives in another thread, for the partition in this one.
//
// Owns nothing that lasts: each call goes over the line. Records that one tick appends travel together.
//
// I1 How full the journal is, is what was heard last and what was sent since: never less than this partition knows of.
import type { AckLevel, Appended, Found, Journal, Position, SnapshotName, Tail } from '../journal/index.ts'
import type { JournalSubjects, Room } from './journal-subjects.ts'
import type { Line, Subjects } from './line.ts'
import { errorOf, sentError } from './sent-error.ts'

/** Above this share of its room a journal is asked again how full it is: others may have filled it, or made room. */
const askAgainAbove = 0.25

export interface RemoteJournalOptions {
  readonly line: Pick<Line<JournalSubjects, Subjects>, 'ask' | 'tell'>
  readonly partition: number
  readonly level: AckLevel
  /** Share of the journal's room that is taken now. */
  readonly fill: number
  /** Bytes that the journal may have; Infinity for no bound. */
  readonly bytesMax: number
}

export class RemoteJournal implements Journal {
  readonly level: AckLevel
  readonly shared = false
  readonly #options: RemoteJournalOptions
  #room: Room
  #sentBytes = 0
  #isAsking = false
  #closed = false
  /** What ends those who follow. */
  readonly #following = new Set<() => void>()

  constructor(options: RemoteJournalOptions) {
    this.level = options.level
    this.#options = options
    this.#room = { fill: options.fill, receivedBytes: 0 }
  }

  fill(bytes = 0): number {
    const fill = Math.min(1, this.known + bytes / this.#options.bytesMax)
    if (fill >= askAgainAbove && !this.#isAsking) void this.refresh()
    return fill
  }

  /** How full the journal is as far as is known. */
  get known(): number {
    const { fill, receivedBytes } = this.#room
    return fill + (this.#sentBytes - receivedBytes) / this.#options.bytesMax
  }

  /** Asks how full the journal is now. */
  async refresh(): Promise<void> {
    this.#isAsking = true
    try {
      this.#room = await this.#ask('room', {})
    } finally {
      this.#isAsking = false
    }
  }

  async open(): Promise<Tail> {
    await this.refresh()
    return this.#ask('tail', {})
  }

  /** The bytes are copied before this returns. */
  async append(position: Position, record: Uint8Array): Promise<Appended> {
    if (this.#closed) return { kind: 'unavailable' }
    const { line, partition } = this.#options
    const copy = new Uint8Array(record)
    this.#sentBytes += copy.length
    const body = { partition, position, record: copy }
    const { outcome, room } = await line.ask('append', body, { moved: copy.buffer })
    this.#room = room
    return outcome.kind === 'failed' ? { kind: 'failed', error: errorOf(outcome.error) } : outcome
  }

  async *read(from: Position, signal?: AbortSignal): AsyncGenerator<Found, void> {
    yield* this.#found(from, false, signal)
  }

  async *follow(from: Position, signal: AbortSignal): AsyncGenerator<Found, void> {
    yield* this.#found(from, true, signal)
  }

  async saveSnapshot(index: number, chunks: AsyncIterable<Uint8Array>, hash: () => string): Promise<SnapshotName> {
    const { line } = this.#options
    const saving = await this.#ask('save', { index })
    try {
      for await (const bytes of chunks) {
        const chunk = new Uint8Array(bytes)
        await line.ask('saveChunk', { saving, chunk }, { moved: chunk.buffer })
      }
    } catch (error) {
      await line.ask('saveStop', { saving, error: sentError(error) })
      throw error
    }
    return line.ask('saveEnd', { saving, hash: hash() })
  }

  async loadSnapshot(name: SnapshotName): Promise<AsyncIterable<Uint8Array> | undefined> {
    const reading = await this.#ask('load', { name })
    return reading === undefined ? undefined : this.#chunks(reading)
  }

  listSnapshots(): Promise<readonly SnapshotName[]> {
    return this.#ask('snapshots', {})
  }

  removeSnapshot(name: SnapshotName): Promise<void> {
    return this.#ask('removeSnapshot', { name })
  }

  async trim(before: Position): Promise<void> {
    await this.#ask('trim', { before })
    await this.refresh()
  }

  /** Ends this partition's use of the journal, which its owner closes. */
  async close(): Promise<void> {
    this.#closed = true
    for (const stop of this.#following) stop()
  }

  async *#found(from: Position, isLive: boolean, signal?: AbortSignal): AsyncGenerator<Found, void> {
    const { line } = this.#options
    const isAborted = (): boolean => signal?.aborted === true
    if (isAborted()) return
    const reading = await this.#ask('read', { from, isLive })
    let isRead = false
    const stop = (): void => line.tell('stopReading', { reading })
    signal?.addEventListener('abort', stop, { once: true })
    if (isLive) this.#following.add(stop)
    try {
      while (!isRead && !isAborted()) {
        const { items, isLast } = await line.ask('records', { reading })
        isRead = isLast
        for (const found of items) {
          if (isAborted()) return
          yield found
        }
      }
    } finally {
      signal?.removeEventListener('abort', stop)
      this.#following.delete(stop)
      if (!isRead) stop()
    }
  }

  async *#chunks(reading: number): AsyncGenerator<Uint8Array, void> {
    const { line } = this.#options
    let isRead = false
    try {
      while (!isRead) {
        const { items, isLast } = await line.ask('chunks', { reading })
        isRead = isLast
        yield* items
      }
    } finally {
      if (!isRead) line.tell('stopReading', { reading })
    }
  }

  #ask<K extends keyof JournalSubjects>(
    subject: K,
    body: Omit<JournalSubjects[K]['body'], 'partition'>,
  ): Promise<JournalSubjects[K]['answer']> {
    const { line, partition } = this.#options
    return line.ask(subject, { ...body, partition })
  }
}
