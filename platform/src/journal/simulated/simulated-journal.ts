import type { Appended, Found, Journal, Position, SnapshotName, Tail } from '../journal.ts'
import { Connection, type StreamMember } from './connection.ts'
import { followStream } from './follow-stream.ts'
import { pageRecordsMax, trimmed, type StreamPage } from './stream-page.ts'
import type { StreamServers } from './servers.ts'

/** A simulated stream as one member sees it. */
export class SimulatedJournal implements Journal {
  readonly level: 'quorum' | 'quorum-disk'
  readonly shared = true
  readonly #servers: StreamServers
  readonly #connection: Connection
  /** As the leader last said, and what was acked to this member since. */
  #fill = 0

  constructor(servers: StreamServers, level: 'quorum' | 'quorum-disk', member: StreamMember) {
    this.#servers = servers
    this.level = level
    this.#connection = new Connection(servers, member)
  }

  fill(): number {
    return this.#fill
  }

  async open(): Promise<Tail> {
    const { first, next, fill } = await this.#page(Number.POSITIVE_INFINITY, 'the tail')
    return { first, next, fill }
  }

  async append(position: Position, record: Uint8Array): Promise<Appended> {
    const outcome = await this.#connection.publish(position, record.slice())
    if (outcome.kind === 'acked') this.#fill = Math.min(1, this.#fill + record.length / this.#servers.leader.bytesMax)
    return outcome
  }

  async *read(from: Position, signal?: AbortSignal): AsyncGenerator<Found, void> {
    let page = await this.#page(from, 'records')
    const end = page.next
    for (let position = from; position < end;) {
      if (position < page.first) throw trimmed(position, page.first)
      if (page.records.length === 0) throw this.#connection.unavailable('records', 'tail went back')
      for (const found of page.records) {
        if (signal?.aborted === true) return
        if (found.position >= end) return
        yield found
        position = found.position + 1
      }
      if (position < end) page = await this.#page(position, 'records')
    }
  }

  follow(from: Position, signal: AbortSignal): AsyncGenerator<Found, void> {
    return followStream(this.#servers, this.#connection, from, signal)
  }

  /** Copies the chunks as they come; a store that does not answer may still have kept the snapshot. */
  async saveSnapshot(index: number, chunks: AsyncIterable<Uint8Array>, hash: () => string): Promise<SnapshotName> {
    const slowed = this.#slowed(chunks)
    let failed = false
    const name = await this.#servers.snapshots.save(index, slowed, () => {
      failed = this.#servers.dice.happens('snapshotFailures')
      return hash()
    })
    if (!failed) return name
    if (this.#servers.dice.coin()) this.#servers.snapshots.remove(name)
    throw this.#connection.unavailable('a snapshot to be kept', 'silent')
  }

  loadSnapshot(name: SnapshotName): Promise<AsyncIterable<Uint8Array> | undefined> {
    return this.#store('a snapshot', () => {
      const chunks = this.#servers.snapshots.load(name)
      return chunks === undefined ? undefined : this.#slowed(chunks)
    })
  }

  listSnapshots(): Promise<readonly SnapshotName[]> {
    return this.#store('the snapshots', () => this.#servers.snapshots.list())
  }

  removeSnapshot(name: SnapshotName): Promise<void> {
    return this.#store('a snapshot to be removed', () => this.#servers.snapshots.remove(name))
  }

  async trim(before: Position): Promise<void> {
    const { leader } = this.#servers
    this.#fill = await this.#connection.request('a trim', () => (leader.trim(before) ? leader.fill : undefined))
  }

  close(): Promise<void> {
    this.#connection.close()
    return Promise.resolve()
  }

  /** Cuts this connection off as the end of its process does: nothing is answered any more, and nobody is told. */
  sever(): void {
    this.#connection.sever()
  }

  async #page(from: Position, what: string): Promise<StreamPage> {
    const page = await this.#connection.request(what, () => this.#servers.page(from, pageRecordsMax))
    this.#fill = page.fill
    return page
  }

  async #store<T>(what: string, run: () => T): Promise<T> {
    const { dice } = this.#servers
    const answer = await this.#connection.request(what, () => ({
      value: run(),
      failed: dice.happens('snapshotFailures'),
    }))
    if (answer.failed) throw this.#connection.unavailable(what, 'silent')
    return answer.value
  }

  async *#slowed(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
    const { dice, timings } = this.#servers
    for await (const chunk of chunks) {
      await this.#connection.request('a chunk of a snapshot', () => true)
      await this.#connection.sleep(dice.span(timings.snapshotChunk))
      yield chunk
    }
  }
}
