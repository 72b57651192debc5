import type { HeadId, RecordId, Records } from './records.ts'

/** What a reader makes of a whole stream. */
export interface Folded {
  /** The head after each position; the first is the empty one. */
  readonly heads: readonly HeadId[]
  /** The records that are history, in order. */
  readonly accepted: readonly RecordId[]
  /** A reader that comes from the start gives the alarm. */
  readonly corrupt: boolean
  /** Rare situations that the stream shows. */
  readonly situations: readonly string[]
}

/** The folds of streams, each computed once. */
export class Folds {
  readonly #records: Records
  readonly #known = new Map<string, Folded>()

  constructor(records: Records) {
    this.#records = records
  }

  of(stream: readonly RecordId[]): Folded {
    const key = String.fromCharCode(...stream)
    let folded = this.#known.get(key)
    if (folded === undefined) {
      folded = this.#fold(stream)
      this.#known.set(key, folded)
    }
    return folded
  }

  #fold(stream: readonly RecordId[]): Folded {
    const heads: HeadId[] = [0]
    const accepted: RecordId[] = []
    const situations: string[] = []
    let corrupt = false
    for (const [i, record] of stream.entries()) {
      const before = heads[i]!
      const judged = this.#records.judge(before, record, i + 1)
      heads.push(judged.head)
      if (judged.kind === 'accepted') accepted.push(record)
      else if (judged.kind === 'corrupt') corrupt = true
      else situations.push(this.#whyVoid(before, record, i + 1))
    }
    return { heads, accepted, corrupt, situations }
  }

  #whyVoid(before: HeadId, record: RecordId, position: number): string {
    const { epoch, op, position: aim } = this.#records.record(record)
    if (aim !== position) return 'a record stands elsewhere than it aimed at'
    if (op === 0) return 'an OPEN stands where it aimed at, and is void'
    return epoch < this.#records.head(before).epoch
      ? 'a record of a deposed writer stands where it aimed at, and is void'
      : 'a record of a broken window stands where it aimed at, and is void'
  }
}
