// The file engine on a simulated disk: whatever a kill, a power cut or the disk does, what was acked is there.
import { expect, test } from 'vitest'
import { openFolder, type Folder } from '../../journal/file/index.ts'
import { assert, isPlenumError } from '../../kernel/index.ts'
import { SimulatedDisk } from './disk.ts'
import { noFaults, type FaultPlan } from './fault-plan.ts'
import type { SeededRandom } from './random.ts'
import { World } from './world.ts'

const partitions = 2
const path = '/grid'

/** The record of a position: nobody writes another one there, so what is found can be judged without a list. */
function record(journal: number, position: number): Uint8Array {
  const bytes = Buffer.alloc(8 + ((position * 37 + journal * 11) % 400), (journal * 31 + position * 7) & 0xff)
  bytes.writeUInt32LE(position, 0)
  bytes[4] = journal
  bytes[5] = 1
  return bytes
}

/** A folder of the file engine on a simulated disk, ended and opened again as often as a test likes. */
class Engine {
  readonly world: World
  readonly disk: SimulatedDisk
  readonly random: SeededRandom
  /** How many records of each journal were acked; all from position 1 on. */
  readonly acked = Array.from({ length: partitions }, () => 0)
  /** How many of those are there no more, as of the last time that somebody looked. */
  lost = 0
  /** True if the power was cut between the last two times that somebody looked. */
  powerCut = false
  #powerCuts = 0
  readonly #level: 'os' | 'disk'
  readonly #quickMsMax: number

  constructor(seed: string, level: 'os' | 'disk', faults: Partial<FaultPlan['disk']> = {}) {
    this.world = new World({ seed, faults: { ...noFaults, disk: { ...noFaults.disk, ...faults } } })
    this.disk = new SimulatedDisk(this.world, 'a')
    this.random = this.world.random.fork('test')
    this.#level = level
    // Commits on the loop, through the pool, or both by how fast the disk is.
    this.#quickMsMax = this.random.pick([0, 0.2, 1e9])
  }

  /**
   * Starts a process, opens the folder, reads all of it, appends for a while, and lets the process end as it may; at the
   * latest the next life kills it. Returns the error with which the folder did not open, if that was it.
   */
  async live(rounds: number): Promise<unknown> {
    this.lost = 0
    this.world.member('a').kill()
    this.world.member('a').restart()
    const opened = await this.#whileAlive(this.#open().catch((error: unknown) => ({ error })))
    if (opened !== undefined && 'error' in opened) return opened.error
    if (opened === undefined || (await this.#whileAlive(this.#check(opened))) === undefined) return undefined
    await this.#whileAlive(this.#append(opened, rounds))
    // Some time for what goes on in the background.
    await this.world.runFor(this.random.pick([0, 3, 20]))
    return undefined
  }

  /** The value of the promise; undefined if the process ends before. */
  async #whileAlive<T>(promise: Promise<T>): Promise<T | undefined> {
    const { process } = this.world.member('a')
    let settled = false
    const mark = (): void => {
      settled = true
    }
    promise.then(mark, mark)
    await this.world.run(() => settled || !process.alive)
    return settled ? promise : undefined
  }

  #open(): Promise<Folder> {
    const member = this.world.member('a')
    const { clock, timers, random } = member.runtime()
    const small = { segmentBytesMin: 4 << 10, segmentBytesMax: 16 << 10, groupBytesMax: 2 << 10, markMs: 5 }
    return openFolder({
      disk: this.disk.mount(member.process),
      path,
      partitions,
      create: true,
      level: this.#level,
      quickMsMax: this.#quickMsMax,
      clock,
      timers,
      random,
      ...small,
    })
  }

  /** Reads everything: no record but the right one stands anywhere, without a gap. Counts what is lost. */
  async #check(folder: Folder): Promise<true> {
    const powerCuts = this.world.counts.of('power cut')
    this.powerCut = powerCuts > this.#powerCuts
    this.#powerCuts = powerCuts
    for (const [number, { journal }] of folder.partitions.entries()) {
      let next = 1
      for await (const { position, bytes } of journal.read(1)) {
        assert(position === next, `record ${next} follows ${next - 1}`)
        assert(Buffer.compare(bytes, record(number, position)) === 0, `record ${position} is what was appended`)
        next += 1
      }
      this.lost += Math.max(0, this.acked[number]! + 1 - next)
      this.acked[number] = Math.min(this.acked[number]!, next - 1)
    }
    return true
  }

  /** Appends to all journals, several at a time, until the engine fails or `rounds` are over. */
  async #append(folder: Folder, rounds: number): Promise<void> {
    const writers = folder.partitions.map(async ({ journal }, number) => {
      for (let round = 0; round < rounds; round++) {
        const { next } = await journal.open()
        const window = Array.from({ length: 1 + this.random.integer(4) }, (_, at) => next + at)
        const outcomes = await Promise.all(
          window.map(async (position) => {
            const { kind } = await journal.append(position, record(number, position))
            if (kind === 'acked') this.acked[number] = Math.max(this.acked[number]!, position)
            return kind
          }),
        )
        if (outcomes.includes('failed')) return
        // A full disk may have room again in a while.
        if (outcomes.includes('full')) await this.world.runFor(1)
      }
    })
    await Promise.all(writers)
  }
}

const count = 30

function seedsOf(name: string): string[] {
  return Array.from({ length: count }, (_, at) => `${name} ${at}`)
}

test('[FE1] [FE2] at level disk every acked record is there after any number of kills and power cuts', async () => {
  let acked = 0
  for (const seed of seedsOf('power')) {
    const engine = new Engine(seed, 'disk')
    for (let life = 0; life < 8; life++) {
      engine.disk.endAfter(engine.random.integer(80), engine.random.pick(['kill', 'power cut']))
      expect({ seed, life, error: await engine.live(1_000), lost: engine.lost }).toEqual({ seed, life, lost: 0 })
    }
    acked += engine.acked.reduce((sum, each) => sum + each, 0)
  }
  expect(acked).toBeGreaterThan(count * 20)
})

test('[FE2] at level os a kill loses nothing that was acked, a power cut only the newest of it', async () => {
  let lost = 0
  for (const seed of seedsOf('os')) {
    const engine = new Engine(seed, 'os')
    for (let life = 0; life < 8; life++) {
      engine.disk.endAfter(engine.random.integer(80), engine.random.pick(['kill', 'power cut']))
      expect({ seed, life, error: await engine.live(1_000) }).toEqual({ seed, life })
      lost += engine.lost
      if (!engine.powerCut) expect({ seed, life, lost: engine.lost }).toEqual({ seed, life, lost: 0 })
    }
  }
  expect(lost).toBeGreaterThan(0)
})

test('[FE3] at level disk every acked record is there although syncs and writes fail now and then', async () => {
  const failures = { 'failed sync': 0, 'failed write': 0 }
  for (const seed of seedsOf('failing')) {
    const engine = new Engine(seed, 'disk', { syncFailureRate: 0.03, writeFailureRate: 0.01 })
    for (let life = 0; life < 12; life++) {
      if (engine.random.chance(0.5)) engine.disk.endAfter(engine.random.integer(120), 'power cut')
      const error = await engine.live(20)
      if (error !== undefined) expect({ seed, life, error }).toMatchObject({ error: { code: 'EIO' } })
      expect({ seed, life, lost: engine.lost }).toEqual({ seed, life, lost: 0 })
    }
    for (const name of ['failed sync', 'failed write'] as const) failures[name] += engine.world.counts.of(name)
  }
  expect(failures['failed sync']).toBeGreaterThan(count)
  expect(failures['failed write']).toBeGreaterThan(count / 2)
})

test('[JR8] a disk that is full now and then loses nothing that was acked', async () => {
  let full = 0
  for (const seed of seedsOf('full')) {
    const engine = new Engine(seed, 'disk')
    for (let life = 0; life < 8; life++) {
      const room = engine.random.integer(20_000)
      engine.disk.setCapacity(life === 0 ? 20_000 : engine.disk.usedBytes + room)
      if (engine.random.chance(0.7)) engine.disk.endAfter(engine.random.integer(120), 'power cut')
      const error = await engine.live(30)
      // Only a grid that is not there yet cannot be opened for want of room.
      if (error !== undefined) expect({ seed, error }).toMatchObject({ error: { code: 'JOURNAL_FULL' } })
      if (error !== undefined) expect(engine.acked).toEqual([0, 0])
      expect({ seed, life, lost: engine.lost }).toEqual({ seed, life, lost: 0 })
    }
    full += engine.world.counts.of('disk full')
  }
  expect(full).toBeGreaterThan(count)
})

test('[FE1] a flipped bit loses nothing that a mark says was synced: all is there or the folder does not open', async () => {
  let refused = 0
  let opened = 0
  for (const seed of seedsOf('flip')) {
    const engine = new Engine(seed, 'disk')
    expect(await engine.live(1 + engine.random.integer(30))).toBeUndefined()
    // Until that mark a bit that flips in the last group looks as a torn write does, which nobody was told of.
    await engine.world.runFor(50)
    if (engine.random.chance(0.5)) engine.disk.cutPower()
    const files = engine.disk.names.all().filter(([name]) => name.endsWith('.log') || name.endsWith('grid.json'))
    engine.disk.flipBit(engine.random.pick(files)[0])
    const error = await engine.live(0)
    if (error === undefined) {
      opened += 1
      expect({ seed, lost: engine.lost }).toEqual({ seed, lost: 0 })
    } else {
      refused += 1
      expect({ seed, code: isPlenumError(error) ? error.code : error }).toEqual({
        seed,
        code: expect.stringMatching(/^(JOURNAL_CORRUPT|FORMAT_UNKNOWN|FOLDER_OF_ANOTHER_GRID)$/) as string,
      })
    }
  }
  expect(refused).toBeGreaterThan(0)
  expect(opened).toBeGreaterThan(0)
})
