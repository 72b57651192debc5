import type { Appended, Journal } from '../../journal/index.ts'

/**
 * The points around each append to a journal at which the death of its member makes a difference: before it is sent, once it
 * is sent and nothing is known, and once its outcome is known and nobody has been told. Counted over all journals, from 1.
 */
export class KillPoints {
  readonly #killAt: number
  readonly #kill: (member: string) => void
  #count = 0

  constructor(killAt: number, kill: (member: string) => void) {
    this.#killAt = killAt
    this.#kill = kill
  }

  /** Points that were passed. */
  get count(): number {
    return this.#count
  }

  /** The same journal, for a member's present process. */
  through(journal: Journal, member: string): void {
    const append = journal.append.bind(journal)
    journal.append = async (position, record): Promise<Appended> => {
      if (this.#isKilled(member)) return { kind: 'unavailable' }
      const sent = append(position, record)
      if (this.#isKilled(member)) return never()
      const outcome = await sent
      return this.#isKilled(member) ? never() : outcome
    }
  }

  #isKilled(member: string): boolean {
    this.#count += 1
    if (this.#count !== this.#killAt) return false
    this.#kill(member)
    return true
  }
}

function never(): Promise<never> {
  return new Promise(() => {})
}
