import type { SimulatedStream, StreamFaults } from '../../journal/simulated/index.ts'
import type { Replica } from '../../partition/index.ts'
import type { World } from '../../runtime/simulated/index.ts'
import type { SimulatedGrid } from './simulated-grid.ts'

/** Mean virtual milliseconds between two losses. */
const everyMs = 1_500
/** Virtual milliseconds between two looks whether a loss has been made good. */
const lookEveryMs = 200
/** An election in which two members give back the same records could show each of them the other's. */
const noElections = { droppedProposals: 0, crashes: 0, handOvers: 0, staleLeaders: 0, uncountedProposals: 0 }
/** The most records that one loss takes. */
const lostRecordsMax = 8

/**
 * Has streams lose their newest acked records at random moments, and often the primary with them. Only where every
 * member is alive and holds what is lost: then history has to come out whole, which a lone witness of a record could
 * not promise after its death (JR5).
 */
export class Regressions {
  readonly #world: World
  readonly #grid: SimulatedGrid
  readonly #streams: readonly SimulatedStream[]
  readonly #faults: StreamFaults
  readonly #beforeLoss: (partition: number) => void
  readonly #lost = new Set<number>()
  #down: number | undefined
  #running = true

  /** `faults` are those of streams that have lost nothing; `beforeLoss` may read what one is about to lose. */
  constructor(
    world: World,
    grid: SimulatedGrid,
    streams: readonly SimulatedStream[],
    faults: StreamFaults,
    beforeLoss: (partition: number) => void,
  ) {
    this.#world = world
    this.#grid = grid
    this.#streams = streams
    this.#faults = faults
    this.#beforeLoss = beforeLoss
    this.#next()
  }

  /** No further loss. */
  stop(): void {
    this.#running = false
  }

  /** True when all that was lost is there again, and nobody is kept down any more. */
  get isMended(): boolean {
    return this.#lost.size === 0
  }

  #next(): void {
    this.#world.after(this.#random.exponential(everyMs), () => {
      if (!this.#running) return
      this.#regress(this.#random.integer(this.#streams.length))
      this.#next()
    })
  }

  get #random() {
    return this.#world.random
  }

  #regress(partition: number): void {
    const stream = this.#streams[partition]!
    const lost = 1 + this.#random.integer(lostRecordsMax)
    const replicas = this.#replicas(partition)
    const tail = replicas[0]?.fold.head.next ?? 1
    const areWhole = this.#streams.map((_, number) => this.#isWhole(number))
    if (this.#lost.has(partition) || areWhole[partition] !== true) return
    if (!replicas.every(({ recent }) => recent?.reaches(tail - lost) === true)) return
    this.#world.trace.note(this.#world.now, `partition ${partition} loses ${lost} records before ${tail}`)
    this.#beforeLoss(partition)
    stream.regress(lost)
    stream.setFaults({ ...this.#faults, ...noElections })
    this.#lost.add(partition)
    this.#lookLater(partition, tail)
    const reigning = this.#grid.memberNames.findIndex(
      (_, member) => this.#grid.partitionsOf(member)[partition]?.role.kind === 'primary',
    )
    // A member that dies must not be the last one that holds what another partition has lost.
    if (reigning === -1 || replicas.length === 1 || areWhole.includes(false) || this.#random.chance(0.5)) return
    this.#world.counts.add('kill')
    this.#grid.killForGood(reigning)
    this.#down = reigning
  }

  /** A member that starts while records are lost knows nothing of them, and must not be the first to open. */
  #lookLater(partition: number, tail: number): void {
    this.#world.after(lookEveryMs, () => {
      const stream = this.#streams[partition]!
      if (stream.records(tail - 1).length === 0) return this.#lookLater(partition, tail)
      this.#lost.delete(partition)
      if (this.#running) stream.setFaults(this.#faults)
      if (this.#down === undefined || this.#lost.size > 0) return
      this.#grid.restart(this.#down)
      this.#down = undefined
    })
  }

  /** True if every member is alive and holds exactly what the partition's stream ends with. */
  #isWhole(partition: number): boolean {
    const replicas = this.#replicas(partition)
    const tail = replicas[0]?.fold.head.next ?? 1
    return (
      replicas.length === this.#grid.memberNames.length &&
      replicas.every(({ fold }) => fold.head.next === tail) &&
      this.#streams[partition]!.records(tail - 1).length === 1
    )
  }

  #replicas(partition: number): readonly Replica[] {
    return this.#grid.memberNames.flatMap((_, member) => this.#grid.partitionsOf(member)[partition]?.replica ?? [])
  }
}
