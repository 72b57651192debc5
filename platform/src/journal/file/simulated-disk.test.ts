import { expect, test } from 'vitest'
import { SeedRun, type Ending } from './contract/seed-run.ts'

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
