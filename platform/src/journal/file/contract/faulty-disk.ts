import type { Disk, File, FolderLock } from '../../../runtime/index.ts'

/** An operation on a file, as it is about to be handed to the disk. */
export interface DiskOperation {
  readonly kind: 'write' | 'sync'
  readonly path: string
  /** Where a write begins, and its bytes; 0 for a sync. */
  readonly at: number
  readonly bytes: number
}

/** Decides about an operation: an error fails it. Of a write, the first `written` bytes reach the file all the same. */
export type DiskPlan = (operation: DiskOperation) => { readonly error: Error; readonly written?: number } | undefined

/** The system's error of this code. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: injected`), { code })
}

/** A real disk whose writes and syncs fail as a plan says. */
export class FaultyDisk implements Disk {
  readonly #disk: Disk
  plan: DiskPlan = () => undefined
  /** Syncs so far that held up the loop. */
  syncsOnLoop = 0

  constructor(disk: Disk) {
    this.#disk = disk
  }

  async open(path: string): Promise<File> {
    const file = await this.#disk.open(path)
    const check = (kind: DiskOperation['kind'], buffers: readonly Uint8Array[], at: number): void => {
      const whole = Buffer.concat(buffers)
      const failure = this.plan({ kind, path, at, bytes: whole.length })
      if (failure === undefined) return
      if (failure.written !== undefined) file.writeNow([whole.subarray(0, failure.written)], at)
      throw failure.error
    }
    return {
      write: async (buffers, at) => {
        check('write', buffers, at)
        await file.write(buffers, at)
      },
      writeNow: (buffers, at) => {
        check('write', buffers, at)
        file.writeNow(buffers, at)
      },
      sync: async () => {
        check('sync', [], 0)
        await file.sync()
      },
      syncNow: () => {
        this.syncsOnLoop += 1
        check('sync', [], 0)
        file.syncNow()
      },
      read: (at, length) => file.read(at, length),
      size: () => file.size(),
      truncate: (size) => file.truncate(size),
      close: () => file.close(),
    }
  }

  makeFolder(path: string): Promise<void> {
    return this.#disk.makeFolder(path)
  }

  list(path: string): Promise<readonly string[]> {
    return this.#disk.list(path)
  }

  readFile(path: string): Promise<Uint8Array | undefined> {
    return this.#disk.readFile(path)
  }

  async replaceFile(path: string, content: Uint8Array): Promise<void> {
    const failure = this.plan({ kind: 'write', path, at: 0, bytes: content.length })
    if (failure !== undefined) throw failure.error
    await this.#disk.replaceFile(path, content)
  }

  remove(path: string): Promise<void> {
    return this.#disk.remove(path)
  }

  syncFolder(path: string): Promise<void> {
    return this.#disk.syncFolder(path)
  }

  lock(path: string): Promise<FolderLock> {
    return this.#disk.lock(path)
  }
}
