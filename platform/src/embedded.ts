// The embedded composition: all partitions in this process, over a journal in a folder or in memory.
import { EmbeddedLog } from './embedded-log.ts'
import { EmbeddedMetrics } from './embedded-metrics.ts'
import { checkOptions, usage, type EmbeddedOptions, type Options } from './embedded-options.ts'
import { checkedLimits, defaultLimits, PlenumError, uuid7, type Limits } from './kernel/index.ts'
import { openFolder } from './journal/file/index.ts'
import { MemoryJournal } from './journal/memory/memory-engine.ts'
import type { Journal } from './journal/index.ts'
import { Partition } from './partition/index.ts'
import { partitionerOf, Router, SpaceClient } from './router/index.ts'
import { NodeDisk, nodeRuntime, PurityGuard, Watchdog } from './runtime/node/index.ts'
import type { Runtime } from './runtime/index.ts'
import type { Command } from './space/index.ts'
import {
  resolveUnit,
  UnitClient,
  unitDefinition,
  UnitLogic,
  type Client,
  type Outside,
  type ResolvedUnit,
  type Unit,
  type Watch,
  type WorkerEvent,
  WorkerHost,
} from './unit/index.ts'

export type { EmbeddedEvent, EmbeddedOptions, EmbeddedProgress } from './embedded-options.ts'

interface Journals {
  readonly partitions: readonly { readonly id: Uint8Array; readonly journal: Journal }[]
  readonly close: () => Promise<void>
}

/**
 * Runs a unit in this process and returns its client. Throws the errors of opening: USAGE, FOLDER_IN_USE, FOLDER_REFUSED,
 * FOLDER_OF_ANOTHER_GRID, FORMAT_UNKNOWN, JOURNAL_CORRUPT, JOURNAL_FULL, UNIT_MISMATCH, UPGRADE_REFUSED,
 * ACK_LEVEL_UNAVAILABLE, NOT_AVAILABLE_YET.
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

async function open(given: Options): Promise<unknown> {
  const development = given.development ?? process.env['NODE_ENV'] !== 'production'
  const limits = checkedLimits({ ...defaultLimits, ...given.limits })
  const runtime = nodeRuntime()
  const definition = unitDefinition(given.unit)
  checkUses(definition, given.uses)
  const unit = resolveUnit(definition, { runtime, limits, checkAll: development })
  const { metrics, onLine, options } = await diagnosed(given, unit, limits, runtime)
  const journals = await openJournals(options, unit, runtime)
  const watchdog = unit.functions.length === 0 ? undefined : watchdogOf(unit, limits, options)
  const outside: Parts['outside'] = { given: undefined }
  const parts = { runtime, limits, development, journals, watchdog, outside, metrics, onLine }
  const partitions = openPartitions(options, unit, parts)
  const close = async (): Promise<void> => {
    await Promise.all(partitions.map((partition) => partition.close()))
    await journals.close()
    await watchdog?.close()
    metrics?.close()
  }
  try {
    await startAll(partitions, options)
  } catch (error) {
    for (const partition of partitions) partition.drop()
    await journals.close()
    await watchdog?.close()
    throw error
  }
  const channels = partitions.map((partition, number) => ({
    partition: number,
    sharesFate: true,
    send: partition.submit.bind(partition),
  }))
  const caller = { kind: 'unit', subject: unit.name, claims: {} } as const
  const router = new Router(channels, runtime, limits)
  const uses = options.uses ?? {}
  const space = new SpaceClient(router, unit.types, limits, newIds(runtime))
  const closing = new AbortController()
  outside.given = { space, uses, timers: runtime.timers, closing: closing.signal }
  const onEvent = (event: WorkerEvent): void => options.onEvent?.({ partition: undefined, event })
  const working = { router, space, uses, limits, runtime, onEvent, metrics: metrics?.metrics, onLine }
  const host = options.workers === false ? undefined : new WorkerHost(unit, working)
  host?.start()
  metrics?.start(partitions, host)
  const closeAll = async (): Promise<void> => {
    await host?.close()
    closing.abort()
    await close()
  }
  const calling = { unit, router, limits, uses, newId: newIds(runtime), caller, host, metrics: metrics?.snapshot }
  return new UnitClient({ ...calling, close: closeAll })
}

/** The options with each event counted and logged, and what counts and logs. */
async function diagnosed(given: Options, unit: ResolvedUnit, limits: Limits, { clock }: Runtime) {
  const metrics = given.metrics === false ? undefined : new EmbeddedMetrics(unit, limits, clock)
  const log = await EmbeddedLog.open(given, unit.name)
  const counting = metrics?.counting(given) ?? given
  return { metrics, onLine: log?.line, options: log?.logging(counting) ?? counting }
}

function checkUses({ name: unit, uses }: ReturnType<typeof unitDefinition>, given: Options['uses']): void {
  const missing = uses.find((name) => given?.[name] === undefined)
  if (missing === undefined) return
  throw usage(`unit '${unit}' uses '${missing}', which \`uses\` does not give`, missing)
}

interface Parts {
  readonly runtime: Runtime
  readonly limits: Limits
  readonly development: boolean
  readonly journals: Journals
  readonly watchdog: Watchdog | undefined
  readonly metrics: EmbeddedMetrics | undefined
  readonly onLine: EmbeddedLog['line'] | undefined
  /** What the unit's services have; given once the application has started. */
  readonly outside: { given: Outside | undefined }
}

function openPartitions(options: Options, unit: ResolvedUnit, parts: Parts): readonly Partition[] {
  const { runtime, limits, development, journals, watchdog } = parts
  const guard = development ? new PurityGuard() : undefined
  const watch = guard === undefined || watchdog === undefined ? watchdog : both(watchdog, guard)
  const partitionOf = partitionerOf(journals.partitions.length)
  const upgrading = upgradeProgress(options)
  const ask = (partition: number, command: Command): Promise<unknown> =>
    partitions[partition]?.submit({ command }) ??
    Promise.reject(new PlenumError('NOT_PRIMARY', 'There is no such partition.'))
  const partitions: readonly Partition[] = journals.partitions.map(({ id, journal }, partition) => {
    const logic = new UnitLogic({
      parts: unit,
      limits,
      random: runtime.random,
      newId: newIds(runtime),
      partition,
      partitionOf,
      outside: () => parts.outside.given,
      runsWork: options.workers !== false,
      showFaults: development,
      recordsCalls: options.record === true,
      onLine: parts.onLine,
      onFault: (part, error) => options.onEvent?.({ partition, event: { kind: 'fault', part, error } }),
      watch,
    })
    return new Partition({
      number: partition,
      journal,
      journalId: id,
      logic,
      member: 1,
      incarnation: 1,
      runtime,
      limits,
      reference: () => runtime.clock.wall(),
      ask,
      meters: parts.metrics?.ofPartition(partition),
      onEvent(event) {
        options.onEvent?.({ partition, event })
        if (event.kind === 'upgrading') upgrading(partition, event)
      },
      // All share the room of one log: also a partition that is idle holds what others want to cut.
      makeRoom() {
        const making = partitions.flatMap((one) => one.makeRoom() ?? [])
        return making.length === 0 ? undefined : Promise.all(making)
      },
    })
  })
  return partitions
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

async function openJournals(options: Options, unit: ResolvedUnit, runtime: Runtime): Promise<Journals> {
  const given = options.journal ?? (options.folder === undefined ? undefined : { folder: options.folder })
  if (given === 'memory' || (given === undefined && options.ack === 'memory')) return memoryJournals(options, runtime)
  const { folder, bytesMax } = given ?? { folder: `.plenum/${unit.name}`, bytesMax: undefined }
  const level = options.ack ?? 'disk'
  if (level === 'memory') {
    throw new PlenumError(
      'ACK_LEVEL_UNAVAILABLE',
      "A journal in a folder gives 'os' or 'disk'; for 'memory' leave the folder out.",
      {
        details: { asked: level, folder },
      },
    )
  }
  const disk = new NodeDisk()
  const known = (await disk.readFile(`${folder}/grid.json`)) !== undefined
  return openFolder({
    disk,
    path: folder,
    create: true,
    level,
    ...runtime,
    ...(options.partitions === undefined && known ? {} : { partitions: options.partitions ?? 4 }),
    ...(bytesMax === undefined ? {} : { bytesMax }),
    onEvent: (event) => options.onEvent?.({ partition: undefined, event }),
    onProgress: ({ bytes, bytesTotal }) =>
      options.onProgress?.({ step: 'reading', share: bytes / Math.max(1, bytesTotal) }),
  })
}

function memoryJournals(options: Options, runtime: Runtime): Journals {
  if (options.ack === 'os' || options.ack === 'disk') {
    throw new PlenumError('ACK_LEVEL_UNAVAILABLE', `A journal in memory cannot give '${options.ack}'. Name a folder.`, {
      details: { asked: options.ack },
    })
  }
  const partitions = Array.from({ length: options.partitions ?? 4 }, () => ({
    id: runtime.random.bytes(16),
    journal: new MemoryJournal({ runtime }),
  }))
  return {
    partitions,
    close: async () => {
      for (const { journal } of partitions) await journal.close()
    },
  }
}

function newIds(runtime: Runtime): () => string {
  return () => uuid7(runtime.clock.wall(), runtime.random.bytes(10))
}
