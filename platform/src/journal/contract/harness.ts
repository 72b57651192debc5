import type { Found, Journal, Position, Tail } from '../journal.ts'

/**
 * What can go wrong in an engine beyond a refusal. A harness lists those that its engine can meet; the suite makes
 * each happen, and asserts of every other one that it does not.
 *
 * `lost ack`: the next append is stored, its answer never comes. `late packet`: the next append is held back until
 * `release`. `dropped proposal`: the next append passes the pre-check and vanishes, and the engine goes on counting it.
 * `election`: nobody answers for a while, and what was not stored yet is gone. `regression`: the newest record is lost
 * and the engine answers normally. `fork`: readers may get another record at the newest position than was acked.
 * `lost republish`: the next record is not announced to those who follow. `full`: the room is bounded.
 */
export const journalFaults = [
  'lost ack',
  'late packet',
  'dropped proposal',
  'election',
  'regression',
  'fork',
  'lost republish',
  'full',
] as const
export type JournalFault = (typeof journalFaults)[number]

/** How the suite reaches an engine, and what the engine is like. */
export interface JournalHarness {
  /** What a second connection to an open journal meets: the same journal, a refusal, or a journal of its own. */
  readonly secondConnection: 'shared' | 'refused' | 'separate'
  /** Records and snapshots are there again after `close` and a new connection. */
  readonly keepsRecords: boolean
  /** After `trim(n)` the first position is n; otherwise it may be lower. */
  readonly trimsExactly: boolean
  readonly faults: readonly JournalFault[]
  /** A new and empty journal. `bytesMax` asks engines with bounded room for so little. */
  create(options: { readonly bytesMax?: number }): Promise<JournalBench>
}

/** One journal under test. */
export interface JournalBench {
  /** Connects a member: 0, 1 or 2. The suite calls `open` itself. */
  connect(member: number): Promise<Journal>
  /** Lets time pass until the promise has settled. */
  run<T>(promise: Promise<T>): Promise<T>
  /** Makes one of the faults happen that the harness lists. */
  inject(fault: JournalFault): void
  /** Lets the packets arrive that `late packet` holds back. */
  release(): Promise<void>
  dispose(): Promise<void>
}

/** One bench with its first connection, open. */
export interface Opened extends AsyncDisposable {
  readonly bench: JournalBench
  readonly journal: Journal
  readonly tail: Tail
}

/** Creates a journal and opens it as member 0. */
export async function opened(harness: JournalHarness, options: { readonly bytesMax?: number } = {}): Promise<Opened> {
  const bench = await harness.create(options)
  const journal = await bench.run(bench.connect(0))
  const tail = await bench.run(journal.open())
  return { bench, journal, tail, [Symbol.asyncDispose]: () => bench.dispose() }
}

/** Everything from `from` to the authority's tail. */
export function readAll(bench: JournalBench, journal: Journal, from: Position = 1): Promise<readonly Found[]> {
  return bench.run(collect(journal.read(from)))
}

/** The first `count` of a sequence, or all of it. */
export async function collect(
  source: AsyncIterable<Found>,
  count = Number.POSITIVE_INFINITY,
): Promise<readonly Found[]> {
  const found: Found[] = []
  for await (const one of source) {
    found.push(one)
    if (found.length === count) break
  }
  return found
}
