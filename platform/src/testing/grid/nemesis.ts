import { drawMs, type Process, type SeededRandom, type SimulatedNetwork, type World } from '../../runtime/simulated/index.ts'

/** What the nemesis may do to a grid. */
export interface NemesisTarget {
  readonly members: readonly string[]
  kill(member: number): void
  pause(member: number, ms: number): void
  jumpWall(member: number, ms: number): void
}

/**
 * Does to the members of a grid what the world's fault plan says: kills, pauses, cuts of the network, jumps of the
 * wall clock, each at random moments of its own stream, until it is stopped.
 */
export class Nemesis {
  readonly #world: World
  readonly #network: SimulatedNetwork
  readonly #target: NemesisTarget
  readonly #owner: Process
  #stopped = false

  constructor(world: World, network: SimulatedNetwork, target: NemesisTarget, owner: Process) {
    this.#world = world
    this.#network = network
    this.#target = target
    this.#owner = owner
    const { process, network: cuts, clock } = world.faults
    this.#repeat('kills', process.killEveryMs, (random) => this.#kill(random))
    this.#repeat('pauses', process.pauseEveryMs, (random) => this.#pause(random))
    this.#repeat('cuts', cuts.partitionEveryMs, (random) => this.#cut(random))
    this.#repeat('jumps', clock.jumpEveryMs, (random) => this.#jump(random))
  }

  stop(): void {
    this.#stopped = true
  }

  #repeat(name: string, everyMs: number, act: (random: SeededRandom) => void): void {
    if (everyMs === Infinity) return
    const random = this.#world.random.fork(`nemesis ${name}`)
    const next = (): void => {
      this.#world.schedule(
        random.exponential(everyMs),
        () => {
          if (this.#stopped) return
          act(random)
          next()
        },
        this.#owner,
      )
    }
    next()
  }

  #kill(random: SeededRandom): void {
    this.#target.kill(random.integer(this.#target.members.length))
    this.#world.counts.add('kill')
  }

  #pause(random: SeededRandom): void {
    const ms = drawMs(random, this.#world.faults.process.pauseMs)
    this.#target.pause(random.integer(this.#target.members.length), ms)
    this.#world.counts.add('pause')
  }

  #cut(random: SeededRandom): void {
    const { partitionMs, oneWayRate } = this.#world.faults.network
    const one = [this.#target.members[random.integer(this.#target.members.length)]!]
    const others = [...this.#target.members.filter((member) => !one.includes(member)), 'client']
    const heal = random.chance(oneWayRate) ? this.#network.cutOneWay(one, others) : this.#network.cut(one, others)
    this.#world.counts.add('network cut')
    this.#world.after(drawMs(random, partitionMs), heal)
  }

  #jump(random: SeededRandom): void {
    const { jumpMsMax } = this.#world.faults.clock
    this.#target.jumpWall(random.integer(this.#target.members.length), random.between(-jumpMsMax, jumpMsMax))
    this.#world.counts.add('clock jump')
  }
}
