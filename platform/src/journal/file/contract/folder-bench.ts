import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NodeDisk, nodeRuntime } from '../../../runtime/node/index.ts'
import { openFolder, type Folder, type FolderOptions } from '../folder.ts'

/** An empty folder of this machine, removed at the end. */
export async function emptyFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'plenum-folder-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

/** Opens a folder of this machine with two partitions, and makes it if need be, unless said otherwise. */
export function openHere(path: string, options: Partial<FolderOptions> = {}): Promise<Folder> {
  const { clock, timers, random } = nodeRuntime()
  const base = {
    disk: new NodeDisk(),
    path,
    partitions: 2,
    create: true,
    level: 'disk',
    clock,
    timers,
    random,
  } as const
  return openFolder({ ...base, ...options })
}
