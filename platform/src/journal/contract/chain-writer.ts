import { hash } from 'node:crypto'
import { emptyHead, type Head } from '../fold.ts'
import { recordHeaderBytes, sealRecord, type RecordKind } from '../record.ts'

/** The id of every journal in the contract suite. */
export const contractJournal = new Uint8Array(16).fill(7)

/** SHA-256 of the concatenated parts, cut to 16 bytes. */
export function contractDigest(parts: readonly Uint8Array[]): Uint8Array {
  return hash('sha256', Buffer.concat(parts), 'buffer').subarray(0, 16)
}

/** What a test may say about a record beyond its kind; the rest continues the writer's chain. */
export interface SealOptions {
  readonly bodyBytes?: number
  readonly acked?: number
}

/** Stamps records one after the other as one member's reign does, without sending them. */
export class ChainWriter {
  readonly #member: number
  readonly #nonce: Uint8Array
  #head: Head
  #sealed = 0

  constructor(member: number, head: Head = emptyHead) {
    this.#member = member
    this.#nonce = new Uint8Array(8).fill(member + 1)
    this.#head = head
  }

  /** Where the chain stands after the last sealed record, as its writer believes. */
  get head(): Head {
    return this.#head
  }

  /** The position at which the next record aims. */
  get next(): number {
    return this.#head.next
  }

  /** Continues from another place: after void records, or from another writer's chain. */
  continueFrom(head: Head): void {
    this.#head = head
  }

  /** Stamps the next record of the chain. Bodies differ from record to record. */
  seal(kind: RecordKind, options: SealOptions = {}): Uint8Array {
    const bodyBytes = options.bodyBytes ?? 16
    this.#sealed += 1
    const buffer = new Uint8Array(recordHeaderBytes + bodyBytes)
    for (let at = 0; at < bodyBytes; at++)
      buffer[recordHeaderBytes + at] = (this.#sealed * 31 + at * 7 + this.#member) & 255
    const epoch = kind === 'OPEN' ? this.#head.epoch + 1 : this.#head.epoch
    const fields = {
      kind,
      journal: contractJournal,
      epoch,
      index: this.#head.index + 1,
      position: this.#head.next,
      acked: options.acked ?? 0,
      time: 1_000 + this.#sealed,
      previousHash: this.#head.hash,
      member: this.#member,
      incarnation: 1,
      nonce: this.#nonce,
    }
    const bytes = sealRecord(fields, buffer, bodyBytes)
    this.#head = {
      epoch,
      index: fields.index,
      hash: contractDigest([bytes]),
      time: fields.time,
      next: fields.position + 1,
    }
    return bytes
  }
}
