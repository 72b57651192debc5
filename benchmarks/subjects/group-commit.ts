/** Transfers that were asked for while the group before them was committed. */
export interface Group {
  readonly from: readonly number[]
  readonly to: readonly number[]
}

/** Who waits for a transfer. */
interface Asker {
  readonly resolve: () => void
  readonly reject: (error: unknown) => void
}

/**
 * The group commit for embedded stores, as Plenum's journal has one: whatever is asked for while a group is committed
 * is the next group. All of a group are answered after its commit.
 */
export class GroupCommit {
  readonly #commit: (group: Group) => void | Promise<void>
  #askers: Asker[] = []
  #from: number[] = []
  #to: number[] = []
  #scheduled = false

  /** `commit` makes all transfers of a group durable, at once or later; one group at a time. */
  constructor(commit: (group: Group) => void | Promise<void>) {
    this.#commit = commit
  }

  /** Asks for one transfer; resolves when it is durable. */
  ask(from: number, to: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#askers.push({ resolve, reject })
      this.#from.push(from)
      this.#to.push(to)
      this.#schedule()
    })
  }

  /** What callers ask for next gathers while they are answered, and is the next group. */
  #schedule(): void {
    if (this.#scheduled || this.#askers.length === 0) return
    this.#scheduled = true
    setImmediate(() => this.#commitGroup())
  }

  #commitGroup(): void {
    const askers = this.#askers
    const group = { from: this.#from, to: this.#to }
    this.#askers = []
    this.#from = []
    this.#to = []
    const finish = (answer: (asker: Asker) => void): void => {
      this.#scheduled = false
      for (const asker of askers) answer(asker)
      this.#schedule()
    }
    const committed = (): void => finish(({ resolve }) => resolve())
    const failed = (error: unknown): void => finish(({ reject }) => reject(error))
    try {
      const committing = this.#commit(group)
      if (committing === undefined) committed()
      else committing.then(committed, failed)
    } catch (error) {
      failed(error)
    }
  }
}
