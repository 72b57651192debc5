// Loads a source into the partitions that do not hold it yet (UN7).
//
// I1 Each partition asks the outside once, and never again once its load is complete; completion is journaled after
//    the last row.
// I2 A load that was cut short begins its query again; its rows are upserts, so nothing is doubled.
import { PlenumError, type Limits } from '../kernel/index.ts'
import type { Router, SlotRange } from '../router/index.ts'
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

/** Progress of a load: rows so far, and partitions done. */
export type SourceProgress = (rows: number, partitionsDone: number) => void

export async function loadSource(
  router: Router,
  source: SourcePart,
  limits: Limits,
  uses: unknown,
  options: { readonly signal?: AbortSignal | undefined; readonly onProgress?: SourceProgress | undefined } = {},
): Promise<SourceLoaded> {
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
    const loaded =
      state === undefined && (await loadPartition(router, source, limits, { partition, uses, signal, report }))
    done += 1
    report(0)
    return loaded
  }
  const loads = Array.from({ length: router.partitions }, (_, partition) => loadOne(partition))
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
  readonly uses: unknown
  readonly signal: AbortSignal
  readonly report: (rows: number) => void
}

async function loadPartition(router: Router, source: SourcePart, limits: Limits, load: PartitionLoad): Promise<true> {
  const { partition, uses, signal } = load
  const slots = router.slots.rangesOf(partition)
  let rows = 0
  for await (const batch of source.load({ partition, partitions: router.partitions, slots, uses, signal })) {
    signal.throwIfAborted()
    for (let at = 0; at < batch.length; at += limits.batchEntriesMax) {
      await writeRows(router, source, partition, batch.slice(at, at + limits.batchEntriesMax))
    }
    rows += batch.length
    load.report(batch.length)
  }
  signal.throwIfAborted()
  await router.send(partition, { kind: 'source-loaded', source: source.name, rows })
  return true
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
