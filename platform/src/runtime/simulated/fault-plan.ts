import { unreachable } from '../../kernel/index.ts'
import type { SeededRandom } from './random.ts'

/** A random length of time: `min` at least, `mean` on average, cut at `max`. Milliseconds. */
export interface Spread {
  readonly min: number
  readonly mean: number
  readonly max: number
}

/**
 * What goes wrong in a world, as data. Rates are shares of all cases, from 0 to 1; `everyMs` is the mean time between
 * two of a kind, Infinity for never; all times are virtual milliseconds.
 */
export interface FaultPlan {
  readonly network: {
    readonly delayMs: Spread
    readonly lossRate: number
    readonly duplicateRate: number
    /** Share of messages that others of the same link may pass. */
    readonly reorderRate: number
    readonly partitionEveryMs: number
    readonly partitionMs: Spread
    /** Share of partitions that cut one direction only. */
    readonly oneWayRate: number
  }
  readonly clock: {
    /** Wall clocks begin up to so far off, to either side. */
    readonly offsetMsMax: number
    /** Clocks run up to this share too fast or too slow. */
    readonly driftMax: number
    readonly jumpEveryMs: number
    readonly jumpMsMax: number
  }
  readonly process: {
    readonly killEveryMs: number
    /** Milliseconds until a killed member is started again. */
    readonly downMs: Spread
    /** Share of kills that take the power with them, so that the disk loses what was not synced. */
    readonly powerCutRate: number
    readonly pauseEveryMs: number
    readonly pauseMs: Spread
    /** Share of clock readings before which the process was held up: a collection, a busy machine. */
    readonly stallRate: number
    readonly stallMs: Spread
    readonly lateTimerRate: number
    readonly lateTimerMs: Spread
  }
  readonly disk: {
    readonly delayMs: Spread
    readonly writeFailureRate: number
    readonly syncFailureRate: number
    readonly fullEveryMs: number
    readonly fullMs: Spread
  }
}

const never: Spread = { min: 0, mean: 0, max: 0 }

/** A world in which messages and disks take a little time, and nothing else goes wrong. */
export const noFaults: FaultPlan = {
  network: {
    delayMs: { min: 0.2, mean: 0.5, max: 2 },
    lossRate: 0,
    duplicateRate: 0,
    reorderRate: 0,
    partitionEveryMs: Infinity,
    partitionMs: never,
    oneWayRate: 0,
  },
  clock: { offsetMsMax: 0, driftMax: 0, jumpEveryMs: Infinity, jumpMsMax: 0 },
  process: {
    killEveryMs: Infinity,
    downMs: never,
    powerCutRate: 0,
    pauseEveryMs: Infinity,
    pauseMs: never,
    stallRate: 0,
    stallMs: never,
    lateTimerRate: 0,
    lateTimerMs: never,
  },
  disk: {
    delayMs: { min: 0.02, mean: 0.1, max: 2 },
    writeFailureRate: 0,
    syncFailureRate: 0,
    fullEveryMs: Infinity,
    fullMs: never,
  },
}

/** The kinds of faults that a plan can be asked for. */
export const faultKinds = [
  'slow network',
  'loss',
  'duplicate',
  'reorder',
  'partition',
  'clock offset',
  'clock drift',
  'clock jump',
  'kill',
  'power cut',
  'pause',
  'stall',
  'late timer',
  'slow disk',
  'failing disk',
  'full disk',
] as const
export type FaultKind = (typeof faultKinds)[number]

/** A plan with exactly these kinds of faults, whose rates are drawn. */
export function faultPlan(random: SeededRandom, kinds: readonly FaultKind[]): FaultPlan {
  let plan = noFaults
  // Every kind has a stream of its own, so that leaving one out does not change the others.
  for (const kind of kinds) plan = withFault(plan, kind, random.fork(kind))
  return plan
}

/** The kinds of one seed out of `all`: some are left out, because faults hide each other. */
export function drawKinds(random: SeededRandom, all: readonly FaultKind[] = faultKinds): readonly FaultKind[] {
  return all.filter((kind) => random.fork(kind).chance(0.7))
}

function withFault(plan: FaultPlan, kind: FaultKind, random: SeededRandom): FaultPlan {
  const network = (more: Partial<FaultPlan['network']>): FaultPlan => ({
    ...plan,
    network: { ...plan.network, ...more },
  })
  const clock = (more: Partial<FaultPlan['clock']>): FaultPlan => ({ ...plan, clock: { ...plan.clock, ...more } })
  const process = (more: Partial<FaultPlan['process']>): FaultPlan => ({
    ...plan,
    process: { ...plan.process, ...more },
  })
  const disk = (more: Partial<FaultPlan['disk']>): FaultPlan => ({ ...plan, disk: { ...plan.disk, ...more } })
  switch (kind) {
    case 'slow network':
      return network({ delayMs: { min: 0.1, mean: random.between(1, 30), max: random.between(100, 2_000) } })
    case 'loss':
      return network({ lossRate: random.between(0.001, 0.1) })
    case 'duplicate':
      return network({ duplicateRate: random.between(0.001, 0.1) })
    case 'reorder':
      return network({ reorderRate: random.between(0.01, 0.5) })
    case 'partition':
      return network({
        partitionEveryMs: random.between(2_000, 20_000),
        partitionMs: { min: 50, mean: random.between(500, 5_000), max: 15_000 },
        oneWayRate: 0.3,
      })
    case 'clock offset':
      return clock({ offsetMsMax: random.between(10, 5_000) })
    case 'clock drift':
      return clock({ driftMax: random.between(0.0001, 0.02) })
    case 'clock jump':
      return clock({ jumpEveryMs: random.between(2_000, 30_000), jumpMsMax: random.between(10, 60_000) })
    case 'kill':
      return process({
        killEveryMs: random.between(2_000, 20_000),
        downMs: { min: 1, mean: random.between(100, 3_000), max: 10_000 },
      })
    case 'power cut':
      return process({ powerCutRate: random.between(0.2, 1) })
    case 'pause':
      return process({
        pauseEveryMs: random.between(1_000, 10_000),
        pauseMs: { min: 1, mean: random.between(50, 4_000), max: 10_000 },
      })
    case 'stall':
      return process({ stallRate: random.between(0.0005, 0.02), stallMs: { min: 0.1, mean: 5, max: 300 } })
    case 'late timer':
      return process({ lateTimerRate: random.between(0.01, 0.3), lateTimerMs: { min: 0.1, mean: 10, max: 500 } })
    case 'slow disk':
      return disk({ delayMs: { min: 0.1, mean: random.between(0.5, 10), max: random.between(20, 1_000) } })
    case 'failing disk':
      return disk({ writeFailureRate: random.between(0, 0.002), syncFailureRate: random.between(0.0005, 0.005) })
    case 'full disk':
      return disk({ fullEveryMs: random.between(5_000, 30_000), fullMs: { min: 10, mean: 1_500, max: 10_000 } })
    default:
      return unreachable(kind)
  }
}

/** A length of time of this distribution. */
export function drawMs(random: SeededRandom, { min, mean, max }: Spread): number {
  return max <= min ? min : Math.min(max, min + random.exponential(mean - min))
}
