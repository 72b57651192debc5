import type { Appended } from '../journal.ts'
import { groupHeaderBytes } from './layout.ts'
import { Staging, type Waiting } from './staging.ts'

/**
 * The records that wait to be written, gathered into groups in the order of their appends. Knows the next position of
 * each journal with everything that waits.
 */
export class WaitingLine {
  readonly #groupBytesMax: number
  readonly #next: number[]
  #staged: Staging[] = []
  #flight: Staging | undefined
  #spare: Staging | undefined
  #bytes = 0

  /** `next` holds the next position of each journal. */
  constructor(groupBytesMax: number, next: readonly number[]) {
    this.#groupBytesMax = groupBytesMax
    this.#next = [...next]
  }

  /** Bytes of entries that wait or are under way. */
  get bytes(): number {
    return this.#bytes
  }

  /** Groups that wait. */
  get groups(): number {
    return this.#staged.length
  }

  /** The group that would be taken next. */
  get head(): Staging | undefined {
    return this.#staged[0]
  }

  next(journal: number): number {
    return this.#next[journal] ?? 0
  }

  /** Adds a record at its journal's next position. */
  add(journal: number, position: number, record: Uint8Array, resolve: (result: Appended) => void): void {
    this.#next[journal] = position + 1
    let staging = this.#staged.at(-1)
    if (staging === undefined || staging.length + record.length > this.#groupBytesMax) {
      staging = this.#spare ?? new Staging()
      this.#spare = undefined
      this.#staged.push(staging)
    }
    this.#bytes += staging.add(journal, position, record, resolve)
  }

  /** Takes the next group; it is under way until it is done or taken back. */
  take(): Staging | undefined {
    this.#flight = this.#staged.shift()
    return this.#flight
  }

  /** The group under way was written: returns who waits for it. */
  done(): readonly Waiting[] {
    const staging = this.#flight
    this.#flight = undefined
    if (staging === undefined) return []
    const { waiting } = staging
    this.#bytes -= staging.length - groupHeaderBytes
    staging.reset()
    this.#spare ??= staging
    return waiting
  }

  /** Answers `full` to every record that `keep` declines and to all later ones of its journal; the others wait again. */
  takeBack(keep: (record: Uint8Array) => boolean): void {
    const declined = new Set<number>()
    const answered: Waiting[] = []
    for (const staging of this.#clear()) {
      for (const entry of staging.waiting) {
        const record = staging.record(entry)
        if (!declined.has(entry.journal) && keep(record)) {
          this.add(entry.journal, entry.position, record, entry.resolve)
          continue
        }
        if (!declined.has(entry.journal)) this.#next[entry.journal] = entry.position
        declined.add(entry.journal)
        answered.push(entry)
      }
    }
    for (const entry of answered) entry.resolve({ kind: 'full' })
  }

  /** Gives everyone the same answer, and says how many they were. */
  answerAll(result: Appended): number {
    let count = 0
    for (const staging of this.#clear()) {
      for (const entry of staging.waiting) entry.resolve(result)
      count += staging.waiting.length
    }
    return count
  }

  #clear(): readonly Staging[] {
    const stagings = this.#flight === undefined ? this.#staged : [this.#flight, ...this.#staged]
    this.#flight = undefined
    this.#staged = []
    this.#bytes = 0
    return stagings
  }
}
