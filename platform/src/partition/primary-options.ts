import type { Limits } from '../kernel/index.ts'
import type { Journal, Writer } from '../journal/index.ts'
import type { Runtime } from '../runtime/index.ts'
import type { PartitionEvent } from './events.ts'
import type { AskPartition } from './in-doubt.ts'
import type { Logic } from './logic.ts'
import type { PartitionMeters } from './partition-meters.ts'
import type { ReignEnd } from './pipeline.ts'
import type { Replica } from './replica.ts'

/** What a reign begins with. */
export interface PrimaryOptions {
  /** Number of the partition. */
  readonly number: number
  /** Asks other partitions what became of transactions (TX4). */
  readonly ask: AskPartition
  readonly journal: Journal
  readonly journalId: Uint8Array
  readonly replica: Replica
  readonly logic: Logic
  readonly writer: Writer
  readonly runtime: Runtime
  readonly limits: Limits
  /** Median wall time of the members, milliseconds since 1970 (TI1). */
  readonly reference: () => number
  /** Partition time at which the reign starts. */
  readonly startTime: number
  /** Monotonic time at which this reign's OPEN was sent. */
  readonly openedAt: number
  readonly onEnd: (end: ReignEnd) => void
  readonly onEvent: (event: PartitionEvent) => void
  /** Called instead of the primary's own `makeRoom` where partitions share the room of one journal. */
  readonly makeRoom?: (() => Promise<unknown> | undefined) | undefined
  /** What is counted; undefined where nobody asks for it. */
  readonly meters?: PartitionMeters | undefined
}
