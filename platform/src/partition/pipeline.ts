// The pipeline: one reign's records on their way to the journal, and what is known about them (JR4).
//
// Owns the window of sealed records without a known outcome, and the order in which they count as acked.
// Does not own what the records mean, who waits for them, or when a batch is sealed.
// Called by `primary.ts` alone.
//
// I1 A record counts as acked only when it stands where it was aimed and all before it count (JR2).
// I2 The first outcome that is not such an ack stops the flow; then the journal is read, and what was found there
//    decides: acked after all, fenced, regressed, or to be appended again (JR4).
// I3 A position that is still free is aimed at again with the same bytes only.
// I4 Nothing is forgotten: every record given to `seal` ends as acked, or the reign ends.
import { assert, isPlenumError, PlenumError, type Limits } from '../kernel/index.ts'
import type { ByteWriter } from '../codec/index.ts'
import {
  recordHeaderBytes,
  sameBytes,
  sealRecord,
  type Appended,
  type Head,
  type Journal,
  type JournalRecord,
  type RecordKind,
  type Writer,
} from '../journal/index.ts'
import type { Runtime } from '../runtime/index.ts'
import type { PartitionEvent } from './events.ts'
import type { PartitionMeters } from './partition-meters.ts'
import type { SlowOperations } from './slow-operations.ts'
import type { Replica } from './replica.ts'

/** How long the pipeline waits before it asks a silent journal again, first and at most. */
const retryDelayMs = 50
const retryDelayMsMax = 2_000

interface Sealed {
  readonly kind: RecordKind
  readonly index: number
  readonly time: number
  readonly sentAt: number
  position: number
  bytes: Uint8Array
  hash: Uint8Array
  outcome: Appended | undefined
}

/** Why a reign ends from the journal's side. */
export type ReignEnd =
  /** A higher OPEN stands in the journal, or stood: `record` is missing where the journal was cut beyond this reign. */
  | { readonly kind: 'fenced'; readonly record?: JournalRecord }
  | { readonly kind: 'forked'; readonly index: number; readonly suffix: readonly Uint8Array[] }
  | { readonly kind: 'failed'; readonly error: unknown }

export interface PipelineOptions {
  readonly journal: Journal
  readonly journalId: Uint8Array
  readonly replica: Replica
  readonly writer: Writer
  readonly runtime: Runtime
  readonly limits: Limits
  /** Index up to which everything is acked, the monotonic time at which the newest such record was sent, and now. */
  readonly onAcked: (index: number, sentAt: number, now: number) => void
  readonly onEnd: (end: ReignEnd) => void
  /** The flow has stopped or goes on. */
  readonly onFlow: (flowing: boolean) => void
  readonly onEvent: (event: PartitionEvent) => void
  readonly meters?: PartitionMeters | undefined
  readonly slow?: SlowOperations | undefined
}

export class Pipeline {
  readonly #options: PipelineOptions
  #state: 'flowing' | 'resolving' | 'ended' = 'flowing'
  #window: Sealed[] = []
  #windowBytes = 0
  #last: Head
  /** True from an append that found no room until the next ack. */
  #full = false
  /** How often the flow stopped since the last ack. */
  #stops = 0

  constructor(options: PipelineOptions) {
    this.#options = options
    this.#last = options.replica.fold.head
  }

  get flowing(): boolean {
    return this.#state === 'flowing'
  }

  /** True while a record is stuck because the journal has no room for it. */
  get full(): boolean {
    return this.#full
  }

  /** Index of the last sealed record. */
  get lastIndex(): number {
    return this.#last.index
  }

  /** Index up to which everything is acked. */
  get acked(): number {
    return this.#options.replica.fold.head.index
  }

  /** Monotonic time at which the oldest record that is not acked was sent; undefined if all are. */
  get oldestSentAt(): number | undefined {
    return this.#window[0]?.sentAt
  }

  get inFlight(): number {
    return this.#window.length
  }

  /** Whether another batch may be sealed now. */
  get hasRoom(): boolean {
    const { limits } = this.#options
    return this.flowing && this.#window.length < limits.windowRecordsMax && this.#windowBytes < limits.windowBytesMax
  }

  /** Stamps a record and sends it. The body begins in `writer` at the length of a header; the writer is free afterwards. */
  seal(kind: RecordKind, writer: ByteWriter, time: number): number {
    assert(this.#state === 'flowing', 'records are sealed while the flow is on')
    const sealed: Sealed = {
      kind,
      index: this.#last.index + 1,
      time,
      sentAt: this.#options.runtime.clock.monotonic(),
      position: 0,
      bytes: writer.written().slice(),
      hash: this.#last.hash,
      outcome: undefined,
    }
    this.#stamp(sealed, this.#last.next)
    this.#window.push(sealed)
    this.#windowBytes += sealed.bytes.length
    this.#send(sealed)
    return sealed.index
  }

  /** Ends the reign from this side: outcomes that come later change nothing. */
  end(): void {
    this.#state = 'ended'
    this.#window = []
  }

  #stamp(sealed: Sealed, position: number): void {
    const { journalId, writer, runtime, replica } = this.#options
    sealed.position = position
    const bodyLength = sealed.bytes.length - recordHeaderBytes
    const fields = {
      kind: sealed.kind,
      journal: journalId,
      epoch: replica.fold.head.epoch,
      index: sealed.index,
      position,
      acked: this.acked,
      time: sealed.time,
      previousHash: this.#last.hash,
      member: writer.member,
      incarnation: writer.incarnation,
      nonce: writer.nonce,
    }
    sealRecord(fields, sealed.bytes, bodyLength)
    sealed.hash = runtime.digest([sealed.bytes])
    this.#last = { epoch: fields.epoch, index: sealed.index, hash: sealed.hash, time: sealed.time, next: position + 1 }
  }

  #send(sealed: Sealed): void {
    sealed.outcome = undefined
    const { bytes } = sealed
    this.#options.journal.append(sealed.position, bytes).then(
      (outcome) => this.#settle(sealed, bytes, outcome),
      (error: unknown) => this.#settle(sealed, bytes, { kind: 'failed', error: asError(error) }),
    )
  }

  #settle(sealed: Sealed, bytes: Uint8Array, outcome: Appended): void {
    if (this.#state === 'ended' || sealed.bytes !== bytes) return
    sealed.outcome = outcome
    if (this.#state === 'flowing') this.#drain()
  }

  /** Counts acks in order, and stops at the first outcome that is none (I1, I2). */
  #drain(): void {
    const now = this.#options.runtime.clock.monotonic()
    let acked: Sealed | undefined
    for (;;) {
      const first = this.#window[0]
      if (first?.outcome?.kind !== 'acked' || first.outcome.position !== first.position) break
      this.#count(first, now)
      acked = first
    }
    if (acked !== undefined) this.#options.onAcked(acked.index, acked.sentAt, now)
    const outcome = this.#window[0]?.outcome
    if (outcome === undefined || this.#state !== 'flowing') return
    this.#state = 'resolving'
    this.#full = outcome.kind === 'full'
    this.#stops += 1
    this.#options.onEvent({ kind: 'resolving', reason: outcome.kind === 'acked' ? 'landed elsewhere' : outcome.kind })
    this.#options.onFlow(false)
    void this.#resolve()
  }

  #count(sealed: Sealed, now: number): void {
    this.#meter(sealed, now - sealed.sentAt)
    this.#full = false
    this.#stops = 0
    this.#window.shift()
    this.#windowBytes -= sealed.bytes.length
    this.#options.replica.adopt(sealed, {
      epoch: this.#options.replica.fold.head.epoch,
      index: sealed.index,
      hash: sealed.hash,
      time: sealed.time,
      next: sealed.position + 1,
    })
  }

  #meter({ bytes }: Sealed, ackMs: number): void {
    const { meters, slow } = this.#options
    if (meters === undefined) return
    meters.records.value += 1
    meters.journalBytes.value += bytes.length
    meters.appendDuration.record(ackMs)
    if (slow !== undefined && ackMs >= slow.limitMs)
      slow.add({ operation: 'append', of: undefined, ms: ackMs, waitMs: 0, executeMs: 0, ackMs })
  }

  async #resolve(): Promise<void> {
    for (let delay = retryDelayMs; this.#state === 'resolving'; delay = Math.min(delay * 2, retryDelayMsMax)) {
      try {
        await this.#allAnswered()
        if (this.#state !== 'resolving') return
        const failed = this.#window.find((sealed) => sealed.outcome?.kind === 'failed')
        if (failed?.outcome?.kind === 'failed') return this.#finish({ kind: 'failed', error: failed.outcome.error })
        if (await this.#reconcile()) return
      } catch (error) {
        if (isTrimmed(error)) return this.#finish({ kind: 'fenced' })
        if (!isPlenumError(error, 'JOURNAL_UNAVAILABLE')) return this.#finish({ kind: 'failed', error })
      }
      await this.#sleep(delay)
    }
  }

  /** Waits until each append has an outcome. It comes: the port promises that every append settles. */
  async #allAnswered(): Promise<void> {
    while (this.#state === 'resolving' && this.#window.some((sealed) => sealed.outcome === undefined)) {
      await this.#sleep(retryDelayMs)
    }
  }

  /** Reads what stands in the journal and acts on it; true if the flow goes on or the reign has ended. */
  async #reconcile(): Promise<boolean> {
    const { journal, replica, runtime, onEvent } = this.#options
    const tail = await journal.open()
    if (this.#state !== 'resolving') return true
    const head = replica.fold.head
    if (tail.next < head.next) {
      onEvent({ kind: 'regressed', from: head.next, to: tail.next })
      runtime.probe?.('primary met a regression')
      await appendRecentAgain(journal, replica, tail.next, runtime.clock.monotonic())
      return false
    }
    const end = await this.#read()
    if (this.#state !== 'resolving') return true
    if (end !== undefined) {
      this.#finish(end)
      return true
    }
    const delay = this.#delayBeforeNextTry()
    if (delay > 0) await this.#sleep(delay)
    if (this.#state !== 'resolving') return true
    this.#goOn()
    return true
  }

  /**
   * A first refusal is followed up at once. What was not sent is asked again after a while, so that a journal that is
   * away or full is not hammered; and one that only refuses is given more time with each round.
   */
  #delayBeforeNextTry(): number {
    if (this.#window.some(({ outcome }) => outcome?.kind === 'unavailable' || outcome?.kind === 'full'))
      return retryDelayMs
    return this.#stops < 2 ? 0 : Math.min(retryDelayMs * 2 ** (this.#stops - 2), retryDelayMsMax)
  }

  /** Offers what follows the acked head to the fold; a reign's end if one is found. */
  async #read(): Promise<ReignEnd | undefined> {
    const { journal, replica, onEvent, runtime } = this.#options
    const joint = replica.recent?.last()
    for await (const found of journal.read(joint?.position ?? replica.fold.head.next)) {
      if (this.#state !== 'resolving') return undefined
      if (joint !== undefined && found.position === joint.position) {
        if (sameBytes(found.bytes, joint.bytes)) continue
        return {
          kind: 'forked',
          index: replica.fold.head.index,
          suffix: replica.recent!.from(joint.position).map(({ bytes }) => bytes),
        }
      }
      if (found.position < replica.fold.head.next) continue
      const first = this.#window[0]
      if (first !== undefined && found.position === first.position && sameBytes(found.bytes, first.bytes)) {
        const now = runtime.clock.monotonic()
        this.#count(first, now)
        runtime.probe?.('acked after all')
        this.#options.onAcked(first.index, first.sentAt, now)
        continue
      }
      const verdict = replica.fold.fork().offer(found)
      if (verdict.kind === 'void') {
        replica.offer(found)
        onEvent({ kind: 'void', position: found.position, reason: verdict.reason })
        runtime.probe?.('void record skipped')
      } else if (verdict.record.kind === 'OPEN') {
        return { kind: 'fenced', record: verdict.record }
      } else {
        return { kind: 'forked', index: verdict.record.index, suffix: this.#window.map(({ bytes }) => bytes) }
      }
    }
    return undefined
  }

  /** Appends the rest of the window again: unchanged where its place is free, stamped anew where it is not (I3). */
  #goOn(): void {
    const { replica, runtime, onEvent, onFlow } = this.#options
    const head = replica.fold.head
    const again = this.#window.length
    if (again > 0 && this.#window[0]!.position !== head.next) {
      runtime.probe?.('window stamped anew')
      this.#last = head
      for (const sealed of this.#window) {
        sealed.bytes = sealed.bytes.slice()
        this.#stamp(sealed, this.#last.next)
      }
    } else if (again === 0) {
      this.#last = head
    }
    this.#state = 'flowing'
    onEvent({ kind: 'resolved', appendedAgain: again })
    for (const sealed of this.#window) this.#send(sealed)
    onFlow(true)
  }

  #finish(end: ReignEnd): void {
    this.#state = 'ended'
    this.#options.onEnd(end)
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#options.runtime.timers.after(ms, resolve))
  }
}

/**
 * Appends records that the authority has lost once more, unchanged and one at a time (JR5). Stops at the first that is
 * not acked; the caller looks again. JOURNAL_FORKED if what the authority ends with is not what this member knows
 * there, JOURNAL_CORRUPT if records are missing that nobody here has. Nothing is appended in either case.
 */
export async function appendRecentAgain(journal: Journal, replica: Replica, from: number, now: number): Promise<void> {
  const recent = replica.recent
  if (recent !== undefined && !recent.reaches(from) && !recent.isGone(now)) {
    throw new PlenumError('JOURNAL_UNAVAILABLE', `The journal seems to end before position ${from}; asking again.`, {
      details: { position: from, reason: 'tail went back' },
    })
  }
  if (recent === undefined || !recent.reaches(from)) {
    throw new PlenumError(
      'JOURNAL_CORRUPT',
      `The journal ends before position ${from}, but history goes on to index ${replica.fold.head.index}, and this member no longer holds ` +
        'the records between. Restore the journal from a member that does.',
      { details: { position: from, lastIndex: replica.fold.head.index } },
    )
  }
  const known = recent.at(from - 1)
  if (known !== undefined) {
    for await (const found of journal.read(from - 1)) {
      if (found.position !== from - 1 || sameBytes(found.bytes, known.bytes)) break
      throw forked(from - 1, recent.from(from).length)
    }
  }
  for (const record of recent.from(from)) {
    const outcome = await journal.append(record.position, record.bytes)
    if (outcome.kind !== 'acked') return
  }
}

/** The error for a journal that holds another record than the one that was found at its place before. */
export function forked(position: number, records: number): PlenumError {
  return new PlenumError(
    'JOURNAL_FORKED',
    `At position ${position} the journal holds another record than the one that was found there before. Nothing was discarded: ` +
      `${records} records were handed over for salvage. Stop writing and compare the members' journals.`,
    { details: { position } },
  )
}

/** True if the journal was cut beyond where this member stands: a later reign has named snapshots meanwhile. */
export function isTrimmed(error: unknown): boolean {
  return isPlenumError(error, 'JOURNAL_CORRUPT') && error.details['reason'] === 'trimmed'
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
