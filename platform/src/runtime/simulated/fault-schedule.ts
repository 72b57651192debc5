import type { SimulatedDisk } from './disk.ts'
import { drawMs, type FaultPlan } from './fault-plan.ts'
import type { SimulatedMember } from './member.ts'
import type { SimulatedNetwork } from './network.ts'
import type { SeededRandom } from './random.ts'
import type { World } from './world.ts'

/** Whom the faults of the plan that come by themselves may meet. */
export interface FaultTargets {
  /** Members that may be killed, paused, cut off and have their clocks set. */
  readonly members: readonly SimulatedMember[]
  /** Members, clients among them, that the network may be cut between. */
  readonly parties: readonly string[]
  readonly network: SimulatedNetwork
  /** The disk of each member that has one, by the member's name. */
  readonly disks: ReadonlyMap<string, SimulatedDisk>
  /** Starts the code of a member in the new process that it has by now. */
  readonly start: (member: SimulatedMember) => void
  /** How many of the members may be dead at once. */
  readonly deadMax: number
}

/** Makes kills, power cuts, pauses, partitions, clock jumps and full disks happen at random moments, as the plan says. */
export class FaultSchedule {
  readonly #world: World
  readonly #targets: FaultTargets
  readonly #plan: FaultPlan
  readonly #random: SeededRandom
  readonly #down = new Set<SimulatedMember>()
  #running = true

  /** Begins at once, with the plan that the world has now. */
  constructor(world: World, targets: FaultTargets) {
    this.#world = world
    this.#targets = targets
    this.#plan = world.faults
    this.#random = world.random.fork('schedule of faults')
    const { process, network, clock, disk } = this.#plan
    this.#repeat('kill', process.killEveryMs, (random) => this.#kill(random))
    this.#repeat('pause', process.pauseEveryMs, (random) => this.#pause(random))
    this.#repeat('partition', network.partitionEveryMs, (random) => this.#cut(random))
    this.#repeat('jump', clock.jumpEveryMs, (random) => this.#jump(random))
    this.#repeat('full', disk.fullEveryMs, (random) => this.#fill(random))
  }

  /** No further fault begins, and those that last end now: the dead start, the paused go on, cuts heal, disks have room. */
  stop(): void {
    this.#running = false
    this.#targets.network.heal()
    for (const member of this.#targets.members) member.resume()
    for (const disk of this.#targets.disks.values()) disk.setCapacity(Infinity)
    for (const member of this.#down) this.#start(member)
  }

  #repeat(name: string, everyMs: number, happen: (random: SeededRandom) => void): void {
    if (everyMs === Infinity) return
    const random = this.#random.fork(name)
    const next = (): void => {
      this.#world.schedule(random.exponential(everyMs), () => {
        if (!this.#running) return
        happen(random)
        next()
      })
    }
    next()
  }

  #note(fault: string, whom: string): void {
    this.#world.counts.add(fault)
    this.#world.trace.note(this.#world.now, `${fault} ${whom}`)
  }

  #kill(random: SeededRandom): void {
    const { members, disks, deadMax } = this.#targets
    const alive = members.filter((member) => member.alive)
    if (alive.length === 0 || this.#down.size >= deadMax) return
    const member = random.pick(alive)
    const disk = disks.get(member.name)
    this.#note('kill', member.name)
    if (disk !== undefined && random.chance(this.#plan.process.powerCutRate)) disk.cutPower()
    member.kill()
    this.#down.add(member)
    this.#world.schedule(drawMs(random, this.#plan.process.downMs), () => this.#start(member))
  }

  #start(member: SimulatedMember): void {
    if (!this.#down.delete(member)) return
    member.restart()
    this.#targets.start(member)
  }

  #pause(random: SeededRandom): void {
    const running = this.#targets.members.filter(({ process }) => process.alive && !process.paused)
    if (running.length === 0) return
    const member = random.pick(running)
    this.#note('pause', member.name)
    member.pause(drawMs(random, this.#plan.process.pauseMs))
  }

  #cut(random: SeededRandom): void {
    const { network, parties } = this.#targets
    const one = parties.filter(() => random.chance(0.5))
    const other = parties.filter((name) => !one.includes(name))
    if (one.length === 0 || other.length === 0) return
    const isOneWay = random.chance(this.#plan.network.oneWayRate)
    this.#note(isOneWay ? 'one-way partition' : 'partition', one.join(' '))
    const heal = isOneWay ? network.cutOneWay(one, other) : network.cut(one, other)
    this.#world.schedule(drawMs(random, this.#plan.network.partitionMs), heal)
  }

  #jump(random: SeededRandom): void {
    const { jumpMsMax } = this.#plan.clock
    const member = random.pick(this.#targets.members)
    this.#note('clock jump', member.name)
    member.jumpWall(random.between(-jumpMsMax, jumpMsMax))
  }

  #fill(random: SeededRandom): void {
    const disks = [...this.#targets.disks.values()]
    if (disks.length === 0) return
    const disk = random.pick(disks)
    this.#note('disk filled', disk.name)
    disk.setCapacity(disk.usedBytes)
    this.#world.schedule(drawMs(random, this.#plan.disk.fullMs), () => disk.setCapacity(Infinity))
  }
}
