import type { SimulatedStream } from '../../journal/simulated/index.ts'
import type { Replica } from '../../partition/index.ts'
import type { World } from '../../runtime/simulated/index.ts'
import type { SimulatedGrid } from './simulated-grid.ts'

/** Mean virtual milliseconds between two losses. */
const everyMs = 1_500
/** Virtual milliseconds between two looks whether a loss has been made good, so that the dead may start again. */
const restartEveryMs = 200
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
  readonly #beforeLoss: (partition: number) => void
  #down: number | undefined
  #running = true

  /** `beforeLoss` may read what the stream is about to lose. */
  constructor(
    world: World,
    grid: SimulatedGrid,
    streams: readonly SimulatedStream[],
    beforeLoss: (partition: number) => void,
  ) {
    this.#world = world
    this.#grid = grid
    this.#streams = streams
    this.#beforeLoss = beforeLoss
    this.#next()
  }

  /** No further loss. */
  stop(): void {
    this.#running = false
  }

  /** True when nobody is kept down any more. */
  get isMended(): boolean {
    return this.#down === undefined
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
    if (areWhole[partition] !== true || !replicas.every(({ recent }) => recent?.reaches(tail - lost) === true)) return
    this.#world.trace.note(this.#world.now, `partition ${partition} loses ${lost} records before ${tail}`)
    this.#beforeLoss(partition)
    stream.regress(lost)
    const reigning = this.#grid.memberNames.findIndex(
      (_, member) => this.#grid.partitionsOf(member)[partition]?.role.kind === 'primary',
    )
    // A member that dies must not be the last one that holds what another partition has lost.
    if (reigning === -1 || replicas.length === 1 || areWhole.includes(false) || this.#random.chance(0.5)) return
    this.#world.counts.add('kill')
    this.#grid.killForGood(reigning)
    this.#down = reigning
    this.#restartLater(partition, tail)
  }

  /** A member that starts while records are lost knows nothing of them, and must not be the first to open. */
  #restartLater(partition: number, tail: number): void {
    this.#world.after(restartEveryMs, () => {
      if (this.#streams[partition]!.records(tail - 1).length === 0) return this.#restartLater(partition, tail)
      if (this.#down !== undefined) this.#grid.restart(this.#down)
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
