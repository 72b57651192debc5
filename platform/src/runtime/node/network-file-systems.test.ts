import { tmpdir } from 'node:os'
import { expect, test } from 'vitest'
import { refuseNetworkFileSystem } from './network-file-systems.ts'

const nfs = (): Promise<number> => Promise.resolve(0x6969)

test('[FE4] a folder on a network file system is FOLDER_REFUSED, which names both; a local one passes', async () => {
  await expect(refuseNetworkFileSystem('shared', 'linux', nfs)).rejects.toMatchObject({
    code: 'FOLDER_REFUSED',
    details: { folder: 'shared', fileSystem: 'NFS' },
  })
  await expect(refuseNetworkFileSystem(tmpdir(), process.platform)).resolves.toBeUndefined()
})

test('[FE4] elsewhere than on Linux the numbers mean nothing', async () => {
  await expect(refuseNetworkFileSystem('shared', 'darwin', nfs)).resolves.toBeUndefined()
})
