import { isPlenumError } from '../../kernel/index.ts'
import { contractDigest, contractJournal } from '../contract/chain-writer.ts'
import { emptyHead, Fold, type Head } from '../fold.ts'
import { recordHeaderBytes, sealRecord } from '../record.ts'

/** Number of a record or of a head in `Records`; equal numbers mean equal bytes. */
export type RecordId = number
export type HeadId = number

/** What the model knows of a record. `op` counts the batches of a writer's reign from 1; an OPEN is op 0. */
export interface ModelRecord {
  readonly writer: number
  readonly epoch: number
  readonly op: number
  readonly position: number
  readonly index: number
  readonly acked: number
  /** Told apart by a broken variant only, which sends other bytes for the same batch. */
  readonly attempt: number
  /** The head that it was stamped for. */
  readonly after: HeadId
}

/** A head with the record that moved it there; 0 for the empty head. */
export interface ModelHead {
  readonly head: Head
  readonly last: RecordId
}

/** What the real fold says about a record at a place; `corrupt` is an alarm. */
export interface Judged {
  readonly kind: 'accepted' | 'void' | 'corrupt'
  readonly head: HeadId
}

/**
 * Real records and real verdicts for the model: every record is sealed as the product does it, every verdict comes from
 * `Fold`. Both are remembered under small numbers, so that a state of the model is a handful of integers.
 */
export class Records {
  /** Judge by the rule as it was first written: whatever does not fit is void, and needs no explanation. */
  readonly #lenient: boolean
  readonly #records: { readonly fields: ModelRecord; readonly bytes: Uint8Array }[] = []
  readonly #recordIds = new Map<string, RecordId>()
  readonly #heads: ModelHead[] = [{ head: emptyHead, last: -1 }]
  readonly #headIds = new Map<number, HeadId>()
  readonly #judged = new Map<number, Judged>()
  readonly #headsAfter = new Map<RecordId, HeadId>()
  #folds = 0

  constructor(lenient = false) {
    this.#lenient = lenient
  }

  /** Distinct records so far. */
  get count(): number {
    return this.#records.length
  }

  /** Verdicts that the real fold was asked for. */
  get folds(): number {
    return this.#folds
  }

  record(id: RecordId): ModelRecord {
    return this.#records[id]!.fields
  }

  head(id: HeadId): Head {
    return this.#heads[id]!.head
  }

  /** The record that moved a head where it is; -1 for the empty head. */
  last(id: HeadId): RecordId {
    return this.#heads[id]!.last
  }

  /** For traces: whose record, which, and where it aims. */
  name(id: RecordId): string {
    const { writer, epoch, op, position, attempt } = this.record(id)
    const what = op === 0 ? 'OPEN' : `batch ${op}`
    return `writer ${writer}'s ${what}@${position} of epoch ${epoch}${attempt === 0 ? '' : ` (other bytes ${attempt})`}`
  }

  /** Stamps the record that follows `after`, at the position where `after` ends. */
  stamp(writer: number, op: number, after: HeadId, acked: number, attempt = 0): RecordId {
    const key = `${writer},${op},${after},${acked},${attempt}`
    const known = this.#recordIds.get(key)
    if (known !== undefined) return known
    const head = this.head(after)
    const fields: ModelRecord = {
      writer,
      epoch: op === 0 ? head.epoch + 1 : head.epoch,
      op,
      position: head.next,
      index: head.index + 1,
      acked,
      attempt,
      after,
    }
    const bytes = sealRecord(
      {
        ...fields,
        kind: op === 0 ? 'OPEN' : 'BATCH',
        journal: contractJournal,
        previousHash: head.hash,
        member: writer,
        incarnation: 1,
        nonce: Uint8Array.of(writer, op, attempt, 0, 0, 0, 0, 0),
        time: 0,
      },
      new Uint8Array(recordHeaderBytes),
      0,
    )
    this.#records.push({ fields, bytes })
    this.#recordIds.set(key, this.#records.length - 1)
    return this.#records.length - 1
  }

  /** The head after `record` was accepted where it aimed; what its writer believes when it trusts an ack. */
  headAfter(record: RecordId): HeadId {
    const known = this.#headsAfter.get(record)
    if (known !== undefined) return known
    const { epoch, index, position } = this.record(record)
    const hash = contractDigest([this.#records[record]!.bytes])
    const head = this.#headId({ epoch, index, hash, time: 0, next: position + 1 }, record)
    this.#headsAfter.set(record, head)
    return head
  }

  /** Offers a record, found at `position`, to the real fold at `head`. */
  judge(head: HeadId, record: RecordId, position: number): Judged {
    const key = (head * 65_536 + record) * 64 + position
    const known = this.#judged.get(key)
    if (known !== undefined) return known
    this.#folds += 1
    const fold = new Fold(contractJournal, contractDigest, this.head(head))
    const judged = this.#offer(fold, head, record, position)
    this.#judged.set(key, judged)
    return judged
  }

  #offer(fold: Fold, head: HeadId, record: RecordId, position: number): Judged {
    try {
      const { kind } = fold.offer({ position, bytes: this.#records[record]!.bytes })
      return { kind, head: this.#headId(fold.head, kind === 'accepted' ? record : this.last(head)) }
    } catch (error) {
      if (!isPlenumError(error, 'JOURNAL_CORRUPT')) throw error
      const before = this.head(head)
      if (!this.#lenient || this.record(record).acked > before.index) return { kind: 'corrupt', head }
      return { kind: 'void', head: this.#headId({ ...before, next: position + 1 }, this.last(head)) }
    }
  }

  #headId(head: Head, last: RecordId): HeadId {
    const key = (last + 1) * 64 + head.next
    const known = this.#headIds.get(key)
    if (known !== undefined) return known
    this.#heads.push({ head, last })
    this.#headIds.set(key, this.#heads.length - 1)
    return this.#heads.length - 1
  }
}
