// The journals of the partitions that another thread runs, in the thread that has them.
//
// Owns what is under way for that thread. Does not own the journals: they outlive it. Called by `thread-life.ts`.
//
// I1 What was appended stays, whatever becomes of the other thread; when that has ended, nothing is under way any more
//    once `settled` has resolved, so that the next thread finds a journal that stands still.
import { assert, PlenumError } from '../kernel/index.ts'
import type { Appended, Found, Journal } from '../journal/index.ts'
import type { JournalSubjects, Room, SentOutcome } from './journal-subjects.ts'
import type { Served } from './line.ts'
import { Reading } from './reading.ts'
import { Saving } from './saving.ts'
import { errorOf, sentError } from './sent-error.ts'

export class JournalDoor {
  readonly served: Served<JournalSubjects>
  readonly #journalOf: (partition: number) => Journal
  readonly #records = new Map<number, { readonly reading: Reading<Found>; readonly stop: AbortController }>()
  readonly #chunks = new Map<number, Reading<Uint8Array>>()
  readonly #savings = new Map<number, Saving>()
  readonly #receivedBytes = new Map<number, number>()
  readonly #underWay = new Set<Promise<unknown>>()
  #names = 0

  constructor(journalOf: (partition: number) => Journal) {
    this.#journalOf = journalOf
    this.served = {
      tail: ({ partition }) => this.#track(this.#journalOf(partition).open()),
      room: ({ partition }) => this.#room(partition),
      append: (body) => this.#track(this.#append(body)),
      read: (body) => this.#read(body),
      records: ({ reading }) => this.#next(this.#records.get(reading)?.reading, this.#records, reading),
      chunks: ({ reading }) => this.#next(this.#chunks.get(reading), this.#chunks, reading),
      stopReading: ({ reading }) => this.#stopReading(reading),
      save: ({ partition, index }) => this.#name(this.#savings, new Saving(this.#journalOf(partition), index)),
      saveChunk: ({ saving, chunk }) => this.#saving(saving).add(chunk),
      saveEnd: ({ saving, hash }) => this.#ended(saving, this.#saving(saving).finish(hash)),
      saveStop: ({ saving, error }) => this.#ended(saving, this.#saving(saving).stop(errorOf(error))),
      load: (body) => this.#load(body),
      snapshots: ({ partition }) => this.#journalOf(partition).listSnapshots(),
      removeSnapshot: ({ partition, name }) => this.#track(this.#journalOf(partition).removeSnapshot(name)),
      trim: ({ partition, before }) => this.#track(this.#journalOf(partition).trim(before)),
    }
  }

  /** The other thread has ended, and asks nothing any more: resolves when nothing is under way for it. */
  async settled(): Promise<void> {
    const gone = new PlenumError('CLOSED', 'The thread that made this snapshot has ended.')
    const savings = [...this.#savings.values()].map((saving) => saving.stop(gone))
    const readings = [...this.#records.keys(), ...this.#chunks.keys()].map((reading) => this.#stopReading(reading))
    await Promise.allSettled([...savings, ...readings, ...this.#underWay])
  }

  async #track<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work)
    try {
      return await work
    } finally {
      this.#underWay.delete(work)
    }
  }

  async #append({
    partition,
    position,
    record,
  }: JournalSubjects['append']['body']): Promise<JournalSubjects['append']['answer']> {
    this.#receivedBytes.set(partition, (this.#receivedBytes.get(partition) ?? 0) + record.length)
    const outcome = sentOutcome(await this.#journalOf(partition).append(position, record))
    return { outcome, room: this.#room(partition) }
  }

  #room(partition: number): Room {
    return { fill: this.#journalOf(partition).fill(), receivedBytes: this.#receivedBytes.get(partition) ?? 0 }
  }

  #read({ partition, from, isLive }: JournalSubjects['read']['body']): number {
    const journal = this.#journalOf(partition)
    const stop = new AbortController()
    const found = isLive ? journal.follow(from, stop.signal) : journal.read(from, stop.signal)
    return this.#name(this.#records, { reading: new Reading(found, ({ bytes }) => bytes.length), stop })
  }

  async #load({ partition, name }: JournalSubjects['load']['body']): Promise<number | undefined> {
    const chunks = await this.#journalOf(partition).loadSnapshot(name)
    if (chunks === undefined) return undefined
    return this.#name(this.#chunks, new Reading(chunks, (bytes) => bytes.length))
  }

  async #next<T>(
    reading: Reading<T> | undefined,
    readings: Map<number, unknown>,
    name: number,
  ): Promise<{ readonly items: readonly T[]; readonly isLast: boolean }> {
    // Whoever has stopped hears that there is nothing more.
    if (reading === undefined) return { items: [], isLast: true }
    const some = await reading.next()
    if (some.isLast) readings.delete(name)
    return some
  }

  async #stopReading(name: number): Promise<void> {
    const records = this.#records.get(name)
    const chunks = this.#chunks.get(name)
    this.#records.delete(name)
    this.#chunks.delete(name)
    records?.stop.abort()
    await records?.reading.stop()
    await chunks?.stop()
  }

  #saving(name: number): Saving {
    const saving = this.#savings.get(name)
    assert(saving !== undefined, 'a snapshot is saved that was begun')
    return saving
  }

  #ended<T>(name: number, done: Promise<T>): Promise<T> {
    return this.#track(done.finally(() => this.#savings.delete(name)))
  }

  #name<T>(named: Map<number, T>, thing: T): number {
    const name = ++this.#names
    named.set(name, thing)
    return name
  }
}

function sentOutcome(outcome: Appended): SentOutcome {
  return outcome.kind === 'failed' ? { kind: 'failed', error: sentError(outcome.error) } : outcome
}
