// Plays a workload on a real process over a folder, which is killed and started again while it is asked.
//
// I1 The history is recorded by this process, which is not killed.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { folderJournal, HistoryRecorder, SeededRandom, type DumpLine } from 'plenum/testing'
import type { Bench, Order, Played } from './bench.ts'
import { Host } from './host.ts'
import { play } from './play.ts'
import { RecordedWork } from './recorded-work.ts'
import type { Workload } from './workload.ts'

/** How a real history is made. */
export interface RealOrder extends Order {
  /** Whether the process is killed. */
  readonly kills: boolean
}

/** A process that answers within a millisecond meets as much as a simulated grid in a twentieth of the pauses. */
const pauseShare = 1 / 20
/** Answers between two kills: the fewest, and so many more by chance; more in a long history. */
const answersMin = 15
const answersMore = 80
/** The share of kills after which the next process is killed while it starts, and within how many milliseconds. */
const startKillShare = 0.3
const startKillMsMax = 400

/** Plays a workload on a process over a new folder, which is gone afterwards. */
export async function playReal(
  workload: Workload,
  { seed, operations, kills, onProgress }: RealOrder,
  onHistory: (recorder: HistoryRecorder) => void,
): Promise<Played> {
  const random = new SeededRandom(`real history ${workload.name} ${seed}`)
  const clients = 3 + random.integer(6)
  const partitions = 1 + random.integer(4)
  const script = workload.draw(random.fork('steps'), { operations, clients })
  const folder = await mkdtemp(join(tmpdir(), 'plenum-history-'))
  const plan = kills ? { random: random.fork('kills'), answersMore: Math.max(answersMore, operations / 4) } : undefined
  const bench = new RealBench(workload.name, folder, partitions, plan, onProgress)
  onHistory(bench.recorder)
  onProgress(`one process, ${partitions} partitions, ${clients} clients, ${kills ? 'killed' : 'not killed'}`)
  let dump: readonly DumpLine[] | undefined
  try {
    await bench.host.start()
    await play(bench, script, clients, workload.works)
    await bench.host.close()
    dump = await folderJournal(folder)
    onProgress(`${bench.killed} kills`)
    return { dump, failure: undefined }
  } catch (error) {
    return { dump, failure: error }
  } finally {
    await bench.host.kill()
    await rm(folder, { recursive: true, force: true })
  }
}

/** When a process is killed. */
interface KillPlan {
  readonly random: SeededRandom
  readonly answersMore: number
}

class RealBench implements Bench {
  readonly recorder = new HistoryRecorder({ monotonic: () => performance.now() })
  readonly host: Host
  killed = 0
  readonly #plan: KillPlan | undefined
  readonly #work = new RecordedWork(() => this.recorder)
  readonly #onProgress: (text: string) => void
  #answersLeft = Infinity
  #killing: Promise<void> | undefined

  /** Without a plan the process is not killed. */
  constructor(
    workload: string,
    folder: string,
    partitions: number,
    plan: KillPlan | undefined,
    onProgress: (text: string) => void,
  ) {
    this.#plan = plan
    this.#onProgress = onProgress
    const onAnswer = (): void => this.#afterAnswer()
    this.host = new Host({ workload, folder, partitions, work: this.#work, onAnswer })
    this.#aim()
  }

  readonly ask: Bench['ask'] = (_, asked, manner) => this.host.ask(asked, manner)

  readonly follow: Bench['follow'] = (_, asked, hear, signal) => this.host.follow(asked, hear, signal)

  closeWork(): void {
    this.#work.close()
  }

  sleep(ms: number): Promise<void> {
    return wait(ms * pauseShare)
  }

  /** The last reads are answered by a process that knows nothing but what it recovered. */
  async settle(): Promise<void> {
    this.#answersLeft = Infinity
    await this.#killing
    if (this.#plan === undefined) return
    await this.#kill()
  }

  #aim(): void {
    if (this.#plan === undefined) return
    this.#answersLeft = answersMin + this.#plan.random.integer(Math.floor(this.#plan.answersMore))
  }

  #afterAnswer(): void {
    this.#answersLeft -= 1
    if (this.#answersLeft > 0 || this.#killing !== undefined) return
    this.#killing = this.#killSoon().finally(() => {
      this.#killing = undefined
      if (this.#answersLeft <= 0) this.#aim()
    })
  }

  /** A few milliseconds later, so that what is in flight has come as far as chance will have it. */
  async #killSoon(): Promise<void> {
    const { random } = this.#plan!
    await wait(random.next() * 3)
    await this.#kill()
    for (let again = 0; again < 3 && random.chance(startKillShare); again++) {
      await wait(random.integer(startKillMsMax))
      await this.#kill()
    }
  }

  async #kill(): Promise<void> {
    this.killed += 1
    await this.host.killAndStart()
    this.#onProgress(`kill ${this.killed} after ${this.recorder.events.length} events`)
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms))
}
