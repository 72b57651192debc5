/** Milliseconds until the same is warned about again. */
const quietMs = 60_000

/** Warns of what may happen often: once a minute for each part, so that it does not flood the terminal. */
export class RareWarnings {
  readonly #now: () => number
  readonly #warn: (line: string) => void
  readonly #warned = new Map<string, number>()

  constructor(now: () => number, warn: (line: string) => void) {
    this.#now = now
    this.#warn = warn
  }

  /** A function that held up its partition. */
  slow(part: string, ms: number): void {
    this.add(
      part,
      `the ${part} took ${Math.round(ms)} ms, and everybody who asked its partition waited. Do less in one call.`,
    )
  }

  /** A due time that is not run. */
  missed(schedule: string, at: number, late: number): void {
    this.add(
      `schedule ${schedule}`,
      `the schedule ${schedule} missed ${new Date(at).toISOString()}, ${Math.round(late / 1_000)} s late: two due times of it wait or run already, or \`missed: 'skip'\` leaves out what is so late.`,
    )
  }

  /** Anything else that goes on until somebody sees to it. */
  add(part: string, text: string): void {
    const now = this.#now()
    const last = this.#warned.get(part)
    if (last !== undefined && now - last < quietMs) return
    this.#warned.set(part, now)
    this.#warn(`warning: ${text}\n`)
  }
}
