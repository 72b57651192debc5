// The fold: reads found records in order and decides, alike for every reader, which of them are history (JR3).
//
// Owns the chain's head: epoch, index, hash and position. Owns nothing of what the records mean.
// Called by recovery, followers, the pipeline when an append has no clear outcome, and `plenum inspect`.
//
// I1 The decision uses the record, its place and the head only: no clock, no lock, no engine's word (A4).
// I2 The head moves by accepted records only, one index at a time (A5).
// I3 A record is never skipped in silence: it is accepted, void and counted, or an error that says where.
import { assert, PlenumError } from '../kernel/index.ts'
import type { Found, Position } from './journal.ts'
import { parseRecord, sameBytes, type JournalRecord } from './record.ts'

/** SHA-256 of the parts, cut to 16 bytes. */
export type Digest = (parts: readonly Uint8Array[]) => Uint8Array

/** Where a chain stands: the last accepted record, and the position at which the next found record is expected. */
export interface Head {
  readonly epoch: number
  readonly index: number
  readonly hash: Uint8Array
  readonly time: number
  readonly next: Position
}

/** The head before the first record of a journal. */
export const emptyHead: Head = Object.freeze({ epoch: 0, index: 0, hash: new Uint8Array(16), time: 0, next: 1 })

/** Why a sound record is not history. */
export type VoidReason = 'other epoch' | 'found elsewhere' | 'broken window' | 'late open'

export type Verdict =
  | { readonly kind: 'accepted'; readonly record: JournalRecord }
  | { readonly kind: 'void'; readonly record: JournalRecord; readonly reason: VoidReason }

/** The state of one reader's fold. */
export class Fold {
  readonly #journal: Uint8Array
  readonly #digest: Digest
  #head: Head
  #voids = 0

  constructor(journal: Uint8Array, digest: Digest, head: Head = emptyHead) {
    this.#journal = journal
    this.#digest = digest
    this.#head = head
  }

  get head(): Head {
    return this.#head
  }

  /** Void records met so far. */
  get voids(): number {
    return this.#voids
  }

  /** A second fold at the same head, for looking ahead without moving this one. */
  fork(): Fold {
    return new Fold(this.#journal, this.#digest, this.#head)
  }

  /**
   * Moves the head over a record of this member's own reign that was acked where it was aimed, with all before it: the
   * writer stamped it for exactly this head, so the decision is known.
   */
  follow(head: Head): void {
    assert(head.index === this.#head.index + 1 && head.next > this.#head.next, 'the head moves one index at a time')
    this.#head = head
  }

  /**
   * Decides about the next found record and moves the head. Positions must come without a gap.
   * JOURNAL_CORRUPT: broken bytes, a gap, another journal's record, or proof that something acked is missing.
   */
  offer(found: Found): Verdict {
    if (found.position !== this.#head.next) {
      throw this.#corrupt(found, `the record at position ${this.#head.next} is missing`)
    }
    const parsed = parseRecord(found.bytes)
    if (parsed.kind !== 'record') {
      throw this.#corrupt(found, parsed.kind === 'short' ? 'the record is cut short' : parsed.reason)
    }
    const { record } = parsed
    if (record.bytes.length !== found.bytes.length) throw this.#corrupt(found, 'bytes follow the record')
    if (!sameBytes(record.journal, this.#journal)) throw this.#corrupt(found, 'the record belongs to another journal')
    const reason = this.#whyVoid(record, found.position)
    if (reason === undefined) {
      this.#head = {
        epoch: record.epoch,
        index: record.index,
        hash: this.#digest([record.bytes]),
        time: record.time,
        next: found.position + 1,
      }
      return { kind: 'accepted', record }
    }
    if (record.acked > this.#head.index) {
      throw this.#corrupt(
        found,
        `it says that index ${record.acked} was acked, but history ends at index ${this.#head.index}`,
      )
    }
    if (this.#provesLoss(record, found.position)) {
      throw this.#corrupt(found, 'its writer saw records before it that are not there')
    }
    this.#head = { ...this.#head, next: found.position + 1 }
    this.#voids += 1
    return { kind: 'void', record, reason }
  }

  #whyVoid(record: JournalRecord, position: Position): VoidReason | undefined {
    const head = this.#head
    if (record.position !== position) return 'found elsewhere'
    if (record.epoch !== (record.kind === 'OPEN' ? head.epoch + 1 : head.epoch)) {
      return record.kind === 'OPEN' ? 'late open' : 'other epoch'
    }
    if (record.index !== head.index + 1 || !sameBytes(record.previousHash, head.hash)) return 'broken window'
    return undefined
  }

  /**
   * A void record must be explained: it is of an older epoch, it was found elsewhere than it aimed, or an earlier one
   * of its window is absent. Anything else could only be void because the journal has lost what its writer had read;
   * `acked` alone does not tell, because an ack may have been on its way.
   */
  #provesLoss(record: JournalRecord, position: Position): boolean {
    const { epoch, index } = this.#head
    if (record.epoch > (record.kind === 'OPEN' ? epoch + 1 : epoch)) return true
    if (record.position !== position) return false
    return record.kind === 'OPEN' || (record.epoch === epoch && record.index <= index + 1)
  }

  #corrupt(found: Found, what: string): PlenumError {
    return new PlenumError(
      'JOURNAL_CORRUPT',
      `The journal is damaged at position ${found.position}: ${what}. Everything up to index ${this.#head.index} is sound. ` +
        'Nothing was changed. Restore the folder from a backup or another member, or inspect it with `plenum inspect`.',
      { details: { position: found.position, lastIndex: this.#head.index, reason: what } },
    )
  }
}
