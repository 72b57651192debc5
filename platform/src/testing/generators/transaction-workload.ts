import type { Random } from '../../runtime/index.ts'
import type { MicroOperation } from '../checkers/transactions.ts'
import { pick } from './choices.ts'

/** What a client does: a transaction of some steps, or one step alone, without a transaction. */
export interface TransactionStep {
  readonly alone: boolean
  readonly steps: readonly MicroOperation[]
}

/** What a workload of transactions is like. */
export interface TransactionProfile {
  readonly lists: number
  /** 0 for histories of lists alone. */
  readonly sets: number
}

/** Draws transactions over some lists and sets; every value is another. */
export class TransactionSteps {
  readonly #random: Random
  readonly #profile: TransactionProfile
  #value = 0

  constructor(random: Random, profile: TransactionProfile) {
    this.#random = random
    this.#profile = profile
  }

  get lists(): readonly string[] {
    return Array.from({ length: this.#profile.lists }, (_, at) => `list ${at}`)
  }

  get sets(): readonly string[] {
    return Array.from({ length: this.#profile.sets }, (_, at) => `set ${at}`)
  }

  /** The next one. A step alone is of a list: a query alone is consistent for each partition only. */
  next(): TransactionStep {
    const alone = this.#random.next() < 0.15
    const count = alone ? 1 : 1 + this.#random.integer(4)
    return { alone, steps: Array.from({ length: count }, () => this.#step(alone)) }
  }

  #step(alone: boolean): MicroOperation {
    const isList = alone || this.#profile.sets === 0 || this.#random.next() < 0.6
    const writes = this.#random.next() < 0.5
    const key = pick(this.#random, isList ? this.lists : this.sets)
    if (writes) return [isList ? 'append' : 'add', key, ++this.#value]
    return [isList ? 'r' : 'members', key, null]
  }
}
