import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Disk, File, FolderLock } from '../ports.ts'
import { folderError, folderRefused } from './folder-refusal.ts'
import { lockFolder } from './folder-lock.ts'
import { refuseNetworkFileSystem } from './network-file-systems.ts'
import { openNodeFile } from './node-file.ts'

/** The disk of this machine. Errors other than the named ones are those of the system, with their `code`. */
export class NodeDisk implements Disk {
  /** One by one: asked to make all of them at once, the system's call never ends below a folder such as /proc. */
  async makeFolder(path: string): Promise<void> {
    const missing: string[] = []
    for (let at = path; !(await isFolder(at)); at = dirname(at)) missing.push(at)
    for (const folder of missing.toReversed()) {
      await makeOne(folder)
      // Each new folder is a name in the one above it, and that name must be as durable as what will lie inside.
      await this.syncFolder(dirname(folder))
    }
  }

  async list(path: string): Promise<readonly string[]> {
    try {
      return (await readdir(path)).toSorted()
    } catch (error) {
      if (isMissing(error)) return []
      throw folderError(path, error)
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
      throw folderError(dirname(path), error)
    }
  }

  async replaceFile(path: string, content: Uint8Array): Promise<void> {
    const temporary = `${path}.new`
    const handle = await open(temporary, 'w')
    try {
      await handle.writeFile(content)
      await handle.sync()
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
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

/** False where there is nothing; FOLDER_REFUSED where there is something else than a folder. */
async function isFolder(path: string): Promise<boolean> {
  try {
    if ((await stat(path)).isDirectory()) return true
  } catch (error) {
    if (isMissing(error)) return false
    throw folderError(path, error)
  }
  throw folderRefused(path, 'it is not a folder')
}

async function makeOne(path: string): Promise<void> {
  try {
    await mkdir(path)
  } catch (error) {
    // Another process may have made it meanwhile; a link that leads nowhere is in the way for good.
    if (await isFolder(path)) return
    throw folderError(path, error)
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
