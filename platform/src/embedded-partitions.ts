// The partitions of one thread, over journals that are given: what `embedded.ts` and `embedded-thread.ts` have in common.
import { uuid7, type Limits } from './kernel/index.ts'
import type { Journal } from './journal/index.ts'
import { Partition, type AskPartition, type PartitionEvent, type PartitionMeters } from './partition/index.ts'
import { partitionerOf } from './router/index.ts'
import type { Runtime } from './runtime/index.ts'
import { PurityGuard } from './runtime/node/index.ts'
import { UnitLogic, type Outside, type ResolvedUnit, type UnitLogicOptions, type Watch } from './unit/index.ts'

export interface PartitionParts {
  readonly unit: ResolvedUnit
  readonly runtime: Runtime
  readonly limits: Limits
  readonly development: boolean
  readonly runsWork: boolean
  readonly recordsCalls: boolean
  /** What a partition counts; undefined where nothing is counted. */
  readonly metersOf?: ((partition: number) => PartitionMeters | undefined) | undefined
  /** Told of what the unit's functions log; nothing is logged if left out. */
  readonly onLine?: UnitLogicOptions['onLine']
  /** Number of partitions of the application. */
  readonly partitionsTotal: number
  /** Those of this thread, by number. */
  readonly journals: ReadonlyMap<number, { readonly id: Uint8Array; readonly journal: Journal }>
  /** Told of what the unit runs; undefined where nobody watches. */
  readonly watch: Watch | undefined
  /** What the unit's services have; undefined before the application has started. */
  readonly outside: () => Outside | undefined
  readonly ask: AskPartition
  readonly makeRoom: () => Promise<unknown> | undefined
  readonly onEvent: (
    partition: number,
    event: PartitionEvent | { readonly kind: 'fault'; readonly part: string; readonly error: unknown },
  ) => void
}

/** The partitions by number, not started yet. */
export function newPartitions(parts: PartitionParts): ReadonlyMap<number, Partition> {
  const { unit, runtime, limits, development, onEvent } = parts
  const guard = development ? new PurityGuard() : undefined
  const watch = guard === undefined || parts.watch === undefined ? parts.watch : both(parts.watch, guard)
  const partitionOf = partitionerOf(parts.partitionsTotal)
  const partitions = [...parts.journals].map(([number, { id, journal }]): [number, Partition] => {
    const logic = new UnitLogic({
      parts: unit,
      limits,
      random: runtime.random,
      newId: newIds(runtime),
      partition: number,
      partitionOf,
      outside: parts.outside,
      runsWork: parts.runsWork,
      recordsCalls: parts.recordsCalls,
      onLine: parts.onLine,
      showFaults: development,
      onFault: (part, error) => onEvent(number, { kind: 'fault', part, error }),
      watch,
    })
    const partition = new Partition({
      number,
      journal,
      journalId: id,
      logic,
      member: 1,
      incarnation: 1,
      runtime,
      limits,
      reference: () => runtime.clock.wall(),
      ask: parts.ask,
      meters: parts.metersOf?.(number),
      onEvent: (event) => onEvent(number, event),
      makeRoom: parts.makeRoom,
    })
    return [number, partition]
  })
  return new Map(partitions)
}

/** Makes ids that nobody else makes. */
export function newIds(runtime: Runtime): () => string {
  return () => uuid7(runtime.clock.wall(), runtime.random.bytes(10))
}

/** One watch within another. */
function both(outer: Watch, inner: Watch): Watch {
  return {
    enter(label) {
      outer.enter(label)
      inner.enter(label)
    },
    leave() {
      inner.leave()
      outer.leave()
    },
  }
}
