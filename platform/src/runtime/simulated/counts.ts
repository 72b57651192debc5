/** How often each of a number of named things happened. */
export class Counts {
  readonly #counts = new Map<string, number>()

  add(name: string, times = 1): void {
    this.#counts.set(name, this.of(name) + times)
  }

  of(name: string): number {
    return this.#counts.get(name) ?? 0
  }

  /** All counts, by name, sorted. */
  all(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].toSorted(([a], [b]) => (a < b ? -1 : 1)))
  }
}
