// The journals of the embedded composition: in a folder or in memory.
import { PlenumError } from './kernel/index.ts'
import type { Options } from './embedded-options.ts'
import { openFolder } from './journal/file/index.ts'
import { MemoryJournal } from './journal/memory/memory-engine.ts'
import type { Journal } from './journal/index.ts'
import type { Runtime } from './runtime/index.ts'
import { NodeDisk } from './runtime/node/index.ts'

export interface Journals {
  readonly partitions: readonly { readonly id: Uint8Array; readonly journal: Journal }[]
  /** True if they lie in memory, so that what they hold is to be cut soon. */
  readonly inMemory: boolean
  /** Bytes that they may have together; Infinity for no bound. */
  readonly bytesMax: number
  readonly close: () => Promise<void>
}

/** Opens the journals that the options name, for a unit of this name. Throws the errors of opening. */
export async function openJournals(options: Options, name: string, runtime: Runtime): Promise<Journals> {
  const given = options.journal ?? (options.folder === undefined ? undefined : { folder: options.folder })
  if (given === 'memory' || (given === undefined && options.ack === 'memory')) return memoryJournals(options, runtime)
  const { folder, bytesMax } = given ?? { folder: `.plenum/${name}`, bytesMax: undefined }
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
  const opened = await openFolder({
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
  return { partitions: opened.partitions, inMemory: false, bytesMax: bytesMax ?? Infinity, close: () => opened.close() }
}

/**
 * In memory, where a thread that ended begins again from its journal, nothing may be forgotten that no snapshot has;
 * else the newest records are enough.
 */
function memoryJournals(options: Options, runtime: Runtime): Journals {
  const kept = options.threads === undefined ? {} : { keptBytesMax: Infinity }
  if (options.ack === 'os' || options.ack === 'disk') {
    throw new PlenumError('ACK_LEVEL_UNAVAILABLE', `A journal in memory cannot give '${options.ack}'. Name a folder.`, {
      details: { asked: options.ack },
    })
  }
  const partitions = Array.from({ length: options.partitions ?? 4 }, () => ({
    id: runtime.random.bytes(16),
    journal: new MemoryJournal({ runtime, ...kept }),
  }))
  return {
    partitions,
    inMemory: true,
    bytesMax: Infinity,
    close: async () => {
      for (const { journal } of partitions) await journal.close()
    },
  }
}
