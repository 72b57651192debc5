/** What volatile state becomes of the command at hand, once that is committed; forgotten where it is rolled back. */
export class Afterwards {
  #changes: (() => void)[] = []

  /** Has something done once the command at hand is committed. */
  add(change: () => void): void {
    this.#changes.push(change)
  }

  committed(): void {
    if (this.#changes.length === 0) return
    const changes = this.#changes
    this.#changes = []
    for (const change of changes) change()
  }

  rolledBack(): void {
    if (this.#changes.length > 0) this.#changes = []
  }
}
