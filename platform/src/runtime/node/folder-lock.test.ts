import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { isPlenumError } from '../../kernel/index.ts'
import { networkFileSystem } from './network-file-systems.ts'
import { NodeDisk } from './node-disk.ts'

async function folder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'plenum-lock-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) }
}

async function isHeld(path: string): Promise<boolean> {
  try {
    ;(await new NodeDisk().lock(path)).release()
    return false
  } catch (error) {
    if (isPlenumError(error, 'FOLDER_IN_USE')) return true
    throw error
  }
}

interface Holder extends AsyncDisposable {
  kill(): Promise<void>
}

/** A process that holds the folder's lock until it is killed. */
async function holder(path: string, command: readonly string[] = []): Promise<Holder> {
  const program = `
    import { NodeDisk } from ${JSON.stringify(join(import.meta.dirname, 'node-disk.ts'))}
    globalThis.lock = await new NodeDisk().lock(${JSON.stringify(path)})
    console.log('held by ' + process.pid)
    setInterval(() => {}, 1000)`
  const line = [...command, process.execPath, '--input-type=module-typescript', '-e', program]
  const child = spawn(line[0]!, line.slice(1), { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(child.stdout, 'data')
  const ended = once(child, 'exit')
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL')
    await ended
  }
  return { kill, [Symbol.asyncDispose]: kill }
}

test('[FE4] a folder is held once, also within one process, and free after release', async () => {
  await using at = await folder()
  const disk = new NodeDisk()
  const lock = await disk.lock(at.path)
  await expect(disk.lock(at.path)).rejects.toMatchObject({ code: 'FOLDER_IN_USE', details: { folder: at.path } })
  lock.release()
  lock.release()
  expect(await isHeld(at.path)).toBe(false)
})

test('[FE4] another process that holds the folder is met, and its lock ends with a kill -9', async () => {
  await using at = await folder()
  await using child = await holder(at.path)
  expect(await isHeld(at.path)).toBe(true)
  await child.kill()
  expect(await isHeld(at.path)).toBe(false)
})

const namespaces = spawnSync('unshare', ['--pid', '--fork', 'true']).status === 0

test(`[FE4] a process of another pid namespace is met, though both may have the same id`, async (context) => {
  if (!namespaces) context.skip('optional: this machine does not permit `unshare --pid`')
  await using at = await folder()
  await using child = await holder(at.path, ['unshare', '--pid', '--fork', '--kill-child=SIGKILL'])
  expect(await isHeld(at.path)).toBe(true)
  await child.kill()
  await expect.poll(() => isHeld(at.path), { timeout: 10_000 }).toBe(false)
})

test('[FE4] what lies in the lock file does not matter, and a folder that is missing is named', async () => {
  await using at = await folder()
  await writeFile(join(at.path, 'lock'), '')
  expect(await isHeld(at.path)).toBe(false)
  await expect(new NodeDisk().lock(join(at.path, 'missing'))).rejects.toThrow('missing')
})

test('[FE4] network file systems are told by their magic numbers, signed or not; local ones pass', () => {
  const numbers = { NFS: 0x6969, SMB: 0xfe534d42, CIFS: 0xff534d42, '9P': 0x01021997, Ceph: 0x00c36400 }
  for (const [name, magic] of Object.entries(numbers)) {
    expect(networkFileSystem(magic)).toBe(name)
    expect(networkFileSystem(magic | 0)).toBe(name)
  }
  const local = { ext: 0xef53, xfs: 0x58465342, btrfs: 0x9123683e, tmpfs: 0x01021994, overlay: 0x794c7630 }
  for (const magic of Object.values(local)) expect(networkFileSystem(magic)).toBeUndefined()
})
