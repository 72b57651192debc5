import { HistoryRecorder, SeededRandom, simulate, type DumpLine, type SimulatedWorld } from 'plenum/testing'
import { drawSetting, type Faults } from '../run-seed.ts'
import type { Bench, Order, Played } from './bench.ts'
import { play } from './play.ts'
import { RecordedWork } from './recorded-work.ts'
import unit from './unit.ts'
import type { Workload } from './workload.ts'

/** How a simulated history is made. */
export interface SimulatedOrder extends Order {
  readonly faults: Faults
}

/** Plays a workload on a simulated grid; one seed gives one history. */
export async function playSimulated(
  workload: Workload,
  { seed, operations, faults, onProgress }: SimulatedOrder,
  onHistory: (recorder: HistoryRecorder) => void,
): Promise<Played> {
  const random = new SeededRandom(`history ${workload.name} ${seed}`)
  const { clients, ...setting } = drawSetting(random, faults)
  const script = workload.draw(random.fork('steps'), { operations, clients })
  let dump: readonly DumpLine[] | undefined
  let bench: SimulatedBench | undefined
  const work = new RecordedWork(() => bench!.recorder)
  const options = {
    seed,
    members: setting.members,
    partitions: setting.partitions,
    // The last one only reads at the end.
    clients: clients + 1,
    faults: setting.faults === 'none' ? 'none' : 'all',
    regressions: setting.faults === 'regressions',
    limits: script.limits,
    workers: workload.works === true,
    uses: { witness: work },
  } as const
  onProgress(
    `${setting.members} members, ${setting.partitions} partitions, ${clients} clients, faults: ${setting.faults}`,
  )
  try {
    const { faults: met, records } = await simulate(unit, options, async (world) => {
      bench = new SimulatedBench(workload, world, work)
      onHistory(bench.recorder)
      await play(bench, script, clients, workload.works)
      dump = world.journal()
    })
    const sums = Object.entries(met).map(([name, count]) => `${name} ${count}`)
    onProgress(`${records} records; ${sums.length === 0 ? 'no faults' : sums.join(', ')}`)
    return { dump, failure: undefined }
  } catch (error) {
    return { dump, failure: error }
  }
}

class SimulatedBench implements Bench {
  readonly recorder: HistoryRecorder
  readonly #workload: Workload
  readonly #world: SimulatedWorld<typeof unit>
  readonly #work: RecordedWork

  constructor(workload: Workload, world: SimulatedWorld<typeof unit>, work: RecordedWork) {
    this.#work = work
    this.recorder = new HistoryRecorder(world.clock)
    this.#workload = workload
    this.#world = world
  }

  readonly ask: Bench['ask'] = (client, asked, manner) => {
    const { clients } = this.#world
    return this.#workload.perform(client === 'fresh' ? clients.at(-1)! : clients[client]!, asked, manner)
  }

  readonly follow: Bench['follow'] = (client, asked, hear, signal) =>
    this.#workload.follow!(this.#world.clients[client]!, asked, hear, signal)

  closeWork(): void {
    this.#work.close()
  }

  sleep(ms: number): Promise<void> {
    return this.#world.sleep(`${ms}ms`)
  }

  settle(): Promise<void> {
    return this.#world.settle()
  }
}
