// Lives of a folder on a simulated disk, from one seed: each opens it, appends, snapshots and trims, and ends by an
// orderly close, a kill or a power cut, at any operation of the disk, in recovery too. After each the promises are checked.
import { isPlenumError } from '../../../kernel/index.ts'
import type { Timer } from '../../../runtime/index.ts'
import { SimulatedDisk } from '../../../runtime/simulated/disk.ts'
import { noFaults, World, type SimulatedMember } from '../../../runtime/simulated/index.ts'
import type { SnapshotName } from '../../journal.ts'
import type { FileLevel } from '../log-end.ts'
import { openFolder, type Folder } from '../folder.ts'
import type { LogEvent } from '../recover-log.ts'
import { testRecord } from './log-bench.ts'

/** How a life ended. */
export type Ending = 'close' | 'kill' | 'power cut' | 'failed'

/** What one journal was told and what it owes. */
interface Expected {
  /** Bytes sent to each position, by position less one; the newest where one was sent twice. */
  readonly sent: Uint8Array[][]
  /** Everything below this position is promised to be there after the next start. */
  promised: number
  /** Everything below it is promised even after a power cut at level `os`. */
  durable: number
  /** Everything below it may be gone. */
  trimmed: number
  readonly snapshots: SnapshotName[]
}

export class SeedRun {
  readonly world: World
  readonly events: LogEvent[] = []
  readonly endings: Ending[] = []
  acked = 0
  /** Windows that ended with `full`. */
  full = 0
  readonly level: FileLevel
  readonly #disk: SimulatedDisk
  readonly #member: SimulatedMember
  readonly #journals: Expected[]
  readonly #sizes: {
    readonly segmentBytesMin: number
    readonly segmentBytesMax: number
    readonly groupBytesMax: number
  }
  readonly #quickMsMax: number
  #fault: Timer | undefined

  constructor(seed: number) {
    this.world = new World({ seed, faults: noFaults })
    this.#disk = new SimulatedDisk(this.world, 'a')
    this.#member = this.world.member('a')
    const { random } = this.world
    this.level = random.integer(2) === 0 ? 'os' : 'disk'
    this.#journals = Array.from({ length: 1 + random.integer(3) }, () => {
      return { sent: [], promised: 1, durable: 1, trimmed: 1, snapshots: [] }
    })
    const segmentBytesMin = 600 + random.integer(4_000)
    const segmentBytesMax = segmentBytesMin * (1 + random.integer(3))
    this.#sizes = { segmentBytesMin, segmentBytesMax, groupBytesMax: 200 + random.integer(2_000) }
    // On the loop or through the pool; the simulated disk takes 0.1 ms on average.
    this.#quickMsMax = [0, 0.2, 1e9][random.integer(3)] ?? 0
  }

  /** Runs so many lives, and a last start that checks what the last of them left. Throws what is wrong. */
  async run(lives: number): Promise<void> {
    for (let life = 0; life < lives; life += 1) {
      try {
        this.endings.push(await this.#live())
      } catch (error) {
        // A start that meets a failing disk serves nothing; the next one finds what there is.
        if (!isDiskFailure(error)) throw error
        this.endings.push(this.#restart('failed'))
      }
    }
    this.#fault?.stop()
    this.#disk.failNext('sync', 0)
    const folder = await this.#start()
    if (folder === undefined) throw new Error('the last start did not come to an end')
    await this.world.complete(folder.close())
  }

  async #live(): Promise<Ending> {
    const { random } = this.world
    this.#fault?.stop()
    this.#disk.failNext('sync', 0)
    const fuse = random.integer(4)
    if (fuse < 2) this.#disk.endAfter(random.integer(120), fuse === 0 ? 'kill' : 'power cut')
    const folder = await this.#start()
    if (folder === undefined) return this.#die(fuse === 0 ? 'kill' : 'power cut')
    // Sometimes others have filled the disk; a trim makes room for a while.
    this.#disk.setCapacity(random.integer(3) === 0 ? this.#disk.usedBytes + random.integer(6_000) : Infinity)
    if (fuse === 2) this.#fault = this.world.schedule(random.integer(30), () => this.#disk.failNext('sync'))
    const work = folder.partitions.map((_, number) => this.#work(folder, number))
    const outcomes = await this.#whileAlive(Promise.all(work))
    if (outcomes === undefined) return this.#die(fuse === 0 ? 'kill' : 'power cut')
    const closed = await this.#whileAlive(folder.close().then(() => true))
    if (closed === undefined) return this.#die(fuse === 0 ? 'kill' : 'power cut')
    if (outcomes.includes('failed')) return this.#restart('failed')
    for (const journal of this.#journals) journal.durable = journal.promised
    return this.#restart('close')
  }

  #restart(ending: Ending): Ending {
    // A fuse that did not burn is put out with the process.
    this.#disk.endAfter(Infinity, 'kill')
    this.#member.kill()
    this.#member.restart()
    if (ending === 'failed') this.#forgetUnsynced()
    return ending
  }

  #die(how: 'kill' | 'power cut'): Ending {
    this.#member.restart()
    if (how === 'power cut') this.#forgetUnsynced()
    return how
  }

  /** Level `os` does not promise what was not synced beyond a power cut, nor beyond a disk that fails to sync it. */
  #forgetUnsynced(): void {
    if (this.level === 'os') for (const journal of this.#journals) journal.promised = journal.durable
  }

  /** Opens the folder and checks it; undefined if the process ended meanwhile. */
  async #start(): Promise<Folder | undefined> {
    const runtime = this.#member.runtime()
    const opening = openFolder({
      ...runtime,
      disk: this.#disk.mount(this.#member.process),
      path: '/data',
      partitions: this.#journals.length,
      create: true,
      level: this.level,
      ...this.#sizes,
      quickMsMax: this.#quickMsMax,
      markMs: 5,
      onEvent: (event) => this.events.push(event),
    })
    const folder = await this.#whileAlive(opening)
    if (folder === undefined) return undefined
    const checked = await this.#whileAlive(
      Promise.all(folder.partitions.map((_, number) => this.#check(folder, number))),
    )
    return checked === undefined ? undefined : folder
  }

  /** Everything that was promised is there, and nothing that was never sent. */
  async #check(folder: Folder, number: number): Promise<void> {
    const expected = this.#journals[number]!
    const { journal } = folder.partitions[number]!
    const { first, next } = await journal.open()
    if (next < expected.promised)
      throw new Error(`journal ${number} ends at ${next}, promised was ${expected.promised}`)
    if (first > expected.trimmed)
      throw new Error(`journal ${number} begins at ${first}, trimmed was ${expected.trimmed}`)
    let position = first
    for await (const found of journal.read(first)) {
      const sent = expected.sent[position - 1] ?? []
      if (found.position !== position)
        throw new Error(`journal ${number} has ${found.position} in place of ${position}`)
      if (!sent.some((bytes) => Buffer.compare(bytes, found.bytes) === 0)) {
        throw new Error(`journal ${number} has something at ${position} that was never sent`)
      }
      expected.sent[position - 1] = [Buffer.from(found.bytes)]
      position += 1
    }
    if (position !== next) throw new Error(`journal ${number} gave records up to ${position}, its tail says ${next}`)
    // What was read once must not vanish any more (FE2).
    expected.promised = next
    expected.durable = next
    expected.sent.length = next - 1
    await this.#checkSnapshots(folder, number)
  }

  async #checkSnapshots(folder: Folder, number: number): Promise<void> {
    const { journal } = folder.partitions[number]!
    for (const name of this.#journals[number]!.snapshots) {
      const parts: Uint8Array[] = []
      const chunks = await journal.loadSnapshot(name)
      if (chunks === undefined) throw new Error(`journal ${number} lost snapshot ${name.index}`)
      for await (const part of chunks) parts.push(part)
      const expected = Buffer.alloc(300, name.index & 255)
      if (!Buffer.concat(parts).equals(expected)) throw new Error(`journal ${number} changed snapshot ${name.index}`)
    }
  }

  /** One journal's appends, in windows, with a snapshot and a trim now and then. */
  async #work(folder: Folder, number: number): Promise<'done' | 'failed'> {
    const { random } = this.world
    const expected = this.#journals[number]!
    const { journal } = folder.partitions[number]!
    const rounds = 2 + random.integer(12)
    for (let round = 0; round < rounds; round += 1) {
      const window = 1 + random.integer(5)
      const from = expected.sent.length + 1
      const appends = Array.from({ length: window }, (_, i) => {
        const record = testRecord(number, from + i, random.integer(random.integer(10) === 0 ? 3_000 : 200))
        record[5] = random.integer(6)
        record[6] = random.integer(256)
        ;(expected.sent[from + i - 1] ??= []).push(record)
        return journal.append(from + i, record)
      })
      for (const outcome of await Promise.all(appends)) {
        if (outcome.kind === 'failed') return 'failed'
        if (outcome.kind === 'full' || outcome.kind === 'refused') {
          this.full += 1
          // It is not there and will not come.
          expected.sent.length = expected.promised - 1
          break
        }
        if (outcome.kind !== 'acked') throw new Error(`an append was ${outcome.kind}`)
        expected.promised = outcome.position + 1
        if (this.level === 'disk') expected.durable = expected.promised
        this.acked += 1
      }
      try {
        if (random.integer(4) === 0) await this.#snapshot(folder, number)
      } catch (error) {
        if (isDiskFailure(error)) continue
        throw error
      }
    }
    return 'done'
  }

  async #snapshot(folder: Folder, number: number): Promise<void> {
    const expected = this.#journals[number]!
    const { journal } = folder.partitions[number]!
    const index = expected.promised - 1
    if (expected.snapshots.some((name) => name.index === index)) return
    async function* chunks(): AsyncGenerator<Uint8Array, void> {
      for (let i = 0; i < 3; i += 1) yield Buffer.alloc(100, index & 255)
    }
    expected.snapshots.push(await journal.saveSnapshot(index, chunks(), () => `hash${index}`))
    if (expected.snapshots.length < 3) return
    const [oldest, older] = expected.snapshots
    expected.trimmed = oldest!.index + 1
    // Below the older of those that stay; a crash may come between.
    await journal.trim(Math.min(expected.trimmed, older!.index + 1))
    expected.snapshots.shift()
    await journal.removeSnapshot(oldest!)
  }

  /** The promise's value, or undefined once the process has ended. Errors of the promise are thrown. */
  async #whileAlive<T>(promise: Promise<T>): Promise<T | undefined> {
    const { process } = this.#member
    let state: { readonly value: T } | { readonly error: unknown } | undefined
    promise.then(
      (value) => (state = { value }),
      (error: unknown) => (state = { error }),
    )
    await this.world.run(() => state !== undefined || !process.alive)
    if (!process.alive || state === undefined) return undefined
    if ('error' in state) throw state.error
    return state.value
  }
}

function isDiskFailure(error: unknown): boolean {
  return (
    isPlenumError(error, 'JOURNAL_FAILED') ||
    isPlenumError(error, 'JOURNAL_FULL') ||
    (error instanceof Error && 'code' in error && error.code === 'EIO')
  )
}
