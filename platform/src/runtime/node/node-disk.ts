import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Disk, File, FolderLock } from '../ports.ts'
import { lockFolder } from './folder-lock.ts'
import { refuseNetworkFileSystem } from './network-file-systems.ts'
import { openNodeFile } from './node-file.ts'

/** The disk of this machine. Errors other than the named ones are those of the system, with their `code`. */
export class NodeDisk implements Disk {
  async makeFolder(path: string): Promise<void> {
    const first = await mkdir(path, { recursive: true })
    if (first === undefined) return
    // Each new folder is a name in the one above it, and that name must be as durable as what will lie inside.
    for (let made = path; made.length >= first.length; made = dirname(made)) await this.syncFolder(dirname(made))
  }

  async list(path: string): Promise<readonly string[]> {
    try {
      return (await readdir(path)).toSorted()
    } catch (error) {
      if (isMissing(error)) return []
      throw error
    }
  }

  open(path: string): Promise<File> {
    return openNodeFile(path)
  }

  async readFile(path: string): Promise<Uint8Array | undefined> {
    try {
      return await readFile(path)
    } catch (error) {
      if (isMissing(error)) return undefined
      throw error
    }
  }

  async replaceFile(path: string, content: Uint8Array): Promise<void> {
    const temporary = `${path}.new`
    const handle = await open(temporary, 'w')
    try {
      await handle.writeFile(content)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, path)
    await this.syncFolder(dirname(path))
  }

  async remove(path: string): Promise<void> {
    await rm(path, { force: true })
  }

  async syncFolder(path: string): Promise<void> {
    const handle = await open(path, 'r')
    try {
      await handle.sync()
    } finally {
      await handle.close()
    }
  }

  async lock(path: string): Promise<FolderLock> {
    await refuseNetworkFileSystem(path, process.platform)
    return lockFolder(path)
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
