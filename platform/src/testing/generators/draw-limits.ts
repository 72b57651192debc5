import { checkedLimits, defaultLimits, type Limits } from '../../kernel/index.ts'
import type { Random } from '../../runtime/index.ts'
import { pick } from './choices.ts'

/**
 * Random small limits of which the relations hold, so that windows fill, batches are cut, queues overflow and snapshots
 * are taken within a short run. `floors` are the least that a scenario needs, such as `sessionsMax` for its clients.
 */
export function drawLimits(random: Random, floors: Partial<Limits> = {}): Limits {
  const one = (...choices: readonly number[]): number => pick(random, choices)
  const windowRecordsMax = one(1, 2, 4, 16)
  const batchBytes = one(1, 200, 2_000, 64 << 10)
  const drawn: Limits = {
    ...defaultLimits,
    valueBytesMax: one(600, 4_000, 64 << 10),
    answerBytesMax: one(600, 4_000, 64 << 10),
    batchBytes,
    windowRecordsMax,
    windowBytesMax: one(500, 5_000, 256 << 10),
    inboxRequestsMax: one(4, 32, 1_000),
    heldRepliesMax: one(8, 64, 1_000),
    sessionsMax: one(16, 64, 1_000),
    sessionRequestsMax: one(4, 64, 1_024),
    keyedAnswersMax: one(64, 1_000),
    // Long enough that no key of a run is forgotten and run again, which checkers would have to know.
    keyedAnswerMs: one(3_600_000, 86_400_000),
    sessionLeaseMs: one(10_000, 60_000),
    batchEntriesMax: one(16, 1_000),
    readEntriesMax: one(256, 10_000),
    // Forgetting the answers of a session is a command too, of as many effects as it may have requests, and more.
    commandEffectsMax: one(2_048, 100_000),
    transactionMsMax: one(10_000, 60_000),
    inDoubtMs: one(50, 300, 1_000),
    recentRecordsMax: Math.max(windowRecordsMax, one(16, 64, 128)),
    leaseMs: one(500, 1_000, 2_000),
    attemptsMax: one(2, 3),
    snapshotEveryBytes: one(2_000, 20_000, 256 << 20),
    snapshotSliceMs: one(1, 2),
  }
  const floored = Object.entries(floors).map(([name, floor]) => [name, Math.max(limitNamed(drawn, name), floor)])
  return checkedLimits({ ...drawn, ...Object.fromEntries(floored) })
}

function limitNamed(limits: Limits, name: string): number {
  return Object.entries(limits).find(([known]) => known === name)?.[1] ?? 0
}
