// Loads a source into the partitions that do not hold it yet (UN7).
//
// I1 Each partition asks the outside once, and never again once its load is complete; completion is journaled after
//    the last row.
//    An entry type that is everywhere is asked for once, and its completion stands in the first partition.
// I2 A load that was cut short begins its query again; its rows are upserts, so nothing is doubled.
import { PlenumError, type Limits } from '../kernel/index.ts'
import { SlotMap, type BatchOutcome, type Router, type SlotRange } from '../router/index.ts'
import type { Answer, StoredValue } from '../space/index.ts'
import { errorFrom } from '../space/index.ts'

/** What a source's `load` is asked for. */
export interface SourceLoadRequest {
  readonly partition: number
  readonly partitions: number
  readonly slots: readonly SlotRange[]
  readonly uses: unknown
  readonly signal: AbortSignal
}

/** A source, resolved from its declaration. */
export interface SourcePart {
  readonly name: string
  readonly type: string
  /** True if every partition gets every row. */
  readonly isEverywhere: boolean
  readonly routeOf: (value: StoredValue) => unknown
  readonly load: (request: SourceLoadRequest) => AsyncIterable<readonly StoredValue[]>
}

/** How a load went, in partitions and rows. */
export interface SourceLoaded {
  readonly partitions: number
  /** Partitions that were loaded now, and those that held their rows already. */
  readonly loaded: number
  readonly skipped: number
  readonly rows: number
}

/** What a loader works with. */
export interface SourceContext {
  readonly router: Router
  readonly limits: Limits
  readonly uses: unknown
  /** Writes to all partitions, for entry types that are everywhere. */
  readonly writeAll: (type: string, values: readonly StoredValue[]) => Promise<readonly BatchOutcome[]>
}

/** Progress of a load: rows so far, and partitions done. */
export type SourceProgress = (rows: number, partitionsDone: number) => void

/** Rows that are written to all partitions at once: each write is a transaction, which holds all of them. */
const rowsEverywhere = 500

export async function loadSource(
  context: SourceContext,
  source: SourcePart,
  options: { readonly signal?: AbortSignal | undefined; readonly onProgress?: SourceProgress | undefined } = {},
): Promise<SourceLoaded> {
  const { router } = context
  const stop = new AbortController()
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([stop.signal, options.signal])
  let rows = 0
  let done = 0
  const report = (more: number): void => {
    rows += more
    options.onProgress?.(rows, done)
  }
  const loadOne = async (partition: number): Promise<boolean> => {
    const state = await router.send(partition, { kind: 'source-state', source: source.name })
    const loaded = state === undefined && (await loadPartition(context, source, { partition, signal, report }))
    done += 1
    report(0)
    return loaded
  }
  const loads = Array.from({ length: source.isEverywhere ? 1 : router.partitions }, (_, at) => loadOne(at))
  try {
    const outcomes = await Promise.all(loads)
    const loaded = outcomes.filter(Boolean).length
    return { partitions: outcomes.length, loaded, skipped: outcomes.length - loaded, rows }
  } catch (error) {
    stop.abort(error)
    // Nothing of the load goes on once it has failed.
    await Promise.allSettled(loads)
    throw asSourceError(source, error)
  }
}

interface PartitionLoad {
  readonly partition: number
  readonly signal: AbortSignal
  readonly report: (rows: number) => void
}

async function loadPartition(
  context: SourceContext,
  source: SourcePart,
  { partition, signal, report }: PartitionLoad,
): Promise<true> {
  const { router, limits, uses } = context
  const share = source.isEverywhere
    ? { partition: 0, partitions: 1, slots: new SlotMap(1).rangesOf(0) }
    : { partition, partitions: router.partitions, slots: router.slots.rangesOf(partition) }
  const step = source.isEverywhere ? Math.min(rowsEverywhere, limits.batchEntriesMax) : limits.batchEntriesMax
  let rows = 0
  for await (const batch of source.load({ ...share, uses, signal })) {
    signal.throwIfAborted()
    for (let at = 0; at < batch.length; at += step) {
      const values = batch.slice(at, at + step)
      await (source.isEverywhere
        ? writeEverywhere(context, source, values)
        : writeRows(router, source, partition, values))
    }
    rows += batch.length
    report(batch.length)
  }
  signal.throwIfAborted()
  await router.send(partition, { kind: 'source-loaded', source: source.name, rows })
  return true
}

async function writeEverywhere(
  context: SourceContext,
  source: SourcePart,
  values: readonly StoredValue[],
): Promise<void> {
  for (const outcome of await context.writeAll(source.type, values)) {
    if (outcome.ok) continue
    const isTooLarge = outcome.error.details['limit'] === 'transactionBytesMax' && values.length > 1
    if (!isTooLarge) throw outcome.error
    const half = Math.ceil(values.length / 2)
    await writeEverywhere(context, source, values.slice(0, half))
    return writeEverywhere(context, source, values.slice(half))
  }
}

async function writeRows(
  router: Router,
  source: SourcePart,
  partition: number,
  values: readonly StoredValue[],
): Promise<void> {
  for (const value of values) {
    const owner = router.partitionOf(source.routeOf(value))
    if (owner !== partition) {
      throw new PlenumError(
        'SOURCE_FAILED',
        `The source '${source.name}' gave partition ${partition} a row that belongs to partition ${owner}. Its query must keep to the slots it is asked for.`,
        { details: { source: source.name, partition, owner } },
      )
    }
  }
  const commands = values.map((value) => ({ kind: 'write', type: source.type, value, options: {} }) as const)
  const answers = (await router.send(partition, { kind: 'batch', commands })) as readonly Answer[]
  for (const answer of answers) if (!answer.ok) throw errorFrom(answer.error)
}

function asSourceError(source: SourcePart, error: unknown): unknown {
  if (error instanceof PlenumError || (error instanceof Error && error.name === 'AbortError')) return error
  const message = error instanceof Error ? error.message : String(error)
  return new PlenumError(
    'SOURCE_FAILED',
    `The source '${source.name}' failed: ${message}. What was loaded stays; load again to go on.`,
    {
      details: { source: source.name },
      cause: error,
    },
  )
}
