import type { Timers } from '../../runtime/index.ts'
import type { Found } from '../journal.ts'

/** Announcements kept for one follower; the newest are dropped beyond, and the follower finds the gap. */
const announcementsMax = 1_024

/** What one follower has heard and not yet taken, and how it waits for more. */
export class Announcements {
  readonly #timers: Timers
  #heard: Found[] = []
  #wake: (() => void) | undefined

  constructor(timers: Timers) {
    this.#timers = timers
  }

  /** Takes in an announcement. */
  hear(found: Found): void {
    if (this.#heard.length < announcementsMax) this.#heard.push(found)
    this.wake()
  }

  /** Ends the present wait. */
  wake(): void {
    this.#wake?.()
  }

  /** The oldest announcement that was not taken yet. */
  take(): Found | undefined {
    return this.#heard.shift()
  }

  /** Resolves when something is heard, when `wake` is called, or after `quietMs`; true if it was quiet so long. */
  wait(quietMs: number): Promise<boolean> {
    if (this.#heard.length > 0) return Promise.resolve(false)
    return new Promise((resolve) => {
      const settle = (quiet: boolean): void => {
        this.#wake = undefined
        timer.stop()
        resolve(quiet)
      }
      const timer = this.#timers.after(quietMs, () => settle(true))
      this.#wake = () => settle(false)
    })
  }
}
