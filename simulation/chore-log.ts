import { PlenumError } from 'plenum'
import type { ChoreDoer, StoredChore } from './unit.ts'

/** Virtual milliseconds for which a chore hangs that hangs: longer than its worker waits. */
const hangMs = 60_000

/** The world outside, as the worker of chores meets it: slow, failing as the chores say, and it remembers what it did. */
export class ChoreLog implements ChoreDoer {
  /** What was done under each key, as text, and how often. */
  readonly #done = new Map<string, { readonly chore: string; readonly id: number; times: number }>()
  /** Chores whose last attempt may have been made, so that they may have been dead letters. */
  readonly lastAttempts = new Set<number>()
  readonly #attemptsMax: number
  #sleep: (ms: number) => Promise<void> = () => Promise.resolve()
  #isWell = false
  failed = 0
  calls = 0

  constructor(attemptsMax: number) {
    this.#attemptsMax = attemptsMax
  }

  /** Has it live in virtual time. */
  liveIn(sleep: (ms: number) => Promise<void>): void {
    this.#sleep = sleep
  }

  /** From now on nothing fails. */
  heal(): void {
    this.#isWell = true
  }

  async do(chore: StoredChore, key: string, attempt: number): Promise<void> {
    this.calls += 1
    this.#note(chore, key)
    if (attempt >= this.#attemptsMax) this.lastAttempts.add(chore.id)
    if (chore.takesMs > 0) await this.#sleep(chore.takesMs)
    if (this.#isWell) return
    if (chore.hangs && attempt === 1) await this.#sleep(hangMs)
    if (attempt > chore.fails) return
    this.failed += 1
    throw new Error(`attempt ${attempt} of chore ${chore.id} fails`)
  }

  /** True if a chore was done at least once as it is in this text. */
  hasDone(id: number): boolean {
    return [...this.#done.values()].some((one) => one.id === id)
  }

  /** Keys under which something was done more than once. */
  get repeated(): number {
    return [...this.#done.values()].filter(({ times }) => times > 1).length
  }

  /** UN9: whatever is done again under one key is the same. */
  #note(chore: StoredChore, key: string): void {
    const text = JSON.stringify(chore)
    const before = this.#done.get(key)
    if (before === undefined) return void this.#done.set(key, { chore: text, id: chore.id, times: 1 })
    before.times += 1
    if (before.chore === text) return
    throw new PlenumError('CHECK_FAILED', `Under the key ${key} a worker did ${before.chore}, and then ${text}.`)
  }
}
