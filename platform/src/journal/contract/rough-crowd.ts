import type { World } from '../../runtime/simulated/index.ts'
import { isPlenumError } from '../../kernel/index.ts'
import type { Appended, Found, Journal, Position } from '../journal.ts'
import { ChainWriter } from './chain-writer.ts'

/** An append that was acked, as its writer was told. */
export interface AckedAppend {
  readonly position: Position
  readonly aim: Position
  readonly bytes: Uint8Array
}

/** What a crowd did and saw. */
export interface CrowdReport {
  readonly outcomes: Readonly<Record<Appended['kind'], number>>
  readonly acked: readonly AckedAppend[]
  /** What each follower saw until it was told to look for itself, one list for each time that it began. */
  readonly followed: readonly (readonly Found[])[]
  readonly unavailable: number
}

/**
 * Members that append windows at the tail as they last heard it, without minding each other, while one follows from the
 * start: not what a partition does, but enough to see what a stream makes of it.
 */
export class RoughCrowd {
  readonly #world: World
  readonly #outcomes = { acked: 0, refused: 0, unknown: 0, unavailable: 0, full: 0, failed: 0 }
  readonly #acked: AckedAppend[] = []
  readonly #followed: Found[][] = []
  #unavailable = 0

  constructor(world: World) {
    this.#world = world
  }

  report(): CrowdReport {
    return { outcomes: this.#outcomes, acked: this.#acked, followed: this.#followed, unavailable: this.#unavailable }
  }

  /** Appends windows of four for so many rounds. */
  async write(journal: Journal, member: number, rounds: number): Promise<void> {
    const random = this.#world.random.fork(`writer ${member}`)
    const writer = new ChainWriter(member)
    for (let round = 0; round < rounds; round++) {
      await this.#sleep(random.between(1, 200))
      const next = await this.#tail(journal)
      if (next === undefined) continue
      writer.continueFrom({ ...writer.head, next })
      const window = Array.from({ length: 4 }, (_, at) => ({ aim: next + at, bytes: writer.seal('BATCH') }))
      await Promise.all(window.map(({ aim, bytes }) => this.#append(journal, aim, bytes)))
    }
  }

  /** Follows until the signal aborts, from the start again whenever the stream says that its tail went back. */
  async follow(journal: Journal, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const seen: Found[] = []
      this.#followed.push(seen)
      try {
        for await (const found of journal.follow(1, signal)) seen.push(found)
      } catch (error) {
        this.#expectUnavailable(error)
      }
    }
  }

  async #append(journal: Journal, aim: Position, bytes: Uint8Array): Promise<void> {
    const outcome = await journal.append(aim, bytes)
    this.#outcomes[outcome.kind] += 1
    if (outcome.kind === 'acked') this.#acked.push({ position: outcome.position, aim, bytes })
  }

  async #tail(journal: Journal): Promise<Position | undefined> {
    try {
      return (await journal.open()).next
    } catch (error) {
      this.#expectUnavailable(error)
      return undefined
    }
  }

  #expectUnavailable(error: unknown): void {
    if (!isPlenumError(error, 'JOURNAL_UNAVAILABLE')) throw error
    this.#unavailable += 1
  }

  #sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#world.after(ms, resolve))
  }
}
