import { placeAfter, type OutputNumber } from './output-number.ts'

/** What is gone is dropped when it is so many, and half of what is held. */
const dropAt = 1_024

/** What is to be handed on, in the order of its numbers: more comes behind, and what is handed on goes in front. */
export class Backlog<T extends OutputNumber> {
  #items: T[]
  /** The first that is not gone. */
  #at = 0

  constructor(items: T[] = []) {
    this.#items = items
  }

  get length(): number {
    return this.#items.length - this.#at
  }

  add(item: T): void {
    this.#items.push(item)
  }

  /** What comes after a number, so many at most. */
  after(number: OutputNumber, max: number): readonly T[] {
    const from = placeAfter(this.#items, number, this.#at)
    return this.#items.slice(from, from + max)
  }

  /** Forgets everything up to a number; how many that were. */
  dropThrough(number: OutputNumber): number {
    return this.dropFirst(placeAfter(this.#items, number, this.#at) - this.#at)
  }

  /** Forgets the oldest. */
  dropFirst(count: number): number {
    this.#at += count
    if (this.#at >= dropAt && this.#at * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#at)
      this.#at = 0
    }
    return count
  }

  /** All of it as it is now, whatever comes and goes later. */
  list(): readonly T[] {
    return this.#items.slice(this.#at)
  }
}
