import type { Disk, File, FolderLock } from '../ports.ts'
import { NodeDisk } from './node-disk.ts'
import { openNodeFile } from './node-file.ts'

/** The disk of this machine to look at: nothing on it is made or changed, but for a lock file where there is none. */
export class LookingDisk implements Disk {
  readonly #disk = new NodeDisk()

  list(path: string): Promise<readonly string[]> {
    return this.#disk.list(path)
  }

  /** The system's ENOENT where there is none. */
  open(path: string): Promise<File> {
    return openNodeFile(path, 'read')
  }

  readFile(path: string): Promise<Uint8Array | undefined> {
    return this.#disk.readFile(path)
  }

  lock(path: string): Promise<FolderLock> {
    return this.#disk.lock(path)
  }

  makeFolder(path: string): Promise<void> {
    return refused(path)
  }

  replaceFile(path: string): Promise<void> {
    return refused(path)
  }

  remove(path: string): Promise<void> {
    return refused(path)
  }

  syncFolder(path: string): Promise<void> {
    return refused(path)
  }
}

function refused(path: string): Promise<never> {
  return Promise.reject(new Error(`${path} is looked at and not changed.`))
}
