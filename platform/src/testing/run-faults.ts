// What may go wrong in a simulated run, drawn from its seed, and the limits that may be small beside it.
import { defaultLimits, type Limits } from '../kernel/index.ts'
import { calmStream, roughStream, type StreamFaults } from '../journal/simulated/index.ts'
import { drawKinds, SeededRandom, type WorldOptions } from '../runtime/simulated/index.ts'

/** Which faults a run has. */
export interface FaultsAsked {
  readonly faults?: 'none' | 'all' | undefined
  readonly regressions?: boolean | undefined
}

/** The limits that a scenario would notice are as always; only what it cannot see is small. */
export const floors: Partial<Limits> = {
  valueBytesMax: defaultLimits.valueBytesMax,
  answerBytesMax: defaultLimits.answerBytesMax,
  sessionsMax: defaultLimits.sessionsMax,
  sessionRequestsMax: defaultLimits.sessionRequestsMax,
  sessionLeaseMs: defaultLimits.sessionLeaseMs,
  keyedAnswersMax: defaultLimits.keyedAnswersMax,
  batchEntriesMax: defaultLimits.batchEntriesMax,
  readEntriesMax: defaultLimits.readEntriesMax,
  commandEffectsMax: defaultLimits.commandEffectsMax,
  attemptsMax: defaultLimits.attemptsMax,
}

/**
 * Kinds drawn from all, or those beside which no record is lost with its last witness. In every other run clocks are
 * not set wrong, because hardly anybody may open where most are (TI1).
 */
export function worldFaults({ faults, regressions }: FaultsAsked, seed: number): Faults {
  if (faults !== 'all') return 'none'
  if (regressions === true) return ['slow network', 'loss', 'duplicate', 'reorder']
  const random = new SeededRandom(`kinds of ${seed}`)
  const drawn = drawKinds(random)
  return random.chance(0.5) ? drawn : drawn.filter((kind) => kind !== 'clock offset' && kind !== 'clock jump')
}

type Faults = NonNullable<WorldOptions['faults']>

/** Likewise: a late packet could take the place of a record that was lost, which is a fork (JR5). */
export function streamFaults({ faults, regressions }: FaultsAsked): StreamFaults {
  if (faults !== 'all') return calmStream
  if (regressions !== true) return roughStream
  return { ...roughStream, latePublishes: 0, doubledPublishes: 0, slowMessages: 0 }
}
