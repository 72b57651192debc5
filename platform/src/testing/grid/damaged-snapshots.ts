import type { Journal, SnapshotName } from '../../journal/index.ts'
import type { World } from '../../runtime/simulated/index.ts'

/** Share of recoveries that find the newest snapshot damaged, where no other one is. */
const damageRate = 0.1

/**
 * Snapshots of one partition that rot where they are kept: the newest, after it was read back and named, for good. One
 * at a time, because the older of the two that are kept must do then (JR7).
 */
export class DamagedSnapshots {
  readonly #world: World
  #damaged: SnapshotName | undefined
  #running = true

  constructor(world: World) {
    this.#world = world
  }

  /** No further damage. */
  stop(): void {
    this.#running = false
  }

  /** The same journal, for one member that has just started or recovers. */
  through(journal: Journal): void {
    const load = journal.loadSnapshot.bind(journal)
    const list = journal.listSnapshots.bind(journal)
    journal.listSnapshots = async () => {
      const names = await list()
      this.#maybeDamage(names)
      return names
    }
    journal.loadSnapshot = async (name) => {
      const chunks = await load(name)
      return chunks !== undefined && isSame(name, this.#damaged) ? spoilt(chunks) : chunks
    }
  }

  /** Trimming lists snapshots too, but only those that are older than the one it keeps are removed then. */
  #maybeDamage(names: readonly SnapshotName[]): void {
    const [newest] = names
    if (!this.#running || newest === undefined || names.some((name) => isSame(name, this.#damaged))) return
    if (!this.#world.random.chance(damageRate)) return
    this.#damaged = newest
    this.#world.counts.add('snapshot damaged')
  }
}

function isSame(name: SnapshotName, other: SnapshotName | undefined): boolean {
  return name.index === other?.index && name.hash === other.hash
}

/** One bit of each chunk has turned. */
async function* spoilt(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) {
    const copy = chunk.slice()
    if (copy.length > 0) copy[copy.length - 1]! ^= 1
    yield copy
  }
}
