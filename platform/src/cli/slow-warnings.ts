/** Milliseconds until the same part is warned about again. */
const quietMs = 60_000

/** Warns of parts that hold up their partition: once a minute each, so that a slow one does not flood the terminal. */
export class SlowWarnings {
  readonly #now: () => number
  readonly #warn: (line: string) => void
  readonly #warned = new Map<string, number>()

  constructor(now: () => number, warn: (line: string) => void) {
    this.#now = now
    this.#warn = warn
  }

  add(part: string, ms: number): void {
    const now = this.#now()
    const last = this.#warned.get(part)
    if (last !== undefined && now - last < quietMs) return
    this.#warned.set(part, now)
    this.#warn(
      `warning: the ${part} took ${Math.round(ms)} ms, and everybody who asked its partition waited. Do less in one call.\n`,
    )
  }
}
