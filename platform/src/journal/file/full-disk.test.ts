import { spawnSync } from 'node:child_process'
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { emptyFolder, openHere } from './contract/folder-bench.ts'
import { testRecord } from './contract/log-bench.ts'

test('[JR8] a file system that is full: appends say so, small records fit, and after a trim there is room again', async (context) => {
  await using at = await emptyFolder()
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', at.path])
  if (mounted.status !== 0) context.skip('optional: this machine does not permit mounting a small tmpfs')
  try {
    const folder = await openHere(at.path, { segmentBytesMin: 256 << 10, segmentBytesMax: 256 << 10 })
    const [{ journal }, other] = [folder.partitions[0]!, folder.partitions[1]!]
    let position = 1
    let outcome = await journal.append(position, testRecord(0, position, 9_000))
    while (outcome.kind === 'acked' && position < 1_000) {
      position += 1
      outcome = await journal.append(position, testRecord(0, position, 9_000))
    }
    expect(outcome).toEqual({ kind: 'full' })
    expect(position).toBeGreaterThan(100)
    expect(journal.fill()).toBeGreaterThan(0.9)
    async function* chunk(): AsyncGenerator<Uint8Array, void> {
      yield new Uint8Array(1 << 20)
    }
    await expect(journal.saveSnapshot(1, chunk(), () => 'hash')).rejects.toMatchObject({ code: 'JOURNAL_FULL' })
    const heartbeat = testRecord(0, position)
    heartbeat[5] = 2
    expect(await journal.append(position, heartbeat)).toEqual({ kind: 'acked', position })
    await journal.trim(position)
    await other.journal.trim(1)
    expect(journal.fill()).toBeLessThan(0.9)
    expect(await journal.append(position + 1, testRecord(0, position + 1, 9_000))).toMatchObject({ kind: 'acked' })
    await folder.close()
    const again = await openHere(at.path)
    expect(await again.partitions[0]!.journal.open()).toMatchObject({ next: position + 2 })
    await again.close()
  } finally {
    spawnSync('umount', [at.path])
  }
})

test('[JR8] a new folder on a file system without room is JOURNAL_FULL, and is made once there is some', async (context) => {
  await using at = await emptyFolder()
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m,nr_inodes=16', 'tmpfs', at.path])
  if (mounted.status !== 0) context.skip('optional: this machine does not permit mounting a small tmpfs')
  try {
    await writeFile(`${at.path}/filler`, new Uint8Array(1_900 << 10))
    const data = `${at.path}/data`
    await expect(openHere(data)).rejects.toMatchObject({ code: 'JOURNAL_FULL', details: { folder: data } })
    expect(await readdir(`${data}/log`)).toEqual([])
    await rm(`${at.path}/filler`)
    await (await openHere(data)).close()
    // No room for a name is no room either.
    const other = `${at.path}/other`
    await mkdir(other)
    for (let n = 0; (await writeFile(`${at.path}/${n}`, '').catch(() => 'full')) !== 'full'; n += 1);
    await expect(openHere(other)).rejects.toMatchObject({ code: 'JOURNAL_FULL' })
  } finally {
    spawnSync('umount', [at.path])
  }
})
