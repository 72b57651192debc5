import { statfs } from 'node:fs/promises'
import { PlenumError } from '../../kernel/index.ts'

/**
 * Magic numbers of Linux file systems whose files live on another machine (statfs(2), linux/magic.h): their locks,
 * their order of writes or their idea of "synced" depend on a server and its settings.
 */
const networkFileSystems: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xfe534d42, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0x01021997, '9P'],
  [0x00c36400, 'Ceph'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x73757245, 'Coda'],
  [0x564c, 'NCP'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS'],
  [0x7461636f, 'OCFS2'],
  [0x01161970, 'GFS2'],
])

/** The name of the network file system with this magic number; undefined for every other one. */
export function networkFileSystem(magic: number): string | undefined {
  // Some machines report the number as a signed 32-bit one.
  return networkFileSystems.get(magic >>> 0)
}

/** FOLDER_REFUSED if the folder lies on a network file system (FE4). Only Linux numbers are known; `magicOf` asks for one. */
export async function refuseNetworkFileSystem(
  folder: string,
  platform: string,
  magicOf: (folder: string) => Promise<number> = async (path) => (await statfs(path)).type,
): Promise<void> {
  if (platform !== 'linux') return
  const name = networkFileSystem(await magicOf(folder))
  if (name === undefined) return
  throw new PlenumError(
    'FOLDER_REFUSED',
    `The folder ${folder} lies on a network file system (${name}), which cannot promise that what was synced stays. ` +
      'Use a local disk.',
    { details: { folder, fileSystem: name } },
  )
}
