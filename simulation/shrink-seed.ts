import { shrink } from 'plenum/testing'
import { failureOf, type Failure } from './outcome.ts'
import { playSeed, prepareSeed, type PreparedSeed, type SeedName } from './run-seed.ts'

/** A shorter run that still fails. */
export interface ShrunkSeed {
  /** Numbers of the turns that are left. */
  readonly chosen: readonly number[]
  readonly tries: number
  readonly minimal: boolean
  /** What the shortest run fails with. */
  readonly failure: Failure
}

/**
 * Leaves out turns of a failing run while it still fails with the same code; undefined if it does not fail. Faults go by
 * the seed and not by the turns, but whom they meet changes with each turn that is left out: the result is a short run
 * that fails, and not the shortest there is.
 */
export async function shrinkSeed(name: SeedName, triesMax: number): Promise<ShrunkSeed | undefined> {
  const prepared = prepareSeed(name)
  const all = [...prepared.play.turns.keys()]
  const first = await failureWith(prepared, all)
  if (first === undefined) return undefined
  const stillFails = async (chosen: readonly number[]): Promise<boolean> =>
    (await failureWith(prepared, chosen))?.code === first.code
  const { steps, tries, minimal } = await shrink(all, stillFails, { triesMax })
  return { chosen: steps, tries, minimal, failure: (await failureWith(prepared, steps)) ?? first }
}

async function failureWith(prepared: PreparedSeed, chosen: readonly number[]): Promise<Failure | undefined> {
  try {
    await playSeed(prepared, { chosen })
    return undefined
  } catch (error) {
    return failureOf(error)
  }
}
