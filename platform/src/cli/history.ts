// What the journals of a folder still know of their past, and the state at any point of it.
//
// Owns where the history of each partition begins and ends, and how a state within it is opened. Changes nothing.
// Called by the commands that look back: `inspect --at`, `fork` and `replay`.
//
// I1 The state at an index is the fold of the records up to it, from the first one or from a snapshot that counts (A1, JR7).
// I2 A time cuts the whole log at one place: what is before it holds nothing without what it depends on, because whoever
//    wrote a record had heard the acks of all on which that record depends (A3).
import { isPlenumError, type Limits } from '../kernel/index.ts'
import type { InspectedFolder } from '../journal/file/index.ts'
import { Fold, parseRecord, type Head, type Journal, type JournalRecord, type SnapshotName } from '../journal/index.ts'
import { decodeBody, loadSnapshot, Replica, type SnapshotBody } from '../partition/index.ts'
import type { Runtime } from '../runtime/index.ts'
import { cutMeanwhile, notThere, othersNotThere, timeNotThere } from './history-errors.ts'

/** What looking back needs of the world. */
export interface Tools {
  readonly runtime: Runtime
  readonly limits: Limits
}

/** The journal of one partition of a folder. */
export interface JournalOf {
  readonly partition: number
  readonly id: Uint8Array
  readonly journal: Journal
}

/** The kept history of one partition. */
export interface PartitionHistory extends JournalOf {
  /** The oldest state that can be opened; index 0 is the empty one before the first record. */
  readonly start: Head
  /** The last accepted record. */
  readonly end: Head
  /** The state at the point that was asked for; the end if none was. */
  readonly cut: Head
  /** All snapshots that records name, oldest first. */
  readonly named: readonly SnapshotBody[]
}

/** Where the whole log is cut: behind a record of one partition, or before the first record that is later than a time. */
export type LogPoint = { readonly partition: number; readonly index: number } | { readonly time: number }

/** A replica that was begun, at a snapshot or empty. */
export interface Begun {
  readonly replica: Replica
  readonly from: 'zero' | number
}

/** The oldest state of a journal, from which on it holds every record. */
export async function oldestOf(of: JournalOf, tools: Tools): Promise<Begun> {
  const { journal } = of
  const { first, next } = await journal.open()
  if (await isWhole(journal, first, next)) return { replica: emptyReplica(of, tools), from: 'zero' }
  for (const name of (await journal.listSnapshots()).toReversed()) {
    const replica = await loaded(of, name, tools)
    const head = replica?.fold.head
    if (replica !== undefined && head !== undefined && head.next >= first) return { replica, from: head.index }
  }
  return { replica: emptyReplica(of, tools), from: 'zero' }
}

/** The newest state that can be opened at once and is not beyond `index`. */
export async function newestUpTo(history: PartitionHistory, index: number, tools: Tools): Promise<Begun> {
  const counts = new Set(history.named.map((name) => `${name.index}-${name.hash}`))
  for (const name of await history.journal.listSnapshots()) {
    if (name.index > index || !counts.has(`${name.index}-${name.hash}`)) continue
    const replica = await loaded(history, name, tools)
    if (replica !== undefined) return { replica, from: name.index }
  }
  const oldest = await oldestOf(history, tools)
  if (oldest.replica.fold.head.index <= index) return oldest
  throw cutMeanwhile(history.partition, index)
}

/** Moves a replica on to an index; `onRecord` is told of each record that it reads. */
export async function foldTo(
  replica: Replica,
  journal: Journal,
  index: number,
  onRecord?: (bytes: number) => void,
): Promise<void> {
  if (index <= replica.fold.head.index) return
  for await (const found of journal.read(replica.fold.head.next)) {
    replica.offer(found)
    onRecord?.(found.bytes.length)
    if (replica.fold.head.index >= index) break
  }
  replica.finishComparing()
}

/**
 * Verifies the chains of all partitions, and finds where a point lies. HISTORY_NOT_KEPT where it is before the oldest
 * state or after the last record; JOURNAL_CORRUPT says where a chain is broken.
 */
export async function readHistory(
  folder: Pick<InspectedFolder, 'partitions' | 'readAll' | 'damage'>,
  tools: Tools,
  point?: LogPoint,
  onRecords?: (records: number) => void,
): Promise<readonly PartitionHistory[]> {
  const readers: ChainReader[] = []
  for (const [partition, { id, journal }] of folder.partitions.entries())
    readers.push(await ChainReader.begin({ partition, id, journal }, tools))
  let newest = Math.max(...readers.map((reader) => reader.startTime))
  let keptFrom = readers.every((one) => one.isKept) ? newest : undefined
  // What a journal begins with may be later than the time, though nothing of it is in the log.
  const isTooEarly = point !== undefined && 'time' in point && newest > point.time
  let isCut = false
  const cut = (): void => {
    isCut = true
    for (const reader of readers) reader.cut()
  }
  // The record of the state that a journal begins with may be none of its own.
  if (point !== undefined && 'index' in point && readers[point.partition]!.beginsAt(point.index)) cut()
  let records = 0
  for await (const { journal, position, bytes } of folder.readAll()) {
    const reader = readers[journal]!
    const parsed = parseRecord(bytes)
    const record = parsed.kind === 'record' ? parsed.record : undefined
    if (!isCut && record !== undefined && point !== undefined && 'time' in point && record.time > point.time) cut()
    reader.offer(position, bytes, record)
    newest = Math.max(newest, record?.time ?? newest)
    if (keptFrom === undefined && readers.every((one) => one.isKept)) keptFrom = newest
    const isAsked =
      point !== undefined && 'index' in point && point.partition === journal && point.index === record?.index
    if (!isCut && isAsked) cut()
    if (++records % 10_000 === 0) onRecords?.(records)
  }
  // An application that runs may have replaced all snapshots that lie in what was read.
  const ahead = readers.find((reader) => reader.isAhead)
  if (ahead !== undefined) throw cutMeanwhile(ahead.found.partition, ahead.oldest)
  // A time after the last record has the last state; an index after it has none.
  if (point !== undefined && 'index' in point) {
    const asked = readers[point.partition]!
    if (!isCut || point.index < asked.oldest) throw notThere(point, asked)
  }
  if (point !== undefined && 'time' in point) {
    // Nobody knows what stood behind damage.
    const known = folder.damage === undefined ? Math.max(newest, tools.runtime.clock.wall()) : newest
    if (keptFrom === undefined || isTooEarly || point.time > known)
      throw timeNotThere(point.time, { keptFrom, newest, readers })
  }
  if (!isCut) cut()
  if (point !== undefined && readers.some((reader) => !reader.wasKept)) {
    if ('time' in point) throw timeNotThere(point.time, { keptFrom, newest, readers })
    throw othersNotThere(
      point,
      readers.find((reader) => !reader.wasKept)!,
      keptFrom,
    )
  }
  return readers.map((reader) => reader.found)
}

/** HISTORY_NOT_KEPT unless a partition's history has this index. */
export function requireIndex(history: PartitionHistory, index: number): void {
  const { start, end } = history
  if (index < Math.max(1, start.index) || index > end.index)
    throw notThere({ partition: history.partition, index }, { found: history })
}

/** One partition's fold along the log. */
class ChainReader {
  readonly #of: JournalOf
  readonly #start: Head
  readonly #fold: Fold
  readonly #named: SnapshotBody[] = []
  /** The next position of what was read. */
  #next: number
  #cut: Head | undefined

  private constructor(of: JournalOf, start: Head, next: number, { runtime }: Tools) {
    this.#of = of
    this.#start = start
    this.#next = next
    this.#fold = new Fold(of.id, (parts) => runtime.digest(parts), start)
  }

  static async begin(of: JournalOf, tools: Tools): Promise<ChainReader> {
    const { replica } = await oldestOf(of, tools)
    return new ChainReader(of, replica.fold.head, (await of.journal.open()).first, tools)
  }

  /** Partition time of the state that it begins with; nothing where that is the empty one. */
  get startTime(): number {
    return this.#start.index === 0 ? -Infinity : this.#start.time
  }

  /** The lowest index that can be opened. */
  get oldest(): number {
    return Math.max(1, this.#start.index)
  }

  /** Whether what was read reaches a state that can be opened. */
  get isKept(): boolean {
    return this.#next >= this.#start.next && this.#fold.head.index > 0
  }

  /** Whether the state that it begins with is newer than all that was read. */
  get isAhead(): boolean {
    return this.#next < this.#start.next
  }

  /** Whether nothing that was read, or nothing at all, came after the state that it begins with, of this index. */
  beginsAt(index: number): boolean {
    return this.isKept && this.#start.index === index && this.#fold.head.index === index
  }

  /** Whether it did at the cut. */
  get wasKept(): boolean {
    return this.#cut !== undefined
  }

  get found(): PartitionHistory {
    const end = this.#fold.head
    return { ...this.#of, start: this.#start, end, cut: this.#cut ?? end, named: this.#named }
  }

  cut(): void {
    if (this.isKept) this.#cut = this.#fold.head
  }

  offer(position: number, bytes: Uint8Array, record: JournalRecord | undefined): void {
    this.#next = position + 1
    if (position < this.#start.next) return
    const verdict = this.#fold.offer({ position, bytes })
    if (verdict.kind === 'accepted' && record?.kind === 'SNAPSHOT') this.#named.push(decodeBody<SnapshotBody>(record))
  }
}

/** True where the journal begins with its first record. A fork begins with a snapshot, at position 1 too. */
async function isWhole(journal: Journal, first: number, next: number): Promise<boolean> {
  if (first > 1) return false
  if (next === 1) return true
  for await (const { bytes } of journal.read(1)) {
    const parsed = parseRecord(bytes)
    return parsed.kind !== 'record' || parsed.record.index <= 1
  }
  return true
}

/** Undefined where a snapshot is damaged: an older one, or the journal, serves as well. */
async function loaded(of: JournalOf, name: SnapshotName, tools: Tools): Promise<Replica | undefined> {
  try {
    const found = await loadSnapshot(of.journal, name, replicaOptions(of, tools))
    return found instanceof Replica ? found : undefined
  } catch (error) {
    if (isPlenumError(error, 'SNAPSHOT_CORRUPT')) return undefined
    throw error
  }
}

function emptyReplica(of: JournalOf, tools: Tools): Replica {
  return new Replica(replicaOptions(of, tools))
}

function replicaOptions({ id }: JournalOf, { runtime, limits }: Tools): ConstructorParameters<typeof Replica>[0] {
  return { journal: id, digest: (parts) => runtime.digest(parts), limits, keepRecent: false }
}
