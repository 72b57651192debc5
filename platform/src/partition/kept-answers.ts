import { errorData, errorFrom, type Answer, type Answers, type Identity, type Machine } from '../space/index.ts'
import { poisonRequest } from './primary-errors.ts'

/** What kept answers need of their primary. */
export interface KeptAnswersOptions {
  readonly machine: Machine
  readonly answers: Answers
  /** Executions of one request that may be lost with a primary (PA9). */
  readonly attemptsMax: number
  /** Begins a command in the open batch. */
  readonly begin: () => void
  /** A command has changed something: the open batch is to be sealed, and has this index. */
  readonly changed: () => number
  /** The index of the open batch, or the last one if it holds nothing. */
  readonly lastIndex: () => number
  /** The index that the answer to the command at hand depends on. */
  readonly dependency: () => number
  /** Answers when the index is acked. */
  readonly hold: (index: number, value: unknown) => Promise<unknown>
  readonly fail: (index: number, error: unknown) => Promise<unknown>
  readonly probe: (name: string) => void
}

/** Gives the answers that are kept, and keeps those of requests that did nothing (SP12). */
export class KeptAnswers {
  readonly #options: KeptAnswersOptions

  constructor(options: KeptAnswersOptions) {
    this.#options = options
  }

  /** The answer that is kept for a request; undefined if there is none, and it may run. */
  find(identity: Identity, attempt: number): Promise<unknown> | undefined {
    const { answers, attemptsMax, lastIndex, hold, fail, probe } = this.#options
    let kept
    try {
      kept = answers.find(identity)
    } catch (error) {
      return fail(lastIndex(), error)
    }
    if (kept !== undefined) {
      probe('kept answer given again')
      const answer = kept.value['answer'] as Answer
      return answer.ok ? hold(kept.index, answer.value) : fail(kept.index, errorFrom(answer.error))
    }
    return attempt < attemptsMax ? undefined : Promise.reject(poisonRequest(attempt))
  }

  /** The answer to a command that did nothing; kept too where the request may come again. */
  refuse(error: unknown, identity: Identity | undefined): Promise<unknown> {
    const { changed, dependency, fail } = this.#options
    const isKept = identity !== undefined && this.#keep(identity, error)
    return fail(isKept ? changed() : dependency(), error)
  }

  /** False where the answer cannot be kept: it did nothing, so that a repetition may run. */
  #keep(identity: Identity, error: unknown): boolean {
    const { machine, answers, begin } = this.#options
    begin()
    try {
      answers.keep(identity, { ok: false, error: errorData(error) })
      return machine.commit()
    } catch {
      machine.rollback()
      return false
    }
  }
}
