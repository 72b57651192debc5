import type { SimulatedStream } from '../../journal/simulated/index.ts'
import type { Replica } from '../../partition/index.ts'
import type { World } from '../../runtime/simulated/index.ts'
import type { SimulatedGrid } from './simulated-grid.ts'

/** Mean virtual milliseconds between two losses. */
const everyMs = 1_500
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
    const isWhole = replicas.length === this.#grid.memberNames.length && stream.records(tail - 1).length === 1
    const areRich = replicas.every(
      ({ fold, recent }) => fold.head.next === tail && recent?.reaches(tail - lost) === true,
    )
    if (!isWhole || !areRich) return
    this.#world.trace.note(this.#world.now, `partition ${partition} loses ${lost} records before ${tail}`)
    this.#beforeLoss(partition)
    stream.regress(lost)
    const reigning = this.#grid.memberNames.findIndex(
      (_, member) => this.#grid.partitionsOf(member)[partition]?.role.kind === 'primary',
    )
    if (reigning === -1 || replicas.length === 1 || this.#random.chance(0.5)) return
    this.#world.counts.add('kill')
    this.#grid.kill(reigning)
  }

  #replicas(partition: number): readonly Replica[] {
    return this.#grid.memberNames.flatMap((_, member) => this.#grid.partitionsOf(member)[partition]?.replica ?? [])
  }
}
