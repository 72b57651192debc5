import type { Network } from '../ports.ts'
import { drawMs } from './fault-plan.ts'
import type { Process } from './process.ts'
import type { SeededRandom } from './random.ts'
import type { World } from './world.ts'

interface Listener {
  readonly process: Process
  readonly receive: (from: string, message: Uint8Array) => void
}

/** The way from one member to another. */
interface Link {
  inFlight: number
  /** When the last message that keeps its place arrives. */
  lastArrival: number
  readonly random: SeededRandom
}

export interface NetworkOptions {
  /** Messages that may be under way on one link; more are lost. 10,000. */
  readonly inFlightMax?: number
}

/** Names of members on either side of a cut. */
interface Cut {
  readonly from: ReadonlySet<string>
  readonly to: ReadonlySet<string>
}

/**
 * The network of a world. Messages take the time, and meet the faults, of the world's plan and of the cuts. A message to
 * a dead member vanishes; to a paused one it waits; a new process of the member gets what arrives from then on.
 */
export class SimulatedNetwork {
  readonly #world: World
  readonly #inFlightMax: number
  readonly #listeners = new Map<string, Listener>()
  readonly #links = new Map<string, Link>()
  readonly #cuts = new Set<Cut>()

  constructor(world: World, options: NetworkOptions = {}) {
    this.#world = world
    this.#inFlightMax = options.inFlightMax ?? 10_000
  }

  /** The network as one process sees it. What a dead process sends goes nowhere. */
  port(process: Process): Network {
    return {
      listen: (address, receive) => {
        const listener = { process, receive }
        if (process.alive) this.#listeners.set(address, listener)
        return () => {
          if (this.#listeners.get(address) === listener) this.#listeners.delete(address)
        }
      },
      send: (from, to, message) => {
        if (process.alive) this.#send(process, from, to, message)
      },
    }
  }

  /** Cuts what members of `from` send to members of `to`, until the returned function is called. */
  cutOneWay(from: readonly string[], to: readonly string[]): () => void {
    const cut = { from: new Set(from), to: new Set(to) }
    this.#cuts.add(cut)
    return () => {
      this.#cuts.delete(cut)
    }
  }

  /** Cuts both directions between two groups of members, until the returned function is called. */
  cut(one: readonly string[], other: readonly string[]): () => void {
    const heal = [this.cutOneWay(one, other), this.cutOneWay(other, one)]
    return () => {
      for (const half of heal) half()
    }
  }

  /** Ends all cuts. */
  heal(): void {
    this.#cuts.clear()
  }

  #send(sender: Process, from: string, to: string, message: Uint8Array): void {
    const world = this.#world
    const listener = this.#listeners.get(to)
    if (listener === undefined) return world.counts.add('message to nobody')
    const receiver = listener.process.name
    const link = this.#link(sender.name, receiver)
    const { lossRate, duplicateRate } = world.faults.network
    if (this.isCut(sender.name, receiver)) return world.counts.add('message cut off')
    if (link.random.chance(lossRate)) return world.counts.add('message lost')
    // The sender may use its buffer again as soon as this returns.
    const bytes = new Uint8Array(message)
    this.#carry(link, sender, from, to, bytes)
    if (!link.random.chance(duplicateRate)) return
    world.counts.add('message doubled')
    this.#carry(link, sender, from, to, bytes.slice())
  }

  #carry(link: Link, sender: Process, from: string, to: string, bytes: Uint8Array): void {
    const world = this.#world
    if (link.inFlight >= this.#inFlightMax) return world.counts.add('message over the limit')
    const { delayMs, reorderRate } = world.faults.network
    let arrival = sender.now + drawMs(link.random, delayMs)
    if (arrival < link.lastArrival) {
      if (link.random.chance(reorderRate)) world.counts.add('message reordered')
      else arrival = link.lastArrival
    }
    link.lastArrival = Math.max(link.lastArrival, arrival)
    link.inFlight += 1
    world.schedule(arrival - world.now, () => {
      link.inFlight -= 1
      this.#arrive(sender.name, from, to, bytes)
    })
  }

  #arrive(sender: string, from: string, to: string, bytes: Uint8Array): void {
    const world = this.#world
    const listener = this.#listeners.get(to)
    if (listener === undefined || !listener.process.alive) return world.counts.add('message to nobody')
    const { process, receive } = listener
    if (this.isCut(sender, process.name)) return world.counts.add('message cut off')
    world.schedule(
      0,
      () => {
        if (this.#listeners.get(to) !== listener) return
        world.trace.note(world.now, `${from} > ${to}`, bytes)
        receive(from, bytes)
      },
      process,
    )
  }

  /** Whether what one member sends to another is cut off now. */
  isCut(from: string, to: string): boolean {
    for (const cut of this.#cuts) if (cut.from.has(from) && cut.to.has(to)) return true
    return false
  }

  #link(from: string, to: string): Link {
    const name = `${from} > ${to}`
    const known = this.#links.get(name)
    if (known !== undefined) return known
    const link: Link = { inFlight: 0, lastArrival: 0, random: this.#world.random.fork(`link ${name}`) }
    this.#links.set(name, link)
    return link
  }
}
