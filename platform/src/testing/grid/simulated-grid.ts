// A grid on one thread and one seed: members with primaries and backups over simulated streams, a client, and faults.
//
// Owns the members, their partitions and the streams. Does not own the world, nor what is done to the members.
import { PlenumError, uuid7, type Limits } from '../../kernel/index.ts'
import { MemberHost, NetworkClient } from '../../grid/index.ts'
import type { Journal } from '../../journal/index.ts'
import { askNobody, Partition, type PartitionEvent } from '../../partition/index.ts'
import { partitionerOf, Router, SpaceClient, type PartitionChannel } from '../../router/index.ts'
import type { Runtime } from '../../runtime/index.ts'
import { PurityGuard } from '../../runtime/node/index.ts'
import { drawMs, SimulatedNetwork, type SimulatedMember, type World } from '../../runtime/simulated/index.ts'
import { UnitLogic, WorkerHost, type Outside, type ResolvedUnit } from '../../unit/index.ts'
import type { SharedDigests } from './shared-digests.ts'

/** The journal of one partition as all members see it. */
export interface SharedStream {
  /** A member's own connection; `runtime` is its present process's. */
  connect(member: string, runtime: Runtime, reachable: () => boolean): Journal
}

export interface GridOptions {
  readonly world: World
  /** The unit that members begin with. */
  readonly unit: ResolvedUnit
  readonly digests: SharedDigests
  readonly members: number
  /** Each with an address, a clock and sessions of its own. */
  readonly clients: number
  readonly limits: Limits
  /** How long clients wait for a member before they ask another, in milliseconds. */
  readonly silenceMs: number
  /** One for each partition, with the journal's id. */
  readonly streams: readonly { readonly id: Uint8Array; readonly stream: SharedStream }[]
  readonly onEvent: (member: number, partition: number, event: PartitionEvent) => void
  /** What the unit's workers and services are given; undefined where nobody works. */
  readonly uses: Readonly<Record<string, unknown>> | undefined
  /** Wraps the channels of clients and workers, to record what goes through them. */
  readonly watch: (channel: PartitionChannel) => PartitionChannel
}

interface GridMember {
  readonly machine: SimulatedMember
  /** What its next process runs. */
  unit: ResolvedUnit
  partitions: readonly Partition[]
  host: MemberHost | undefined
  /** Through which its partitions ask others about transactions. */
  asks: NetworkClient | undefined
  workers: WorkerHost | undefined
  /** What the services of its present process have. */
  outside: (Outside & { readonly router: Router }) | undefined
}

/** The address of the first client; the servers of the streams stand on its side of every cut. */
const firstClient = 'client'

interface GridClient {
  readonly runtime: Runtime
  readonly network: NetworkClient
  readonly router: Router
}

export class SimulatedGrid {
  readonly network: SimulatedNetwork
  readonly memberNames: readonly string[]
  readonly clientNames: readonly string[]
  readonly #options: GridOptions
  readonly #members: readonly GridMember[]
  readonly #clients: readonly GridClient[]
  readonly #guard = new PurityGuard()

  constructor(options: GridOptions) {
    const { world } = options
    this.#options = options
    this.network = new SimulatedNetwork(world)
    this.memberNames = Array.from({ length: options.members }, (_, number) => `member-${number}`)
    this.#members = this.memberNames.map((name, number) => ({
      // Drift beyond the bound of the lease would break a promise that nobody makes (PA4).
      machine: world.member(name, { drift: clamp(world.faults.clock.driftMax) * (number % 2 === 0 ? 1 : -1) }),
      unit: options.unit,
      partitions: [],
      host: undefined,
      asks: undefined,
      workers: undefined,
      outside: undefined,
    }))
    this.clientNames = Array.from({ length: options.clients }, (_, at) =>
      at === 0 ? firstClient : `${firstClient}-${at + 1}`,
    )
    this.#clients = this.clientNames.map((name) => this.#client(name))
    for (const number of this.#members.keys()) this.#start(number)
  }

  /** The routers of the clients, in order, with the ports of their machines. */
  get clients(): readonly { readonly router: Router; readonly runtime: Runtime }[] {
    return this.#clients
  }

  #member(number: number): GridMember {
    const member = this.#members[number]
    if (member !== undefined) return member
    const last = this.#members.length - 1
    throw new PlenumError('USAGE', `There is no member ${number}: those of a simulated grid are 0 to ${last}.`)
  }

  /** Kills a member at once and starts it again after a while of the fault plan, or half a second. */
  kill(number: number): void {
    const { world } = this.#options
    if (!this.#member(number).machine.alive) return
    this.killForGood(number)
    const { downMs } = world.faults.process
    world.after(downMs.mean === 0 ? 500 : drawMs(world.random, downMs), () => this.restart(number))
  }

  /** Kills a member at once; it stays down until somebody starts it. */
  killForGood(number: number): void {
    this.#stop(this.#member(number))
  }

  /** Kills a member and starts it at once with another unit; one that is down begins with it when it starts. */
  replace(number: number, unit: ResolvedUnit): void {
    const member = this.#member(number)
    member.unit = unit
    if (!member.machine.alive) return
    this.killForGood(number)
    this.restart(number)
  }

  /** Starts a member that is down. */
  restart(number: number): void {
    const { machine } = this.#member(number)
    if (machine.alive) return
    machine.restart()
    this.#start(number)
  }

  pause(number: number, ms: number): void {
    this.#member(number).machine.pause(ms)
  }

  /** The machines, for a schedule of faults. */
  get machines(): readonly SimulatedMember[] {
    return this.#members.map(({ machine }) => machine)
  }

  /** Takes note that a machine's process has ended, and starts the member's code in the new one. */
  started(machine: SimulatedMember): void {
    const number = this.machines.indexOf(machine)
    const member = this.#member(number)
    this.#drop(member)
    this.#start(number)
  }

  /** Brings back everybody: nobody is down, paused or cut off. */
  heal(): void {
    this.network.heal()
    for (const [number, { machine }] of this.#members.entries()) {
      machine.resume()
      this.restart(number)
    }
  }

  /** The partitions of a member's present process. */
  partitionsOf(number: number): readonly Partition[] {
    return this.#member(number).partitions
  }

  /** The member that reigns over a partition by its own account; undefined if none does, or two believe it. */
  primaryOf(partition: number): Partition | undefined {
    const reigning = this.#members.flatMap(({ partitions }) => {
      const found = partitions[partition]
      return found?.role.kind === 'primary' ? [found] : []
    })
    return reigning.length === 1 ? reigning[0] : undefined
  }

  /** Ends everything without a word. */
  stop(): void {
    for (const member of this.#members) this.#stop(member)
    for (const { network } of this.#clients) network.close()
  }

  #client(name: string): GridClient {
    const { world, limits, streams, watch, silenceMs } = this.#options
    const machine = world.member(name, { drift: 0, offsetMs: 0 })
    const runtime = machine.runtime()
    const network = new NetworkClient(
      name,
      this.network.port(machine.process),
      runtime,
      this.memberNames,
      streams.length,
      silenceMs,
    )
    return { runtime, network, router: new Router(network.channels.map(watch), runtime, limits) }
  }

  #stop(member: GridMember): void {
    member.machine.kill()
    this.#drop(member)
  }

  #drop(member: GridMember): void {
    member.workers?.drop()
    for (const partition of member.partitions) partition.drop()
    member.host?.close()
    member.asks?.close()
    member.partitions = []
    member.host = undefined
    member.asks = undefined
    member.workers = undefined
    member.outside = undefined
  }

  #start(number: number): void {
    const { world, streams, digests } = this.#options
    const member = this.#member(number)
    const { machine } = member
    const name = this.memberNames[number]!
    const { process } = machine
    const runtime = digests.through(machine.runtime())
    const reachable = (): boolean => !this.network.isCut(name, firstClient)
    const port = this.network.port(process)
    const { silenceMs } = this.#options
    member.asks = new NetworkClient(`${name}.asks`, port, runtime, this.memberNames, streams.length, silenceMs)
    member.outside = this.#outside(member.asks, runtime, member.unit)
    member.partitions = streams.map(({ id, stream }, partition) =>
      this.#partition(number, partition, runtime, id, stream.connect(name, runtime, reachable), process.incarnation),
    )
    member.host = new MemberHost(name, port, runtime.timers, member.partitions)
    member.workers = this.#workers(member.outside, runtime, member.unit)
    member.workers?.start()
    for (const partition of member.partitions) {
      void partition.run().catch((error: unknown) => {
        world.after(0, () => {
          throw error
        })
      })
    }
  }

  /** Workers and services reach all partitions through the network, so that what they use may be far from them. */
  #outside(asks: NetworkClient, runtime: Runtime, unit: ResolvedUnit): GridMember['outside'] {
    const { uses, limits, watch } = this.#options
    const router = new Router(asks.channels.map(watch), runtime, limits)
    const space = new SpaceClient(router, unit.types, limits, () => newId(runtime))
    return { router, space, uses: uses ?? {}, timers: runtime.timers, closing: new AbortController().signal }
  }

  #workers(outside: GridMember['outside'], runtime: Runtime, unit: ResolvedUnit): WorkerHost | undefined {
    const { uses, limits } = this.#options
    if (outside === undefined || uses === undefined || unit.workers.size === 0) return undefined
    return new WorkerHost(unit, { ...outside, limits, runtime, onEvent: () => {} })
  }

  #partition(
    number: number,
    partition: number,
    runtime: Runtime,
    journalId: Uint8Array,
    journal: Journal,
    incarnation: number,
  ): Partition {
    const { limits, onEvent } = this.#options
    const logic = new UnitLogic({
      parts: this.#member(number).unit,
      limits,
      random: runtime.random,
      newId: () => newId(runtime),
      partition,
      partitionOf: partitionerOf(this.#options.streams.length),
      outside: () => this.#member(number).outside,
      runsWork: this.#options.uses !== undefined,
      showFaults: true,
      onFault: () => {},
      watch: this.#guard,
    })
    return new Partition({
      number: partition,
      journal,
      journalId,
      logic,
      member: number + 1,
      incarnation,
      runtime,
      limits,
      reference: () => this.#medianWall(),
      ask: (other, command) =>
        this.#member(number).asks?.channels[other]?.send({ command }) ?? askNobody(other, command),
      onEvent: (event) => onEvent(number, partition, event),
    })
  }

  /** Median wall time of the machines; what members would learn from each other. */
  #medianWall(): number {
    const walls = this.#members.map(({ machine }) => machine.wall()).toSorted((a, b) => a - b)
    return walls[Math.floor(walls.length / 2)]!
  }
}

function newId({ clock, random }: Runtime): string {
  return uuid7(clock.wall(), random.bytes(10))
}

function clamp(drift: number): number {
  return Math.min(drift, 0.004)
}
