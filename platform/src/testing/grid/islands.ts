import type { SimulatedMember, World } from '../../runtime/simulated/index.ts'
import type { SimulatedGrid } from './simulated-grid.ts'

/** Mean virtual milliseconds between two islands. */
const everyMs = 6_000
/** Leases that an island lasts. */
const leasesMax = 4
/** A member whose clock is further ahead than a second is not believed, and does not open (TI1). */
const aheadMsMax = 950

/**
 * Cuts a primary off together with some clients, so that it is asked while others, who lack it, begin the next reign:
 * what a lease is for. A partition at random seldom meets the one member that matters. Some of the time the clock of a
 * member that stays behind is set ahead, as if it had waited long enough.
 */
export class Islands {
  readonly #world: World
  readonly #grid: SimulatedGrid
  readonly #partitions: number
  readonly #leaseMs: number
  readonly #random
  #running = true

  constructor(world: World, grid: SimulatedGrid, partitions: number, leaseMs: number) {
    this.#world = world
    this.#grid = grid
    this.#partitions = partitions
    this.#leaseMs = leaseMs
    this.#random = world.random.fork('islands')
    this.#next()
  }

  /** No further island; those that last are healed with the network. */
  stop(): void {
    this.#running = false
  }

  #next(): void {
    this.#world.after(this.#random.exponential(everyMs), () => {
      if (!this.#running) return
      this.#cutOff(this.#random.integer(this.#partitions))
      this.#next()
    })
  }

  #cutOff(partition: number): void {
    const { memberNames, clientNames, machines, network } = this.#grid
    const reigning = memberNames.findIndex(
      (_, member) => this.#grid.partitionsOf(member)[partition]?.role.kind === 'primary',
    )
    const name = memberNames[reigning]
    if (name === undefined || memberNames.length === 1) return
    // The servers of the streams stand beside the first client, which never lands on an island.
    const island = [name, ...clientNames.slice(1).filter(() => this.#random.chance(0.6))]
    const rest = [...memberNames, ...clientNames].filter((other) => !island.includes(other))
    const heal = network.cut(island, rest)
    this.#world.counts.add('primary cut off')
    this.#world.trace.note(this.#world.now, `cut off with the primary of partition ${partition}: ${island.join(' ')}`)
    this.#world.after(this.#random.between(1, leasesMax) * this.#leaseMs, heal)
    const others = machines.filter((_, member) => member !== reigning)
    if (this.#random.chance(0.5)) this.#setAheadLater(this.#random.pick(others))
  }

  #setAheadLater(machine: SimulatedMember): void {
    this.#world.after(this.#random.between(0, this.#leaseMs / 2), () => {
      if (!this.#running) return
      this.#world.counts.add('clock jump')
      machine.jumpWall(this.#random.between(0.5, 1) * Math.min(aheadMsMax, this.#leaseMs))
    })
  }
}
