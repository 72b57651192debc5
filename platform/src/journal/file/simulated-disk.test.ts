import { expect, test } from 'vitest'
import type { Disk } from '../../runtime/index.ts'
import { SimulatedDisk } from '../../runtime/simulated/disk.ts'
import { World } from '../../runtime/simulated/index.ts'
import type { Journal } from '../journal.ts'
import { FaultyDisk } from './contract/faulty-disk.ts'
import { testRecord } from './contract/log-bench.ts'
import { SeedRun, type Ending } from './contract/seed-run.ts'
import { openFolder } from './folder.ts'

/** Seeds of this run; the campaign sets more. */
const seeds = Number(process.env['PLENUM_SEEDS'] ?? 80)
const firstSeed = Number(process.env['PLENUM_SEED'] ?? 1)

test(
  `[FE1] [FE2] [FE3] [JR6] what was acked survives kills and power cuts at any operation, from ${seeds} seeds`,
  { timeout: 60_000 + seeds * 200 },
  async () => {
    const endings = new Map<Ending, number>()
    let acked = 0
    let full = 0
    let torn = 0
    for (let seed = firstSeed; seed < firstSeed + seeds; seed += 1) {
      const run = new SeedRun(seed)
      try {
        await run.run(8)
      } catch (error) {
        const lives = `${run.level}: ${run.endings.join(', ')}`
        throw new Error(`PLENUM_SEED=${seed} PLENUM_SEEDS=1 repeats this (${lives}).`, { cause: error })
      }
      for (const ending of run.endings) endings.set(ending, (endings.get(ending) ?? 0) + 1)
      acked += run.acked
      full += run.full
      torn += run.events.filter(({ kind }) => kind === 'torn tail').length
    }
    // Every kind of ending came, and tails were torn; otherwise the seeds show nothing.
    if (seeds < 50) return
    for (const ending of ['close', 'kill', 'power cut', 'failed'] as const)
      expect(endings.get(ending)).toBeGreaterThan(10)
    expect(acked).toBeGreaterThan(seeds * 50)
    expect(full).toBeGreaterThan(10)
    expect(torn).toBeGreaterThan(5)
  },
)

/** A disk under a process that is killed before any folder is synced again. */
class DyingDisk extends FaultyDisk {
  dies = false

  override syncFolder(path: string): Promise<void> {
    return this.dies ? new Promise(() => {}) : super.syncFolder(path)
  }
}

test('[FE2] a segment whose name no sync had confirmed when its process was killed is safe to use for the next one', async () => {
  for (let seed = 1; seed <= 12; seed += 1) {
    const world = new World({ seed })
    const simulated = new SimulatedDisk(world, 'a')
    const member = world.member('a')
    const open = async (disk: Disk): Promise<Journal> => {
      const sizes = { segmentBytesMin: 1_000, segmentBytesMax: 1_000, partitions: 1 }
      const base = { ...member.runtime(), path: '/data', create: true, level: 'disk', ...sizes } as const
      return (await world.complete(openFolder({ ...base, disk }))).partitions[0]!.journal
    }
    const append = (journal: Journal, position: number) =>
      world.complete(journal.append(position, testRecord(0, position, 100)))
    // The first process makes the second segment ahead of time, and dies before the folder is synced.
    const dying = new DyingDisk(simulated.mount(member.process))
    const first = await open(dying)
    dying.dies = true
    for (let position = 1; position <= 4; position += 1) await append(first, position)
    await world.run(() => simulated.names.find('/data/log/00000002.log')?.size === 1_000)
    await world.runFor(10)
    member.kill()
    member.restart()
    const second = await open(simulated.mount(member.process))
    for (let position = 5; position <= 9; position += 1) {
      expect(await append(second, position)).toEqual({ kind: 'acked', position })
    }
    simulated.cutPower()
    member.restart()
    const third = await open(simulated.mount(member.process))
    expect(await world.complete(third.open())).toMatchObject({ next: 10 })
  }
})
