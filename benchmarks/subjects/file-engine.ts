// An anchor: the file engine's journal without a machine, a record for each append.
import { closedLoop, type Reading } from '../harness/closed-loop.ts'
import type { Subject } from '../harness/remote.ts'
import { openFolder, type Folder } from '../../platform/src/journal/file/index.ts'
import { NodeDisk, nodeRuntime } from '../../platform/src/runtime/node/index.ts'

export interface FileEngineOptions {
  readonly folder: string
  readonly ack: 'os' | 'disk'
}

export class FileEngine implements Subject {
  readonly #folder: Folder

  constructor(folder: Folder) {
    this.#folder = folder
  }

  /** Appends records of so many bytes with so many under way. */
  async appends(bytes: number, callers: number, seconds: number): Promise<Reading> {
    const { journal } = this.#folder.partitions[0]!
    const record = Buffer.alloc(bytes, 1)
    let { next } = await journal.open()
    return closedLoop(callers, seconds, async () => {
      const appended = await journal.append(next++, record)
      if (appended.kind !== 'acked') throw new Error(`An append was ${appended.kind}.`)
    })
  }

  close(): Promise<void> {
    return this.#folder.close()
  }
}

/** Makes a folder with one journal and opens it. */
export async function openFileEngine({ folder, ack }: FileEngineOptions): Promise<FileEngine> {
  const options = { disk: new NodeDisk(), path: folder, create: true, partitions: 1, level: ack, ...nodeRuntime() }
  return new FileEngine(await openFolder(options))
}
