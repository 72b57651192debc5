// The embedded composition: all partitions in this process, on this thread or on several, over a journal in a folder or
// in memory.
import { EmbeddedLog } from './embedded-log.ts'
import { EmbeddedMetrics } from './embedded-metrics.ts'
import { checkOptions, usage, type EmbeddedOptions, type Options } from './embedded-options.ts'
import { openJournals, type Journals } from './embedded-journals.ts'
import { newIds, newPartitions } from './embedded-partitions.ts'
import { limitsOnThreads, newThreads } from './embedded-threads.ts'
import { checkedLimits, defaultLimits, PlenumError, type Limits } from './kernel/index.ts'
import type { Partition } from './partition/index.ts'
import { Router, SpaceClient, type PartitionChannel } from './router/index.ts'
import { nodeRuntime, Watchdog } from './runtime/node/index.ts'
import type { Runtime } from './runtime/index.ts'
import type { Command } from './space/index.ts'
import {
  resolveUnit,
  unfilled,
  UnitClient,
  unitDefinition,
  type Client,
  type Outside,
  type ResolvedUnit,
  type Unit,
  type WorkerEvent,
  WorkerHost,
} from './unit/index.ts'

export type { EmbeddedEvent, EmbeddedOptions, EmbeddedProgress } from './embedded-options.ts'

/**
 * Runs a unit in this process and returns its client. Throws the errors of opening: USAGE, FOLDER_IN_USE, FOLDER_REFUSED,
 * FOLDER_OF_ANOTHER_GRID, FORMAT_UNKNOWN, JOURNAL_CORRUPT, JOURNAL_FULL, UNIT_MISMATCH, UPGRADE_REFUSED,
 * ACK_LEVEL_UNAVAILABLE, NOT_AVAILABLE_YET; on threads UNIT_NOT_LOADED and THREAD_FAILED too.
 *
 * @example
 * await using client = await embedded({ unit: bank, folder: 'data' })
 */
export async function embedded<U extends Unit>(options: EmbeddedOptions<U>): Promise<Client<U>>
export async function embedded(options: Options): Promise<unknown> {
  checkOptions(options)
  return open({ ...options, onEvent: guarded(options.onEvent) })
}

/** A listener that throws must not end what it was told of: its error is nobody's, as of any listener. */
function guarded(onEvent: Options['onEvent']): Options['onEvent'] {
  return (event) => {
    try {
      onEvent?.(event)
    } catch (error) {
      queueMicrotask(() => {
        throw error
      })
    }
  }
}

async function open(asked: Options): Promise<unknown> {
  const { threads } = asked
  const development = asked.development ?? process.env['NODE_ENV'] !== 'production'
  const given = checkedLimits({ ...defaultLimits, ...asked.limits })
  const limits = threads === undefined ? given : limitsOnThreads(given)
  const runtime = nodeRuntime()
  const definition = unitDefinition(asked.unit)
  checkUses(definition, asked.uses)
  const unit = resolveUnit(definition, { runtime, limits, checkAll: development })
  const { metrics, onLine, options } = await diagnosed(asked, unit, limits, runtime)
  const journals = await openJournals(options, unit.name, runtime)
  const parts: Parts = { unit, runtime, limits, development, journals, metrics, onLine }
  const running = threads === undefined ? onThisThread(options, parts) : onThreads(options, parts, threads)
  try {
    await running.start()
  } catch (error) {
    await running.drop()
    await journals.close()
    throw error
  }
  const caller = { kind: 'unit', subject: unit.name, claims: {} } as const
  const router = new Router(running.channels, runtime, limits)
  const uses = options.uses ?? {}
  const space = new SpaceClient(router, unit.types, limits, newIds(runtime))
  const closing = new AbortController()
  running.give?.({ space, uses, timers: runtime.timers, closing: closing.signal })
  const onEvent = (event: WorkerEvent): void => options.onEvent?.({ partition: undefined, event })
  const working = { router, space, uses, limits, runtime, onEvent, metrics: metrics?.metrics, onLine }
  const host = options.workers === false ? undefined : new WorkerHost(unit, working)
  host?.start()
  metrics?.start(running.partitions, host)
  const close = async (): Promise<void> => {
    await host?.close()
    closing.abort()
    await running.close()
    await journals.close()
    await running.closed?.()
    metrics?.close()
  }
  const calling = { unit, router, limits, uses, newId: newIds(runtime), caller, host, metrics: metrics?.snapshot }
  return new UnitClient({ ...calling, close })
}

/** The options with each event counted and logged, and what counts and logs. */
async function diagnosed(asked: Options, unit: ResolvedUnit, limits: Limits, { clock }: Runtime) {
  const metrics = asked.metrics === false ? undefined : new EmbeddedMetrics(unit, limits, clock)
  const log = await EmbeddedLog.open(asked, unit.name)
  const counting = metrics?.counting(asked) ?? asked
  return { metrics, onLine: log?.line, options: log?.logging(counting) ?? counting }
}

function checkUses({ name: unit, uses }: ReturnType<typeof unitDefinition>, given: Options['uses']): void {
  const missing = unfilled(uses, given)
  if (missing === undefined) return
  const how = 'give what fills that port in `uses`, or export it from the file of the unit as `uses` for the commands'
  throw usage(`unit '${unit}' uses '${missing}': ${how}`, missing)
}

interface Parts {
  readonly unit: ResolvedUnit
  readonly runtime: Runtime
  readonly limits: Limits
  readonly development: boolean
  readonly journals: Journals
  readonly metrics: EmbeddedMetrics | undefined
  readonly onLine: EmbeddedLog['line'] | undefined
}

/** The partitions, wherever they run. */
interface Running {
  readonly channels: readonly PartitionChannel[]
  /** Those of this thread. */
  readonly partitions: readonly Partition[]
  start(): Promise<void>
  /** Gives services what they have, where they run on this thread. */
  give?(outside: Outside): void
  close(): Promise<void>
  /** What could not begin goes without a word. */
  drop(): Promise<void>
  /** The journals are closed too. */
  closed?(): Promise<void>
}

function onThreads(options: Options, parts: Parts, threads: number): Running {
  const running = newThreads(options, { ...parts, threads })
  return {
    channels: running.channels,
    partitions: [],
    start: () => running.start(String(options.module), parts.unit.hash),
    close: () => running.close(),
    drop: () => running.close(),
  }
}

function onThisThread(options: Options, parts: Parts): Running {
  const { unit, limits, journals } = parts
  const watchdog = unit.functions.length === 0 ? undefined : watchdogOf(unit, limits, options)
  let outside: Outside | undefined
  const ask = (partition: number, command: Command): Promise<unknown> =>
    partitions[partition]?.submit({ command }) ??
    Promise.reject(new PlenumError('NOT_PRIMARY', 'There is no such partition.'))
  const upgrading = upgradeProgress(options)
  const opened = newPartitions({
    ...parts,
    runsWork: options.workers !== false,
    recordsCalls: options.record === true,
    metersOf: (partition) => parts.metrics?.ofPartition(partition),
    partitionsTotal: journals.partitions.length,
    journals: new Map(journals.partitions.entries()),
    watch: watchdog,
    outside: () => outside,
    ask,
    onEvent(partition, event) {
      options.onEvent?.({ partition, event })
      if (event.kind === 'upgrading') upgrading(partition, event)
    },
    // All share the room of one log: also a partition that is idle holds what others want to cut.
    makeRoom() {
      const making = partitions.flatMap((one) => one.makeRoom() ?? [])
      return making.length === 0 ? undefined : Promise.all(making)
    },
  })
  const partitions = [...opened.values()]
  const close = async (): Promise<void> => {
    await Promise.all(partitions.map((partition) => partition.close()))
  }
  const drop = async (): Promise<void> => {
    for (const partition of partitions) partition.drop()
    await watchdog?.close()
  }
  return {
    partitions,
    channels: partitions.map((it, partition) => ({ partition, sharesFate: true, send: it.submit.bind(it) })),
    start: () => startAll(partitions, options),
    give: (given) => (outside = given),
    close,
    drop,
    closed: async () => watchdog?.close(),
  }
}

/** Tells how far all partitions are with the entries of before. */
function upgradeProgress({ onProgress }: Options) {
  const seen = new Map<number, { readonly entries: number; readonly entriesTotal: number }>()
  return (partition: number, progress: { readonly entries: number; readonly entriesTotal: number }): void => {
    seen.set(partition, progress)
    const sum = (of: 'entries' | 'entriesTotal'): number =>
      [...seen.values()].reduce((total, one) => total + one[of], 0)
    onProgress?.({ step: 'upgrading', share: sum('entries') / sum('entriesTotal') })
  }
}

function watchdogOf(unit: ResolvedUnit, limits: Limits, options: Options): Watchdog {
  return new Watchdog({
    parts: unit.functions,
    limitMs: limits.handlerMsMax,
    slowMs: limits.slowStretchMs,
    onSlow: (slow) => options.onEvent?.({ partition: undefined, event: { kind: 'slow', ...slow } }),
  })
}

async function startAll(partitions: readonly Partition[], options: Options): Promise<void> {
  let started = 0
  const recover = async (partition: Partition): Promise<() => Promise<void>> => {
    const open = await partition.recoverAlone()
    started += 1
    options.onProgress?.({ step: 'recovering', share: started / partitions.length })
    return open
  }
  // Nobody begins what another partition cannot follow (UN10).
  const openings = await Promise.all(partitions.map(recover))
  await Promise.all(openings.map((open) => open()))
}
