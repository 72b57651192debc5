// The embedded composition on several threads: the journals stay here, the partitions run in threads of their own.
import type { Limits } from './kernel/index.ts'
import type { Journals } from './embedded-journals.ts'
import type { Options } from './embedded-options.ts'
import type { Runtime, Thread } from './runtime/index.ts'
import { RunCells, startThread, ThreadWatch } from './runtime/node/index.ts'
import { Threads, type ThreadData } from './threads/index.ts'

/** What partitions on threads need beside the options. */
export interface ThreadParts {
  readonly threads: number
  readonly runtime: Runtime
  readonly limits: Limits
  readonly development: boolean
  readonly journals: Journals
  /** Told of the files that threads load, where the unit is to be replaced when they change. */
  readonly onFile?: ((file: string) => void) | undefined
}

/** Bytes of records after which a journal in memory is cut: all of them are kept, until a snapshot has what they say. */
const memorySnapshotEveryBytes = 64 << 20

/** The limits where partitions are asked over a line: answers are kept for requests, of which there may be many. */
export function limitsOnThreads(limits: Limits): Limits {
  return { ...limits, sessionRequestsMax: Math.max(limits.sessionRequestsMax, limits.commandEffectsMax >>> 1) }
}

/** Threads for all partitions, not started yet. */
export function newThreads(options: Options, parts: ThreadParts, start = startHere): Threads {
  const { threads, runtime, limits, development, journals } = parts
  const { snapshotEveryBytes } = limits
  let recovered = 0
  return new Threads({
    threads,
    journals: journals.partitions.map((one) => ({ ...one, bytesMax: journals.bytesMax })),
    limits: journals.inMemory
      ? { ...limits, snapshotEveryBytes: Math.min(snapshotEveryBytes, memorySnapshotEveryBytes) }
      : limits,
    runtime,
    development,
    runsWork: options.workers !== false,
    recordsCalls: options.record === true,
    newCells: () => RunCells.memory(),
    start,
    watch: (memory, functions, onStuck) =>
      new ThreadWatch({
        memory,
        parts: functions,
        limitMs: limits.handlerMsMax,
        slowMs: limits.slowStretchMs,
        onSlow: (slow) => options.onEvent?.({ partition: undefined, event: { kind: 'slow', ...slow } }),
        onStuck,
      }),
    onEvent: (partition, event) => options.onEvent?.({ partition, event }),
    onFile: parts.onFile,
    keepsSpares: parts.onFile !== undefined,
    onRecovered: () => {
      recovered += 1
      if (recovered > journals.partitions.length) return
      options.onProgress?.({ step: 'recovering', share: recovered / journals.partitions.length })
    },
  })
}

/** A thread of this process. */
export function startHere(data: ThreadData): Thread {
  const file = import.meta.url.endsWith('.ts') ? './embedded-thread.ts' : './embedded-thread.js'
  return startThread(new URL(file, import.meta.url), data)
}
